"""Proposals 待认定: what a rule derives from this bureau's own records, for a person of this bureau to decide.

Only what its own code has not determined is looked at, and only here, at the determining bureau:

1. a condition of the record's local code proposes a criterion, the history of the organisation asked where it reads it;
2. else a criterion that several facts make is met: repeated penalties, an unperformed decision, a linked one.

A proposal lies on the desk with the rule, the records counted and their days; nothing else happens. The history is read
by one indexed query for a page, never for each finding.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from adapters.records import Beside
from syncd.agreement.aggregates import Clocks, Penalty, Performance, clocks_of, counted, counts_of, linked, unperformed
from syncd.agreement.model import Agreement, Criterion, Linked, Repeated, Unperformed
from syncd.agreement.outcome import outcome_of
from syncd.flows.bureau import Bureau
from syncd.flows.respond import state_of
from syncd.store import desk, proposals, register
from syncd.store.register import Finding

Json = dict[str, Any]
PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class Own:
    """A record of this bureau that was issued or amended, or whose clocks have run out."""

    leaf: bytes
    row: str
    body: Json
    beside: Beside | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: by which rule, which criterion, by which records; ``clocks`` where terms ran out."""

    rule: str
    criterion: str
    status: str
    records: Sequence[Penalty] = ()
    clocks: Clocks | None = None


def propose(bureau: Bureau, conn: Connection, source: str, records: Sequence[Own]) -> int:
    """Put on the desk what follows from these records by rules; returns how many proposals there are."""
    clear = [one.leaf.hex() for one in records if one.again]
    desk.clear(conn, PROPOSED, clear, bureau.now_text())
    open_ = [one for one in records if one.body["criterion"] is None and one.body["place"] == bureau.code]
    if not open_:
        return 0
    proposals.put_performance(conn, [_performance_row(bureau, source, one) for one in open_ if one.beside])
    known = _penalties(bureau, conn, {one.body["subject"]["uscc"] for one in open_})
    named = _named(bureau, conn, open_)
    items = []
    for one in open_:
        own = _penalty(one.leaf.hex(), bureau.code, one.body)
        others = [record for record in known.get(own.uscc, ()) if record.leaf != own.leaf]
        found = list(_proposals(bureau, one, own, others, named))
        if found:
            items.append(_item(bureau, source, one, found[0], [other.rule for other in found[1:]]))
    desk.put(conn, items, bureau.now_text())
    proposals.looked_at(conn, [bytes.fromhex(item["mark"]) for item in items])
    return len(items)


def ripened(bureau: Bureau, conn: Connection, source: str) -> int:
    """Look again at decisions whose terms have run out since; returns how many proposals there are."""
    rows = [row for row in proposals.ripe(conn, bureau.today().isoformat()) if row.source == source]
    found = register.findings_by_leaf(conn, [row.finding for row in rows])
    relief = register.relief_of(conn, list(found))
    records = [
        Own(row.finding, row.row, found[row.finding].parsed(), _beside(row))
        for row in rows
        if row.finding in found and not state_of(found[row.finding], relief.get(row.finding, ()), bureau.today()).off
    ]
    count = propose(bureau, conn, source, records)
    proposals.looked_at(conn, [row.finding for row in rows])
    return count


def still_counts(bureau: Bureau, conn: Connection, leaves: Collection[bytes]) -> bool:
    """Whether all these records still stand: none ended by relief, none suspended."""
    rows = register.findings_by_leaf(conn, leaves)
    relief = register.relief_of(conn, leaves)
    states = [state_of(row, relief.get(leaf, ()), bureau.today()) for leaf, row in rows.items()]
    return len(rows) == len(set(leaves)) and not any(state.off or state.ended for state in states)


def _proposals(
    bureau: Bureau, one: Own, own: Penalty, others: Sequence[Penalty], named: Mapping[str, Sequence[Penalty]]
) -> Iterator[Proposal]:
    agreement, allowed = bureau.agreement, bureau.allow_candidates
    outcome = outcome_of(agreement, one.body, counts_of(own, others), allow_candidates=allowed)
    if outcome.kind == "proposed" and outcome.criterion is not None and outcome.by is not None:  # step 1
        yield Proposal(outcome.by, outcome.criterion, agreement.criteria[outcome.criterion].status)
    for code, criterion in agreement.criteria.items():  # step 2
        if criterion.aggregate is None or not (allowed or criterion.status == "confirmed"):
            continue
        if not _reaches(agreement, criterion, one.body["subject"]["type"]):
            continue
        found = _aggregate(criterion, one, own, others, named, bureau.today())
        if found is not None:
            yield Proposal(code, code, criterion.aggregate.status, *found)


def _reaches(agreement: Agreement, criterion: Criterion, kind: str | None) -> bool:
    """A record whose code says no type is of the agreement's first one, as far as anybody knows; the others say so."""
    return (kind or next(iter(agreement.subject_types))) in criterion.applies_to


def _aggregate(
    criterion: Criterion,
    one: Own,
    own: Penalty,
    others: Sequence[Penalty],
    named: Mapping[str, Sequence[Penalty]],
    day: dt.date,
) -> tuple[Sequence[Penalty], Clocks | None] | None:
    setting = criterion.aggregate
    if isinstance(setting, Repeated):
        records = counted(setting, own, others)
        return (records, None) if records else None
    if one.beside is None:
        return None
    if isinstance(setting, Unperformed):
        clocks = unperformed(setting, _performance(one.beside), day)
        return ((own,), clocks) if clocks else None
    found = linked(setting, own, named.get(one.beside.related or "", ())) if isinstance(setting, Linked) else ()
    return ((own, *found), None) if found else None


def _item(bureau: Bureau, source: str, one: Own, found: Proposal, also: Sequence[str]) -> Json:
    clocks = found.clocks
    facts = {
        "finding": one.leaf.hex(),
        "source": source,
        "row": one.row,
        "uscc": one.body["subject"]["uscc"],
        "local_code": one.body["local_code"],
        "rule": found.rule,
        "criterion": found.criterion,
        "status": found.status,
        "also": list(also),
        "evidence_zh": bureau.agreement.criteria[found.criterion].evidence_zh,
        "clocks": {
            "performance": clocks.performance.isoformat(),
            "reconsideration": clocks.reconsideration.isoformat(),
            "lawsuit": clocks.lawsuit.isoformat(),
        }
        if clocks
        else None,
        "records": [
            {"finding": record.leaf, "place": record.place, "number": record.number,
             "decided_on": record.decided_on.isoformat(), "disputed": record.disputed}
            for record in found.records
        ],
    }  # fmt: skip
    return {"kind": "proposed", "mark": one.leaf.hex(), "reason": found.rule, "facts": facts, "anew": one.again}


def _penalties(bureau: Bureau, conn: Connection, usccs: Collection[str]) -> dict[str, list[Penalty]]:
    """The records of these organisations that may count, one for each decision, in all logs that are held."""
    history = proposals.history_of(conn, usccs)
    rows = [row for listed in history.values() for row in listed]
    standing = _standing(bureau, conn, rows)
    return {uscc: _once(standing, listed) for uscc, listed in history.items()}


def _named(bureau: Bureau, conn: Connection, records: Sequence[Own]) -> dict[str, list[Penalty]]:
    """Decisions that these records name 关联文号, by number."""
    numbers = {one.beside.related for one in records if one.beside is not None and one.beside.related}
    rows = register.findings_by_number(conn, numbers)
    standing = _standing(bureau, conn, rows)
    return {number: _once(standing, [row for row in rows if row.number == number]) for number in numbers}


def _standing(bureau: Bureau, conn: Connection, rows: Sequence[Finding]) -> dict[bytes, Penalty]:
    """Those records that still count: no copies, nothing ended or suspended; with a dispute shown."""
    relief = register.relief_of(conn, [row.leaf for row in rows])
    found = {}
    for row in rows:
        state = state_of(row, relief.get(row.leaf, ()), bureau.today())
        if row.place == row.issuer and not state.off and state.ended is None:
            found[row.leaf] = _penalty(row.leaf.hex(), row.place, row.parsed(), state.disputed)
    return found


def _once(standing: Mapping[bytes, Penalty], rows: Sequence[Finding]) -> list[Penalty]:
    """One decision counts once, whatever number of logs carry it."""
    by_key = {row.natural_key: standing[row.leaf] for row in rows if row.leaf in standing}
    return list(by_key.values())


def _penalty(leaf: str, place: str, body: Json, disputed: bool = False) -> Penalty:
    decided = dt.date.fromisoformat(body["decided_on"])
    uscc, number = body["subject"]["uscc"], body["key"]["number"]
    return Penalty(leaf, place, uscc, number, body["violation"], decided, body["criterion"], disputed)


def _performance(beside: Beside) -> Performance:
    return Performance(_day(beside.served_on), _day(beside.perform_by), beside.performed, beside.contested)


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _performance_row(bureau: Bureau, source: str, one: Own) -> Json:
    beside = one.beside or Beside()
    clocks = _clocks(bureau.agreement, _performance(beside))
    return {"finding": one.leaf, "source": source, "row": one.row, "served_on": beside.served_on,
            "perform_by": beside.perform_by, "performed": beside.performed, "contested": beside.contested,
            "met_from": clocks.met_from.isoformat() if clocks and beside.performed is False else None}  # fmt: skip


def _clocks(agreement: Agreement, performance: Performance) -> Clocks | None:
    settings = (one.aggregate for one in agreement.criteria.values() if isinstance(one.aggregate, Unperformed))
    setting = next(settings, None)
    return clocks_of(setting, performance) if setting is not None else None


def _beside(row: Any) -> Beside:
    return Beside(row.served_on, row.perform_by, row.performed, row.contested)


def confirmed_body(body: Json, facts: Json, account: int) -> Json:
    """The finding with what a person confirmed: its criterion, the rule, the records counted."""
    records = [record["finding"] for record in facts["records"]]
    grounds = {"rule": facts["rule"], "records": records, "confirmed_by": f"account:{account}"}
    return {**body, "criterion": facts["criterion"], "grounds": grounds}
