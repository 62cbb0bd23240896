"""The second half of recognising 互认: answer the findings that are affected, once each, in one's own log.

Appends only where the result for (finding, region) differs from the last recorded one (LEDGER §7), so a stage that
runs again says nothing twice. The rows of the register, the delivery and the desk change in the same transaction.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from syncd.agreement.relief import UNTOUCHED, Event, ReliefState, relief_state
from syncd.agreement.workdays import due
from syncd.flows.answer import DESK_REASONS, HELD, IMPOSED, LIFTED, Answer, Case, Rules, Twin, answer, broken, same
from syncd.flows.bureau import Bureau
from syncd.flows.judged import Judging
from syncd.flows.record import Saying, record
from syncd.ledger.canonical import encode
from syncd.ledger.entry import Ref
from syncd.store import desk, outbox, register, seals
from syncd.store.append import Appended
from syncd.store.outbox import Delivery
from syncd.store.register import Finding, ReliefRow, Response

Json = dict[str, Any]
_UNRELEASED: Mapping[bytes, str] = MappingProxyType({})
RELIEF_WORKING_DAYS = 3  # 行政处罚法 Art. 48 with Art. 85: withdrawn within three working days


class InHand(NamedTuple):
    """Findings as this transaction has just written or read them, so that they need not be read again.

    ``bodies`` of some of them as read. What was answered is looked up all the same: after entries were fetched back,
    this region's answer may stand there before the finding does.
    """

    findings: Mapping[bytes, Finding]
    bodies: Mapping[bytes, Json]


NOTHING = InHand(MappingProxyType({}), MappingProxyType({}))


def respond(
    bureau: Bureau,
    conn: Connection,
    leaves: Iterable[bytes],
    hand: InHand = NOTHING,
    released: Mapping[bytes, str] = _UNRELEASED,
) -> int:
    """Answer these findings and their twins; returns how many entries were appended.

    ``released``: what a person releases of findings that this region has not answered so far.
    """
    judging = Judging(bureau)
    cases, refs = _cases(bureau, conn, set(leaves), hand, judging)
    cases = [replace(case, released=released[case.leaf]) if case.leaf in released else case for case in cases]
    changed = []
    for case in cases:
        rules = judging.rules(case)
        if rules is None:
            continue  # its version does not name this region
        now = _answered(case, rules)
        if not same(case.before, now):
            changed.append((case, now))
    if not changed:
        return 0
    day = due(judging.day, RELIEF_WORKING_DAYS).day.isoformat()
    changed = [(case, Answer(LIFTED, {**now.body, "due": day}) if now.kind == LIFTED else now) for case, now in changed]
    knew = {state.origin: state.size for state in bureau.logs.states(conn)}
    appended = record(bureau, conn, _sayings(changed, refs, knew))
    _note(bureau, conn, changed, appended, judging.day)
    return len(appended)


def _sayings(changed: Sequence[tuple[Case, Answer]], refs: Mapping[bytes, Ref], knew: Json) -> list[Saying]:
    """What is said of each; what is imposed has been made canonical for all findings that share it."""
    known = encode(knew, origins=True)
    return [
        Saying(now.kind, refs[case.leaf], text=now.canonical(known))
        if now.kind == IMPOSED
        else Saying(now.kind, refs[case.leaf], {**now.body, "knew": knew})
        for case, now in changed
    ]


def _answered(case: Case, rules: Rules) -> Answer:
    """The answer to one finding; one that breaks its judge is held for a person and stops nothing else."""
    try:
        return answer(case, rules)
    except Exception:
        return broken(case)


def _cases(
    bureau: Bureau, conn: Connection, leaves: set[bytes], hand: InHand, judging: Judging
) -> tuple[list[Case], dict[bytes, Ref]]:
    here = hand.findings
    rows = register.findings_by_leaf(conn, leaves - here.keys()) | {leaf: here[leaf] for leaf in leaves & here.keys()}
    groups = register.findings_by_key(conn, register.shared_keys(conn, {row.natural_key for row in rows.values()}))
    everyone = {**rows, **{row.leaf: row for group in groups.values() for row in group}}
    relief = register.relief_of(conn, list(everyone))
    answered = register.responses_of(conn, everyone, bureau.code)
    former = seals.former_logs(conn) if groups else {}
    copies = desk.linked_here(conn, [row.natural_key for row in everyone.values()])
    states = {leaf: state_of(row, relief.get(leaf, ()), judging.day) for leaf, row in everyone.items()}
    origins = {state.id: state.origin for state in bureau.logs.states(conn)}
    barred = bureau.vault.barred({row.natural_key for row in everyone.values()})
    cases, refs = [], {}
    for leaf, row in everyone.items():
        before = answered.get(leaf, {}).get(bureau.code)
        if leaf not in rows and before is None:
            continue  # a twin whose own log has not been recognised so far: its turn comes
        twins = [Twin(other.leaf, other.place != other.issuer, states[other.leaf])
                 for other in groups.get(row.natural_key, ()) if not _one_log(other, row, former)]  # fmt: skip
        gone = barred.get(row.natural_key, leaf)
        if gone != leaf and gone not in everyone:  # its twin was erased: that it once was relieved stays true
            twins.append(Twin(gone, False, ReliefState(ended="erased", because=gone, off=True)))
        refs[leaf] = Ref(origins[row.log], row.id, leaf.hex())
        copy_here = row.natural_key in copies
        body = hand.bodies.get(leaf) or row.parsed()
        whole = leaf, row.issuer, row.place, body, states[leaf], twins, before, copy_here
        cases.append(Case(*whole, row.version, row.issuer in judging.gone))
    return cases, refs


def _one_log(one: Finding, other: Finding, former: Mapping[int, frozenset[int]]) -> bool:
    """Whether they stand in one log, or in a sealed one 封存 and its successor: a successor speaks for both."""
    return one.log == other.log or one.log in former.get(other.log, ()) or other.log in former.get(one.log, ())


def state_of(finding: Finding, rows: Sequence[ReliefRow], day: dt.date) -> ReliefState:
    """The relief table's verdict on a finding.

    Only what stands in the finding's own log counts, or after a seal in its successor's: a ``ref`` is written by
    whoever signs the entry, so another member could name any leaf in it. The newest amendment put in force here is
    recognised, and with it those before.
    """
    events = [event_of(row) for row in rows if row.counts_for(finding)]
    if not events:
        return UNTOUCHED
    return relief_state(events, day, {finding.amended} if finding.amended is not None else ())


def event_of(row: ReliefRow) -> Event:
    """A relief row as an event of the relief table."""
    return Event(
        kind=row.kind,
        leaf=row.leaf,
        log=str(row.log),
        index=row.idx,
        effective_from=dt.date.fromisoformat(row.effective_from) if row.effective_from else None,
        at_day=dt.date.fromisoformat(row.at_day),
        clears=frozenset(bytes.fromhex(leaf) for leaf in orjson.loads(row.clears)),
    )


def _note(
    bureau: Bureau,
    conn: Connection,
    changed: Sequence[tuple[Case, Answer]],
    appended: Sequence[Appended],
    day: dt.date,
) -> None:
    log = bureau.logs.state(conn, bureau.origin).id
    pairs = [(case, now, entry) for (case, now), entry in zip(changed, appended, strict=True)]
    register.put_responses(
        conn,
        [
            response_row(bureau.code, case.leaf, case.before, now.kind, now.text, log, entry, day, case.released_by)
            for case, now, entry in pairs
        ],
    )
    earlier = outbox.of_findings(conn, [case.leaf for case, _ in changed if case.before is not None])
    deliveries = [
        delivery_row(case.leaf, _counter(case.before), now, earlier.get(case.leaf), entry.at)
        for case, now, entry in pairs
    ]
    if bureau.has_home:
        outbox.put(conn, [row for row in deliveries if row is not None])
    now_text = bureau.now_text()
    again = {case.leaf.hex() for case, _ in changed if case.before is not None}
    for reason in DESK_REASONS if again else ():
        desk.clear(conn, reason, again, now_text)
    desk.put(conn, [_desk_item(case, now.body) for case, now in changed if _asked(now.kind, now.body)], now_text)


def _counter(before: Response | None) -> int:
    return before.counter + 1 if before is not None else 1


def stopped_on(before: Response | None, kind: str, day: dt.date) -> str | None:
    """From which day a region's restriction is off: since its lifting, or since it fell back to being held."""
    if kind == IMPOSED:
        return None
    if before is not None and before.stopped_on is not None:
        return before.stopped_on
    return day.isoformat() if kind == LIFTED or (before is not None and before.kind == IMPOSED) else None


def response_row(
    region: str,
    finding: bytes,
    before: Response | None,
    kind: str,
    body: str,
    log: int,
    entry: Appended,
    day: dt.date,
    released_by: str | None = None,
) -> Response:
    """A region's newest response, its own or another's: the counter goes on, and what was imposed last stays known.

    ``released_by``: what a person has just released, where that is more than stood there before.
    """
    since = before.since if before is not None else ""
    if kind != IMPOSED:
        imposed, imposed_leaf = before.last_imposed() if before is not None else (None, None)
    else:
        since = since or day.isoformat()
        imposed, imposed_leaf = None, entry.leaf_hash
    return Response(
        finding=finding,
        region=region,
        kind=kind,
        counter=_counter(before),
        body=body,
        leaf=entry.leaf_hash,
        id=entry.id,
        log=log,
        idx=entry.index,
        at=entry.at,
        since=since,
        released_by=released_by or (before.released_by if before is not None else None),
        imposed=imposed,
        imposed_leaf=imposed_leaf,
        stopped_on=stopped_on(before, kind, day),
    )


def delivery_row(leaf: bytes, counter: int, now: Answer, earlier: Delivery | None, at: str) -> Delivery | None:
    """Present state for the home system: new measures on, those that no longer follow off."""
    if earlier is None and now.kind != IMPOSED:
        return None
    measures = now.delivered if now.kind == IMPOSED else "[]"
    if earlier is not None:
        on = orjson.loads(measures)
        listed = {measure["id"] for measure in on}
        before = orjson.loads(earlier.measures)
        off = [{**measure, "on": False} for measure in before if measure["id"] not in listed]
        measures = orjson.dumps(on + off).decode()
    return Delivery(
        finding=leaf,
        counter=counter,
        active=now.kind == IMPOSED,
        measures=measures,
        terms=now.terms if now.kind == IMPOSED or earlier is None else earlier.terms,
        state="pending",
        next_change=None,
        queued_at=at,
        delivered_at=None,
        acknowledged="{}",
    )


def _asked(kind: str, body: Json) -> str | None:
    """The reason for which a response asks a person, if it does."""
    return body["reason"] if kind in (HELD, LIFTED) and body["reason"] in DESK_REASONS else None


def _desk_item(case: Case, body: Json) -> Json:
    """Who decided before did so about the finding as it was: one that did not ask meanwhile is asked about anew."""
    anew = case.before is not None and _asked(case.before.kind, case.before.parsed()) != body["reason"]
    facts = {
        "finding": case.leaf.hex(),
        "issuer": case.issuer,
        "place": case.place,
        "criterion": case.body["criterion"],
        "local_code": case.body["local_code"],
        "uscc": case.body["subject"]["uscc"],
        "twins": [twin.leaf.hex() for twin in case.twins],
    }
    return {"kind": body["reason"], "mark": case.leaf.hex(), "reason": body["reason"], "facts": facts, "anew": anew}
