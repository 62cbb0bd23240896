"""What was in force on one day as it was known on another 双时态, from the entries themselves.

The register answers for now; this reads every entry about the organisation's findings by index, and lets the pure
function judge (``syncd/agreement/history.py``). What a region knew on a day are the sizes it had countersigned by then,
each with the time in its own signed line (LEDGER §9). For a day that has passed and what stood by then, as the register
would have said it, see ``then.py``.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.agreement.history import Answer, AnswerKind, Stood, Told, standing_by, stood
from syncd.agreement.relief import Event
from syncd.errors import NeedsPerson
from syncd.evidence.books import Evidence
from syncd.evidence.chain import findings_of, ref_of
from syncd.flows.bureau import SHANGHAI, day_of_text
from syncd.ledger.entry import Ref, parse_entry
from syncd.store import seals
from syncd.store.checkpoints import known_sizes
from syncd.store.reading import EntryRow

Json = dict[str, Any]
_DAY = dt.timedelta(days=1)
_MARKS = frozenset({"finding.amended", "finding.upheld", "finding.resumed"})
ANSWER_KINDS: dict[str, AnswerKind] = {
    "restriction.imposed": "imposed",
    "restriction.lifted": "lifted",
    "restriction.declined": "declined",
    "finding.held": "held",
}


def as_known(
    evidence: Evidence, conn: Connection, uscc: str, day: dt.date, known_on: dt.date, region: str | None = None
) -> Json:
    """How it stood in a region on ``day``, by what the region had countersigned by the end of ``known_on``.

    Days in Asia/Shanghai. Raises ``NeedsPerson`` for a region that is no member.
    """
    region = region or evidence.code
    if region not in evidence.agreement.members:
        raise NeedsPerson(f"{region} is no member of this agreement; its members are {_listed(evidence)}.")
    until = dt.datetime.combine(known_on + _DAY, dt.time(), SHANGHAI)
    known = known_sizes(conn, region, int(until.timestamp()) - 1)
    roots = findings_of(evidence, conn, uscc)
    former = seals.former_logs(conn)
    told = [_told(evidence, conn, root, region, former) for root in roots]
    found = stood(told, day, known)
    return {
        "uscc": uscc,
        "region": region,
        "on": day.isoformat(),
        "known_on": known_on.isoformat(),
        "known": known,
        "standing": standing_by(found),
        "demonstration": any(one.answer is not None and one.answer.demonstration for one in found),
        "findings": [_finding(one) for one in found],
    }


def _listed(evidence: Evidence) -> str:
    return ", ".join(evidence.agreement.members)


def _told(
    evidence: Evidence, conn: Connection, root: EntryRow, region: str, former: Mapping[int, frozenset[int]]
) -> Told:
    ref = Ref(root.origin, parse_entry(root.leaf).id, root.leaf_hash.hex())
    about = [row for row in evidence.logs.entries_about(conn, [ref]) if ref_of(row) == ref]
    bodies = bodies_of(evidence, about)
    events = [
        _event(row, body)
        for row, body in zip(about, bodies, strict=True)
        if row.kind is not None and (row.kind.startswith("relief.") or row.kind in _MARKS)
    ]
    answers = [
        _answer(row, body)
        for row, body in zip(about, bodies, strict=True)
        if row.kind in ANSWER_KINDS and row.origin.split("/")[1] == region
    ]
    successors = frozenset(row.origin for row in about if root.log in former.get(row.log, ()))
    gone = [evidence.timeline.gone_on(code) for code in (root.origin.split("/")[1], region)]
    left = min((day for day in gone if day is not None), default=None)
    return Told(root.leaf_hash.hex(), root.origin, root.index, events, answers, successors, left)


def bodies_of(evidence: Evidence, rows: Sequence[EntryRow]) -> list[Json]:
    """The disclosed bodies; empty where one was erased or withheld: relief then has its widest reading."""
    texts = evidence.logs.unseal([row.sealed for row in rows])
    return [orjson.loads(text).get("body") or {} if text else {} for text in texts]


def _event(row: EntryRow, body: Json) -> Event:
    effective = body.get("effective_from")
    return Event(
        kind=row.kind or "",
        leaf=row.leaf_hash,
        log=row.origin,
        index=row.index,
        effective_from=dt.date.fromisoformat(effective) if effective else None,
        at_day=day_of_text(row.at or ""),
        clears=frozenset(bytes.fromhex(leaf) for leaf in body.get("clears", [])),
    )


def _answer(row: EntryRow, body: Json) -> Answer:
    kind, measures = ANSWER_KINDS[row.kind or ""], tuple(body.get("measures", ()))
    told = body.get("reason"), body.get("demonstration", False)
    return Answer(kind, row.origin, row.index, day_of_text(row.at or ""), measures, *told)


def _finding(one: Stood) -> Json:
    return {
        "finding": one.finding,
        "answer": one.answer.kind if one.answer is not None else "waiting",
        "reason": one.answer.reason if one.answer is not None else None,
        "disputed": one.relief.disputed,
        "suspended": one.relief.suspended,
        "ended": one.relief.ended,
        "ended_on": one.relief.ended_on.isoformat() if one.relief.ended_on else None,
        "measures": list(one.measures),
    }
