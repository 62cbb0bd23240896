"""Deadlines in working days, with swapped weekends, and never late where a year's calendar is unknown."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.agreement.workdays import due, worked_hours

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("start", "days", "day"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # Friday: the weekend does not count
        (date(2026, 11, 23), 3, date(2026, 11, 26)),
        (date(2025, 9, 26), 3, date(2025, 9, 30)),  # Sunday 28 September 2025 was worked, swapped for October
        (date(2025, 9, 30), 1, date(2025, 10, 9)),  # National Day and Mid-Autumn, 1 to 8 October
    ],
)
def test_known_years(start: date, days: int, day: date) -> None:
    found = due(start, days)
    assert (found.day, found.certain) == (day, True)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-20T17:00", "2026-11-20T17:00", 0),
        ("2026-11-20T17:00", "2026-11-23T09:00", 16),  # Friday to Monday: seven hours and nine
        ("2026-11-21T09:00", "2026-11-22T09:00", 0),
        ("2026-11-16T09:00", "2026-11-23T09:00", 120),  # a week
        ("2026-09-30T12:00", "2026-10-08T12:00", 24),  # seven days of holiday
        ("2025-09-27T12:00", "2025-09-28T12:00", 12),  # a Sunday that was worked
        ("2199-01-05T00:00", "2199-01-07T12:00", 60),  # no calendar: every day counts
    ],
)
def test_hours_of_working_days(start: str, end: str, hours: float) -> None:
    here = ZoneInfo("Asia/Shanghai")
    assert worked_hours(*[datetime.fromisoformat(text).replace(tzinfo=here) for text in (start, end)]) == hours


def test_an_unknown_year_gives_the_earliest_possible_day() -> None:
    found = due(date(2199, 1, 1), 5)
    assert (found.day, found.certain) == (date(2199, 1, 6), False)


def test_a_negative_deadline_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        due(date(2026, 11, 20), -1)


@given(st.dates(date(2005, 1, 1), date(2040, 12, 31)), st.integers(0, 30))
def test_no_sooner_than_calendar_days_and_never_going_back(start: date, days: int) -> None:
    found, longer = due(start, days), due(start, days + 1)
    assert found.day >= start + timedelta(days=days)
    assert longer.day > found.day
    assert found.certain or not longer.certain
