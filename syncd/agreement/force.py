"""What is in force on a day 当日有效: pure questions over the measures of a restriction and its relief.

A measure is a row ``{id, kind, responder, basis, from, to}`` as it stands in ``restriction.imposed``;
days are ``YYYY-MM-DD`` in Asia/Shanghai, inclusive at both ends, so text compares as days do. Expiry
waits for no entry: it is asked here, every time, of the dates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from syncd.agreement.kinds import Json
from syncd.agreement.relief import UNTOUCHED, ReliefState, off_on

Standing = Literal["restricted", "noted", "clear"]
"""受限: at least one binding or discretionary measure in force; 关注: advice alone; 无."""

ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class Restriction:
    """What one region answered to one finding: its measures, and the relief of that finding.

    ``stopped_on``: the day from which the region itself stopped its restriction, for whatever reason it gave.
    """

    measures: Sequence[Json]
    relief: ReliefState = UNTOUCHED
    stopped_on: date | None = None


def in_force(measures: Sequence[Json], day: date) -> list[Json]:
    """The measures whose own days include ``day``, relief left aside."""
    text = day.isoformat()
    return [measure for measure in measures if measure["from"] <= text <= measure["to"]]


def in_force_of(restriction: Restriction, day: date) -> list[Json]:
    """The measures that act on ``day``: by their own days, the finding's relief and the region's stop.

    Revoked: none, on any day. Repaired or expired: none from that day on. Suspended: none while the mark
    stands. Disputed: all, with the mark shown beside them.
    """
    stopped = restriction.stopped_on is not None and restriction.stopped_on <= day
    if stopped or off_on(restriction.relief, day):
        return []
    return in_force(restriction.measures, day)


def standing(restrictions: Iterable[Restriction], day: date) -> Standing:
    """How an organisation stands on ``day`` by all restrictions on its findings; one that acts is enough."""
    noted = False
    for restriction in restrictions:
        for measure in in_force_of(restriction, day):
            if measure["kind"] != ADVISORY:
                return "restricted"
            noted = True
    return "noted" if noted else "clear"


def next_change(restriction: Restriction, day: date) -> date | None:
    """The first day after ``day`` on which the passing of time alone changes what acts; None if none will."""
    ends = [restriction.stopped_on, restriction.relief.ended_on]
    days = {end for end in ends if end is not None}
    for measure in restriction.measures:
        days.add(date.fromisoformat(measure["from"]))
        days.add(date.fromisoformat(measure["to"]) + timedelta(days=1))
    now = in_force_of(restriction, day)
    later = (other for other in sorted(days) if other > day and in_force_of(restriction, other) != now)
    return next(later, None)
