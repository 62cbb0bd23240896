"""Appending to a node's own log (追加存证): the one sequencer's only road.

1. The time: ``at`` is now, or the previous entry's if the clock has gone back.
2. The leaves are written and hashed.
3. The batch is cut at the stops (停靠点): 512 entries, 2 MiB of leaves and disclosures, 60 s after the last; its end is
   one as well where half of that has come together, so that the next batch is not cut after a few entries.
4. Tiles and root are computed for each piece; each piece ends on a listed size.
5. Entries, disclosures, tiles and listed sizes are stored.
6. The state row is compared and set.

All of it happens in the caller's transaction: a crash anywhere leaves the log as it was. What is said about an erased
finding is said without words: the leaf commits to a disclosure that is not kept (``erased``). The listed sizes
have no note until they are signed, which comes after the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.ledger.canonical import Json
from syncd.ledger.entry import Entry, Ref, next_at, parse_time
from syncd.ledger.leaves import encode_entries
from syncd.ledger.tiles import append as append_hashes
from syncd.ledger.tiles import edge_after
from syncd.ledger.tree import leaf_hashes
from syncd.ledger.wire import STOP_BYTES, STOP_ENTRIES
from syncd.store import erased, rows
from syncd.store.reading import edge
from syncd.store.recent import Recent
from syncd.store.state import LogState, advance, state
from syncd.store.statement import execute
from syncd.store.vault import Sealed

STOP_SECONDS: Final = 60


class Draft(NamedTuple):
    """An entry that is not in the log yet: its UUIDv7, kind, what it is about, and the leaf's ``body``.

    ``disclosure`` is the canonical disclosure that ``body`` commits to, or None; it is stored sealed only.
    """

    id: str
    kind: str
    ref: Ref | None
    body: str | list[str] | Json | None
    disclosure: bytes | None = None


@dataclass(slots=True)
class Appended:
    """Where a draft came to stand (not frozen: there is one for each leaf, and frozen ones cost four times as much).

    ``at`` is UTC text; ``leaf_hash`` is 32 bytes.
    """

    index: int
    leaf_hash: bytes
    id: str
    at: str


class _Piece(NamedTuple):
    """Drafts ``start`` to ``end`` of a batch, and whether a stop follows them."""

    start: int
    end: int
    stop: bool


def append(
    conn: Connection,
    origin: str,
    drafts: Sequence[Draft],
    sealed: Sequence[Sealed | None],
    now: datetime,
) -> tuple[list[Appended], list[Recent] | None]:
    """Append ``drafts`` to the own log ``origin``; ``sealed[i]`` holds the disclosure of ``drafts[i]``.

    Returns where each came to stand, and the entries as they were stored; None where an erasure has touched what may
    be in memory.

    ``now`` is aware. Raises Stop if the log is not this node's, has no agreement tag, or was moved by
    another process; FormatError for an entry that no reader could read or that is over 16 KiB. Nothing is
    kept then.
    """
    if not drafts:
        return [], None
    held = state(conn, origin)
    tag = _check(held, drafts, sealed)
    at = next_at(now, held.last_at)  # 1
    entries = [Entry(d.id, d.kind, at, tag, d.ref, d.body) for d in drafts]
    leaves = encode_entries(entries)  # 2
    hashes = leaf_hashes(leaves)
    weights = [len(leaf) + len(d.disclosure or b"") for leaf, d in zip(leaves, drafts, strict=True)]
    pieces = cut(held.size - held.stop, held.stop_bytes, weights, is_due(held, at))  # 3
    _store_tree(conn, held, pieces, hashes, at)  # 4
    planned = erased.plan(conn, held, entries, hashes)
    _store_entries(conn, held, drafts, leaves, hashes, at)  # 5
    rows.store_disclosures(
        conn,
        [
            rows.erased(held.id, held.size + n) if n in planned.covered else rows.present(held.id, held.size + n, item)
            for n, item in enumerate(sealed)
            if item is not None
        ],
    )
    erased.write(conn, held, planned, hashes)
    advance(conn, held, _after(held, pieces, weights, at))  # 6
    whole = zip(drafts, hashes, leaves, entries, strict=True)
    recent = None if planned.touches else [Recent(n, hashed, leaf, d.disclosure or b"", entry)
              for n, (d, hashed, leaf, entry) in enumerate(whole, held.size)]  # fmt: skip
    return [Appended(held.size + n, hashes[n], draft.id, at) for n, draft in enumerate(drafts)], recent


def close_stop(conn: Connection, origin: str, now: datetime, *, at_once: bool = False) -> bool:
    """Make the newest size a stop if entries came since the last one, 60 s ago or ``at_once``; True if it did.

    Called while nothing is appended, so that the last entries before a silence become final too.
    """
    held = state(conn, origin)
    at = next_at(now, held.last_at)
    if held.size == held.stop or not (at_once or is_due(held, at)):
        return False
    execute(conn, "UPDATE checkpoints SET stop = ? WHERE log = ? AND size = ?", (True, held.id, held.size))
    advance(conn, held, held._replace(stop=held.size, stop_bytes=0, stop_at=at))
    return True


def cut(since: int, held_bytes: int, weights: Sequence[int], due: bool) -> list[_Piece]:
    """Cut a batch at its stops. ``since`` entries of ``held_bytes`` stand behind the last stop already.

    The entry that passes 2 MiB still belongs to its stop. ``due``: 60 s have passed, so the batch's end is one as well;
    so it is with 256 entries or 1 MiB behind the last stop. Each piece costs every member a message, a transaction and
    a signature, and batches of some hundred would otherwise travel as two pieces each.
    """
    pieces: list[_Piece] = []
    start = 0
    for end, weight in enumerate(weights, 1):
        since, held_bytes = since + 1, held_bytes + weight
        if since >= STOP_ENTRIES or held_bytes >= STOP_BYTES:
            pieces.append(_Piece(start, end, True))
            start, since, held_bytes = end, 0, 0
    if start < len(weights):
        whole = since >= STOP_ENTRIES // 2 or held_bytes >= STOP_BYTES // 2
        pieces.append(_Piece(start, len(weights), due or whole))
    return pieces


def is_due(held: LogState, at: str) -> bool:
    """True if the last stop is 60 s old at ``at``, or there was none."""
    if held.stop_at is None:
        return True
    return (parse_time(at) - parse_time(held.stop_at)).total_seconds() >= STOP_SECONDS


def _check(held: LogState, drafts: Sequence[Draft], sealed: Sequence[Sealed | None]) -> str:
    """The agreement's tag, once the batch may be appended to this log."""
    if not held.own or not held.agreement:
        raise Stop(
            f"The log {held.origin} is not this node's own, or it has no agreement yet. Nothing was "
            "appended. A node writes its own log only, once its agreement is in force."
        )
    if [draft.disclosure is None for draft in drafts] != [item is None for item in sealed]:
        raise ValueError("Each draft with a disclosure, and no other, needs that disclosure sealed.")
    return held.agreement


def _store_tree(conn: Connection, held: LogState, pieces: Sequence[_Piece], hashes: Sequence[bytes], at: str) -> None:
    around = edge(conn, held.origin, held.size)
    changed: dict[tuple[int, int], bytes] = {}
    listed = []
    for piece in pieces:
        size = held.size + piece.end
        grown, root = append_hashes(held.size + piece.start, around, hashes[piece.start : piece.end])
        around = edge_after(size, around, grown)
        changed.update(grown)
        listed.append((held.id, size, root, piece.stop, None, at))
    rows.store_tiles(conn, held.id, changed)
    rows.store_checkpoints(conn, listed)


def _store_entries(
    conn: Connection,
    held: LogState,
    drafts: Sequence[Draft],
    leaves: Sequence[bytes],
    hashes: Sequence[bytes],
    at: str,
) -> None:
    whole = zip(drafts, leaves, hashes, strict=True)
    rows.store_entries(
        conn,
        [
            (held.id, index, *rows.understood(draft.id, draft.kind, at, draft.ref), hashed, leaf)
            for index, (draft, leaf, hashed) in enumerate(whole, held.size)
        ],
    )


def _after(held: LogState, pieces: Sequence[_Piece], weights: Sequence[int], at: str) -> LogState:
    """The state behind the batch: an own log's newest entry is its own target, and settled at once."""
    size = held.size + len(weights)
    stops = [piece.end for piece in pieces if piece.stop]
    grown = held._replace(size=size, last_at=at, target=size, settled=size)
    if not stops:
        return grown._replace(stop_bytes=held.stop_bytes + sum(weights))
    return grown._replace(stop=held.size + stops[-1], stop_bytes=sum(weights[stops[-1] :]), stop_at=at)
