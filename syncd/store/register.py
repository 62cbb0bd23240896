"""The register 登记: findings, relief and responses as rows, read and written by the batch.

Everything here is derived from committed entries; a row is a reading aid, the log is the truth.
Functions take a connection, so that a stage commits cursor, register and appended entries together.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, update

from syncd.store import seals
from syncd.store.bulk import upsert_tuples
from syncd.store.engine import bulk_upsert
from syncd.store.register_tables import findings, held_entries, relief_events, responses
from syncd.store.statement import among, chunks, execute

Json = dict[str, Any]

_CHUNK = 512
_RESPONSE_UPDATES = (
    "kind", "counter", "body", "leaf", "id", "log", "idx", "at", "since", "released_by", "imposed", "imposed_leaf",
    "stopped_on",
)  # fmt: skip


_ITS_OWNERS = "findings.place <> findings.issuer AND excluded.place = excluded.issuer"
"""A finding of the member whose place it names, where a copy of its very leaf in another log came first."""


class Finding(NamedTuple):
    """A finding as the register knows it; ``body`` is ``finding/1.0`` as text, the newest recognised version.

    ``version``: the agreement's, named by the entry that holds that body; by it the finding is judged.
    """

    leaf: bytes
    log: int
    idx: int
    id: str
    issuer: str
    uscc: str
    name: str
    natural_key: bytes
    organ: str
    number: str
    place: str
    criterion: str | None
    decided_on: str
    body: str
    amended: bytes | None
    amended_idx: int
    version: int = 1

    def parsed(self) -> Json:
        """The body as JSON."""
        parsed: Json = orjson.loads(self.body)
        return parsed


class ReliefRow(NamedTuple):
    """A relief or mark 修复、异议 about a finding; ``clears`` is a JSON list of leaf hashes in hex."""

    leaf: bytes
    finding: bytes
    kind: str
    log: int
    idx: int
    at_day: str
    effective_from: str | None
    clears: str
    succeeds: frozenset[int] = frozenset()

    def counts_for(self, finding: Finding) -> bool:
        """Whether it stands in the finding's own log, or in that of a successor after a seal."""
        return self.log == finding.log or finding.log in self.succeeds


class Response(NamedTuple):
    """What a region answered to a finding: the newest of its ``restriction.*`` or ``finding.held``.

    ``imposed`` is the body of its newest ``restriction.imposed`` where something else was said since, kept so that
    past days can be asked; ``imposed_leaf`` is that entry, whatever was said since. ``stopped_on`` is the day the
    region took it off again.
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

    def last_imposed(self) -> tuple[str | None, bytes | None]:
        """Body and leaf of the region's newest ``restriction.imposed`` about this finding, if there is one."""
        return (self.imposed if self.leaf != self.imposed_leaf else self.body), self.imposed_leaf


_FINDING = f"SELECT {', '.join(Finding._fields)} FROM findings"
_RELIEF = f"SELECT {', '.join(ReliefRow._fields[:-1])} FROM relief_events"
_RESPONSE = f"SELECT {', '.join(Response._fields)} FROM responses"


def fetch_among(
    conn: Connection, sql: str, column: str, values: Collection[Any], more: str = "", given: tuple[Any, ...] = ()
) -> list[Any]:
    """Rows whose ``column`` is one of ``values``, past SQLAlchemy's per-row work: this is the hot road.

    ``more`` follows the condition, with a value in ``given`` for each of its marks.
    """
    listed, rows = list(values), list[Any]()
    for start in range(0, len(listed), _CHUNK):
        condition, chosen = among(conn, column, listed[start : start + _CHUNK])
        rows += execute(conn, f"{sql} WHERE {condition}{more}", (*chosen, *given)).fetchall()
    return rows


def add_findings(conn: Connection, rows: Sequence[Finding]) -> dict[bytes, Finding]:
    """Store findings by leaf; one that is there already stays as it is, amended or not.

    But any member can append the bytes of another's finding to its own log. Only the log of the member whose place it
    names relieves it, so that one's row takes the place of a copy that was read first.

    Returns them by leaf if all are new, as they nearly always are, and nothing otherwise: who wants them reads them.
    """
    by_leaf = {row.leaf: row for row in rows}
    added = upsert_tuples(
        conn, findings, Finding._fields, list(by_leaf.values()), ("leaf",), Finding._fields[1:], _ITS_OWNERS
    )
    return by_leaf if added == len(by_leaf) else {}


def add_relief(conn: Connection, rows: Sequence[Json]) -> None:
    """Store relief events by their own leaf; the finding they name may still be unknown."""
    bulk_upsert(conn, relief_events, rows, ("leaf",), ("kind", "effective_from", "clears"))


def amend_findings(conn: Connection, rows: Sequence[Json]) -> None:
    """Replace bodies: ``of`` (finding), ``by`` and ``by_idx`` (amendment), ``now_name``, ``_criterion``, ….

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
            version=bindparam("now_version"),
        ),
        list(rows),
    )
    for some in chunks(row["by"] for row in rows):
        conn.execute(relief_events.delete().where(relief_events.c.leaf.in_(some)))


def put_responses(conn: Connection, rows: Sequence[Response]) -> None:
    """Store the newest response of a region to a finding; each finding and region stands in ``rows`` once."""
    upsert_tuples(conn, responses, Response._fields, rows, ("finding", "region"), _RESPONSE_UPDATES)


def findings_by_leaf(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, Finding]:
    """Findings of these leaves; unknown leaves are absent."""
    return {row[0]: Finding._make(row) for row in fetch_among(conn, _FINDING, "leaf", leaves)}


def findings_among(conn: Connection, column: str, values: Collection[str]) -> list[Finding]:
    """Findings whose ``column`` is one of ``values``, oldest of each log first."""
    rows = [Finding(*row) for row in fetch_among(conn, _FINDING, column, values)]
    return sorted(rows, key=lambda row: (row.log, row.idx))


def issued_between(conn: Connection, log: int, start: int, stop: int) -> dict[bytes, Finding]:
    """A log's findings that stand in the register, by where they stand in the log."""
    found = execute(conn, f"{_FINDING} WHERE log = ? AND idx >= ? AND idx < ?", (log, start, stop))
    return {row[0]: Finding._make(row) for row in found.fetchall()}


def not_in_register(conn: Connection, log: int, start: int, stop: int) -> list[int]:
    """Indices of a log's ``finding.issued`` that the register does not have."""
    sql = (
        "SELECT e.idx FROM entries e WHERE e.log = ? AND e.idx >= ? AND e.idx < ? AND e.kind = 'finding.issued' "
        "AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.log = e.log AND f.idx = e.idx)"
    )
    return list(execute(conn, sql, (log, start, stop)).scalars())


def findings_by_key(conn: Connection, keys: Collection[bytes]) -> dict[bytes, list[Finding]]:
    """All findings that carry one of these natural keys, grouped by key."""
    grouped: dict[bytes, list[Finding]] = {}
    for row in fetch_among(conn, _FINDING, "natural_key", keys):
        grouped.setdefault(row[7], []).append(Finding(*row))
    return grouped


def shared_keys(conn: Connection, keys: Collection[bytes]) -> list[bytes]:
    """Those natural keys that more than one finding carries: there are few, and only they need a second look."""
    listed, shared = list(keys), list[bytes]()
    for start in range(0, len(listed), _CHUNK):
        condition, given = among(conn, "natural_key", listed[start : start + _CHUNK])
        sql = f"SELECT natural_key FROM findings WHERE {condition} GROUP BY natural_key HAVING count(*) > 1"
        shared += [row[0] for row in execute(conn, sql, given)]
    return shared


def findings_by_number(conn: Connection, numbers: Collection[str]) -> list[Finding]:
    """Findings by normalised decision number 文号; the caller compares organ and organisation."""
    return [Finding(*row) for row in fetch_among(conn, _FINDING, "number", numbers)]


def findings_of(conn: Connection, uscc: str | None = None) -> list[Finding]:
    """Findings of one organisation, or all, oldest first."""
    where, values = ("", ()) if uscc is None else (" WHERE uscc = ?", (uscc,))
    return [Finding(*row) for row in execute(conn, f"{_FINDING}{where} ORDER BY log, idx", values)]


def relief_of(conn: Connection, leaves: Collection[bytes] | None) -> dict[bytes, list[ReliefRow]]:
    """Relief events grouped by finding; ``None`` reads all."""
    grouped: dict[bytes, list[ReliefRow]] = {}
    rows = execute(conn, _RELIEF).fetchall() if leaves is None else fetch_among(conn, _RELIEF, "finding", leaves)
    former = seals.former_logs(conn) if rows else {}
    for row in rows:
        grouped.setdefault(row[1], []).append(ReliefRow._make((*row, former.get(row[3], frozenset()))))
    return grouped


def relieved_between(conn: Connection, after: str, until: str) -> list[bytes]:
    """Findings with a relief whose day lies behind the day it was said on, after ``after`` and by ``until``."""
    sql = "SELECT DISTINCT finding FROM relief_events WHERE effective_from > ? AND effective_from <= ?"
    return [row[0] for row in execute(conn, f"{sql} AND effective_from > at_day", (after, until))]


def responses_of(
    conn: Connection, leaves: Collection[bytes] | None, region: str | None = None
) -> dict[bytes, dict[str, Response]]:
    """Responses grouped by finding and region; ``None`` for all findings or all regions."""
    narrowed, given = ("", ()) if region is None else ("region = ?", (region,))
    if leaves is None:
        rows = execute(conn, f"{_RESPONSE} WHERE {narrowed}" if narrowed else _RESPONSE, given).fetchall()
    else:
        rows = fetch_among(conn, _RESPONSE, "finding", leaves, f" AND {narrowed}" if narrowed else "", given)
    grouped: dict[bytes, dict[str, Response]] = {}
    for row in rows:
        grouped.setdefault(row[0], {})[row[1]] = Response._make(row)
    return grouped


def hold_entries(conn: Connection, rows: Sequence[Json]) -> None:
    """Remember entries that are stored but not understood, to be retried when versions change."""
    bulk_upsert(conn, held_entries, rows, ("log", "idx"), ("reason", "agreement"))


def held_in(conn: Connection, log: int) -> set[int]:
    """Where entries of a log wait that were held before, and so have been answered already."""
    return {row[0] for row in execute(conn, "SELECT idx FROM held_entries WHERE log = ?", (log,))}


def unhold(conn: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Forget that these entries wait."""
    rows = [{"of": log, "at": idx} for log, idx in pairs]
    if rows:
        conn.execute(
            held_entries.delete().where(held_entries.c.log == bindparam("of"), held_entries.c.idx == bindparam("at")),
            rows,
        )
