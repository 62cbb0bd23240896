"""What this region answers to one finding: pure, from the register's rows and a day.

Verdict, in this order (LEDGER §2, §7; the receiving bureau's own mapping decides what follows):

1. ended by relief, or its member has left the agreement → ``restriction.lifted``, or ``restriction.declined`` if
   nothing was ever imposed;
2. suspended (by its issuer, by an amendment not yet recognised, or by relief of its twin) → off;
3. the copy of another bureau's decision → linked, never imposed;
4. one decision issued by two logs → not newly imposed, the desk decides;
5. the mapping: imposed, or held with the reason.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import orjson

from syncd.agreement.mapping import Judgement, judge
from syncd.agreement.model import Agreement
from syncd.agreement.relief import ReliefState
from syncd.flows.bureau import day_of_text
from syncd.ledger.canonical import encode
from syncd.store.register import Response

Json = dict[str, Any]
IMPOSED, LIFTED = "restriction.imposed", "restriction.lifted"
DECLINED, HELD = "restriction.declined", "finding.held"
DISPUTED, COPY, LEFT = "disputed", "copy", "left"
_SHARED = 512  # answers are about 5 KB each, and findings of one kind and day share one
DESK_REASONS = frozenset({"review", "unmapped", "no_rule", "twin", "linked", "mapping_differs", "subject_type",
                          "twin_relieved", "exception"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One finding as the register knows it, ready to be answered.

    ``version``: the agreement's that its entry names; ``left``: its member, or this one, has left the agreement 退出.
    """

    leaf: bytes
    issuer: str
    place: str
    body: Json
    relief: ReliefState
    twins: Sequence["Twin"]
    before: Response | None
    copy_here: bool = False
    version: int = 1
    left: bool = False
    released: str | None = None

    @property
    def released_by(self) -> str | None:
        """What a person has released about this finding here, before or just now."""
        return (self.before.released_by if self.before is not None else None) or self.released

    @property
    def copy(self) -> bool:
        """Whether the explicit place says that the decision belongs to another bureau."""
        return self.place != self.issuer


@dataclass(frozen=True, slots=True)
class Twin:
    """The same decision in another log."""

    leaf: bytes
    copy: bool
    relief: ReliefState


@dataclass(frozen=True, slots=True)
class Rules:
    """By what this region answers: agreement and version, its code, the day, whether this is a demonstration."""

    agreement: Agreement
    region: str
    day: dt.date
    allow_candidates: bool
    version: int = 1


@dataclass(frozen=True)
class Answer:
    """The kind and body (without ``knew`` and ``due``) of a response; many findings share one, so nobody changes it."""

    kind: str
    body: Json

    @cached_property
    def text(self) -> str:
        """The body as it is kept in the register."""
        return orjson.dumps(self.body).decode()

    @cached_property
    def _around(self) -> tuple[bytes, bytes]:
        """The canonical body before and behind what was known, which differs from batch to batch."""
        before, _, behind = encode({**self.body, "knew": 0}, origins=True).partition(b'"knew":0')
        return before + b'"knew":', behind

    def canonical(self, knew: bytes) -> bytes:
        """The body that the entry commits to; ``knew`` is the canonical object of log sizes."""
        before, behind = self._around
        return before + knew + behind

    @cached_property
    def delivered(self) -> str:
        """The measures as a delivery holds them, all on."""
        return orjson.dumps([{**measure, "on": True} for measure in self.body["measures"]]).decode()

    @cached_property
    def terms(self) -> str:
        """What a delivery says of all its measures: rule, mark, whether it is a demonstration 演示."""
        return orjson.dumps({name: self.body.get(name) for name in ("rule", "mark", "demonstration")}).decode()


def answer(case: Case, rules: Rules) -> Answer:
    """The response that should stand now."""
    relief = case.relief
    if relief.ended is not None and _over(relief, rules.day):  # step 1
        return _off(case, rules, relief.ended, relief.because)
    if case.left:
        return _off(case, rules, LEFT, None)
    if relief.suspended:  # step 2
        return _off(case, rules, "suspended", relief.because)
    released = _released(case)
    twin = _relieved_twin(case.twins)
    if twin is not None and "twin" not in released:
        return _off(case, rules, "twin_relieved", twin.leaf)
    if case.copy:  # step 3
        return Answer(HELD, _held("linked", ()))
    if "twin" not in released and any(not twin.copy for twin in case.twins) and not _stands(case):
        return Answer(HELD, _held("twin", ()))  # step 4
    if case.before is not None and case.before.kind in (HELD, DECLINED):
        # Judged again on a later day: what says the same as on the day it was said is no difference.
        earlier = _mapped(case, rules, day_of_text(case.before.at), released)
        if same(case.before, earlier):
            return earlier
    return _mapped(case, rules, _since(case, rules), released)  # step 5


def broken(case: Case) -> Answer:
    """What is said of a finding whose judging fails: held, or as it was where something was said already."""
    if case.before is not None:
        return Answer(case.before.kind, case.before.parsed())
    return Answer(HELD, _held("exception", ()))


def _mapped(case: Case, rules: Rules, day: dt.date, released: frozenset[str]) -> Answer:
    reviewed = bool(released & {"review", "mapping_differs"})
    judged = judge(
        rules.agreement, rules.region, case.body, day, allow_candidates=rules.allow_candidates, released=reviewed
    )
    if judged.outcome != "impose":
        return _not_imposed(case, rules, judged)
    return _imposed(judged, case.relief.ended_on, case.released_by, rules.allow_candidates, _mark(case))


def _released(case: Case) -> frozenset[str]:
    """What a person has released about this finding here: kinds of desk items, each on its own."""
    text = case.released_by
    return frozenset(part.partition(":")[0] for part in text.split("/")) if text else frozenset()


def _over(relief: ReliefState, day: dt.date) -> bool:
    return relief.ended_on is None or relief.ended_on <= day


def _relieved_twin(twins: Sequence[Twin]) -> Twin | None:
    return next((twin for twin in twins if twin.relief.off), None)


def _stands(case: Case) -> bool:
    return case.before is not None and case.before.kind == IMPOSED


def _since(case: Case, rules: Rules) -> dt.date:
    """The day this region first imposed: kept, so that judging again on a later day is no difference."""
    if case.before is not None and case.before.since:
        return dt.date.fromisoformat(case.before.since)
    return rules.day


@lru_cache(_SHARED)
def _imposed(
    judged: Judgement, ending: dt.date | None, released_by: str | None, demonstration: bool, mark: str | None
) -> Answer:
    """``ending``: a repair whose day still lies ahead cuts every measure to the day before."""
    last = ending - dt.timedelta(days=1) if ending is not None else dt.date.max
    measures = [
        {
            "id": measure.id,
            "kind": measure.kind,
            "responder": measure.responder,
            "basis": measure.basis,
            "from": measure.from_.isoformat(),
            "to": min(measure.to, last).isoformat(),
        }
        for measure in judged.measures
    ]
    body = {
        "schema": "restriction/1.0",
        "rule": judged.rule,
        "measures": measures,
        "released_by": released_by,
        "demonstration": demonstration,
        "mark": mark,
    }
    return Answer(IMPOSED, body)


def _mark(case: Case) -> str | None:
    """What is shown beside the restriction: a dispute, and that a copy of the decision lies in this region's source."""
    marks = [DISPUTED] * case.relief.disputed + [COPY] * case.copy_here
    return " ".join(marks) or None


def _held(reason: str, details: Sequence[tuple[str | None, str]]) -> Json:
    listed = [{"measure": measure, "reason": why} for measure, why in details]
    return {"schema": "held/1.0", "reason": reason, "details": listed, "due": None}


def _lifting(reason: str, because: bytes | None, rules: Rules) -> Json:
    return {
        "schema": "lifting/1.0",
        "reason": reason,
        "because": because.hex() if because is not None else None,
        "due": None,
        "demonstration": rules.allow_candidates,
    }


def _off(case: Case, rules: Rules, reason: str, because: bytes | None) -> Answer:
    body = _lifting(reason, because, rules)
    if case.before is not None and case.before.kind in (IMPOSED, LIFTED):
        return Answer(LIFTED, body)
    if reason in ("suspended", "twin_relieved"):
        return Answer(HELD, _held(reason, ()))
    return Answer(DECLINED, body)


def _not_imposed(case: Case, rules: Rules, judged: Judgement) -> Answer:
    reason = judged.reason or "nothing_in_force"
    if case.before is not None and case.before.kind in (IMPOSED, LIFTED):
        by_version = f"version-{rules.version}" in _released(case)
        return Answer(LIFTED, _lifting(f"version_{rules.version}" if by_version else reason, None, rules))
    if judged.details and all(why == "ended" for _, why in judged.details):
        return Answer(DECLINED, _lifting("expired", None, rules))
    return Answer(HELD, _held(reason, judged.details))


def same(before: Response | None, now: Answer) -> bool:
    """Whether the last recorded response says the same; what was known and when it was due is no difference."""
    if before is None or before.kind != now.kind:
        return False
    return before.body == now.text or _timeless(before.parsed()) == _timeless(now.body)


def _timeless(body: Json) -> Json:
    return {name: value for name, value in body.items() if name not in ("knew", "due")}
