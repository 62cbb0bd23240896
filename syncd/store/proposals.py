"""What proposals 待认定 need of the store, by the batch: the history of organisations, clocks, and grounds."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from syncd.store.engine import bulk_upsert
from syncd.store.proposal_tables import grounds, performance
from syncd.store.register import Finding, findings_among
from syncd.store.statement import among, execute

Json = dict[str, Any]
_CHUNK = 500


def history_of(conn: Connection, usccs: Collection[str]) -> dict[str, list[Finding]]:
    """All findings of those organisations that have more than one, in every log; the others have no history."""
    listed, several = sorted(usccs), list[str]()
    for start in range(0, len(listed), _CHUNK):
        condition, given = among(conn, "uscc", listed[start : start + _CHUNK])
        sql = f"SELECT uscc FROM findings WHERE {condition} GROUP BY uscc HAVING count(*) > 1"
        several += [row[0] for row in execute(conn, sql, given)]
    found: dict[str, list[Finding]] = {}
    for row in findings_among(conn, "uscc", several):
        found.setdefault(row.uscc, []).append(row)
    return found


def put_performance(conn: Connection, rows: Sequence[Json]) -> None:
    """Remember what the source says of performing these decisions; the newest version of a row holds."""
    updated = ("source", "row", "served_on", "perform_by", "performed", "contested", "met_from")
    bulk_upsert(conn, performance, rows, ("finding",), updated)


def ripe(conn: Connection, day: str) -> list[Row[Any]]:
    """Decisions whose terms have all run out by ``day`` and that are still unperformed by what the source said."""
    query = select(performance).where(performance.c.met_from <= day, performance.c.performed.is_(False))
    return list(conn.execute(query.order_by(performance.c.met_from)))


def looked_at(conn: Connection, findings: Collection[bytes]) -> None:
    """These have been proposed, or are decided: their clocks need no further look."""
    if findings:
        conn.execute(performance.update().where(performance.c.finding.in_(list(findings))).values(met_from=None))


def put_grounds(conn: Connection, finding: bytes, rule: str, records: Sequence[bytes]) -> None:
    """Remember the records that a confirmed finding counts."""
    rows = [{"record": record, "finding": finding, "rule": rule} for record in records]
    bulk_upsert(conn, grounds, rows, ("record", "finding"), ("rule",))


def resting_on(conn: Connection, records: Collection[bytes]) -> Mapping[bytes, list[bytes]]:
    """Findings that rest on these records, by finding; nearly always none."""
    if not records:
        return {}
    query = select(grounds.c.finding, grounds.c.record).where(grounds.c.record.in_(list(records)))
    found: dict[bytes, list[bytes]] = {}
    for finding, record in conn.execute(query):
        found.setdefault(finding, []).append(record)
    return found


def follow(conn: Connection, old: bytes, new: bytes) -> None:
    """A finding was issued anew: its clocks, and what rests on it, are those of the new one; it rests on nothing."""
    conn.execute(performance.update().where(performance.c.finding == old).values(finding=new))
    conn.execute(grounds.update().where(grounds.c.record == old).values(record=new))
    conn.execute(grounds.delete().where(grounds.c.finding == old))
