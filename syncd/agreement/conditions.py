"""Conditions 判定条件 in CEL (Common Expression Language): the one place where the library is spoken to.

A condition is made of comparisons of *one name with literals*, joined by ``&&``, ``||``, ``!`` and brackets. So much
says all that a code list needs, can be read by an official, and lets ``samples`` find every overlap and gap. The
library checks the types; what it cannot evaluate comes back as a value and means *no decision*, never a verdict.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from syncd.agreement.names import NAMES, NameType, is_day

LENGTH = 1_000
_CEL_TYPES = {
    "text": cel.Type.STRING,
    "day": cel.Type.STRING,
    "amount": cel.Type.DOUBLE,
    "count": cel.Type.INT,
    "texts": cel.Type.List(cel.Type.STRING),
}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"\\\n]*"|'[^'\\\n]*')|(?P<number>[0-9]+(?:\.[0-9]+)?)"""
    r"""|(?P<method>\.(?:contains|startsWith))|(?P<word>[a-z_][a-z0-9_]*+(?:\.[a-z_][a-z0-9_]*+(?!\s*\(|[A-Z]))*)"""
    r"""|(?P<join>&&|\|\||!(?!=))|(?P<compare>==|!=|<=|>=|<|>)|(?P<bracket>[()\[\],]))""",
    re.ASCII,
)
_MEANT = {
    "amount": "an amount is compared by == != < <= > >= with a number that has a decimal point, 200000.0",
    "count": "a count is compared by == != < <= > >= with a whole number",
    "day": 'a day is compared by == != < <= > >= with a text such as "2026-11-22"',
    "text": 'a text is compared by == or !=, by in ["…", "…"], or asked .contains("…") or .startsWith("…")',
    "texts": 'a list is asked "…" in name',
}
_SHAPES = {
    "amount": re.compile(r"name compare number"),
    "count": re.compile(r"name compare number"),
    "day": re.compile(r"name compare text"),
    "text": re.compile(r"name (?:equal text|in \[ text(?: , text)* \]|method \( text \))"),
    "texts": re.compile(r"text in name"),
}


class BadCondition(ValueError):
    """The condition cannot be used; the text is a part of a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison: the name, and the literals it is compared with, as Python values."""

    name: str
    literals: tuple[str | float, ...]


class Conditions:
    """Several conditions as one list expression: evaluating them together is many times cheaper than one by one."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.atoms = tuple(tuple(read_atoms(source)) for source in sources)
        self.names = frozenset(atom.name for atoms in self.atoms for atom in atoms)
        self._together = _compiled("[" + ", ".join(f"({source})" for source in sources) + "]")

    def hold(self, facts: Mapping[str, Any]) -> tuple[bool, ...] | None:
        """Which conditions hold for these facts, in order; None where the library gives an error: no decision."""
        value = self._together.eval(data=facts)
        if value.type() == cel.Type.ERROR:
            return None
        return tuple(value.plain_value())


@lru_cache(256)
def conditions_of(sources: tuple[str, ...]) -> Conditions:
    """Compiled once for each set. Raises ``BadCondition``."""
    return Conditions(sources)


@lru_cache(1)
def _environment() -> Any:
    return cel.NewEnv(variables={name.name: _CEL_TYPES[name.type] for name in NAMES.values()})


def _compiled(source: str) -> Any:
    try:
        return _environment().compile(source)
    except RuntimeError as error:
        first = str(error).splitlines()[0].rpartition("ERROR: ")[2].removesuffix(" [INVALID_ARGUMENT]")
        raise BadCondition(f"the condition is not understood ({first})") from None


def read_atoms(source: str) -> Iterator[Atom]:
    """The comparisons of one condition. Raises ``BadCondition`` for anything that is more than comparisons."""
    if len(source) > LENGTH:
        raise BadCondition(f"the condition is longer than {LENGTH} characters")
    part: list[tuple[str, str]] = []
    for kind, text in _tokens(source):
        if kind != "join":
            part.append((kind, text))
        elif part or text != "!":
            yield _atom(part)
            part = []
    yield _atom(part)
    _compiled(source)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(source.rstrip())
    while at < end:
        found = _TOKEN.match(source, at)
        if found is None or found.lastgroup is None:
            raise BadCondition(f"the condition is not understood from {source[at : at + 20].strip()!r} on")
        at = found.end()
        kind, text = found.lastgroup, found[found.lastgroup]
        if kind == "word" and text != "in" and text not in NAMES:
            raise BadCondition(f"the name {text} is unknown")
        yield kind, text


def _atom(part: Sequence[tuple[str, str]]) -> Atom:
    """One comparison, brackets of grouping around it taken off."""
    names = [text for kind, text in part if kind == "word" and text in NAMES]
    if len(names) != 1:
        raise BadCondition("each comparison has exactly one name, compared with texts or numbers")
    name = NAMES[names[0]]
    core = _without_grouping(part)
    shape = " ".join(_word_of(kind, text, name.type) for kind, text in core)
    literals = [text for kind, text in core if kind in ("text", "number")]
    if not _SHAPES[name.type].fullmatch(shape) or not all(_fits(text, name.type) for text in literals):
        raise BadCondition(f"{name.name}: {_MEANT[name.type]}")
    return Atom(name.name, tuple(_value(text) for text in literals))


def _without_grouping(part: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Brackets that only group stand at the ends of a comparison; those of a call and of a list stay."""
    core = list(part)
    while core and core[0] == ("bracket", "("):
        core.pop(0)
    calls = sum(kind == "method" for kind, _ in core)
    while core and core[-1] == ("bracket", ")") and sum(token == ("bracket", ")") for token in core) > calls:
        core.pop()
    return core


def _word_of(kind: str, text: str, of: NameType) -> str:
    if kind == "word":
        return "in" if text == "in" else "name"
    if kind == "compare":
        return "equal" if of == "text" and text in ("==", "!=") else "compare"
    return text if kind == "bracket" else kind


def _fits(text: str, of: NameType) -> bool:
    if of == "amount":
        return "." in text and text.count(".") == 1 and len(text.partition(".")[2]) <= 2
    if of == "count":
        return text.isdigit() and len(text) <= 9
    return of != "day" or is_day(text[1:-1])


def _value(text: str) -> str | float:
    return text[1:-1] if text[0] in "\"'" else float(text)
