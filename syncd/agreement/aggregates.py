"""Criteria that several facts make together 累计标准: what they count, and by which records. They only ever propose.

- *repeated* 累计 (EP-03): penalties of one organisation for the same type of violation 违法行为类型 within
  twelve months or one calendar year. Types are the same if their texts are, blanks and width aside.
- *unperformed* 逾期未履行 (EP-02): the decision is not performed and three clocks have run out.
- *linked* 关联 (ES-03): the record names the decision by which another organisation was penalised.

A record that was ended by relief or is suspended counts nowhere; one that is disputed counts, and says so. Days are in
Asia/Shanghai, inclusive.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from syncd.agreement.dates import months_later
from syncd.agreement.model import Linked, Repeated, Unperformed
from syncd.agreement.names import Counts
from syncd.agreement.workdays import worked_from

YEAR = 12


@dataclass(frozen=True, slots=True)
class Penalty:
    """A record that may count: its leaf hash (hex), whose it is, what for and when; ``disputed`` 异议 stands on it."""

    leaf: str
    place: str
    uscc: str
    number: str
    violation: str
    decided_on: date
    criterion: str | None = None
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Performance:
    """What the source says of performing a decision 履行; None where it says nothing.

    ``contested``: reconsideration or a lawsuit was sought 已申请复议或起诉.
    """

    served_on: date | None
    perform_by: date | None
    performed: bool | None
    contested: bool | None = None


@dataclass(frozen=True, slots=True)
class Clocks:
    """The last days of the three terms; the criterion can be met from the day after the latest of them."""

    performance: date
    reconsideration: date
    lawsuit: date

    @property
    def met_from(self) -> date:
        """The first day on which all three have run out."""
        return max(self.performance, self.reconsideration, self.lawsuit) + timedelta(days=1)


def counted(setting: Repeated, own: Penalty, others: Iterable[Penalty]) -> tuple[Penalty, ...]:
    """The records that meet the criterion with ``own`` among them, oldest first; empty if there are too few.

    Of several windows that hold ``own`` the one with most records counts, the latest of those.
    """
    same = [one for one in others if _counts_with(setting, own, one)]
    records = sorted({one.leaf: one for one in [*same, own]}.values(), key=lambda one: (one.decided_on, one.leaf))
    best: Sequence[Penalty] = ()
    for first in records:
        inside = [one for one in records if _within(setting, first.decided_on, one.decided_on)]
        if own in inside and len(inside) >= len(best):
            best = inside
    return tuple(best) if len(best) >= setting.at_least else ()


def _counts_with(setting: Repeated, own: Penalty, other: Penalty) -> bool:
    return (
        other.uscc == own.uscc
        and violation_type(other.violation) == violation_type(own.violation)
        and (setting.scope == "all" or other.place == own.place)
        and (not setting.among or other.criterion in setting.among)
    )


def _within(setting: Repeated, first: date, day: date) -> bool:
    """一年内: by the calendar, or up to the same day twelve months later, the term's last (民法典 Art. 201-202)."""
    if setting.window == "calendar_year":
        return day >= first and day.year == first.year
    return first <= day <= months_later(first, YEAR)


def counts_of(own: Penalty, others: Iterable[Penalty]) -> Counts:
    """The names of the history for a record: penalties of the twelve months that end with its own decision."""
    past = {one.leaf: one for one in others if one.uscc == own.uscc and one.leaf != own.leaf}
    recent = [one for one in past.values() if one.decided_on <= own.decided_on <= months_later(one.decided_on, YEAR)]
    same = [one for one in recent if violation_type(one.violation) == violation_type(own.violation)]
    return Counts(len(same) + 1, len(recent) + 1)


def clocks_of(setting: Unperformed, performance: Performance) -> Clocks | None:
    """When the three terms end; None where the source does not say from when they run.

    A term whose last day is none of work ends on the next that is (民法典 Art. 203, memory): later, never earlier.
    """
    if performance.served_on is None or performance.perform_by is None:
        return None
    reconsideration = performance.served_on + timedelta(days=setting.reconsideration_days)
    lawsuit = months_later(performance.served_on, setting.lawsuit_months)
    return Clocks(*(worked_from(day) for day in (performance.perform_by, reconsideration, lawsuit)))


def unperformed(setting: Unperformed, performance: Performance, day: date) -> Clocks | None:
    """The clocks, if on ``day`` the decision is known to be unperformed, uncontested, and all three have run out."""
    if performance.performed is not False or performance.contested:
        return None
    clocks = clocks_of(setting, performance)
    return clocks if clocks is not None and clocks.met_from <= day else None


def linked(setting: Linked, own: Penalty, named: Iterable[Penalty]) -> tuple[Penalty, ...]:
    """Among the decisions of the number that ``own`` names, those by which another organisation was penalised."""
    return tuple(one for one in named if one.uscc != own.uscc and (setting.scope == "all" or one.place == own.place))


@lru_cache(8_192)
def violation_type(text: str) -> str:
    """A type of violation in the form in which two are compared: one width, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split())
