"""Deliveries to the bureau's own system: present state, never history (LEDGER §7).

One row for each finding this region answered with a restriction: the newest counter, whether it is on, its measures,
and how far delivery has come: ``pending`` → ``delivered`` → ``acknowledged``. Liftings go first.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update

from syncd.store.engine import bulk_upsert
from syncd.store.register_tables import deliveries

Json = dict[str, Any]


def put(conn: Connection, rows: Sequence[Json]) -> None:
    """Queue the present state of findings; what was queued before for the same finding is replaced."""
    replaced = (
        "counter",
        "active",
        "measures",
        "state",
        "next_change",
        "queued_at",
        "delivered_at",
        "acknowledged",
    )
    bulk_upsert(conn, deliveries, rows, ("finding",), replaced)


def pending(conn: Connection, limit: int) -> list[Row[Any]]:
    """The next deliveries, liftings before restrictions."""
    query = (
        select(deliveries)
        .where(deliveries.c.state == "pending")
        .order_by(deliveries.c.active, deliveries.c.queued_at)
        .limit(limit)
    )
    return list(conn.execute(query))


def of_findings(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, Row[Any]]:
    """Deliveries of these findings."""
    if not leaves:
        return {}
    return {row.finding: row for row in conn.execute(select(deliveries).where(deliveries.c.finding.in_(leaves)))}


def delivered(conn: Connection, sent: Sequence[Json], now: str) -> None:
    """Mark as delivered: ``leaf``, ``version`` (counter), ``now_state``, ``change`` (next change) of each finding.

    One that was queued anew meanwhile has another counter and stays pending. ``now_state`` is ``acknowledged`` where
    the home system was faster than this transaction.
    """
    if sent:
        conn.execute(
            update(deliveries)
            .where(deliveries.c.finding == bindparam("leaf"), deliveries.c.counter == bindparam("version"))
            .values(state=bindparam("now_state"), delivered_at=now, next_change=bindparam("change")),
            list(sent),
        )


def acknowledge(conn: Connection, rows: Sequence[Json]) -> None:
    """Store what the home system has acknowledged: ``leaf``, ``now_state``, ``said`` (JSON text) of each finding."""
    if rows:
        conn.execute(
            update(deliveries)
            .where(deliveries.c.finding == bindparam("leaf"))
            .values(state=bindparam("now_state"), acknowledged=bindparam("said")),
            list(rows),
        )


def changed_by(conn: Connection, day: str) -> int:
    """Queue again what ends or begins by itself on or before ``day``; returns how many."""
    result = conn.execute(
        update(deliveries)
        .where(deliveries.c.next_change.is_not(None), deliveries.c.next_change <= day)
        .values(state="pending", next_change=None)
    )
    return int(result.rowcount)


def again(conn: Connection, leaves: Collection[bytes] | None) -> int:
    """Queue again what is unacknowledged, or the findings named; returns how many."""
    query = update(deliveries).values(state="pending")
    if leaves is None:
        query = query.where(or_(deliveries.c.state == "delivered", deliveries.c.state == "pending"))
    else:
        query = query.where(deliveries.c.finding.in_(list(leaves)))
    return int(conn.execute(query).rowcount)


def counts(conn: Connection) -> dict[str, int]:
    """Number of deliveries by state."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return {state: count for state, count in conn.execute(query)}
