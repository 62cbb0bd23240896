"""Overlaps and gaps 重叠与缺口 between the conditions of one code, found before any record is judged.

Each comparison asks one name of literals, so the literals cut the values of a name into few kinds. One value of each
kind, in all combinations, stands for every record there can be: two conditions that hold for one of them overlap, and
one for which none holds is a gap. Every sample is a real possible record, so nothing is reported that cannot happen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, permutations, product
from math import prod
from typing import Any

from syncd.agreement.conditions import Conditions
from syncd.agreement.names import NAMES, NameType

SAMPLES = 50_000
_CENT = 0.01
_NO_LITERAL = "\u2205"  # stands for every text that is none of those named


class TooMany(ValueError):
    """More combinations than can be looked through; the text is a part of a sentence."""


def samples(conditions: Conditions, types: Iterable[str] = ()) -> Iterator[Mapping[str, Any]]:
    """One record for each kind of record that these conditions can tell apart. Raises ``TooMany``.

    ``types``: the types of organisations that the agreement lists.
    """
    literals: dict[str, set[Any]] = {}
    for atom in (atom for atoms in conditions.atoms for atom in atoms):
        literals.setdefault(atom.name, set()).update(atom.literals)
    values = {name: list(_values(name, sorted(named))) for name, named in literals.items()}
    if "subject.type" in values:
        values["subject.type"] = ["", *types]
    if (count := prod(map(len, values.values()))) > SAMPLES:
        raise TooMany(f"its conditions tell {count} kinds of records apart, more than {SAMPLES}; use fewer")
    for combination in product(*values.values()):
        yield dict(zip(values, combination, strict=True))


def shown(sample: Mapping[str, Any]) -> str:
    """A sample in words, for the sentence about it."""
    return ", ".join(f"{name} = {_shown(value)}" for name, value in sample.items())


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace(_NO_LITERAL, "…") + '"'
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _values(name: str, literals: Sequence[Any]) -> Iterable[Any]:
    return _BY_TYPE[NAMES[name].type](literals)


def _amounts(literals: Sequence[float]) -> Iterable[float]:
    around = {round(value + step, 2) for value in literals for step in (-_CENT, 0.0, _CENT)}
    return sorted({0.0, *(value for value in around if value >= 0)})


def _counts(literals: Sequence[float]) -> Iterable[int]:
    around = {int(value) + step for value in literals for step in (-1, 0, 1)}
    return sorted({1, *(value for value in around if value >= 1)})


def _days(literals: Sequence[str]) -> Iterable[str]:
    days = [date.fromisoformat(text) for text in literals]
    return sorted({(day + timedelta(days=step)).isoformat() for day in days for step in (-1, 0, 1)})


def _texts(literals: Sequence[str]) -> Iterable[str]:
    """None of them, each by itself, and up to three of them in one text, in any order and place."""
    joined = [_NO_LITERAL.join(some) for size in (1, 2, 3) for some in permutations(literals, size)]
    beside = [text for one in joined for text in (f"{one}{_NO_LITERAL}", f"{_NO_LITERAL}{one}")]
    return dict.fromkeys([_NO_LITERAL, *joined, *beside])


def _lists(literals: Sequence[str]) -> Iterable[list[str]]:
    for size in range(len(literals) + 1):
        for chosen in combinations(literals, size):
            yield [*chosen, _NO_LITERAL]


_BY_TYPE: Mapping[NameType, Callable[[Any], Iterable[Any]]] = {
    "amount": _amounts,
    "count": _counts,
    "day": _days,
    "text": _texts,
    "texts": _lists,
}
