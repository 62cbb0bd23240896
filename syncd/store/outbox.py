"""Deliveries to the bureau's own system: present state, never history (LEDGER §7).

One row for each finding this region answered with a restriction: the newest counter, whether it is on, its measures,
and how far delivery has come: ``pending`` → ``delivered`` → ``acknowledged``. Liftings go first.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, func, select, update

from syncd.store.bulk import upsert_tuples
from syncd.store.register import fetch_among
from syncd.store.register_tables import deliveries
from syncd.store.statement import execute, execute_many

Json = dict[str, Any]
FORGET = "forget"
"""The mark of a delivery that tells the home system to delete what it holds about the finding 删除."""


class Delivery(NamedTuple):
    """The present state of one finding for the home system.

    ``measures``: JSON list of ``{id, kind, responder, basis, from, to, on}``; ``terms``: JSON with rule, mark and
    whether it is a demonstration 演示; ``acknowledged``: JSON of measure → what the department said 回执.
    """

    finding: bytes
    counter: int
    active: bool
    measures: str
    terms: str
    state: str
    next_change: str | None
    queued_at: str
    delivered_at: str | None
    acknowledged: str


_DELIVERY = f"SELECT {', '.join(Delivery._fields)} FROM deliveries"


def put(conn: Connection, rows: Sequence[Delivery]) -> None:
    """Queue the present state of findings, each once; what was queued before for the same finding is replaced."""
    upsert_tuples(conn, deliveries, Delivery._fields, rows, ("finding",), Delivery._fields[1:])


class Due(NamedTuple):
    """A delivery that waits, with what an order says of its finding."""

    delivery: Delivery
    criterion: str | None
    number: str
    decided_on: str
    name: str
    uscc: str


def pending(conn: Connection, limit: int) -> list[Due]:
    """The next deliveries, liftings before restrictions, without those that were put off."""
    sql = (
        f"SELECT {', '.join([f'd.{name}' for name in Delivery._fields])}, f.criterion, f.number, f.decided_on, f.name, "
        "f.uscc FROM deliveries d JOIN findings f ON f.leaf = d.finding "
        f"WHERE d.state = 'pending' AND d.next_change IS NULL ORDER BY d.active, d.queued_at LIMIT {limit}"
    )
    return [Due(Delivery._make(row[:-5]), *row[-5:]) for row in execute(conn, sql).fetchall()]


def of_findings(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, Delivery]:
    """Deliveries of these findings."""
    return {row[0]: Delivery._make(row) for row in fetch_among(conn, _DELIVERY, "finding", leaves)}


def acknowledged(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, str]:
    """What departments have said of these findings' measures (JSON text), where they have said anything."""
    sql = "SELECT finding, acknowledged FROM deliveries"
    return {leaf: said for leaf, said in fetch_among(conn, sql, "finding", leaves) if said != "{}"}


def delivered(conn: Connection, sent: Sequence[tuple[str, str | None, bytes, int, str]], now: str) -> None:
    """Mark as delivered: new state, next change, finding, counter and time of queuing of each.

    One that was queued anew meanwhile has another counter or time and stays pending. The new state is
    ``acknowledged`` where the home system was faster than this transaction.
    """
    execute_many(
        conn,
        "UPDATE deliveries SET state = ?, next_change = ?, delivered_at = ? "
        "WHERE finding = ? AND counter = ? AND queued_at = ?",
        [(state, change, now, leaf, counter, queued) for state, change, leaf, counter, queued in sent],
    )


def put_off(conn: Connection, rows: Sequence[Delivery], day: str) -> None:
    """Leave deliveries pending, but out of turn until they change, or ``changed_by`` queues them that day or later."""
    execute_many(
        conn,
        "UPDATE deliveries SET next_change = ? WHERE finding = ? AND counter = ? AND queued_at = ?",
        [(day, row.finding, row.counter, row.queued_at) for row in rows],
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


def forget_at_home(conn: Connection, finding: bytes, now: str) -> bool:
    """Queue a last delivery: all measures off, with the mark to forget; False if nothing was ever delivered for it."""
    held = of_findings(conn, [finding]).get(finding)
    if held is None:
        return False
    terms, measures = orjson.loads(held.terms), orjson.loads(held.measures)
    if FORGET in (terms.get("mark") or "").split():
        return True
    off = orjson.dumps([{**measure, "on": False} for measure in measures]).decode()
    said = orjson.dumps({**terms, "mark": FORGET}).decode()
    put(conn, [held._replace(active=False, measures=off, terms=said, state="pending", next_change=None, queued_at=now)])
    return True


def changed_by(conn: Connection, day: str) -> int:
    """Queue again what ends or begins by itself on or before ``day``; returns how many."""
    result = conn.execute(
        update(deliveries)
        .where(deliveries.c.next_change.is_not(None), deliveries.c.next_change <= day)
        .values(state="pending", next_change=None)
    )
    return int(result.rowcount)


def again(conn: Connection, now: str) -> int:
    """Queue the whole present state again, what was acknowledged and what is lifted too; returns how many findings.

    What the departments said stays known, so that saying it again reports nothing twice.
    """
    return int(conn.execute(update(deliveries).values(state="pending", next_change=None, queued_at=now)).rowcount)


def counts(conn: Connection) -> dict[str, int]:
    """Number of deliveries by state."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return {state: count for state, count in conn.execute(query)}
