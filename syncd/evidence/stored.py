"""A log in a node's store 存储中的账本, as the audit and the export want it: a few bundles at a time, columns compared.

Beside the bytes that are hashed and signed, every column that repeats them is compared with them; a column that stands
alone (when something came here) is a note for people and proves nothing. Nothing here knows the database but as who
answers a question, so that a process which only audits has little to load (``judging``).
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from syncd.errors import Stop
from syncd.evidence.judging import CHUNK
from syncd.ledger.audited import Disclosed, Listed, Rows
from syncd.ledger.bundle import ABSENT, ERASED, NONE, PRESENT
from syncd.ledger.canonical import FormatError, unb64
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.entry import Entry
from syncd.ledger.notes import format_note, parse_note
from syncd.ledger.regrow import BUNDLE
from syncd.ledger.tree import HASH_BYTES

COLUMNS: Final = ("id", "kind", "at", "ref_id", "ref")
"""Columns of an entry that repeat what its leaf says."""
_LOG = "(SELECT id FROM logs WHERE origin = ?)"

Ask = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
"""All rows of a statement with a question mark for each value, within one read transaction."""
Differs = Callable[[Sequence[tuple[Any, ...]], int, Entry], str]
"""Which column of row ``at`` does not say what its leaf says; an empty text for none."""
Unseal = Callable[[Sequence[tuple[bytes, bytes] | None]], list[bytes | None]]
"""The texts of disclosures, given by key id and sealed bytes. Raises ``Stop`` where one does not open with its key."""


class Place(NamedTuple):
    """Where another process finds a store: its SQLite file, and what opens its disclosures there."""

    path: str
    vault: Callable[[], Unseal] | None = None


class _Held(NamedTuple):
    """Some bundles' rows, column by column; ``columns`` are the whole rows, ``gone`` the places where none stands."""

    leaves: Sequence[bytes]
    said: Sequence[bytes | None]
    columns: Sequence[tuple[Any, ...]]
    gone: Sequence[int]


class StoredLog:
    """One log of a store up to ``size``. ``differs`` compares every column (from level 4 on), ``unseal`` opens
    disclosures (from level 5 on); ``place`` is where another process finds the store, if it can.
    """

    def __init__(
        self,
        ask: Ask,
        origin: str,
        size: int,
        note: bytes,
        differs: Differs | None = None,
        unseal: Unseal | None = None,
        place: Place | None = None,
    ) -> None:
        self.origin, self.size = origin, size
        self._ask, self._note, self._differs, self._unseal, self._place = ask, note, differs, unseal, place
        self._chunks: dict[str, tuple[int, Any]] = {}

    def newest(self) -> bytes:
        """The note of the size that is read up to."""
        return self._note

    def rows(self, n: int) -> Rows:
        """The entries of a bundle."""
        start, held = self._chunk("rows", n, self._read_rows)
        low, high = (n - start) * BUNDLE, (n - start + 1) * BUNDLE
        gone = {at - low: "the row is gone" for at in held.gone if low <= at < high}
        differs = partial(self._differs, held.columns[low:high]) if self._differs is not None else None
        return Rows(held.leaves[low:high], held.said[low:high], gone, differs)

    def tile(self, level: int, n: int, width: int) -> bytes:
        """A tile, cut to ``width``; empty if it is shorter."""
        _, found = self._chunk(f"tile{level}", n, lambda low, high: self._read_tiles(level, low, high))
        data = bytes(found.get(n, b""))[: width * HASH_BYTES]
        return data if len(data) == width * HASH_BYTES else b""

    def listed(self, n: int) -> Sequence[Listed]:
        """The listed checkpoints of a bundle's sizes, with all lines held."""
        _, found = self._chunk("listed", n, self._read_listed)
        return [one for one in found if n * BUNDLE < one.size <= (n + 1) * BUNDLE]

    def disclosures(self, n: int) -> Sequence[Disclosed]:
        """The disclosures of a bundle, unsealed; where one does not open, the others still do."""
        start, found = self._chunk("disclosures", n, self._read_disclosures)
        kept: Sequence[Disclosed] = found[(n - start) * BUNDLE : (n - start + 1) * BUNDLE]
        return kept

    def _chunk(self, kind: str, n: int, read: Any) -> tuple[int, Any]:
        start = n // CHUNK * CHUNK
        held = self._chunks.get(kind)
        if held is None or held[0] != start:
            held = self._chunks[kind] = (start, read(start, start + CHUNK))
        return held

    def _span(self, low: int, high: int) -> tuple[str, int, int]:
        return self.origin, low * BUNDLE, min(high * BUNDLE, self.size)

    def _read_rows(self, low: int, high: int) -> "_Held":
        names = ("leaf", "leaf_hash", *(COLUMNS if self._differs is not None else ()))
        span, gone = self._span(low, high), list[int]()
        sql = f"FROM entries WHERE log = {_LOG} AND idx >= ? AND idx < ? ORDER BY idx"
        held = self._ask(f"SELECT {', '.join(names)} {sql}", span)
        if len(held) != span[2] - span[1]:  # a row that is gone must not move those behind it
            rows = {row[0]: row[1:] for row in self._ask(f"SELECT idx, {', '.join(names)} {sql}", span)}
            places = range(span[1], max(rows, default=span[1] - 1) + 1)
            gone = [idx - span[1] for idx in places if idx not in rows]
            held = [rows.get(idx, (b"", *(None,) * (len(names) - 1))) for idx in places]
        return _Held([row[0] for row in held], [row[1] for row in held], held if self._differs else [], gone)

    def _read_tiles(self, level: int, low: int, high: int) -> dict[int, bytes]:
        sql = f"SELECT n, hashes FROM tiles WHERE log = {_LOG} AND level = ? AND n >= ? AND n < ?"
        return {int(n): hashes for n, hashes in self._ask(sql, (self.origin, level, low, high))}

    def _read_listed(self, low: int, high: int) -> list[Listed]:
        span = (self.origin, low * BUNDLE, high * BUNDLE)
        sql = f"FROM {{}} WHERE log = {_LOG} AND size > ? AND size <= ? ORDER BY size"
        lines: dict[int, list[Any]] = {}
        for size, member, line, stamp in self._ask(
            f"SELECT size, member, line, timestamp {sql.format('cosignatures')}", span
        ):
            lines.setdefault(int(size), []).append((member, line, stamp))
        more: dict[int, list[str]] = {}
        for size, line in self._ask(f"SELECT size, line {sql.format('witness_lines')}", span):
            more.setdefault(int(size), []).append(str(line))
        found = self._ask(f"SELECT size, root, note {sql.format('checkpoints')}", span)
        return [
            _listed(int(size), root, note, lines.get(int(size), ()), more.get(int(size), ()))
            for size, root, note in found
            if note
        ]

    def _read_disclosures(self, low: int, high: int) -> list[Disclosed]:
        origin, start, stop = self._span(low, high)
        sql = f"SELECT idx, state, key_id, sealed FROM disclosures WHERE log = {_LOG} AND idx >= ? AND idx < ?"
        held = {int(row[0]): row for row in self._ask(sql, (origin, start, stop))}
        found = [held.get(idx) for idx in range(start, stop)]
        sealed = [None if row is None or row[3] is None else (row[2], row[3]) for row in found]
        return [
            Disclosed(NONE) if row is None else _disclosed(row[1], text, fault)
            for row, (text, fault) in zip(found, self._opened(sealed), strict=True)
        ]

    def _opened(self, sealed: Sequence[tuple[bytes, bytes] | None]) -> list[tuple[bytes | None, str]]:
        """Each text; only where that fails one by one, to know which of them does not open with its key."""
        if self._unseal is None:
            raise Stop("This reading of a log was given no vault, so that its disclosures cannot be opened.")
        try:
            return [(text, "") for text in self._unseal(sealed)]
        except Stop:
            return [self._one(self._unseal, item) for item in sealed]

    def _one(self, unseal: Unseal, item: tuple[bytes, bytes] | None) -> tuple[bytes | None, str]:
        try:
            return unseal([item])[0], ""
        except Stop:
            return b"", "sealed_bytes_altered"

    def elsewhere(self, level: int) -> "Callable[[], StoredLog] | None":
        """What opens this log in another process; a server's store is read here."""
        if self._place is None or (level >= 5 and self._place.vault is None):
            return None
        place = self._place if level >= 5 else Place(self._place.path)
        return partial(opened, place, self.origin, self.size, self._note, self._differs)


def opened(place: Place, origin: str, size: int, note: bytes, differs: Differs | None) -> StoredLog:
    """A log in a SQLite store, read as it is now; what was audited once stands in it for ever."""
    db = sqlite3.connect(place.path, isolation_level=None, timeout=10)
    db.execute("PRAGMA query_only = ON")
    db.execute("BEGIN")
    unseal = place.vault() if place.vault is not None else None
    return StoredLog(lambda sql, values: db.execute(sql, values).fetchall(), origin, size, note, differs, unseal)


def _listed(
    size: int, root: bytes, note: bytes, lines: Sequence[tuple[str, str, int]], outside: Sequence[str]
) -> Listed:
    try:
        parsed = parse_note(note)
        more = [line for line in (*(line for _, line, _ in lines), *outside) if line not in parsed.lines]
        fault = "" if parse_checkpoint(parsed.text).root == root else "column root differs from the note"
        for member, line, stamp in lines:
            fault = fault or _line_fault(member, line, stamp)
        return Listed(size, format_note(parsed.text, [*parsed.lines, *more]), fault)
    except FormatError:
        return Listed(size, note)


def _line_fault(member: str, line: str, stamp: int) -> str:
    """Whether a line is of the member and time that its row says; that it verifies is judged with the keys."""
    try:
        note = parse_note(f"x\n\n{line}\n".encode())
    except FormatError:
        return f"line of {member} cannot be read"
    name, data = note.lines[0].split(" ")[1:]
    if name.split("/")[1:2] != [member]:
        return f"line of {member} is of {name}"
    return "" if int.from_bytes(unb64(data)[4:12], "big") == stamp else f"timestamp of {member} differs from its line"


def _disclosed(state: str, text: bytes | None, fault: str) -> Disclosed:
    if state == "present":
        return Disclosed(ERASED if text is None else PRESENT, text or b"", fault)
    if state in (ABSENT, ERASED):
        return Disclosed(state)
    return Disclosed(ABSENT, fault="row_differs")
