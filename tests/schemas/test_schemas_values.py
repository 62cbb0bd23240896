"""Days and money as sources write them, sentinels included."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import NO_DAYS, InvalidDay, read_day, read_end
from schemas.money import InvalidMoney, from_wan

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    "written",
    [
        "2026/11/02",
        "2026-11-02",
        "2026.11.02",
        "2026/11/2",
        "20261102",
        "2026年11月2日",
        "2026年11月02日",
        "２０２６－１１－０２",
        " 2026-11-02\t",
        "2026-11-02 00:00:00",
        "2026-11-02T23:59:59",
        "2026-11-02 09:30",
        "2026-11-02 09:30:00.000000",
        "2026-11-02T09:30:00+08:00",
        "20261102 09:30:00",
    ],
)
def test_one_day_in_all_the_ways_it_is_written(written: str) -> None:
    assert read_day(written) == read_end(written) == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        ("2026-02-30", "no_such_day"),
        ("2026-13-01", "no_such_day"),
        ("0000-01-01", "no_such_day"),
        ("2026-11/02", "format"),
        ("26-11-02", "format"),
        ("2026-11-02 to 2026-11-03", "format"),
        ("2026-11-02T20:00:00Z", "format"),
        ("2026-11-02T20:00:00+00:00", "format"),
        ("二〇二六年十一月二日", "format"),
        ("٢٠٢٦-11-02", "format"),
        ("2026-11-2²", "format"),
        ("45963", "format"),
        ("无处罚期限", "format"),
        ("1900-01-01", "sentinel"),
        ("2099/12/31", "sentinel"),
        ("9999-12-31 00:00:00", "sentinel"),
    ],
)
def test_what_is_no_day(written: str, reason: str) -> None:
    with pytest.raises(InvalidDay) as caught:
        read_day(written)
    assert caught.value.reason == reason
    assert not written or written not in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "无处罚期限",
        "长期",
        "/",
        "－",
        "2099/12/31",
        "2099-12-31 00:00:00",
        "9999-12-31",
        "2099年12月31日",
    ],
)
def test_ends_that_state_none(written: str) -> None:
    assert read_end(written) is None


@pytest.mark.parametrize("written", ["1900-01-01", "1900/1/1", "19000101", "1900-01-01 00:00:00"])
def test_the_end_of_1900_is_never_passed_on(written: str) -> None:
    with pytest.raises(InvalidDay) as caught:
        read_end(written)
    assert caught.value.reason == "sentinel"


@given(st.dates(min_value=date(1949, 10, 1)).filter(lambda day: day not in NO_DAYS))
def test_every_day_is_read_back_in_every_style(day: date) -> None:
    for style in (
        "{0:04d}-{1:02d}-{2:02d}",
        "{0:04d}/{1}/{2}",
        "{0:04d}{1:02d}{2:02d}",
        "{0:04d}年{1}月{2}日",
    ):
        assert read_day(style.format(day.year, day.month, day.day)) == day
    assert read_end((day + timedelta(0)).isoformat()) == day


@pytest.mark.parametrize(
    ("wan", "cny"),
    [
        ("2", "20000.00"),
        ("0.2", "2000.00"),
        ("0.000001", "0.01"),
        ("25.000000", "250000.00"),
        (".5", "5000.00"),
        ("0", "0.00"),
        ("１.５", "15000.00"),
        ("999999999999.999999", "9999999999999999.99"),
    ],
)
def test_wan_as_cny(wan: str, cny: str) -> None:
    assert from_wan(wan) == cny


@pytest.mark.parametrize(
    ("wan", "reason"),
    [
        ("", "empty"),
        ("-1", "negative"),
        ("－1", "negative"),
        ("1e3", "format"),
        ("1E3", "format"),
        ("1,000", "format"),
        ("1_000", "format"),
        ("2万", "format"),
        ("+2", "format"),
        ("2.", "format"),
        ("02", "format"),
        (".", "format"),
        ("٣", "format"),
        ("NaN", "format"),
        ("0.0000001", "decimals"),
        ("1000000000000", "too_large"),
    ],
)
def test_what_is_no_amount(wan: str, reason: str) -> None:
    with pytest.raises(InvalidMoney) as caught:
        from_wan(wan)
    assert caught.value.reason == reason


@given(st.decimals(min_value=0, max_value=10**11, places=6))
def test_amounts_agree_with_decimal(wan: Decimal) -> None:
    assert Decimal(from_wan(f"{wan:f}")) == wan * 10_000
