"""A log in the store, from its leaves up: hashes, columns, tiles and roots computed again and compared, in order.

Memory is that of a few bundles. Tiles follow from the leaves; they are written again only where the leaves lead to the
newest root that was signed, for otherwise it is the leaves that are wrong.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.fsck.faults import Fault, Told
from syncd.ledger.entry import MeaningError, parse_entry
from syncd.ledger.regrow import BUNDLE, Regrown, grow
from syncd.ledger.tree import leaf_hash
from syncd.store import rows
from syncd.store.state import LogState
from syncd.store.statement import execute

_CHUNK: Final = 16 * BUNDLE
Noted = dict[str, "array[int]"]
_COLUMNS = ("id", "kind", "at", "ref_id", "ref")


def check_log(conn: Connection, state: LogState, told: Told, places: Noted) -> Iterator[Fault]:
    """Everything about one log that does not fit together; notes in ``places`` where entries of its kinds stand."""
    tree = Regrown()
    for start in range(0, state.size, _CHUNK):
        found = execute(
            conn,
            "SELECT idx, leaf, leaf_hash, id, kind, at, ref_id, ref FROM entries "
            "WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx",
            (state.id, start, min(start + _CHUNK, state.size)),
        ).fetchall()
        held = {int(row[0]): row for row in found}
        for first in range(start, min(start + _CHUNK, state.size), BUNDLE):
            yield from _bundle(conn, state, tree, held, first, places)
        told(state.origin, len(found))
    yield from _tiles(conn, state, list(tree.finish()))
    beyond = execute(conn, "SELECT idx FROM entries WHERE log = ? AND idx >= ? LIMIT 9", (state.id, state.size))
    for idx in beyond.scalars():
        yield Fault("log", f"{state.origin}:{idx}", "entry_beyond_size")


def _bundle(
    conn: Connection, state: LogState, tree: Regrown, held: dict[int, Any], first: int, places: Noted
) -> Iterator[Fault]:
    last, hashes = min(first + BUNDLE, state.size), list[bytes]()
    for idx in range(first, last):
        row = held.get(idx)
        if row is None:
            yield Fault("log", f"{state.origin}:{idx}", "entry_missing")
            hashes.append(bytes(32))
            continue
        hashes.append(leaf_hash(row[1]))
        if row[2] != hashes[-1]:
            yield Fault("log", f"{state.origin}:{idx}", "leaf_hash_differs")
        wrong = _differing(row[1], row[3:], idx, places)
        if wrong:
            yield Fault("log", f"{state.origin}:{idx}", "column_differs", detail=" ".join(wrong))
    grown = [(0, first // BUNDLE, b"".join(hashes)), *tree.push(grow(b"".join(hashes)))]
    yield from _tiles(conn, state, grown)
    listed = execute(
        conn, "SELECT size, root FROM checkpoints WHERE log = ? AND size > ? AND size <= ? ORDER BY size",
        (state.id, first, last),
    )  # fmt: skip
    for size, root in listed:
        if tree.root(int(size)) != root:
            yield Fault("log", f"{state.origin}@{size}", "root_differs")


def _differing(leaf: bytes, held: Sequence[Any], idx: int, places: Noted) -> list[str]:
    """Columns that do not say what the leaf says; a leaf that cannot be read has them all empty."""
    try:
        entry = parse_entry(leaf)
    except MeaningError:
        return []
    if entry.kind in places:
        places[entry.kind].append(idx)
    said = rows.understood(entry.id, entry.kind, entry.at, entry.ref)
    return [name for name, one, other in zip(_COLUMNS, said, held, strict=True) if one != other]


def _tiles(conn: Connection, state: LogState, grown: Sequence[tuple[int, int, bytes]]) -> Iterator[Fault]:
    for level, n, data in grown:
        held = _held(conn, state, level, n)
        if held != data:
            code = "tile_missing" if held is None else "tile_differs"
            yield Fault("tiles", f"{state.origin} tile/{level}/{n}", code, derivable=True)


def _held(conn: Connection, state: LogState, level: int, n: int) -> bytes | None:
    sql = "SELECT hashes FROM tiles WHERE log = ? AND level = ? AND n = ?"
    found: bytes | None = execute(conn, sql, (state.id, level, n)).scalar_one_or_none()
    return found


def mend_tiles(bureau: Bureau, state: LogState) -> bool:
    """Write a log's tiles again from its leaves; False, and nothing is written, where these lead to another root."""
    tree, waiting = Regrown(), list[tuple[int, int, bytes]]()
    with bureau.store.read() as conn:
        newest = bureau.logs.newest(conn, state.origin)
    if newest is None or not _leads_to(bureau, state, newest.size, newest.root):
        return False
    for first in range(0, state.size, BUNDLE):
        with bureau.store.read() as conn:
            hashes = _hashes(conn, state, first)
        waiting += [(0, first // BUNDLE, b"".join(hashes)), *tree.push(grow(b"".join(hashes)))]
        if len(waiting) >= 64:
            _write(bureau, state, waiting)
            waiting = []
    _write(bureau, state, [*waiting, *tree.finish()])
    return True


def _leads_to(bureau: Bureau, state: LogState, size: int, root: bytes) -> bool:
    tree = Regrown()
    for first in range(0, size, BUNDLE):
        with bureau.store.read() as conn:
            hashes = _hashes(conn, state, first)[: size - first]
        if len(hashes) < min(BUNDLE, size - first):
            return False
        list(tree.push(grow(b"".join(hashes))))
    return tree.root(size) == root


def _hashes(conn: Connection, state: LogState, first: int) -> list[bytes]:
    sql = "SELECT leaf FROM entries WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx"
    last = min(first + BUNDLE, state.size)
    return [leaf_hash(leaf) for leaf in execute(conn, sql, (state.id, first, last)).scalars()]


def _write(bureau: Bureau, state: LogState, tiles: Sequence[tuple[int, int, bytes]]) -> None:
    with bureau.store.write() as conn:
        rows.store_tiles(conn, state.id, {(level, n): data for level, n, data in tiles})
