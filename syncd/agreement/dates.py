"""Terms in months 期限 as the law counts them; pure arithmetic on days."""

import calendar
from datetime import date
from functools import lru_cache

_LAST_YEAR = 2999


@lru_cache(8_192)
def months_later(day: date, months: int) -> date:
    """The same day ``months`` later, or that month's last, as 民法典 Art. 201-202 count (memory)."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > _LAST_YEAR:  # a date that no decision has; the calendar ends soon after
        return date(_LAST_YEAR, 12, 31)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
