"""Pairing the logs: each thing that can be left out, late or out of place, and each that is in order."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from syncd.ledger.audited import Fact
from syncd.ledger.pairing import Calendar, Issue, Pairing, judge

pytestmark = pytest.mark.fast

HOME, OTHER = "demo-log/310114/1", "demo-log/320583/1"
CALENDAR = Calendar(lambda at: at[:10], lambda day, count: f"{day[:8]}{int(day[8:]) + count:02d}")
SIZES = {HOME: 20, OTHER: 20}
RULES = Pairing({"310114": [HOME], "320583": [OTHER]}, "2026-11-20", CALENDAR, lambda log, about: log == about, SIZES)


def fact(kind: str, idx: int, day: int = 2, log: str = HOME, ref: str = f"{HOME} id-1", **body: object) -> Fact:
    """An entry on a day of November, about the finding unless it says otherwise."""
    leaf = sha256(f"{log}{idx}".encode()).digest()
    about = sha256(f"{HOME}1".encode()).digest()
    return Fact(about, log, idx, kind, f"2026-11-{day:02d}T01:00:00.000Z", leaf, f"id-{idx}", ref, "present", body)


FINDING = fact("finding.issued", 1, ref="")
IMPOSED = [fact("restriction.imposed", 2), fact("restriction.imposed", 3, log=OTHER)]


def codes(facts: Sequence[Fact], rules: Pairing = RULES) -> list[tuple[str, str, str]]:
    """Code, place and region of every issue."""
    return [(one.code, one.place, one.region) for one in judge(facts, rules)]


def test_answered_by_all_is_in_order() -> None:
    assert codes([FINDING, *IMPOSED]) == []
    assert codes([FINDING, fact("finding.held", 2), fact("restriction.declined", 3, log=OTHER)]) == []


def test_an_answer_that_is_missing() -> None:
    assert codes([FINDING, IMPOSED[0]]) == [("unanswered", f"{HOME}:1", "320583")]
    fresh = replace(RULES, reached="2026-11-03")
    assert codes([FINDING, IMPOSED[0]], fresh) == [("answer_open", f"{HOME}:1", "320583")]


def test_responses_are_owed_by_whom_the_version_of_the_entry_names() -> None:
    owing = replace(RULES, owing={1: {"310114"}, 2: {"310114", "320583"}})
    assert codes([FINDING, IMPOSED[0]], owing) == [], "the other joins by version 2"
    later = FINDING._replace(version=2)
    assert codes([later, IMPOSED[0]], owing) == [("unanswered", f"{HOME}:1", "320583")]
    left = replace(RULES, owing={1: {"310114", "320583"}, 2: {"310114"}})
    relief = [fact("relief.revoked", 4)._replace(version=2), fact("restriction.lifted", 5)]
    assert codes([FINDING, *IMPOSED, *relief], left) == [], "the other has left and lifts nothing any more"


def test_a_restriction_without_finding() -> None:
    knowing = [
        fact("restriction.imposed", 2, knew={HOME: 2}),
        fact("restriction.imposed", 3, log=OTHER, knew={HOME: 20}),
    ]
    assert codes(knowing) == [
        ("restriction_without_finding", f"{HOME}:2", "310114"),
        ("restriction_without_finding", f"{OTHER}:3", "320583"),
    ]
    alone = replace(RULES, members={"320583": [OTHER]}, sizes={OTHER: 20})
    assert codes(knowing, alone) == [], "the finding's log is not audited here"
    short = replace(RULES, sizes={HOME: 19, OTHER: 20})
    assert codes(knowing[1:], short) == [("finding_not_audited", f"{OTHER}:3", "320583")], "its log is longer there"
    assert codes(IMPOSED[1:]) == [("finding_not_audited", f"{OTHER}:3", "320583")], "withheld: nobody knows"
    assert codes([fact("finding.held", 2)]) == [], "what cannot be read is held, whatever it is"


def test_a_response_that_names_the_leaf_in_another_log() -> None:
    wrong = fact("restriction.imposed", 3, log=OTHER, ref=f"{OTHER} id-1")
    assert ("names_another", f"{OTHER}:3", "320583") in codes([FINDING, IMPOSED[0], wrong])


@pytest.mark.parametrize("kind", ["relief.repaired", "relief.revoked", "relief.expired", "relief.suspended"])
def test_relief_that_is_missing_late_or_in_time(kind: str) -> None:
    relief = fact(kind, 9, day=5)
    lifted = [fact("restriction.lifted", 10, day=8), fact("restriction.lifted", 11, day=9, log=OTHER)]
    missing = [("relief_missing", f"{HOME}:9", "310114"), ("relief_missing", f"{HOME}:9", "320583")]
    assert codes([FINDING, *IMPOSED, relief]) == missing
    assert codes([FINDING, *IMPOSED, relief, *lifted]) == [("relief_late", f"{OTHER}:11", "320583")]
    soon = replace(RULES, reached="2026-11-08")
    assert [code for code, _, _ in codes([FINDING, *IMPOSED, relief], soon)] == ["relief_open", "relief_open"]


def test_the_days_are_named() -> None:
    relief = fact("relief.revoked", 9, day=5)
    lifted = [fact("restriction.lifted", 10, day=5), fact("restriction.lifted", 11, day=17, log=OTHER)]
    (issue,) = judge([FINDING, *IMPOSED, relief, *lifted], RULES)
    assert issue == Issue(
        f"{OTHER}:11", "relief_late", "320583", f"relief {HOME}:9 was due 2026-11-08, lifted 2026-11-17"
    )


def test_a_repair_counts_from_the_day_it_takes_effect() -> None:
    relief = fact("relief.repaired", 9, day=5, effective_from="2026-11-18")
    assert [code for code, _, _ in codes([FINDING, *IMPOSED, relief])] == ["relief_open"] * 2
    earlier = fact("relief.repaired", 9, day=5, effective_from="2026-11-01")
    assert [code for code, _, _ in codes([FINDING, *IMPOSED, earlier])] == ["relief_missing"] * 2


def test_what_never_stood_needs_no_lifting() -> None:
    held = [fact("finding.held", 2), fact("finding.held", 3, log=OTHER)]
    assert codes([FINDING, *held, fact("relief.revoked", 9, day=5)]) == []


def test_what_was_imposed_unknowing_after_the_relief_must_be_lifted() -> None:
    relief = fact("relief.revoked", 9, day=5)
    late = fact("restriction.imposed", 12, day=6, log=OTHER, knew={HOME: 9})
    mine = [IMPOSED[0], fact("restriction.lifted", 10, day=5)]
    assert codes([FINDING, *mine, relief, late]) == [("relief_missing", f"{HOME}:9", "320583")]
    assert codes([FINDING, *mine, relief, late, fact("restriction.lifted", 13, day=7, log=OTHER)]) == []
    knowing = fact("restriction.imposed", 12, day=6, log=OTHER, knew={HOME: 10})
    assert ("imposed_after_end", f"{OTHER}:12", "320583") in codes([FINDING, *mine, relief, knowing])


def test_a_suspension_taken_back() -> None:
    story = [fact("relief.suspended", 5, day=3), fact("finding.resumed", 6, day=4)]
    back = [IMPOSED[0], fact("restriction.lifted", 7, day=3), fact("restriction.imposed", 8, day=4)]
    theirs = [IMPOSED[1]]
    assert codes([FINDING, *story, *back, *theirs]) == []


def test_relief_by_another_log_has_no_effect_and_is_told() -> None:
    foreign = fact("relief.revoked", 9, day=5, log=OTHER)
    assert codes([FINDING, *IMPOSED, foreign]) == [("relief_by_another_log", f"{OTHER}:9", "320583")]
    heir = replace(RULES, speaks_for=lambda log, about: True)
    assert [code for code, _, _ in codes([FINDING, *IMPOSED, foreign], heir)] == ["relief_missing"] * 2
