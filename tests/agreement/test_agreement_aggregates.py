"""What makes a criterion of several facts: windows, scopes, clocks and links, each at its edges."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.agreement.aggregates import Penalty, Performance, clocks_of, counted, counts_of, linked, unperformed
from syncd.agreement.model import Agreement, Linked, Repeated, Unperformed
from syncd.agreement.names import Counts
from syncd.agreement.workdays import worked_from

pytestmark = pytest.mark.fast

CLOCKS = Unperformed("unperformed", 60, 6, "confirmed", "seed")


def repeated(**changes: Any) -> Repeated:
    given = {"at_least": 2, "window": "rolling_12_months", "scope": "all", "among": ()}
    return Repeated(kind="repeated", status="confirmed", provenance="seed", **{**given, **changes})


def record(leaf: str, day: str, **changes: Any) -> Penalty:
    given = {"place": "320583", "uscc": "A", "number": leaf, "violation": "超标排放", "criterion": None}
    return Penalty(leaf=leaf, decided_on=date.fromisoformat(day), **{**given, **changes})


def leaves(found: tuple[Penalty, ...]) -> str:
    return " ".join(one.leaf for one in found)


@pytest.mark.parametrize(
    ("first", "setting", "found"),
    [
        ("2025-11-02", {}, "b a"),
        ("2025-11-01", {}, ""),
        ("2026-01-01", {"window": "calendar_year"}, "b a"),
        ("2025-12-31", {"window": "calendar_year"}, ""),
        ("2027-11-02", {}, "a b"),
        ("2026-03-01", {"at_least": 3}, ""),
        ("2026-03-01", {"among": ("EP-04",)}, ""),
    ],
)
def test_the_window_of_a_year(first: str, setting: dict[str, Any], found: str) -> None:
    own, other = record("a", "2026-11-02"), record("b", first)
    assert leaves(counted(repeated(**setting), own, [other])) == found


def test_only_the_same_violation_organisation_and_scope_count() -> None:
    own = record("a", "2026-11-02", violation="超标排放（水）")
    same = record("b", "2026-05-02", violation="超标排放 (水)")
    others = [
        record("c", "2026-05-02"),
        record("d", "2026-05-02", uscc="B", violation=own.violation),
        record("e", "2026-05-02", place="310114", violation=own.violation),
    ]
    assert leaves(counted(repeated(scope="own"), own, [same, *others])) == "b a"
    assert leaves(counted(repeated(), own, [same, *others])) == "b e a"


def test_of_several_windows_the_fullest_and_latest_counts() -> None:
    own = record("o", "2026-06-01")
    others = [record("a", "2025-07-01"), record("b", "2026-08-01"), record("c", "2027-05-01")]
    assert leaves(counted(repeated(), own, others)) == "o b c"


@given(st.lists(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=6))
def test_what_is_counted_always_holds_the_record_itself_and_spans_a_year(days: list[date]) -> None:
    own = record("own", "2026-02-28")
    found = counted(repeated(), own, [record(str(n), day.isoformat()) for n, day in enumerate(days)])
    if found:
        assert own in found and len(found) >= 2
        assert (found[-1].decided_on - found[0].decided_on).days <= 366


def test_the_names_of_the_history_count_backwards_and_this_one_too() -> None:
    own = record("a", "2026-11-02")
    others = [
        own,
        record("b", "2026-05-02"),
        record("c", "2026-05-02", violation="其他"),
        record("d", "2026-11-03"),
        record("e", "2025-11-01"),
        record("f", "2026-05-02", uscc="B"),
    ]
    assert counts_of(own, others) == Counts(same_violation_12m=2, penalties_12m=3)


def test_the_third_clock_is_the_last() -> None:
    performance = Performance(date(2026, 5, 20), date(2026, 6, 4), performed=False)
    clocks = clocks_of(CLOCKS, performance)
    assert clocks is not None
    assert (clocks.performance, clocks.reconsideration, clocks.lawsuit) == (
        date(2026, 6, 4),
        date(2026, 7, 20),  # 19 July is a Sunday
        date(2026, 11, 20),
    )
    assert clocks.met_from == date(2026, 11, 21)
    assert unperformed(CLOCKS, performance, date(2026, 11, 20)) is None
    assert unperformed(CLOCKS, performance, date(2026, 11, 21)) == clocks


@pytest.mark.parametrize(
    "performance",
    [
        Performance(None, date(2026, 6, 4), performed=False),
        Performance(date(2026, 5, 20), None, performed=False),
        Performance(date(2026, 5, 20), date(2026, 6, 4), performed=None),
        Performance(date(2026, 5, 20), date(2026, 6, 4), performed=True),
        Performance(date(2026, 5, 20), date(2026, 6, 4), performed=False, contested=True),
    ],
)
def test_what_the_source_does_not_say_is_never_assumed(performance: Performance) -> None:
    assert unperformed(CLOCKS, performance, date(2036, 1, 1)) is None


def test_a_term_never_ends_on_a_day_of_rest() -> None:
    assert worked_from(date(2026, 11, 20)) == date(2026, 11, 20)
    assert worked_from(date(2026, 10, 1)) > date(2026, 10, 6)
    assert worked_from(date(2099, 1, 1)) == date(2099, 1, 11), "no calendar: as late as it can be"


def test_a_link_is_to_another_organisation() -> None:
    setting = Linked("linked", "all", "candidate", "seed")
    own = record("a", "2026-11-02", uscc="AGENCY")
    named = [record("b", "2026-10-01", place="310114"), record("c", "2026-10-01", uscc="AGENCY")]
    assert leaves(linked(setting, own, named)) == "b"
    assert linked(Linked("linked", "own", "candidate", "seed"), own, named) == ()


def test_the_shipped_settings(agreement: Agreement) -> None:
    settings = {code: one.aggregate for code, one in agreement.criteria.items() if one.aggregate}
    assert {code: (one.kind, one.status) for code, one in settings.items()} == {
        "EP-02": ("unperformed", "confirmed"),
        "EP-03": ("repeated", "candidate"),
        "ES-03": ("linked", "candidate"),
    }
