"""In force on D as known on K: a pure function of entries, the same answer whenever it is asked."""

from collections.abc import Sequence
from datetime import date
from itertools import permutations

import pytest

from syncd.agreement.history import Answer, Told, standing_by, stood
from syncd.agreement.kinds import Json
from syncd.agreement.relief import Event

pytestmark = pytest.mark.fast

ISSUER, HERE = "eco/320583/1", "eco/310114/1"
ALL = {ISSUER: 100, HERE: 100}
FINDING = "f" * 64


def measure(code: str, first: str, last: str, kind: str = "binding") -> Json:
    return {"id": code, "kind": kind, "responder": "局", "basis": None, "from": first, "to": last}


def imposed(index: int, day: str, *measures: Json) -> Answer:
    return Answer("imposed", HERE, index, date.fromisoformat(day), measures)


def lifted(index: int, day: str) -> Answer:
    return Answer("lifted", HERE, index, date.fromisoformat(day), reason="repaired")


def event(kind: str, index: int, day: str, effective: str | None = None, clears: Sequence[bytes] = ()) -> Event:
    from_ = date.fromisoformat(effective) if effective else None
    return Event(kind, bytes([index]), ISSUER, index, from_, date.fromisoformat(day), frozenset(clears))


def told(relief: Sequence[Event] = (), answers: Sequence[Answer] = (), finding: str = FINDING) -> Told:
    return Told(finding, ISSUER, 3, relief, answers)


def in_force(one: Told, day: str, known: dict[str, int] = ALL) -> list[str]:
    return [measure["id"] for one in stood([one], date.fromisoformat(day), known) for measure in one.measures]


YEAR = imposed(5, "2026-01-10", measure("MA-01", "2026-01-10", "2027-01-09"))


@pytest.mark.parametrize(
    ("day", "found"), [("2026-01-09", []), ("2026-01-10", ["MA-01"]), ("2027-01-09", ["MA-01"]), ("2027-01-10", [])]
)
def test_expiry_needs_no_entry(day: str, found: list[str]) -> None:
    assert in_force(told(answers=[YEAR]), day) == found


def test_what_was_not_known_had_not_been_said() -> None:
    repaired = told([event("relief.repaired", 9, "2026-06-01", "2026-05-01")], [YEAR, lifted(8, "2026-06-01")])
    assert in_force(repaired, "2026-05-15") == []
    assert in_force(repaired, "2026-05-15", {ISSUER: 9, HERE: 8}) == ["MA-01"], "as known before the repair came"
    assert in_force(repaired, "2026-04-30") == ["MA-01"], "a repair acts from its date"
    assert in_force(repaired, "2026-02-01", {ISSUER: 3, HERE: 8}) == [], "the finding itself was not known"
    assert in_force(repaired, "2026-02-01", {ISSUER: 9, HERE: 5}) == [], "nothing had been answered"


def test_a_revocation_acts_from_the_beginning_once_it_is_known() -> None:
    revoked = told([event("relief.revoked", 9, "2026-06-01")], [YEAR])
    assert in_force(revoked, "2026-02-01") == []
    assert in_force(revoked, "2026-02-01", {ISSUER: 9, HERE: 100}) == ["MA-01"]


def test_a_suspension_acts_from_its_day_to_the_day_it_is_cleared() -> None:
    marks = [event("relief.suspended", 7, "2026-03-01"), event("finding.resumed", 9, "2026-04-01", clears=[b"\x07"])]
    suspended = told(marks, [YEAR])
    assert [in_force(suspended, day) for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")] == [
        ["MA-01"],
        [],
        [],
        ["MA-01"],
    ]


def test_an_answer_holds_from_its_day_until_the_next() -> None:
    again = imposed(12, "2026-07-01", measure("MA-04", "2026-07-01", "2027-01-09"))
    changed = told(answers=[YEAR, lifted(8, "2026-05-01"), again])
    assert [in_force(changed, day) for day in ("2026-04-30", "2026-05-01", "2026-06-30", "2026-07-01")] == [
        ["MA-01"],
        [],
        [],
        ["MA-04"],
    ]


def test_an_amendment_that_led_to_no_other_answer_takes_nothing_off() -> None:
    assert in_force(told([event("finding.amended", 6, "2026-02-01")], [YEAR]), "2026-03-01") == ["MA-01"]


def test_only_the_findings_own_log_relieves() -> None:
    foreign = Event("relief.revoked", b"\x09", HERE, 9, None, date(2026, 2, 1))
    assert in_force(told([foreign], [YEAR]), "2026-03-01") == ["MA-01"]


def test_union_over_findings_each_with_its_own_end() -> None:
    first = told([event("relief.repaired", 9, "2026-03-01", "2026-03-01")], [YEAR], "a" * 64)
    advice = imposed(6, "2026-01-10", measure("FS-01", "2026-01-10", "2026-12-31", "advisory"))
    second = told((), [advice], "b" * 64)
    found = stood([first, second], date(2026, 2, 1), ALL)
    assert [[m["id"] for m in one.measures] for one in found] == [["MA-01"], ["FS-01"]]
    assert standing_by(found) == "restricted"
    assert standing_by(stood([first, second], date(2026, 3, 1), ALL)) == "noted"
    assert standing_by(stood([first, second], date(2027, 1, 1), ALL)) == "clear"


def test_the_order_in_which_entries_are_read_changes_nothing() -> None:
    events = [
        event("relief.suspended", 7, "2026-03-01"),
        event("finding.resumed", 9, "2026-04-01", clears=[b"\x07"]),
        event("relief.disputed", 10, "2026-04-02"),
    ]
    answers = [YEAR, lifted(8, "2026-03-01"), imposed(11, "2026-04-01", measure("MA-01", "2026-04-01", "2027-01-09"))]
    found = {
        str(stood([told(some, others)], date(2026, 5, 1), ALL))
        for some in permutations(events)
        for others in permutations(answers)
    }
    assert len({one.partition("answer=")[2] for one in found}) == 1
