"""What is looked up in the register when a log is read into it once more."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from syncd.store.register import Finding, Response, fetch_among
from syncd.store.register_tables import held_entries
from syncd.store.statement import execute

_FINDING = f"SELECT {', '.join(Finding._fields)} FROM findings"
_RESPONSE = f"SELECT {', '.join(Response._fields)} FROM responses"


def responses_by_leaf(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, Response]:
    """The newest responses whose own entries have these leaf hashes."""
    return {row[5]: Response(*row) for row in fetch_among(conn, _RESPONSE, "leaf", leaves)}


def issued_from(conn: Connection, log: int, start: int) -> list[Finding]:
    """A log's findings from an index on, in order."""
    sql = f"{_FINDING} WHERE log = ? AND idx >= ? ORDER BY idx"
    return [Finding(*row) for row in execute(conn, sql, (log, start))]


def held_for(conn: Connection, reason: str) -> dict[str, dict[str, int]]:
    """How many entries are held for one reason, as facts of an alarm by their log's origin."""
    held = "FROM held_entries h JOIN logs l ON l.id = h.log WHERE h.reason = ?"
    sql = f"SELECT l.origin, count(*) {held} GROUP BY l.origin"
    return {origin: {"entries": int(count)} for origin, count in execute(conn, sql, (reason,))}


def held_after(conn: Connection, place: tuple[int, int], limit: int) -> list[Row[Any]]:
    """Entries that wait to be understood, behind a log and index, in that order, ``limit`` at most."""
    log, idx = place
    behind = or_(held_entries.c.log > log, and_(held_entries.c.log == log, held_entries.c.idx > idx))
    query = select(held_entries).where(behind).order_by(held_entries.c.log, held_entries.c.idx).limit(limit)
    return list(conn.execute(query))
