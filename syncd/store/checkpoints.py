"""Listed sizes, their notes, and the lines that members put under them (检查点与会签).

Commit, then sign, then offer: ``append`` lists a size without a note, the stage signs it after the commit
and stores the note here, and only a size with a note is ever offered to a peer.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.ledger.entry import format_time
from syncd.ledger.notes import format_note, parse_note
from syncd.store.statement import execute, marks

_LOG = "(SELECT id FROM logs WHERE origin = ?)"
_LISTED = f"SELECT size, root, stop, note, at FROM checkpoints WHERE log = {_LOG}"


class CheckpointRow(NamedTuple):
    """A listed size: its root (32 bytes), whether it is a stop (own logs only), its note once signed, when (UTC)."""

    size: int
    root: bytes
    stop: bool
    note: bytes | None
    at: str


class Cosignature(NamedTuple):
    """A member's line under a checkpoint: ``timestamp`` in the member's Unix seconds, ``at`` when it came here."""

    member: str
    line: str
    timestamp: int
    at: str


def unsigned(conn: Connection, origin: str) -> list[CheckpointRow]:
    """The listed sizes that wait for a signature, smallest first."""
    return [_row(row) for row in execute(conn, f"{_LISTED} AND note IS NULL ORDER BY size", (origin,))]


def set_note(conn: Connection, origin: str, size: int, note: bytes) -> None:
    """Store the signed note of a listed size. Raises Stop if the size is not listed or has another note already."""
    changed = execute(
        conn,
        f"UPDATE checkpoints SET note = ? WHERE log = {_LOG} AND size = ? AND (note IS NULL OR note = ?)",
        (note, origin, size, note),
    )
    if changed.rowcount != 1:
        raise Stop(
            f"The log {origin} has no listed size {size} that waits for this signature. Nothing was stored "
            "and nothing may be offered. Another process signs this log, or the store was altered: a "
            "person must look."
        )


def checkpoint(conn: Connection, origin: str, size: int) -> CheckpointRow | None:
    """A listed size, or None if it is not listed."""
    row = execute(conn, f"{_LISTED} AND size = ?", (origin, size)).one_or_none()
    return None if row is None else _row(row)


def newest(conn: Connection, origin: str) -> CheckpointRow | None:
    """The largest listed size that has a note, or None."""
    row = execute(conn, f"{_LISTED} AND note IS NOT NULL ORDER BY size DESC LIMIT 1", (origin,)).one_or_none()
    return None if row is None else _row(row)


def next_listed(conn: Connection, origin: str, old: int) -> int | None:
    """The size up to which the next batch from ``old`` goes: the largest signed one that crosses no stop, or None."""
    stop = execute(
        conn,
        f"SELECT size FROM checkpoints WHERE log = {_LOG} AND size > ? AND stop ORDER BY size LIMIT 1",
        (origin, old),
    ).scalar_one_or_none()
    end: int | None = execute(
        conn,
        f"SELECT size FROM checkpoints WHERE log = {_LOG} AND size > ? AND size <= ? AND note IS NOT NULL "
        "ORDER BY size DESC LIMIT 1",
        (origin, old, 1 << 53 if stop is None else stop),
    ).scalar_one_or_none()
    return end


def last_listed(conn: Connection, origin: str, old: int, most: int) -> int:
    """The largest listed size behind ``old`` and up to ``most``; ``most`` itself where none lies there."""
    sql = f"SELECT max(size) FROM checkpoints WHERE log = {_LOG} AND size > ? AND size <= ?"
    return execute(conn, sql, (origin, old, most)).scalar_one() or most


def add_cosignature(
    conn: Connection, origin: str, size: int, member: str, line: str, timestamp: int, now: datetime
) -> bool:
    """Keep a member's verified line at a size for ever; True if it was the first. A later one changes nothing."""
    added = execute(
        conn,
        "INSERT INTO cosignatures (log, size, member, line, timestamp, at) "
        f"VALUES ({_LOG}, ?, ?, ?, ?, ?) ON CONFLICT (log, size, member) DO NOTHING",
        (origin, size, member, line, timestamp, format_time(now)),
    )
    return added.rowcount == 1


def cosignatures(conn: Connection, origin: str, size: int) -> list[Cosignature]:
    """The lines held at a size, by member."""
    found = execute(
        conn,
        f"SELECT member, line, timestamp, at FROM cosignatures WHERE log = {_LOG} AND size = ? ORDER BY member",
        (origin, size),
    )
    return [Cosignature(*row) for row in found]


def countersigned(conn: Connection, origin: str, member: str) -> int:
    """The largest size of a log that a member has countersigned; 0 if none."""
    size = execute(
        conn, f"SELECT max(size) FROM cosignatures WHERE log = {_LOG} AND member = ?", (origin, member)
    ).scalar_one_or_none()
    return 0 if size is None else int(size)


def known_sizes(conn: Connection, member: str, until: int) -> dict[str, int]:
    """The size of each log that a member had countersigned by ``until`` (seconds since 1970, in its signed lines)."""
    sql = (
        "SELECT l.origin, max(s.size) FROM cosignatures s JOIN logs l ON l.id = s.log "
        "WHERE s.member = ? AND s.timestamp <= ? GROUP BY l.origin"
    )
    return {origin: int(size) for origin, size in execute(conn, sql, (member, until))}


def complete_between(conn: Connection, origin: str, after: int, until: int, members: Sequence[str]) -> int | None:
    """The smallest stop in ``after`` < size <= ``until`` that carries a line of each of ``members``; or ``until``."""
    among_members = f"s.log = c.log AND s.size = c.size AND s.member IN ({marks(members)})"
    size: int | None = execute(
        conn,
        f"SELECT c.size FROM checkpoints c WHERE c.log = {_LOG} AND c.size > ? AND c.size <= ? "
        f"AND (c.stop OR c.size = ?) AND (SELECT count(*) FROM cosignatures s WHERE {among_members}) = ? "
        "ORDER BY c.size LIMIT 1",
        (origin, after, until, until, *members, len(members)),
    ).scalar_one_or_none()
    return size


def countersigned_by_all(conn: Connection, origin: str) -> dict[str, int]:
    """The largest size that each member has countersigned, by member's code."""
    found = execute(conn, f"SELECT member, max(size) FROM cosignatures WHERE log = {_LOG} GROUP BY member", (origin,))
    return {str(member): int(size) for member, size in found}


def final_size(conn: Connection, origin: str, members: Collection[str]) -> int:
    """The newest signed size that all these members have countersigned, 0 if there is none."""
    size = execute(
        conn,
        f"SELECT s.size FROM cosignatures s JOIN checkpoints c ON c.log = s.log AND c.size = s.size "
        f"WHERE s.log = {_LOG} AND c.note IS NOT NULL AND s.member IN ({marks(members)}) "
        "GROUP BY s.size HAVING count(*) >= ? ORDER BY s.size DESC LIMIT 1",
        (origin, *members, len(members)),
    ).scalar_one_or_none()
    return 0 if size is None else int(size)


def known_size(conn: Connection, origin: str, member: str, before: int) -> int:
    """The largest signed size of a log that a member had countersigned before that Unix second; 0 if none."""
    size = execute(
        conn,
        "SELECT s.size FROM cosignatures s JOIN checkpoints c ON c.log = s.log AND c.size = s.size "
        f"WHERE s.log = {_LOG} AND s.member = ? AND s.timestamp < ? AND c.note IS NOT NULL "
        "ORDER BY s.size DESC LIMIT 1",
        (origin, member, before),
    ).scalar_one_or_none()
    return 0 if size is None else int(size)


def known_from(conn: Connection, origin: str, member: str, index: int) -> int | None:
    """The Unix second at which a member first countersigned a size that covers an entry; None if it has not."""
    seconds = execute(
        conn,
        f"SELECT timestamp FROM cosignatures WHERE log = {_LOG} AND member = ? AND size > ? ORDER BY size LIMIT 1",
        (origin, member, index),
    ).scalar_one_or_none()
    return None if seconds is None else int(seconds)


def full_note(conn: Connection, origin: str, size: int) -> bytes | None:
    """The note of a listed size with every member's and outside witness's line held for it; None if not signed."""
    listed = checkpoint(conn, origin, size)
    if listed is None or listed.note is None:
        return None
    note = parse_note(listed.note)
    held = [one.line for one in cosignatures(conn, origin, size)] + outside_lines(conn, origin, size)
    return format_note(note.text, [*note.lines, *(line for line in held if line not in note.lines)])


def outside_lines(conn: Connection, origin: str, size: int) -> list[str]:
    """The lines of outside witnesses held at a size."""
    sql = f"SELECT line FROM witness_lines WHERE log = {_LOG} AND size = ? ORDER BY witness"
    return [str(row[0]) for row in execute(conn, sql, (origin, size))]


def first_after(conn: Connection, origin: str, size: int) -> CheckpointRow | None:
    """The smallest signed size above ``size``, or None."""
    sql = f"{_LISTED} AND size > ? AND note IS NOT NULL ORDER BY size LIMIT 1"
    row = execute(conn, sql, (origin, size)).one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> CheckpointRow:
    size, root, stop, note, at = row
    return CheckpointRow(size, root, bool(stop), note, at)
