"""Filling a log up again (补回存证) with entries that a member has kept, after this store has lost them.

The caller has proven the leaf hashes up to a signed root; each run of records is stored like one that was just made or
received, ending on a listed size, so that a crash between two runs leaves a whole, shorter log.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from syncd.errors import Refuse
from syncd.ledger.entry import format_time
from syncd.ledger.tiles import append
from syncd.ledger.tree import leaf_hash
from syncd.ledger.wire import Record
from syncd.store import rows
from syncd.store.mirror import interpret, store_records
from syncd.store.reading import edge
from syncd.store.state import LogState, advance, settle, state
from syncd.store.vault import Sealed, Vault


def refill(
    conn: Connection,
    origin: str,
    records: Sequence[Record],
    sealed: Sequence[Sealed | None],
    hashes: Sequence[bytes],
    target: int,
    now: datetime,
    vault: Vault | None = None,
) -> tuple[LogState, bool]:
    """Store ``records`` behind the last entry of ``origin`` and list the size they end on.

    Returns the new state, and whether an erasure has touched what may be in memory.
    ``hashes`` are the proven leaf hashes, ``target`` is the size up to which the log is filled. Raises Refuse, and
    keeps nothing, if a record is another than the proven one.
    """
    held = state(conn, origin)
    if [leaf_hash(record.leaf) for record in records] != list(hashes):
        raise Refuse(
            f"Entries of {origin} from {held.size} on are not those that were signed. Nothing of them was stored; "
            "fetch them from another member."
        )
    tiles, root = append(held.size, edge(conn, origin, held.size), hashes)
    entries = interpret(record.leaf for record in records)
    touched = store_records(conn, held, hashes, records, sealed, entries, vault)
    rows.store_tiles(conn, held.id, tiles)
    size, last_at = held.size + len(records), _last_at(held, entries)
    rows.store_checkpoints(conn, [(held.id, size, root, held.own, None, format_time(now))])
    reached, settled = settle(held.target, held.settled, size, target)
    after = held._replace(size=size, target=reached, settled=settled)
    if held.own:
        after = after._replace(last_at=last_at, target=size, settled=size, stop=size, stop_bytes=0, stop_at=last_at)
    advance(conn, held, after)
    return after, touched


def _last_at(held: LogState, entries: Sequence[object]) -> str | None:
    times = [at for entry in entries if (at := getattr(entry, "at", None))]
    return max([*times, held.last_at or ""]) or None
