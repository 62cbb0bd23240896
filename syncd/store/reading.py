"""Reading logs (读取日志): records to send, entries to understand, tiles to prove with.

Every function names a log by its origin and costs one indexed query a batch, whatever the log's size; the one
exception says so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.ledger.entry import Ref
from syncd.ledger.tiles import edge_tiles, root_at
from syncd.ledger.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, TileReader
from syncd.store.rows import uuid_bytes
from syncd.store.statement import among, execute, marks
from syncd.store.vault import Sealed

_CHUNK = 500
_TILES_AT_ONCE = 64

_ENTRY_ROW = (
    "SELECT l.origin, e.log, e.idx, e.id, e.kind, e.at, e.ref_id, e.ref, e.leaf_hash, e.leaf, "
    "d.state, d.key_id, d.sealed FROM entries e JOIN logs l ON l.id = e.log "
    "LEFT JOIN disclosures d ON d.log = e.log AND d.idx = e.idx "
)
_LOG = "(SELECT id FROM logs WHERE origin = ?)"
_RANGE = f"WHERE e.log = {_LOG} AND e.idx >= ? AND e.idx < ? ORDER BY e.idx"


@dataclass(slots=True)
class EntryRow:
    """An entry as held (not frozen, because a stage makes many: frozen ones cost four times as much).

    ``id``, ``kind``, ``at``, ``ref_id``, ``ref`` are None for a leaf that was not understood. ``id`` and
    ``ref_id`` are the 16 bytes of UUIDs, ``ref`` and ``leaf_hash`` 32 bytes. ``disclosure`` is ``present``,
    ``absent`` (owed), ``erased``, or None where the leaf commits to nothing; ``sealed`` is there if present.
    """

    origin: str
    log: int
    index: int
    id: bytes | None
    kind: str | None
    at: str | None
    ref_id: bytes | None
    ref: bytes | None
    leaf_hash: bytes
    leaf: bytes
    disclosure: str | None
    sealed: Sealed | None


def read_records(conn: Connection, origin: str, start: int, stop: int) -> list[tuple[bytes, Sealed | None]]:
    """Leaf and sealed disclosure of the entries ``start`` to ``stop`` (excluded), in order."""
    found = execute(
        conn,
        "SELECT e.leaf, d.key_id, d.sealed FROM entries e "
        f"LEFT JOIN disclosures d ON d.log = e.log AND d.idx = e.idx AND d.state = 'present' {_RANGE}",
        (origin, start, stop),
    )
    return [(leaf, None if sealed is None else Sealed(key_id, sealed)) for leaf, key_id, sealed in found]


def read_entries(
    conn: Connection, origin: str, start: int, stop: int, without: Collection[str] = (), only: Collection[str] = ()
) -> list[EntryRow]:
    """The entries ``start`` to ``stop`` (excluded), in order; fewer if the log ends before.

    ``without`` leaves kinds out, ``only`` leaves all others out (``relief.%`` stands for all that begin so, an empty
    text for leaves that were not understood); ``without`` never leaves out what was not understood.
    """
    kinds, condition = tuple(without or only), ""
    if without:
        condition = f" AND (e.kind IS NULL OR e.kind NOT IN ({marks(kinds)}))"
    elif only:
        condition = f" AND ({' OR '.join(['coalesce(e.kind, ?) LIKE ?'] * len(kinds))})"
        kinds = tuple([value for kind in kinds for value in ("", kind)])
    sql = f"{_ENTRY_ROW}WHERE e.log = {_LOG} AND e.idx >= ? AND e.idx < ?{condition} ORDER BY e.idx"
    return [_entry_row(row) for row in execute(conn, sql, (origin, start, stop, *kinds)).fetchall()]


def entries_of(conn: Connection, refs: Collection[Ref]) -> list[EntryRow]:
    """The entries that these refs name, of whatever log; one that is not held (yet) is left out.

    Several logs may hold the same bytes, so compare ``origin`` with ``ref.log`` where it matters.
    """
    wanted = {(uuid_bytes(ref.id), bytes.fromhex(ref.leaf)) for ref in refs}
    rows = _by_uuid(conn, "e.id", {key for key, _ in wanted})
    return [row for row in rows if (row.id, row.leaf_hash) in wanted]


def entries_about(conn: Connection, refs: Collection[Ref]) -> list[EntryRow]:
    """The entries of all logs whose ``ref`` is one of these, by log and index: what was said about them."""
    wanted = {(uuid_bytes(ref.id), bytes.fromhex(ref.leaf)) for ref in refs}
    rows = _by_uuid(conn, "e.ref_id", {key for key, _ in wanted})
    return [row for row in rows if (row.ref_id, row.ref) in wanted]


def by_id(conn: Connection, ids: Collection[str]) -> list[EntryRow]:
    """The entries of all logs with these UUIDs; several logs may hold the same bytes."""
    return _by_uuid(conn, "e.id", {uuid_bytes(one) for one in ids})


def times_of(conn: Connection, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], str | None]:
    """When the entries at these places (log's number, index) were recorded, UTC; None for one not understood."""
    by_log: dict[int, list[int]] = {}
    for log, index in places:
        by_log.setdefault(log, []).append(index)
    found: dict[tuple[int, int], str | None] = {}
    for log, indices in by_log.items():
        for some in _chunks(sorted(set(indices))):
            condition, values = among(conn, "idx", some)
            sql = f"SELECT idx, at FROM entries WHERE log = ? AND {condition}"
            found |= {(log, index): at for index, at in execute(conn, sql, (log, *values))}
    return found


def by_leaf(conn: Connection, origin: str, leaf_hashes: Collection[bytes]) -> list[EntryRow]:
    """The entries of one log with these leaf hashes, newest first.

    Leaf hashes have no index (see ``tables``): this looks through the log's tiles from the newest on, some 20 ms
    for 100,000 entries, until all are found. For re-sent disclosures; a stage uses ``entries_of``.
    """
    missing, found = set(leaf_hashes), list[int]()
    end = _tile_count(conn, origin) if missing else 0
    while missing and end > 0:
        start = max(0, end - _TILES_AT_ONCE)
        for n, hashes in _leaf_tiles(conn, origin, start, end):
            for at in range(len(hashes) - HASH_BYTES, -1, -HASH_BYTES):
                leaf_hash = hashes[at : at + HASH_BYTES]
                if leaf_hash in missing:
                    missing.discard(leaf_hash)
                    found.append(n * TILE_WIDTH + at // HASH_BYTES)
        end = start
    return [_entry_row(row) for some in _chunks(found) for row in _at_indices(conn, origin, some)]


def tile(conn: Connection, origin: str, level: int, n: int, width: int) -> bytes:
    """The first ``width`` hashes of a tile, or as many as are held; empty if there is no such tile."""
    found = execute(
        conn, f"SELECT hashes FROM tiles WHERE log = {_LOG} AND level = ? AND n = ?", (origin, level, n)
    ).scalar_one_or_none()
    return bytes(found)[: width * HASH_BYTES] if found is not None else b""


def tile_reader(conn: Connection, origin: str) -> TileReader:
    """A reader of one log's tiles for ``syncd.ledger.tree``; valid as long as ``conn``."""
    return lambda level, n, width: tile(conn, origin, level, n, width)


def edge(conn: Connection, origin: str, size: int) -> dict[tuple[int, int], bytes]:
    """The partial tiles at the right edge of the log's first ``size`` entries. Raises Stop if one is not there."""
    found = {}
    for level, n in edge_tiles(size):
        width = (size >> level * TILE_HEIGHT) % TILE_WIDTH
        hashes = tile(conn, origin, level, n, width)
        if len(hashes) != width * HASH_BYTES:
            raise Stop(
                f"The store does not hold the tree of {origin} at size {size}: tile {n} of level {level} is "
                "short. Nothing was changed. The database was damaged or altered: restore it from a backup."
            )
        found[level, n] = hashes
    return found


def root(conn: Connection, origin: str, size: int) -> bytes:
    """Root of the log's first ``size`` entries, computed from its tiles. Raises Stop if one is missing."""
    return root_at(size, edge(conn, origin, size))


def _by_uuid(conn: Connection, column: str, ids: Collection[bytes]) -> list[EntryRow]:
    rows: list[EntryRow] = []
    for some in _chunks(sorted(ids)):
        condition, values = among(conn, column, some)
        rows += [_entry_row(row) for row in execute(conn, f"{_ENTRY_ROW} WHERE {condition}", values)]
    return sorted(rows, key=_place)


def _at_indices(conn: Connection, origin: str, indices: Sequence[int]) -> list[Any]:
    condition, values = among(conn, "e.idx", indices)
    sql = f"{_ENTRY_ROW} WHERE e.log = {_LOG} AND {condition} ORDER BY e.idx DESC"
    return list(execute(conn, sql, (origin, *values)))


def _tile_count(conn: Connection, origin: str) -> int:
    n = execute(conn, f"SELECT max(n) FROM tiles WHERE log = {_LOG} AND level = 0", (origin,)).scalar_one_or_none()
    return 0 if n is None else int(n) + 1


def _leaf_tiles(conn: Connection, origin: str, start: int, end: int) -> list[Any]:
    return list(
        execute(
            conn,
            f"SELECT n, hashes FROM tiles WHERE log = {_LOG} AND level = 0 AND n >= ? AND n < ? ORDER BY n DESC",
            (origin, start, end),
        )
    )


def _place(row: EntryRow) -> tuple[int, int]:
    return row.log, row.index


def _chunks(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]


def _entry_row(row: Any) -> EntryRow:
    *fields, key_id, sealed = row
    fields.append(None if sealed is None or fields[-1] != "present" else Sealed(key_id, sealed))
    return EntryRow(*fields)
