"""Mutual recognition 互认: what a finding made in one region means in another, by that region's own rules.

Verdict on one finding, in this order; the first that holds decides:

1. the finding names no criterion, or one the agreement does not have → held ``unmapped``, or
   ``not_severe`` where its own bureau's code list says that it is a plain record, or ``undetermined`` where that
   list only proposes (``outcome``);
2. its own bureau's code is not in the agreed list (``unmapped``), or stands there for another criterion, or the rule
   by which its bureau confirmed a proposal gives another (``mapping_differs``) → held, unless a person released it;
3. the organisation is of a type the criterion does not reach → held ``subject_type``;
4. the criterion is a candidate 候选 → held ``candidate``;
5. this region has no rule for it → held ``no_rule``;
6. the rule, or a criterion outside the agreement, asks for review → held ``review``, unless a person
   released it;
7. measure by measure: a candidate, one not for this type or region, or one without a legal basis on the
   day never takes effect; market and industry can only be advised, and advice needs no basis;
8. each runs from the day to the earliest of: the rule's months from the decision, the longest the measure or its
   basis allows from the same day, the publicity end, the longest publicity of its time, the end of the penalty's own
   effect, the end of its legal basis. What would have ended before the day is dropped;
9. nothing left → held ``nothing_in_force``; else imposed.

A demonstration 演示 (``allow_candidates``) waives candidates (4, 7) and the missing basis (7), nothing
else. Days are in Asia/Shanghai, inclusive at both ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from syncd.agreement.bases import bases_in_force, kind_of
from syncd.agreement.dates import months_later
from syncd.agreement.kinds import Json, MeasureKind
from syncd.agreement.local import LocalCode, Rule
from syncd.agreement.model import Agreement, Criterion
from syncd.agreement.outcome import map_local_code, outcome_of
from syncd.agreement.publicity import longest_publicity

Detail = tuple[str | None, str]
"""A measure's code (None: the finding as a whole) and the reason code why it does not take effect."""

_PLANS, _VERDICTS = 2_048, 2_048  # a verdict is about 1 KB; findings of one day and kind share one


class ImposedMeasure(NamedTuple):
    """A measure that takes effect here: who acts, on which legal basis, from and to which day."""

    id: str
    kind: MeasureKind
    responder: str
    basis: str | None
    from_: date
    to: date


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a region answers. ``demonstration``: candidates were allowed; every record of it says 演示.

    Compared by identity: findings of one kind and day share one, and whoever builds on it can share that too.
    """

    outcome: Literal["impose", "hold"]
    rule: str | None
    measures: tuple[ImposedMeasure, ...]
    reason: str | None
    details: tuple[Detail, ...]
    demonstration: bool


@dataclass(frozen=True, slots=True)
class _Planned:
    id: str
    kind: MeasureKind
    responder: str
    basis: str | None
    basis_ends: date | None
    months: int | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Steps 3 to 7 for all findings of one criterion and type on one day."""

    reason: str | None
    review: bool
    rule: str | None
    months: int
    measures: tuple[_Planned, ...]
    details: tuple[Detail, ...]


def judge(
    agreement: Agreement,
    region_code: str,
    finding: Json,
    day: date,
    *,
    allow_candidates: bool = False,
    released: bool = False,
) -> Judgement:
    """What follows in a region from a finding (the body ``finding/1.0``, already checked).

    ``day`` is the day the region first answers: the caller keeps it, so that judging again is no
    difference. ``released``: a person at this region's desk decided that it may follow. Raises
    ``KeyError`` for a region that is no member.
    """
    ends, grounds = finding["ends"], finding.get("grounds")
    told = _told(agreement, finding, grounds, allow_candidates)
    return _verdict(
        agreement,
        region_code,
        finding["place"],
        finding["local_code"],
        finding["criterion"],
        finding["subject"]["type"],
        finding["decided_on"],
        _earliest(ends["publicity"], ends["measures"]),
        day,
        allow_candidates,
        released,
        told,
    )


def _told(agreement: Agreement, finding: Json, grounds: Json | None, demonstration: bool) -> str | None:
    """What the code alone does not say: the criterion, or the kind of outcome; None where the code says all."""
    region = agreement.regions.get(finding["place"])
    if region is None:
        return None
    if grounds is not None:
        return criterion_by(agreement, finding["place"], grounds["rule"], demonstration) or "unknown"
    if finding["local_code"] not in region.conditions:
        return None
    found = outcome_of(agreement, finding, allow_candidates=demonstration)
    return found.criterion if found.kind == "determined" else found.kind


def criterion_by(agreement: Agreement, place: str, rule: str, demonstration: bool = False) -> str | None:
    """The criterion that a rule of a place proposes: one of its conditions, or an aggregate criterion's own code.

    A candidate 候选 condition proposes nothing outside a demonstration, whoever has confirmed what it proposed.
    """
    aggregate = agreement.criteria.get(rule)
    if aggregate is not None:
        return rule if aggregate.aggregate is not None else None
    conditions = (one for listed in agreement.regions[place].conditions.values() for one in listed)
    counting = (one for one in conditions if one.status == "confirmed" or demonstration)
    return next((one.criterion for one in counting if one.id == rule and one.outcome == "proposed"), None)


def _earliest(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    return one if one < other else other


@lru_cache(_VERDICTS)
def _verdict(
    agreement: Agreement,
    region: str,
    place: str,
    local_code: str,
    criterion: str | None,
    subject_type: str | None,
    decided_on: str,
    stated_end: str | None,
    day: date,
    demonstration: bool,
    released: bool,
    told: str | None,
) -> Judgement:
    local = map_local_code(agreement, place, local_code)
    if criterion is None or criterion not in agreement.criteria:  # step 1
        return _hold(_plain(told, local, criterion), (), demonstration)
    means = told if told is not None else local.criterion if local is not None else None
    if not released and means != criterion:  # step 2
        return _hold("unmapped" if local is None and told is None else "mapping_differs", (), demonstration)
    kind = subject_type or (local.subject_type if local else None)
    plan = _plan(agreement, region, criterion, kind, day, demonstration)  # steps 3 to 7
    if plan.reason is not None:
        return _hold(plan.reason, plan.details, demonstration)
    if plan.review and not released:
        return _hold("review", plan.details, demonstration)
    return _impose(agreement, plan, date.fromisoformat(decided_on), stated_end, day, demonstration)


def _plain(told: str | None, local: LocalCode | None, criterion: str | None) -> str:
    """Step 1: why nothing follows from a record without a criterion of the agreement."""
    if criterion is not None or (local is None and told is None):
        return "unmapped"
    if told is None:
        return "unmapped" if local is None or local.severe else "not_severe"
    return told if told in ("not_severe", "unmapped") else "undetermined"


def _impose(
    agreement: Agreement, plan: _Plan, decided: date, stated_end: str | None, day: date, demonstration: bool
) -> Judgement:
    last = min(months_later(decided, plan.months), longest_publicity(agreement, decided, demonstration))  # step 8
    if stated_end is not None:
        last = min(last, date.fromisoformat(stated_end))
    measures, ended = [], []
    for planned in plan.measures:
        to = last
        if planned.basis_ends is not None and planned.basis_ends < to:
            to = planned.basis_ends
        if planned.months is not None:
            to = min(to, months_later(decided, planned.months))
        if to < day:
            ended.append((planned.id, "ended"))
        else:
            kept = planned.id, planned.kind, planned.responder, planned.basis
            measures.append(ImposedMeasure(*kept, from_=day, to=to))
    details = (*plan.details, *ended)
    if not measures:  # step 9
        return _hold("nothing_in_force", details, demonstration)
    return Judgement("impose", plan.rule, tuple(measures), None, details, demonstration)


def _hold(reason: str, details: tuple[Detail, ...], demonstration: bool) -> Judgement:
    return Judgement("hold", None, (), reason, details, demonstration)


@lru_cache(_PLANS)
def _plan(
    agreement: Agreement,
    region: str,
    criterion: str,
    subject_type: str | None,
    day: date,
    demonstration: bool,
) -> _Plan:
    subject = agreement.criteria[criterion]
    rule = agreement.regions[region].rules.get(criterion)
    if subject_type is None and len(subject.applies_to) == 1:
        subject_type = subject.applies_to[0]
    if subject_type not in subject.applies_to:  # step 3
        return _Plan("subject_type", False, None, 0, (), ((None, "subject_type"),))
    details = tuple(_obstacles(agreement, region, rule, subject_type, day, demonstration))
    reason = _obstacle(subject, rule, demonstration)
    if reason is not None or rule is None:
        return _Plan(reason, False, None, 0, (), ((None, reason or "no_rule"), *details))
    stopped = {measure for measure, _ in details}
    planned = tuple(
        _planned(agreement, region, code, subject_type, day) for code in rule.measures if code not in stopped
    )
    review = rule.mode == "review" or subject.outside  # step 6
    return _Plan(None, review, rule.id, rule.months, planned, details)


def _obstacle(criterion: Criterion, rule: Rule | None, demonstration: bool) -> str | None:
    if criterion.status == "candidate" and not demonstration:  # step 4
        return "candidate"
    return "no_rule" if rule is None else None  # step 5


def _obstacles(
    agreement: Agreement, region: str, rule: Rule | None, subject_type: str, day: date, demonstration: bool
) -> Iterator[Detail]:
    """Step 7: every reason, not only the first, so that ``check`` can say all that is missing."""
    for code in rule.measures if rule else ():
        measure = agreement.measures[code]
        if subject_type not in measure.applies_to or region not in (measure.regions or (region,)):
            yield code, "not_applicable"
            continue
        if demonstration:
            continue
        if measure.status == "candidate":
            yield code, "candidate"
        needs_basis = kind_of(measure) != "advisory"
        if needs_basis and not bases_in_force(agreement, code, region, day, subject_type):
            yield code, "no_basis"


def _planned(agreement: Agreement, region: str, code: str, subject_type: str, day: date) -> _Planned:
    measure = agreement.measures[code]
    kind = kind_of(measure)
    basis = next(iter(bases_in_force(agreement, code, region, day, subject_type)), None)
    return _Planned(
        id=code,
        kind=kind,
        responder=agreement.regions[region].responders[code],
        basis=basis.id if basis else None,
        # Advice needs no basis, so it does not end with one.
        basis_ends=basis.valid_to if basis and kind != "advisory" else None,
        months=min(filter(None, (measure.max_months, basis.max_months if basis else None)), default=None),
    )
