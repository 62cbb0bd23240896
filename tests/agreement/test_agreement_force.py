"""What is in force on a day: inclusive at both ends, off under relief, advice alone only noted."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.agreement.force import Restriction, in_force, in_force_of, next_change, standing
from syncd.agreement.relief import ReliefState

pytestmark = pytest.mark.fast

DAY = timedelta(days=1)
START, END = date(2026, 11, 22), date(2027, 11, 1)


def measure(code: str = "MA-04", kind: str = "binding", start: date = START, end: date = END) -> dict[str, Any]:
    return {
        "id": code,
        "kind": kind,
        "responder": "昆山市财政局",
        "basis": None,
        "from": start.isoformat(),
        "to": end.isoformat(),
    }


ADVICE = measure("FS-01", "advisory", end=END + timedelta(30))


def test_both_ends_are_inclusive() -> None:
    one = [measure()]
    assert [in_force(one, day) for day in (START - DAY, START, END, END + DAY)] == [[], one, one, []]


def test_relief_turns_it_off_by_its_dates() -> None:
    repaired = Restriction([measure()], ReliefState(ended="repaired", ended_on=date(2027, 1, 1)))
    assert in_force_of(repaired, date(2026, 12, 31))
    assert not in_force_of(repaired, date(2027, 1, 1))
    assert not in_force_of(Restriction([measure()], ReliefState(ended="revoked")), START)
    assert not in_force_of(Restriction([measure()], ReliefState(suspended=True)), START)
    assert in_force_of(Restriction([measure()], ReliefState(disputed=True)), START)


def test_a_region_stops_its_own_restriction_at_any_time() -> None:
    stopped = Restriction([measure()], stopped_on=date(2026, 12, 1))
    assert in_force_of(stopped, date(2026, 11, 30))
    assert not in_force_of(stopped, date(2026, 12, 1))


def test_one_acting_restriction_is_enough() -> None:
    repaired = Restriction([measure()], ReliefState(ended="repaired", ended_on=START))
    assert standing([repaired, Restriction([measure("MA-08", "discretionary")])], START) == "restricted"
    assert standing([repaired], START) == "clear"
    assert standing([], START) == "clear"


def test_advice_alone_is_noted() -> None:
    assert standing([Restriction([ADVICE])], START) == "noted"
    assert standing([Restriction([ADVICE, measure()])], START) == "restricted"
    assert standing([Restriction([ADVICE, measure()])], END + DAY) == "noted"


def test_the_next_change_comes_by_time_alone() -> None:
    both = [ADVICE, measure()]
    assert next_change(Restriction(both), START - DAY) == START
    assert next_change(Restriction(both), START) == END + DAY
    assert next_change(Restriction(both), END + DAY) == END + timedelta(31)
    assert next_change(Restriction(both), END + timedelta(31)) is None
    assert next_change(Restriction(both, ReliefState(suspended=True)), START) is None
    assert next_change(Restriction(both, ReliefState(ended="revoked")), START) is None
    repaired = ReliefState(ended="repaired", ended_on=date(2027, 1, 1))
    assert next_change(Restriction(both, repaired), START) == date(2027, 1, 1)


days = st.dates(date(2026, 10, 1), date(2027, 3, 1))
measures = st.builds(
    lambda kind, start, length: measure(kind=kind, start=start, end=start + timedelta(length)),
    st.sampled_from(["binding", "discretionary", "advisory"]),
    days,
    st.integers(0, 60),
)
reliefs = st.builds(
    ReliefState,
    ended=st.sampled_from(["repaired", "expired"]),
    ended_on=days,
) | st.sampled_from([ReliefState(), ReliefState(suspended=True), ReliefState(ended="revoked")])
restrictions = st.builds(Restriction, st.lists(measures, max_size=4), reliefs, stopped_on=st.none() | days)


@given(restrictions, days)
def test_nothing_changes_before_the_next_change(restriction: Restriction, day: date) -> None:
    now, turn = in_force_of(restriction, day), next_change(restriction, day)
    last = (turn or date(2027, 12, 31)) - DAY
    assert turn is None or (turn > day and in_force_of(restriction, turn) != now)
    while day < last:
        day += DAY
        assert in_force_of(restriction, day) == now
