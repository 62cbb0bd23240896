"""The relief table: one answer for every order and repetition, and never in the company's disfavour."""

import random
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.agreement.relief import UNTOUCHED, Event, off_on, relief_state

pytestmark = pytest.mark.fast

TODAY = date(2026, 11, 22)
OWN, SUCCESSOR = "jiakuntai-eco/320583/1", "jiakuntai-eco/320583/2"
ENDINGS = ("relief.revoked", "relief.repaired", "relief.expired")
KINDS = (
    *ENDINGS,
    "relief.disputed",
    "relief.suspended",
    "relief.forgiven",  # a kind of a later version
    "finding.amended",
    "finding.upheld",
    "finding.resumed",
    "objection.received",
    "notice.served",
)
LEAVES = [bytes([number]) * 32 for number in range(8)]


def event(kind: str, index: int, **changes: object) -> Event:
    facts: dict[str, object] = {
        "kind": kind,
        "leaf": LEAVES[index % 8],
        "log": OWN,
        "index": index,
        "effective_from": None,
        "at_day": TODAY,
        "clears": frozenset(),
    }
    return Event(**{**facts, **changes})  # type: ignore[arg-type]


def clears(kind: str, index: int, *of: int, log: str = OWN) -> Event:
    return event(kind, index, clears=frozenset(LEAVES[number] for number in of), log=log)


def test_nothing_said_is_untouched() -> None:
    assert relief_state([], TODAY) is UNTOUCHED
    assert not off_on(UNTOUCHED, TODAY)


def test_a_dispute_is_a_mark_only() -> None:
    state = relief_state([event("relief.disputed", 1)], TODAY)
    assert (state.disputed, state.suspended, state.ended, state.off) == (True, False, None, False)
    assert state.because == LEAVES[1]


@pytest.mark.parametrize("kind", ["relief.suspended", "relief.forgiven", "relief.", "finding.amended"])
def test_suspension_and_what_is_not_known_turn_it_off(kind: str) -> None:
    state = relief_state([event(kind, 1)], TODAY)
    assert (state.suspended, state.off, state.ended, state.because) == (True, True, None, LEAVES[1])


@pytest.mark.parametrize("kind", ["objection.received", "notice.served", "finding.issued", "relieved", ""])
def test_other_entries_change_nothing(kind: str) -> None:
    assert relief_state([event(kind, 1)], TODAY) == UNTOUCHED


def test_revoked_is_from_the_beginning_whatever_its_body_says() -> None:
    state = relief_state([event("relief.revoked", 1, effective_from=TODAY + timedelta(30))], TODAY)
    assert (state.ended, state.ended_on, state.off) == ("revoked", None, True)
    assert off_on(state, date(2020, 1, 1))


@pytest.mark.parametrize("kind", ["repaired", "expired"])
def test_repaired_and_expired_end_from_their_date(kind: str) -> None:
    day = TODAY + timedelta(3)
    state = relief_state([event(f"relief.{kind}", 1, effective_from=day)], TODAY)
    assert (state.ended, state.ended_on, state.off) == (kind, day, False)
    assert [off_on(state, day - timedelta(1)), off_on(state, day)] == [False, True]


def test_without_a_body_a_repair_counts_from_its_record() -> None:
    state = relief_state([event("relief.repaired", 1)], TODAY)
    assert (state.ended_on, state.off) == (TODAY, True)
    assert not off_on(state, TODAY - timedelta(1))


def test_the_earliest_repair_wins() -> None:
    early, late = TODAY - timedelta(9), TODAY - timedelta(2)
    state = relief_state(
        [event("relief.repaired", 1, effective_from=late), event("relief.repaired", 2, effective_from=early)],
        TODAY,
    )
    assert (state.ended_on, state.because) == (early, LEAVES[2])


def test_the_reason_is_the_strongest_and_the_day_the_earliest() -> None:
    expired = event("relief.expired", 1, effective_from=TODAY - timedelta(9))
    repaired = event("relief.repaired", 2, effective_from=TODAY)
    state = relief_state([expired, repaired], TODAY)
    assert (state.ended, state.ended_on, state.because) == ("repaired", TODAY - timedelta(9), LEAVES[2])
    state = relief_state([expired, repaired, event("relief.revoked", 3)], TODAY)
    assert (state.ended, state.ended_on, state.because) == ("revoked", None, LEAVES[3])


@pytest.mark.parametrize("kind", ["finding.upheld", "finding.resumed"])
def test_marks_go_only_by_name(kind: str) -> None:
    marks = [event("relief.suspended", 1), event("relief.disputed", 2), event("relief.forgiven", 3)]
    state = relief_state([*marks, clears(kind, 4, 1, 2)], TODAY)
    assert (state.suspended, state.disputed, state.because) == (True, False, LEAVES[3])
    assert relief_state([*marks, clears(kind, 4, 1, 2, 3)], TODAY) == UNTOUCHED
    assert relief_state([*marks, clears(kind, 4)], TODAY) == relief_state(marks, TODAY)


def test_a_resume_never_brings_back_what_ended() -> None:
    for kind in ENDINGS:
        state = relief_state([event(kind, 1), clears("finding.resumed", 2, 1)], TODAY)
        assert state.off
        assert state.ended == kind.removeprefix("relief.")


def test_a_resume_never_clears_a_later_mark_of_its_log() -> None:
    later = event("relief.suspended", 5)
    assert relief_state([later, clears("finding.resumed", 4, 5)], TODAY).off
    assert not relief_state([later, clears("finding.resumed", 6, 5)], TODAY).off


def test_the_successor_of_a_sealed_log_may_clear() -> None:
    mark = event("relief.suspended", 5)
    assert not relief_state([mark, clears("finding.resumed", 1, 5, log=SUCCESSOR)], TODAY).off


def test_an_amendment_suspends_until_the_newest_is_recognised() -> None:
    first, second = event("finding.amended", 1), event("finding.amended", 2)
    assert relief_state([first], TODAY).off
    assert not relief_state([first], TODAY, {LEAVES[1]}).off
    assert relief_state([first, second], TODAY, {LEAVES[1]}).off
    assert not relief_state([first, second], TODAY, {LEAVES[2]}).off
    assert relief_state([first, clears("finding.resumed", 3, 1)], TODAY).off, "only recognition puts it in force"


def test_every_order_of_a_whole_story_gives_one_answer() -> None:
    story = [
        event("relief.disputed", 1),
        event("relief.suspended", 2),
        clears("finding.upheld", 3, 1),
        clears("finding.resumed", 4, 2),
        event("relief.suspended", 5),
        event("relief.repaired", 6, effective_from=TODAY + timedelta(40)),
    ]
    states = {relief_state(order, TODAY) for order in permutations(story)}
    assert len(states) == 1
    state = states.pop()
    assert (state.ended, state.suspended, state.disputed, state.off) == ("repaired", True, False, True)


days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
events = st.builds(
    Event,
    kind=st.sampled_from(KINDS),
    leaf=st.sampled_from(LEAVES),
    log=st.sampled_from([OWN, SUCCESSOR]),
    index=st.integers(0, 9),
    effective_from=st.none() | days | st.just(date.max) | st.just(date.min),
    at_day=days,
    clears=st.frozensets(st.sampled_from(LEAVES), max_size=4),
)
histories = st.lists(events, max_size=9)
recognised = st.frozensets(st.sampled_from(LEAVES), max_size=3)


@given(histories, days, recognised, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(
    history: list[Event], day: date, known: frozenset[bytes], chance: random.Random
) -> None:
    again = history + [chance.choice(history) for _ in range(3) if history]
    chance.shuffle(again)
    assert relief_state(again, day, known) == relief_state(history, day, known)


@given(histories, events, days)
def test_relief_never_makes_things_worse(history: list[Event], further: Event, day: date) -> None:
    if further.kind.startswith("finding."):
        return
    if relief_state(history, day).off:
        assert relief_state([*history, further], day).off


@given(histories, days)
def test_ended_is_for_good(history: list[Event], day: date) -> None:
    for at in range(len(history)):
        before, after = relief_state(history[:at], day), relief_state(history, day)
        if before.ended is not None and before.off and not before.suspended:
            assert after.off
        if before.ended == "revoked":
            assert (after.ended, after.ended_on) == ("revoked", None)


@given(histories, days, days)
def test_off_agrees_with_itself_on_every_day(history: list[Event], day: date, other: date) -> None:
    state = relief_state(history, day)
    assert state.off == off_on(state, day)
    assert off_on(state, other) == relief_state(history, other).off
    if state.off and day <= other:
        assert off_on(state, other)


@given(histories, days)
def test_the_reason_is_an_entry_that_was_given(history: list[Event], day: date) -> None:
    state = relief_state(history, day)
    touched = state.ended is not None or state.suspended or state.disputed
    assert (state.because is not None) == touched
    assert state.because is None or state.because in {event.leaf for event in history}
    assert state.ended is not None or state.ended_on is None


@given(st.sampled_from(KINDS), days)
def test_a_body_only_narrows_relief(kind: str, day: date) -> None:
    bare = relief_state([event(kind, 1, at_day=TODAY)], day)
    told = relief_state([event(kind, 1, at_day=TODAY, effective_from=TODAY + timedelta(7))], day)
    assert bare.off or not told.off
