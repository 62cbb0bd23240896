"""The head of a table 表头: where it stands, what its columns are called, and which rows around it are no records.

Spreadsheets carry a title and instruction rows 表格说明 above the head, a head of two rows with merged cells, Chinese
labels or instructions below it, and notes at the end. The head is the first of the first rows that names the row key.
Nothing is guessed from values: rows are told apart by names of columns, by ``files.notes`` and by ``files.below``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters import acks, columns, relief
from adapters.base import FILE, RowFault
from adapters.facts import SourceFacts

HEAD_ROWS = 20
"""How many rows may stand above the head."""
NOTE_CELLS = 2
"""A row of notes has no more filled cells than this; a record has."""
_DATED = ("CF_JDRQ", "CF_YXQ", "CF_GSJZQ", "XF_RQ", "HZ_RQ")

AGAIN = "The source must export the file again; it is read again by itself."


@dataclass(slots=True)
class Line:
    """One line of a file by its header, or the fault that kept the file or the line from being read."""

    where: str
    fields: dict[str, str]
    fault: RowFault | None = None


def file_fault(where: str, reason: str, sentence: str) -> Line:
    """A fault of a file, or of a line that cannot be told by its columns."""
    return Line(where, {}, RowFault(FILE, reason, f"{sentence} {AGAIN}"))


@dataclass(frozen=True)
class Names:
    """Names of columns of one source: those of the row key, all that are known, and those that hold days or times."""

    keys: frozenset[str]
    known: frozenset[str]
    dated: frozenset[str]

    @classmethod
    def of(cls, facts: SourceFacts, key: str) -> "Names":
        """The names of a source whose rows are told by the column ``key``."""
        own = facts.columns
        also = {alias: one.code for one in columns.COLUMNS for alias in (*one.aliases, one.zh)} | own.aliases
        dated = {*_DATED, own.published, own.updated, own.served, own.perform_by, own.review_until} - {""}
        known = {*columns.LABELS, *own.own, *own.ignored, *relief.COLUMNS, *acks.COLUMNS, *columns.LEGACY_READ}
        return cls(
            _with_aliases({key}, also),
            _with_aliases(known | {key, *columns.LEGACY_SAME, *columns.LEGACY_LEFT}, also),
            _with_aliases(dated, also),
        )


def _with_aliases(names: Iterable[str], also: dict[str, str]) -> frozenset[str]:
    named = set(names)
    return frozenset(named | {alias for alias, code in also.items() if code in named})


class Head:
    """Takes the rows of a table from its first on, until its records begin."""

    def __init__(self, names: Names, notes: Sequence[str] = (), below: int = 0) -> None:
        self._names, self._notes, self._below = names, tuple(notes), below
        self._seen = 0
        self.columns: list[str] = []
        self.key = -1

    @property
    def found(self) -> bool:
        """Whether the head was there, with each column once."""
        named = [name for name in self.columns if name]
        return bool(named) and len(set(named)) == len(named)

    def takes(self, cells: Sequence[str]) -> bool:
        """Whether this row stands above, in or just below the head; from the first that does not, records begin."""
        row = [cell.strip() for cell in cells]
        if not self.columns:
            self._seen += 1
            self.key = next((at for at, cell in enumerate(row) if cell in self._names.keys), -1)
            self.columns = row if self.key >= 0 else []
            return bool(self.columns) or self._seen < HEAD_ROWS
        if self._goes_on(row):
            return True
        self._below -= 1
        return self._below >= 0

    def is_note(self, cells: Sequence[str]) -> bool:
        """Whether a row is blank, or a note: hardly a filled cell, the first of which begins as notes do here."""
        filled = [cell.strip() for cell in cells if cell.strip()]
        return not filled or (len(filled) <= NOTE_CELLS and filled[0].startswith(self._notes))

    def _goes_on(self, row: Sequence[str]) -> bool:
        """Whether the row belongs to the head: most of its cells name columns.

        A second row of a head with merged cells names those columns that the first leaves open or only groups; one of
        labels says again what is named already.
        """
        filled = [at for at, cell in enumerate(row) if cell]
        named = [at for at in filled if row[at] in self._names.known]
        if len(named) < 2 or 2 * len(named) < len(filled):
            return False
        self.columns += [""] * (len(row) - len(self.columns))
        if self.key >= len(row) or not row[self.key]:
            for at in filled:
                if self.columns[at] not in self._names.known:
                    self.columns[at] = row[at]
        return True
