"""Joint rewards 守信联合激励: what an honour brings in a region on a day, and what suspends it."""

from datetime import date

import pytest

from syncd.agreement.force import Restriction
from syncd.agreement.load import AgreementError, load_agreement
from syncd.agreement.model import Agreement
from syncd.agreement.relief import ReliefState
from syncd.agreement.rewards import Granted, is_severe, rewards

pytestmark = pytest.mark.fast

DAY = date(2026, 11, 22)
RED = Granted("aa", "310114", "HN-RED", "示例1号", date(2026, 1, 1), date(2027, 6, 30))


def offered(agreement: Agreement, region: str = "320583", *severe: str, honour: Granted = RED, day: date = DAY,
            demonstration: bool = True) -> list[tuple[str, str, str]]:  # fmt: skip
    (one,) = rewards(agreement, region, [honour], severe, day, demonstration)
    return [(offer["id"], offer["state"], offer["to"]) for offer in one["incentives"]]


def test_an_honour_of_another_member_brings_what_the_own_region_says(agreement: Agreement) -> None:
    last = "2027-01-01"
    assert offered(agreement) == [
        ("IN-GREEN", "offered", last),
        ("IN-PAPERS", "offered", last),
        ("IN-LOAN", "offered", last),
    ]
    assert offered(agreement, "310114") == [("IN-LOAN", "offered", last)]


def test_an_active_severe_finding_suspends_all_and_is_named(agreement: Agreement) -> None:
    assert {state for _, state, _ in offered(agreement, "320583", "bb")} == {"suspended"}
    (one,) = rewards(agreement, "320583", [RED], ["bb"], DAY, True)
    assert one["suspended_by"] == ["bb"]


def test_nothing_of_it_takes_effect_outside_a_demonstration(agreement: Agreement) -> None:
    (one,) = rewards(agreement, "320583", [RED], [], DAY)
    assert (one["reason"], one["incentives"]) == ("candidate", [])
    assert all(
        row.status == "candidate" for table in (agreement.honours, agreement.incentives) for row in table.values()
    )


@pytest.mark.parametrize(("honour", "reason"), [("HN-WHITE", "no_rule"), ("HN-NEW", "unmapped")])
def test_an_honour_without_a_rule_brings_nothing(agreement: Agreement, honour: str, reason: str) -> None:
    (one,) = rewards(agreement, "320583", [Granted("aa", "310114", honour, "1", DAY, DAY)], [], DAY, True)
    assert (one["reason"], one["incentives"]) == (reason, [])


def test_an_honour_ends_with_its_day_and_with_its_withdrawal(agreement: Agreement) -> None:
    assert rewards(agreement, "320583", [RED], [], date(2027, 7, 1), True) == []
    gone = Granted(**{name: getattr(RED, name) for name in RED.__slots__} | {"withdrawn_on": DAY})
    assert rewards(agreement, "320583", [gone], [], DAY, True) == []
    assert rewards(agreement, "320583", [gone], [], date(2026, 11, 21), True)
    late = offered(agreement, day=date(2027, 1, 2))
    assert {state for _, state, _ in late} == {"ended"}, "the rule's months have passed, the honour has not"


@pytest.mark.parametrize(
    ("restriction", "stated", "severe"),
    [
        (Restriction([{"id": "x", "kind": "binding", "from": "2026-11-01", "to": "2027-11-01"}]), (None, None), True),
        (Restriction([{"id": "x", "kind": "binding", "from": "2026-11-01", "to": "2026-11-20"}]), (None, None), False),
        (Restriction(()), (None, None), True),
        (Restriction(()), ("2026-11-21", None), False),
        (Restriction((), ReliefState(ended="repaired", ended_on=DAY)), (None, None), False),
        (Restriction((), ReliefState(suspended=True)), (None, None), False),
        (Restriction((), stopped_on=DAY), (None, None), False),  # its member left the agreement
        (Restriction((), stopped_on=date(2099, 1, 1)), (None, None), True),
    ],
)
def test_only_an_active_severe_finding_suspends(
    agreement: Agreement, restriction: Restriction, stated: tuple[str | None, str | None], severe: bool
) -> None:
    assert is_severe(agreement, "EP-04", "2026-11-01", stated, restriction, DAY, True) is severe
    assert not is_severe(agreement, None, "2026-11-01", stated, restriction, DAY, True), "a plain record is not severe"


def test_a_candidate_criterion_suspends_nothing_by_default(agreement: Agreement) -> None:
    candidate = next(code for code, one in agreement.criteria.items() if one.status == "candidate")
    confirmed = next(code for code, one in agreement.criteria.items() if one.status == "confirmed")
    for code, severe in ((candidate, False), (confirmed, True)):
        assert is_severe(agreement, code, "2026-11-01", (None, None), Restriction(()), DAY) is severe


@pytest.mark.parametrize(("old", "new", "said"), [
    ('honour = "HN-RED"', 'honour = "HN-XX"', "honour: HN-XX is unknown"),
    ('"IN-GREEN", ', '"IN-XX", ', "incentives: IN-XX is unknown"),
    ('IN-GREEN = "', 'MA-99 = "', "IN-GREEN has no responder"),
])  # fmt: skip
def test_rewards_name_only_what_there_is(agreement_files: dict[str, bytes], old: str, new: str, said: str) -> None:
    path = "regions/320583.toml"
    text = agreement_files[path].decode()
    assert old in text
    with pytest.raises(AgreementError, match=said):
        load_agreement({**agreement_files, path: text.replace(old, new, 1).encode()})
