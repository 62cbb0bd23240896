"""The border 边界 by column name: what of a source row may pass, decided before any value is read.

The columns of a row are known, listed as ignored, or named as unknown and dropped. Personal and free-text columns
reach nothing but the keyed hash of the row.
"""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

import orjson

from adapters import columns, relief
from adapters.base import RowFault, RowKind
from adapters.facts import SourceFacts
from adapters.persons import ask_identity, may_name_somebody
from schemas.fault import Fault

ROW_BYTES = 65_536
"""What the texts of one row may come to; the standard's own lengths come to some 16,000 characters."""

PLACE_LENGTH = 200
"""What a file's name with a line behind it may come to; the store's column has 255."""

UNNAMED = "unnamed column"
"""Stands for every unknown column whose name may itself be a row's content, as in a file without its header line."""

_NOT_THERE = "\x00"
"""Stands for columns that a row does not have, which count as empty ones; no column is called so."""

_SAFE_KEY = re.compile(r"(?=.*[0-9A-Za-z])\w[\w.:/@#()-]{0,127}", re.ASCII)
_LINE_DIGITS = 10
_SAFE_NAME = re.compile(r"(?!.*[0-9]{8})[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layout:
    """One set of column names as it occurs in a source; ``renamed`` is empty where all are the standard's.

    ``columns`` are those that are known or ignored here, by the standard's code.
    """

    kind: RowKind
    columns: frozenset[str]
    renamed: tuple[tuple[str, str], ...]
    personal: tuple[str, ...]
    unknown: frozenset[str]
    hashed: Callable[[Mapping[str, str]], Sequence[str]]


class Border:
    """The columns of one source and the key of its hashes. Holds names only, never a row."""

    def __init__(self, facts: SourceFacts, row_key: bytes) -> None:
        own = facts.columns
        beside = {own.row, own.determination, own.place, own.published, own.review, own.review_until, own.state}
        beside |= {own.served, own.perform_by, own.performed, own.related}
        self._known: dict[RowKind, tuple[str, ...]] = {
            "penalty": tuple(sorted(beside.union(columns.LABELS, columns.LEGACY_READ) - {""})),
            "relief": tuple(sorted({own.row, *relief.COLUMNS})),
        }
        self._silent = frozenset({own.updated, *own.ignored, *columns.LEGACY_LEFT})
        legacy = {name: str(getattr(own, column)) for name, column in columns.LEGACY_SAME.items()}
        known = {alias: column.code for column in columns.COLUMNS for alias in (*column.aliases, column.zh)}
        self._aliases = known | legacy | own.aliases
        self._personal = frozenset(c.code for c in columns.COLUMNS if c.duty == "personal")
        self._row_key = row_key
        self.layout = lru_cache(256)(self._layout)
        self._shown_file = lru_cache(64)(self._shown)

    def _layout(self, kind: RowKind, names: tuple[str, ...]) -> Layout:
        """How to read rows with these columns; worked out once for each header, not for each row."""
        known = frozenset(self._known[kind]) | self._silent
        renamed, unknown, personal, found = [], [], [], []
        for name in names:
            code = name if name in known else self._aliases.get(name, name)
            if code != name:
                renamed.append((name, code))
            if code not in known:
                unknown.append(name if name in self._aliases or _SAFE_NAME.fullmatch(name) else UNNAMED)
            else:
                found.append(code)
            if code in self._personal:
                personal.append(code)
        pick = itemgetter(*[code if code in found else _NOT_THERE for code in self._known[kind]])
        once = tuple(dict.fromkeys(personal))
        return Layout(kind, frozenset(found), tuple(renamed), once, frozenset(unknown), pick)

    def digest(self, layout: Layout, fields: dict[str, str]) -> str:
        """HMAC-SHA256 (hex) of a row's known columns, personal and free text included.

        The stamp of updating and columns that are ignored or unknown stay out: a row that was only touched, or a
        column that appears, changes nothing. Keyed, since a hash of few values could be guessed back.
        Empty for a row larger than ``ROW_BYTES``: nobody looks at its values.
        """
        fields[_NOT_THERE] = ""
        content = orjson.dumps(layout.hashed(fields))
        if len(content) > ROW_BYTES:
            return ""
        return hmac.digest(self._row_key, content, "sha256").hex()

    def row_name(self, kind: RowKind, key: str) -> str:
        """The name of a row within its source; a penalty and a relief row may have the same key.

        A key that might hold a person's number or name (15 digits on end, any character beyond ASCII) is replaced
        by a keyed hash, which names the row as well.
        """
        key = key.strip()
        safe = _SAFE_KEY.fullmatch(key) and not may_name_somebody(key)
        name = key if safe else self.hidden(key)
        return name if kind == "penalty" else f"relief/{name}"

    def shown_place(self, where: str) -> str:
        """Where a row stood, fit to be kept: a file's name that is no text or holds a person's number is hashed."""
        file, _, line = where.rpartition(":")
        if line.isdecimal() and line.isascii() and len(line) < _LINE_DIGITS:
            shown = self._shown_file(file)
            return f"{shown}:{line}" if shown == file else self._shown(where)
        return self._shown(where)

    def _shown(self, where: str) -> str:
        try:
            where.encode("utf-8")
            ask_identity(where)
        except (UnicodeEncodeError, Fault):
            return self.hidden(where)
        return where if len(where) <= PLACE_LENGTH else self.hidden(where)

    def hidden(self, key: str) -> str:
        """A keyed hash in place of a row key."""
        return "hmac-" + hmac.digest(self._row_key, key.encode("utf-8", "replace"), "sha256").hex()[:32]


def renamed(fields: Mapping[str, str], layout: Layout) -> tuple[dict[str, str], RowFault | None]:
    """The row under the standard's names. Two kinds of penalty are joined; any other contradiction is a fault."""
    row, fault = dict(fields), None
    for name, code in layout.renamed:
        value = row.pop(name)
        there = row.get(code, "")
        if not there.strip():
            row[code] = value
        elif code == "CF_CFLB":
            row[code] = f"{there};{value}"
        elif value.strip() and value != there:
            sentence = f"{name} is the same column and says something else; the source must decide."
            fault = RowFault(code, "conflicting", sentence)
    return row, fault


def even(fields: Mapping[str, str], odd: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The row with the known odd values 已知异常值 of the facts page as what they stand for there."""
    row = dict(fields)
    for column, values in odd.items():
        value = row.get(column, "").strip()
        if value in values:
            row[column] = values[value]
    return row
