"""The register 登记: findings, relief and responses as rows, read and written by the batch.

Everything here is derived from committed entries; a row is a reading aid, the log is the truth.
Functions take a connection, so that a stage commits cursor, register and appended entries together.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, func, select, update

from syncd.store.engine import bulk_upsert
from syncd.store.register_tables import findings, held_entries, relief_events, responses

Json = dict[str, Any]

_RESPONSE_UPDATES = ("kind", "counter", "body", "leaf", "id", "log", "idx", "at", "since", "released_by",
                     "imposed", "imposed_leaf", "stopped_on")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Response:
    """What a region answered to a finding: the newest of its ``restriction.*`` or ``finding.held``.

    ``imposed`` is the body of its newest ``restriction.imposed``, kept after a lifting so that past days can be asked;
    ``stopped_on`` is the day the region took it off again.
    """

    finding: bytes
    region: str
    kind: str
    counter: int
    body: str
    leaf: bytes
    id: str
    log: int
    idx: int
    at: str
    since: str
    released_by: str | None
    imposed: str | None = None
    imposed_leaf: bytes | None = None
    stopped_on: str | None = None

    def parsed(self) -> Json:
        """The body as JSON."""
        parsed: Json = orjson.loads(self.body)
        return parsed


def add_findings(conn: Connection, rows: Sequence[Json]) -> None:
    """Store findings by leaf; one that is there already stays as it is, amendments included."""
    bulk_upsert(conn, findings, rows, ("leaf",), ())


def add_relief(conn: Connection, rows: Sequence[Json]) -> None:
    """Store relief events by their own leaf; the finding they name may still be unknown."""
    bulk_upsert(conn, relief_events, rows, ("leaf",), ("kind", "effective_from", "clears"))


def amend_findings(conn: Connection, rows: Sequence[Json]) -> None:
    """Replace bodies: ``of`` (finding), ``by`` and ``by_idx`` (amendment), ``now_name``, ``now_criterion``, ``now_body``.

    An amendment older than the one in force changes nothing, so that reading the log again is no difference.

    The suspension that the amendment itself caused ends here, because it is now recognised.
    """
    if not rows:
        return
    conn.execute(
        update(findings)
        .where(findings.c.leaf == bindparam("of"), findings.c.amended_idx < bindparam("by_idx"))
        .values(
            amended=bindparam("by"),
            amended_idx=bindparam("by_idx"),
            name=bindparam("now_name"),
            criterion=bindparam("now_criterion"),
            body=bindparam("now_body"),
        ),
        list(rows),
    )
    conn.execute(relief_events.delete().where(relief_events.c.leaf.in_([row["by"] for row in rows])))


def put_responses(conn: Connection, rows: Sequence[Json]) -> None:
    """Store the newest response of a region to a finding."""
    bulk_upsert(conn, responses, rows, ("finding", "region"), _RESPONSE_UPDATES)


def findings_by_leaf(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, Row[Any]]:
    """Findings of these leaves; unknown leaves are absent."""
    if not leaves:
        return {}
    found = conn.execute(select(findings).where(findings.c.leaf.in_(list(leaves))))
    return {row.leaf: row for row in found}


def findings_by_key(conn: Connection, keys: Collection[bytes]) -> dict[bytes, list[Row[Any]]]:
    """All findings that carry one of these natural keys, grouped by key."""
    grouped: dict[bytes, list[Row[Any]]] = {}
    if keys:
        for row in conn.execute(select(findings).where(findings.c.natural_key.in_(list(keys)))):
            grouped.setdefault(row.natural_key, []).append(row)
    return grouped


def findings_by_number(conn: Connection, numbers: Collection[str]) -> list[Row[Any]]:
    """Findings by normalised decision number 文号; the caller compares organ and organisation."""
    if not numbers:
        return []
    return list(conn.execute(select(findings).where(findings.c.number.in_(list(numbers)))))


def findings_of(conn: Connection, uscc: str | None = None) -> list[Row[Any]]:
    """Findings of one organisation, or all, oldest first."""
    query = select(findings).order_by(findings.c.log, findings.c.idx)
    return list(conn.execute(query if uscc is None else query.where(findings.c.uscc == uscc)))


def relief_of(conn: Connection, leaves: Collection[bytes] | None) -> dict[bytes, list[Row[Any]]]:
    """Relief events grouped by finding; ``None`` reads all."""
    grouped: dict[bytes, list[Row[Any]]] = {}
    query = select(relief_events)
    if leaves is not None:
        if not leaves:
            return {}
        query = query.where(relief_events.c.finding.in_(list(leaves)))
    for row in conn.execute(query):
        grouped.setdefault(row.finding, []).append(row)
    return grouped


def responses_of(
    conn: Connection, leaves: Collection[bytes] | None, region: str | None = None
) -> dict[bytes, dict[str, Response]]:
    """Responses grouped by finding and region; ``None`` for all findings or all regions."""
    query = select(responses)
    if leaves is not None:
        if not leaves:
            return {}
        query = query.where(responses.c.finding.in_(list(leaves)))
    if region is not None:
        query = query.where(responses.c.region == region)
    grouped: dict[bytes, dict[str, Response]] = {}
    for row in conn.execute(query):
        grouped.setdefault(row.finding, {})[row.region] = Response(*row)
    return grouped


def findings_of_responses(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, bytes]:
    """Which finding each of these response leaves answers."""
    if not leaves:
        return {}
    query = select(responses.c.leaf, responses.c.finding).where(responses.c.leaf.in_(list(leaves)))
    return {leaf: finding for leaf, finding in conn.execute(query)}


def release(conn: Connection, finding: bytes, region: str, account: str) -> None:
    """Record that a person released what waited for review; the next recognition reads it."""
    conn.execute(
        update(responses)
        .where(responses.c.finding == finding, responses.c.region == region)
        .values(released_by=account)
    )


def hold_entries(conn: Connection, rows: Sequence[Json]) -> None:
    """Remember entries that are stored but not understood, to be retried when versions change."""
    bulk_upsert(conn, held_entries, rows, ("log", "idx"), ("reason", "agreement"))


def held(conn: Connection) -> list[Row[Any]]:
    """All entries that wait to be understood."""
    return list(conn.execute(select(held_entries).order_by(held_entries.c.log, held_entries.c.idx)))


def unhold(conn: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Forget that these entries wait."""
    rows = [{"of": log, "at": idx} for log, idx in pairs]
    if rows:
        conn.execute(
            held_entries.delete().where(held_entries.c.log == bindparam("of"), held_entries.c.idx == bindparam("at")),
            rows,
        )


def count_findings(conn: Connection) -> Mapping[int, int]:
    """Number of findings by log."""
    query = select(findings.c.log, func.count()).group_by(findings.c.log)
    return {log: count for log, count in conn.execute(query)}
