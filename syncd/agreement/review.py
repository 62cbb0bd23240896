"""Credit review 信用审查: what an office must know before it awards, permits, pays, honours or lends.

The question is narrower than ``check``: only measures that touch the purpose count, and only records of the last years.
Verdict on one organisation, in this order; the first that holds decides:

1. a binding or discretionary measure in force touches the purpose → ``restricted`` 受限;
2. advice in force touches it, or a record stands within the years looked back → ``noted`` 关注;
3. else ``clear`` 无.

A record stands while nothing has ended or suspended it: what was repaired may no longer be used against anybody
(信用修复管理办法 Art. 3), what was revoked never was. A disputed record stands and says so. A record whose query end
查询截止 has passed is not told. Days are in Asia/Shanghai, inclusive at both ends.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from syncd.agreement.dates import months_later
from syncd.agreement.force import ADVISORY, Restriction, Standing, in_force_of
from syncd.agreement.kinds import Json
from syncd.agreement.model import Agreement, Purpose
from syncd.agreement.relief import off_on


@dataclass(frozen=True, slots=True)
class Record:
    """One finding as a review sees it: who decided what and when, and what this region restricts because of it."""

    finding: str
    issuer: str
    number: str
    criterion: str | None
    decided_on: date
    query_end: date | None
    restriction: Restriction


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The answer: how the organisation stands for the purpose, the last day on which it will, and by what."""

    standing: Standing
    until: date | None
    records: tuple[Json, ...]
    measures: tuple[Json, ...]


CLEAR = Reviewed("clear", None, (), ())


def touching(agreement: Agreement, purpose: Purpose) -> frozenset[str]:
    """The codes of all measures that touch a purpose."""
    whole = {code for code, measure in agreement.measures.items() if measure.category in purpose.categories}
    return frozenset(whole.union(purpose.measures))


def reviewed(touching: Collection[str], records: Sequence[Record], day: date, lookback_months: int) -> Reviewed:
    """The verdict on one organisation; ``touching``: the codes of all measures that touch the purpose."""
    told: list[Json] = []
    measures: list[Json] = []
    ends: list[tuple[date, bool]] = []
    for one in records:
        acting = [row for row in in_force_of(one.restriction, day) if row["id"] in touching]
        leaves = _leaves(one, day, lookback_months)
        if leaves is None and not acting:
            continue
        told.append(_record(one))
        measures += [{**row, "finding": one.finding} for row in acting]
        ends += [(date.fromisoformat(row["to"]), row["kind"] != ADVISORY) for row in acting]
        if leaves is not None:
            ends.append((leaves, False))
    if not told:
        return CLEAR
    binding = [end for end, binds in ends if binds]  # step 1
    standing: Standing = "restricted" if binding else "noted"
    return Reviewed(standing, max(binding or [end for end, _ in ends]), tuple(told), tuple(measures))


def _leaves(one: Record, day: date, lookback_months: int) -> date | None:
    """The last day on which this record stands within the years looked back; None if it does not stand on ``day``."""
    if off_on(one.restriction.relief, day) or one.decided_on > day:
        return None
    last = months_later(one.decided_on, lookback_months)
    if one.query_end is not None:
        last = min(last, one.query_end)
    if one.restriction.relief.ended_on is not None:
        last = min(last, one.restriction.relief.ended_on - timedelta(days=1))
    return last if day <= last else None


def _record(one: Record) -> Json:
    return {
        "finding": one.finding,
        "issuer": one.issuer,
        "number": one.number,
        "criterion": one.criterion,
        "decided_on": one.decided_on.isoformat(),
        "disputed": one.restriction.relief.disputed,
    }
