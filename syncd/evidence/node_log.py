"""A log in a node's store 存储中的账本, as the audit and the export want it: a few bundles at a time, columns compared.

Beside the bytes that are hashed and signed, every column that repeats them is compared with them; a column that stands
alone (when something came here) is a note for people and proves nothing.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.evidence.books import Evidence
from syncd.ledger.audited import Disclosed, Listed, Rows
from syncd.ledger.bundle import ABSENT, ERASED, NONE, PRESENT
from syncd.ledger.canonical import FormatError, unb64
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.entry import Entry
from syncd.ledger.notes import format_note, parse_note
from syncd.ledger.regrow import BUNDLE
from syncd.ledger.tree import HASH_BYTES
from syncd.store import rows as rows_written
from syncd.store.bulk import execute, fetch
from syncd.store.checkpoints import CheckpointRow, full_note
from syncd.store.logs import Logs
from syncd.store.vault import Sealed

CHUNK: Final = 16
"""Bundles read from the store at once."""
_LOG = "(SELECT id FROM logs WHERE origin = ?)"
_COLUMNS = ("id", "kind", "at", "ref_id", "ref")


class _Held(NamedTuple):
    """Some bundles' rows, column by column; ``columns`` are the whole rows, ``gone`` the places where none stands."""

    leaves: Sequence[bytes]
    said: Sequence[bytes | None]
    columns: Sequence[tuple[Any, ...]]
    gone: Sequence[int]


class NodeLog:
    """One log of a node up to ``size``, within one read transaction; ``whole`` compares every column (level 4 on)."""

    def __init__(self, logs: Logs, conn: Connection, origin: str, size: int, note: bytes, whole: bool = False) -> None:
        self.origin, self.size = origin, size
        self._logs, self._conn, self._note, self._whole = logs, conn, note, whole
        self._chunks: dict[str, tuple[int, Any]] = {}

    def newest(self) -> bytes:
        """The note of the size that is read up to."""
        return self._note

    def rows(self, n: int) -> Rows:
        """The entries of a bundle."""
        start, held = self._chunk("rows", n, self._read_rows)
        low, high = (n - start) * BUNDLE, (n - start + 1) * BUNDLE
        gone = {at - low: "the row is gone" for at in held.gone if low <= at < high}
        differs = partial(_differs, held.columns[low:high]) if self._whole else None
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
        columns = ", ".join(("idx", "leaf", "leaf_hash", *(_COLUMNS if self._whole else ())))
        sql = f"SELECT {columns} FROM entries WHERE log = {_LOG} AND idx >= ? AND idx < ? ORDER BY idx"
        held = fetch(self._conn, sql, self._span(low, high))
        start, gone = low * BUNDLE, list[int]()
        if held and held[-1][0] - start + 1 != len(held):  # a row that is gone must not move those behind it
            rows = {row[0]: row for row in held}
            gone = [idx - start for idx in range(start, held[-1][0]) if idx not in rows]
            nothing = (None, b"", None, *(None,) * len(_COLUMNS))
            held = [rows.get(idx, nothing) for idx in range(start, held[-1][0] + 1)]
        return _Held([row[1] for row in held], [row[2] for row in held], held if self._whole else [], gone)

    def _read_tiles(self, level: int, low: int, high: int) -> dict[int, bytes]:
        sql = f"SELECT n, hashes FROM tiles WHERE log = {_LOG} AND level = ? AND n >= ? AND n < ?"
        return {int(n): hashes for n, hashes in execute(self._conn, sql, (self.origin, level, low, high))}

    def _read_listed(self, low: int, high: int) -> list[Listed]:
        span = (self.origin, low * BUNDLE, high * BUNDLE)
        sql = f"FROM {{}} WHERE log = {_LOG} AND size > ? AND size <= ? ORDER BY size"
        lines: dict[int, list[Any]] = {}
        for size, member, line, stamp in execute(
            self._conn, f"SELECT size, member, line, timestamp {sql.format('cosignatures')}", span
        ):
            lines.setdefault(int(size), []).append((member, line, stamp))
        more: dict[int, list[str]] = {}
        for size, line in execute(self._conn, f"SELECT size, line {sql.format('witness_lines')}", span):
            more.setdefault(int(size), []).append(str(line))
        found = execute(self._conn, f"SELECT size, root, note {sql.format('checkpoints')}", span).fetchall()
        return [
            _listed(int(size), root, note, lines.get(int(size), ()), more.get(int(size), ()))
            for size, root, note in found
            if note
        ]

    def _read_disclosures(self, low: int, high: int) -> list[Disclosed]:
        origin, start, stop = self._span(low, high)
        sql = f"SELECT idx, state, key_id, sealed FROM disclosures WHERE log = {_LOG} AND idx >= ? AND idx < ?"
        held = {int(row[0]): row for row in execute(self._conn, sql, (origin, start, stop))}
        found = [held.get(idx) for idx in range(start, stop)]
        sealed = [None if row is None or row[3] is None else Sealed(row[2], row[3]) for row in found]
        return [
            Disclosed(NONE) if row is None else _disclosed(row[1], text, fault)
            for row, (text, fault) in zip(found, self._unsealed(sealed), strict=True)
        ]

    def _unsealed(self, sealed: Sequence[Sealed | None]) -> list[tuple[bytes | None, str]]:
        """Each text; only where that fails one by one, to know which of them does not open with its key."""
        try:
            return [(text, "") for text in self._logs.unseal(sealed)]
        except Stop:
            return [self._one(item) for item in sealed]

    def _one(self, item: Sealed | None) -> tuple[bytes | None, str]:
        try:
            return self._logs.unseal([item])[0], ""
        except Stop:
            return b"", "sealed_bytes_altered"


def logs_of(evidence: Evidence, conn: Connection, *, whole: bool) -> list[NodeLog]:
    """Every log of a node that has a signed size, up to its newest one."""
    found = []
    for state in evidence.logs.states(conn):
        newest = evidence.logs.newest(conn, state.origin)
        if newest is not None and newest.note is not None:
            found.append(
                NodeLog(evidence.logs, conn, state.origin, newest.size, _note(conn, state.origin, newest), whole)
            )
    return found


def _note(conn: Connection, origin: str, listed: CheckpointRow) -> bytes:
    """The note with all lines held; as it stands where it cannot be read, for that is what an audit has to name."""
    try:
        return full_note(conn, origin, listed.size) or b""
    except FormatError:
        return listed.note or b""


def _differs(held: Sequence[tuple[Any, ...]], at: int, entry: Entry) -> str:
    """Which column of row ``at`` does not say what its leaf says."""
    said, stands = rows_written.understood(entry.id, entry.kind, entry.at, entry.ref), held[at][3:]
    if said == stands:
        return ""
    wrong = [name for name, one, other in zip(_COLUMNS, said, stands, strict=True) if one != other]
    return f"column {' '.join(wrong)} differs from the leaf"


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
