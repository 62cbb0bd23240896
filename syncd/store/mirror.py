"""Storing what a peer has sent (镜像存证), once its bytes are proven: in one transaction, meaning unseen.

A leaf that is not understood is stored like any other, with empty ``id``, ``kind``, ``at`` and ``ref``.
Nothing here can refuse a proven batch for what it says; the desk hears of it from the stages.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from syncd.errors import Retry, Stop
from syncd.ledger.accept import Accepted
from syncd.ledger.entry import Entry, format_time, parse_entry
from syncd.ledger.wire import Record
from syncd.store import erased, rows
from syncd.store.state import LogState, advance, settle, state
from syncd.store.statement import execute
from syncd.store.vault import Sealed, Vault


def interpret(leaves: Iterable[bytes]) -> list[Entry | None]:
    """Read each leaf, None where that fails for whatever reason: a poison leaf must not stop the log behind it."""
    return [_interpret(leaf) for leaf in leaves]


def store_accepted(
    conn: Connection,
    origin: str,
    accepted: Accepted,
    records: Sequence[Record],
    sealed: Sequence[Sealed | None],
    checkpoint_note: bytes,
    now: datetime,
    understood: Sequence[Entry | None],
    vault: Vault | None = None,
) -> tuple[LogState, bool]:
    """Store a proven batch; returns the log's new state, and whether an erasure has touched what may be in memory.

    ``sealed[i]`` holds the disclosure of ``records[i]``, ``understood[i]`` is its leaf as ``interpret`` read it.
    Raises Retry if the log has moved since the batch was proven,
    Stop if it is this node's own or another root stands at the size.
    """
    held = state(conn, origin)
    if held.own:
        raise Stop(f"A batch came for this node's own log {origin}. Nothing was stored; nobody else writes it.")
    if held.size + len(records) != accepted.size:
        raise Retry(
            f"The log {origin} has grown to {held.size} entries since this batch was checked. "
            "Nothing was stored; the sender goes on from there."
        )
    _list_size(conn, held, accepted, checkpoint_note, format_time(now))
    touched = store_records(conn, held, accepted.leaf_hashes, records, sealed, understood, vault)
    rows.store_tiles(conn, held.id, accepted.tiles)
    target, settled = settle(held.target, held.settled, accepted.size, accepted.target)
    after = held._replace(size=accepted.size, target=target, settled=settled)
    advance(conn, held, after)
    return after, touched


def attach_disclosures(conn: Connection, origin: str, items: Sequence[tuple[int, Sealed]]) -> list[int]:
    """Store disclosures that came later, by index; returns the indices that were stored.

    An erased one is never stored again, by any route. The caller has made sure that each opens its entry.
    """
    held = state(conn, origin)
    erased = _erased(conn, held.id, [index for index, _ in items])
    stored = {
        index: rows.present(held.id, index, item) for index, item in items if index < held.size and index not in erased
    }
    rows.replace_disclosures(conn, list(stored.values()))
    return sorted(stored)


def _interpret(leaf: bytes) -> Entry | None:
    try:
        return parse_entry(leaf)
    except Exception:  # LEDGER §6: whatever it raises is a failure of meaning, and the entry is held
        return None


def _list_size(conn: Connection, held: LogState, accepted: Accepted, note: bytes, at: str) -> None:
    """List the size with its note; the first note of a size stays. Raises Stop for a second root of one size."""
    execute(
        conn,
        "INSERT INTO checkpoints (log, size, root, stop, note, at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (log, size) DO NOTHING",
        (held.id, accepted.size, accepted.root, False, note, at),
    )
    listed = execute(conn, "SELECT root FROM checkpoints WHERE log = ? AND size = ?", (held.id, accepted.size))
    if listed.scalar_one() != accepted.root:
        raise Stop(
            f"The log {held.origin} has another root at size {accepted.size} in this store than in the "
            "batch. Nothing was stored. Keep the batch as evidence; a person must compare both with the "
            "other members."
        )


def store_records(
    conn: Connection,
    held: LogState,
    leaf_hashes: Sequence[bytes],
    records: Sequence[Record],
    sealed: Sequence[Sealed | None],
    entries: Sequence[Entry | None],
    vault: Vault | None = None,
) -> bool:
    """Store proven records behind the ``held`` ones; what was read of a leaf stands beside it.

    What an erasure covers is stored without its disclosure (``erased``); True if there is any such thing. Raises
    ``erased.Meanwhile`` if a batch still has items about it, because the order came since they were cut.
    """
    texts = [one.disclosure for one in records]
    planned = erased.plan(conn, held, entries, leaf_hashes, texts, vault)
    if planned is not erased.NOTHING:
        erased.ask_items(conn, texts, planned.leaves)
    whole = zip(records, leaf_hashes, entries, strict=True)
    rows.store_entries(
        conn,
        [
            (held.id, index, *_known(entry), hashed, record.leaf)
            for index, (record, hashed, entry) in enumerate(whole, held.size)
        ],
    )
    _store_disclosures(conn, held, entries, sealed, planned)
    erased.write(conn, held, planned, leaf_hashes)
    return planned.touches


def _known(entry: Entry | None) -> rows.Understood:
    return rows.NOTHING if entry is None else rows.understood(entry.id, entry.kind, entry.at, entry.ref)


def _store_disclosures(
    conn: Connection,
    held: LogState,
    entries: Sequence[Entry | None],
    sealed: Sequence[Sealed | None],
    planned: erased.Plan,
) -> None:
    """What came is stored even if nobody understands its leaf; what a leaf commits to and did not come is owed."""
    rows.store_disclosures(
        conn,
        [
            rows.erased(held.id, index)
            if index - held.size in planned.covered
            else rows.absent(held.id, index)
            if item is None
            else rows.present(held.id, index, item)
            for index, (entry, item) in enumerate(zip(entries, sealed, strict=True), held.size)
            if item is not None or _commits(entry)
        ],
    )


def _commits(entry: Entry | None) -> bool:
    return entry is not None and isinstance(entry.body, str | list)


def _erased(conn: Connection, log: int, indices: Sequence[int]) -> set[int]:
    if not indices:
        return set()
    found = execute(
        conn,
        "SELECT idx FROM disclosures WHERE log = ? AND idx BETWEEN ? AND ? AND state = 'erased'",
        (log, min(indices), max(indices)),
    )
    return set(found.scalars())
