"""Joint rewards 守信联合激励: what a region offers to an organisation that holds honours, on a day.

Verdict on one honour in force (granted, not withdrawn, its end not passed), in this order:

1. the agreement does not have it → ``unmapped``;
2. it is a candidate 候选 → ``candidate``; a demonstration waives this;
3. the region has no rule for it → ``no_rule``;
4. incentive by incentive: one that is not for this region → ``not_applicable``; a candidate → ``candidate``;
5. each runs from the grant to the earlier of the rule's months and the honour's own end; past that → ``ended``;
6. an active severe finding 严重失信 of any member suspends all of them → ``suspended``, naming the findings;
7. else ``offered``.

Nothing of this is stored or sent: it is asked anew each time, so that a repaired finding brings the incentives back by
itself, and a new one stops them at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from syncd.agreement.dates import months_later
from syncd.agreement.force import Restriction, in_force_of
from syncd.agreement.kinds import Json
from syncd.agreement.model import Agreement
from syncd.agreement.relief import off_on


@dataclass(frozen=True, slots=True)
class Granted:
    """One honour as the register knows it; ``withdrawn_on`` is the first day on which it holds no more."""

    leaf: str
    issuer: str
    honour: str
    number: str
    granted_on: date
    until: date
    withdrawn_on: date | None = None


def rewards(
    agreement: Agreement,
    region: str,
    honours: Sequence[Granted],
    severe: Sequence[str],
    day: date,
    demonstration: bool = False,
) -> list[Json]:
    """Every honour in force on ``day`` with what follows; ``severe``: the organisation's active severe findings."""
    return [
        _rewarded(agreement, region, one, severe, day, demonstration)
        for one in honours
        if one.granted_on <= day <= one.until and (one.withdrawn_on is None or day < one.withdrawn_on)
    ]


def _rewarded(
    agreement: Agreement, region: str, one: Granted, severe: Sequence[str], day: date, demonstration: bool
) -> Json:
    known = agreement.honours.get(one.honour)
    rule = agreement.regions[region].rewards.get(one.honour)
    reason = None
    if known is None:  # step 1
        reason = "unmapped"
    elif known.status == "candidate" and not demonstration:  # step 2
        reason = "candidate"
    elif rule is None:  # step 3
        reason = "no_rule"
    offers = list(_offers(agreement, region, one, severe, day, demonstration)) if reason is None else []
    return {
        "honour": one.honour,
        "name_zh": known.name_zh if known else "",
        "entry": one.leaf,
        "issuer": one.issuer,
        "number": one.number,
        "granted_on": one.granted_on.isoformat(),
        "until": one.until.isoformat(),
        "rule": rule.id if rule and reason is None else None,
        "reason": reason,
        "incentives": offers,
        "suspended_by": list(severe) if any(offer["state"] == "suspended" for offer in offers) else [],
    }


def _offers(
    agreement: Agreement, region: str, one: Granted, severe: Sequence[str], day: date, demonstration: bool
) -> Iterator[Json]:
    rules = agreement.regions[region]
    rule = rules.rewards[one.honour]
    last = min(one.until, months_later(one.granted_on, rule.months))
    for code in rule.incentives:
        incentive = agreement.incentives[code]
        state = "offered"
        if region not in (incentive.regions or (region,)):  # step 4
            state = "not_applicable"
        elif incentive.status == "candidate" and not demonstration:
            state = "candidate"
        elif last < day:  # step 5
            state = "ended"
        elif severe:  # step 6
            state = "suspended"
        yield {
            "id": code,
            "name_zh": incentive.name_zh,
            "responder": rules.responders[code],
            "to": last.isoformat(),
            "state": state,
        }


def is_severe(
    agreement: Agreement,
    criterion: str | None,
    decided_on: str,
    stated_ends: Sequence[str | None],
    restriction: Restriction,
    day: date,
    demonstration: bool = False,
) -> bool:
    """Whether a finding is an active severe one on ``day``: determined by its bureau, not relieved, not over.

    A candidate criterion 候选 suspends nothing, but in a demonstration. Where this region restricts, it is over with
    the last measure; where it does not (held, waiting), with the first end that the record states.
    """
    known = agreement.criteria.get(criterion or "")
    if known is None or (known.status == "candidate" and not demonstration):
        return False
    stopped = restriction.stopped_on is not None and restriction.stopped_on <= day  # its member left, among others
    if stopped or off_on(restriction.relief, day) or decided_on > day.isoformat():
        return False
    if restriction.measures:
        return bool(in_force_of(restriction, day))
    return all(end is None or day.isoformat() <= end for end in stated_ends)
