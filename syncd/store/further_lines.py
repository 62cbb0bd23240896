"""Lines beside the members' first ones: those of outside witnesses, kept for ever, and the newest of each member.

Members give a fresh line under the newest size at least hourly; it says that they still stand by it. Only the newest
of those is kept, for the first of each size stands in ``cosignatures``.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from syncd.ledger.notes import format_note, parse_note, same_key
from syncd.store.checkpoints import Cosignature, full_note
from syncd.store.engine import bulk_upsert
from syncd.store.statement import execute
from syncd.store.tables import logs
from syncd.store.witness_tables import fresh_lines

_LOG = "(SELECT id FROM logs WHERE origin = ?)"


def keep_outside(conn: Connection, origin: str, size: int, witness: str, line: str, timestamp: int, now: str) -> None:
    """Keep an outside witness's verified line; the first at each size stays."""
    sql = (
        f"INSERT INTO witness_lines (log, size, witness, line, timestamp, at) VALUES ({_LOG}, ?, ?, ?, ?, ?) "
        "ON CONFLICT (log, size, witness) DO NOTHING"
    )
    execute(conn, sql, (origin, size, witness, line, timestamp, now))


def newest_outside(conn: Connection, origin: str) -> dict[str, tuple[int, int]]:
    """The largest size of a log that each outside witness has countersigned, with its Unix seconds.

    From one witness to the next by the index, so that the lines kept for ever are not read through.
    """
    nearest = f"SELECT min(witness) FROM witness_lines WHERE log = {_LOG} AND witness > ?"
    newest = f"SELECT size, timestamp FROM witness_lines WHERE log = {_LOG} AND witness = ? ORDER BY size DESC LIMIT 1"
    found: dict[str, tuple[int, int]] = {}
    name: str | None = ""
    while name := execute(conn, nearest, (origin, name)).scalar_one_or_none():
        size, seconds = execute(conn, newest, (origin, name)).one_or_none()
        found[name] = (int(size), int(seconds))
    return found


def keep_fresh(conn: Connection, origin: str, size: int, member: str, line: str, timestamp: int, now: str) -> bool:
    """Keep a member's verified line if it is newer than the one kept; whether it was."""
    held = fresh_of(conn, origin).get(member)
    if held is not None and (held[0], held[1].timestamp) >= (size, timestamp):
        return False
    number = conn.execute(select(logs.c.id).where(logs.c.origin == origin)).scalar_one()
    row = {"log": number, "member": member, "size": size, "line": line, "timestamp": timestamp, "at": now}
    bulk_upsert(conn, fresh_lines, [row], ("log", "member"), ("size", "line", "timestamp", "at"))
    return True


def fresh_of(conn: Connection, origin: str) -> dict[str, tuple[int, Cosignature]]:
    """The newest line kept of each member under a log, with the size it stands under."""
    sql = f"SELECT size, member, line, timestamp, at FROM fresh_lines WHERE log = {_LOG}"
    return {row[1]: (int(row[0]), Cosignature(*row[1:])) for row in execute(conn, sql, (origin,))}


def freshest_note(conn: Connection, origin: str, size: int) -> bytes | None:
    """``full_note`` with each member's newest line in the place of its first; None if the size is not signed."""
    whole = full_note(conn, origin, size)
    if whole is None:
        return None
    note = parse_note(whole)
    fresh = [one.line for at, one in fresh_of(conn, origin).values() if at == size]
    return format_note(note.text, [*_others(note.lines, fresh), *fresh])


def _others(lines: Sequence[str], fresh: Sequence[str]) -> list[str]:
    return [line for line in lines if not any(same_key(line, one) for one in fresh)]
