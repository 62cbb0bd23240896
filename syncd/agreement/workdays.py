"""Working days 工作日 of the State Council's yearly calendar, with its swapped weekends 调休.

The calendar of a year is published late in the year before. Where it is not known, every day counts: that
gives the earliest day the deadline can fall on, never a later one, so nothing that is owed comes late for
want of a calendar.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from chinese_calendar import is_workday

_DAY = timedelta(days=1)
_LONGEST_HOLIDAY = 10


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a deadline (Asia/Shanghai, inclusive); not ``certain`` = the earliest it can be."""

    day: date
    certain: bool


@lru_cache(1024)
def due(start: date, working_days: int) -> Due:
    """The day on which ``working_days`` after ``start`` are full; ``start`` itself does not count.

    行政处罚法 Art. 85: "three days" of Art. 48 are working days. Raises ``ValueError`` for a negative
    number.
    """
    if working_days < 0:
        raise ValueError("A deadline of working days cannot be negative; correct the setting that gave it.")
    day, left, certain = start, working_days, True
    while left:
        day += _DAY
        works = _works(day)
        certain = certain and works is not None
        left -= works is not False
    return Due(day, certain)


@lru_cache(1024)
def worked_from(day: date) -> date:
    """The day itself, or the next one that is worked; for a year without a calendar, ten days on.

    For terms that run out *against* a company, so that the latest day counts where nothing better is known: no
    holiday of the State Council's calendars has been longer than nine days.
    """
    for ahead in range(_LONGEST_HOLIDAY + 1):
        works = _works(day + ahead * _DAY)
        if works is None:
            break
        if works:
            return day + ahead * _DAY
    return day + _LONGEST_HOLIDAY * _DAY


def worked_hours(start: datetime, end: datetime) -> float:
    """The hours of working days between two moments, a whole day being 24; other days have none.

    Both aware; days are those of their own time zone, so give them in Asia/Shanghai. Where the year's calendar is not
    known, every day counts.
    """
    hours, at = 0.0, start
    while at < end:
        midnight = datetime.combine(at.date() + _DAY, time(), at.tzinfo)
        upto = min(midnight, end)
        if _works(at.date()) is not False:
            hours += (upto - at).total_seconds() / 3600
        at = upto
    return hours


def _works(day: date) -> bool | None:
    """Whether the day is worked, or None where the year's calendar is not known."""
    try:
        return bool(is_workday(day))
    except NotImplementedError:
        return None
