"""Exactly one outcome for a record, and a proposal restricts nobody before a person has confirmed it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from syncd.agreement.local import Condition
from syncd.agreement.mapping import judge
from syncd.agreement.model import Agreement
from syncd.agreement.names import Counts
from syncd.agreement.outcome import OutcomeOf, criterion_of, outcome_of

pytestmark = pytest.mark.fast

Json = dict[str, Any]
TODAY = date(2026, 11, 22)
CODE = "KS-0120"


def record(**changes: Any) -> Json:
    body: Json = {
        "subject": {"uscc": "91320583MA0000015L", "name": "示例企业", "type": None},
        "place": "320583",
        "local_code": CODE,
        "criterion": None,
        "legal_basis": "",
        "kinds": ["罚款"],
        "amount": {"fine": "200000.00", "confiscated": None},
        "violation": "未批先建",
        "decided_on": "2026-11-02",
        "published_on": "2026-11-05",
        "ends": {"publicity": None, "query": None, "measures": None},
    }
    return {**body, **changes}


def with_conditions(agreement: Agreement, *rows: tuple[str, str | None, str, str | None]) -> Agreement:
    """The agreement with other conditions for the code, confirmed; each row: id, when, outcome, criterion."""
    conditions = tuple(
        Condition(id=id_, code=CODE, when=when, outcome=outcome, criterion=criterion, status="confirmed")  # type: ignore[arg-type]
        for id_, when, outcome, criterion in rows
    )
    region = replace(agreement.regions["320583"], conditions={CODE: conditions})
    return replace(agreement, regions={**agreement.regions, "320583": region})


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"local_code": "KS-0104"}, OutcomeOf("determined", "EP-04", "KS-0104")),
        ({"local_code": "KS-0100"}, OutcomeOf("not_severe", None, "KS-0100")),
        ({"local_code": ""}, OutcomeOf("unmapped")),
        ({"local_code": "JD-HB-04"}, OutcomeOf("unmapped")),
        ({"place": "320500"}, OutcomeOf("unmapped")),
        ({}, OutcomeOf("proposed", "EP-10", "KS-D-01")),
        ({"violation": "未验先投"}, OutcomeOf("proposed", "EP-11", "KS-D-02")),
        ({"violation": "其他"}, OutcomeOf("not_severe", None, "KS-D-03")),
    ],
)
def test_each_record_has_one_outcome(agreement: Agreement, changes: Json, outcome: OutcomeOf) -> None:
    assert outcome_of(agreement, record(**changes), allow_candidates=True) == outcome


def test_candidate_conditions_say_nothing_outside_a_demonstration(agreement: Agreement) -> None:
    assert outcome_of(agreement, record()).kind == "undetermined"
    assert judge(agreement, "310114", record(), TODAY).reason == "undetermined"


@pytest.mark.parametrize("region", ["310114", "320583", "320585"])
def test_a_proposal_restricts_nobody(agreement: Agreement, region: str) -> None:
    judged = judge(agreement, region, record(), TODAY, allow_candidates=True, released=True)
    assert (judged.outcome, judged.reason, judged.measures) == ("hold", "undetermined", ())


def with_status(agreement: Agreement, status: Any) -> Agreement:
    """The agreement as if its criterion EP-10 had this status."""
    criterion = replace(agreement.criteria["EP-10"], status=status)
    return replace(agreement, criteria={**agreement.criteria, "EP-10": criterion})


def test_a_confirmed_proposal_is_recognised_by_the_rule_it_names(agreement: Agreement) -> None:
    grounds = {"rule": "KS-D-01", "records": [], "confirmed_by": "1001"}
    confirmed = record(criterion="EP-10", grounds=grounds)
    assert judge(agreement, "310114", confirmed, TODAY, allow_candidates=True).outcome == "impose"
    other = judge(agreement, "310114", {**confirmed, "criterion": "EP-11"}, TODAY, allow_candidates=True)
    assert other.reason == "mapping_differs"
    real = with_status(agreement, "confirmed")
    assert judge(real, "310114", confirmed, TODAY).reason == "mapping_differs", "the condition is still a candidate"
    unknown = {**confirmed, "grounds": {**grounds, "rule": "KS-D-99"}}
    assert judge(agreement, "310114", unknown, TODAY, allow_candidates=True).reason == "mapping_differs"
    aggregate = record(local_code="", criterion="EP-03", grounds={**grounds, "rule": "EP-03"})
    assert judge(agreement, "310114", aggregate, TODAY, allow_candidates=True).outcome == "impose"
    never = record(local_code="", criterion="EP-04", grounds={**grounds, "rule": "EP-04"})
    assert judge(agreement, "310114", never, TODAY, allow_candidates=True).reason == "mapping_differs"


def test_a_condition_may_determine_and_every_region_asks_it_again(agreement: Agreement) -> None:
    changed = with_conditions(
        agreement,
        ("KS-D-01", "penalty.amount_cny >= 200000.0", "determined", "EP-12"),
        ("KS-D-02", None, "not_severe", None),
    )
    assert criterion_of(changed, record()) == "EP-12"
    assert judge(changed, "310114", record(criterion="EP-12"), TODAY, allow_candidates=True).outcome == "impose"
    smaller = record(criterion="EP-12", amount={"fine": "199999.99", "confiscated": None})
    assert criterion_of(changed, smaller) is None
    assert judge(changed, "310114", smaller, TODAY, allow_candidates=True).reason == "mapping_differs"


def test_history_is_asked_at_home_only(agreement: Agreement) -> None:
    changed = with_conditions(
        agreement,
        ("KS-D-01", "history.same_violation_12m >= 2 && penalty.amount_cny > 0.0", "proposed", "EP-03"),
        ("KS-D-02", "penalty.amount_cny == 0.0", "not_severe", None),
        ("KS-D-03", None, "not_severe", None),
    )
    assert outcome_of(changed, record()).kind == "undetermined"
    assert outcome_of(changed, record(), Counts(2, 2)) == OutcomeOf("proposed", "EP-03", "KS-D-01")
    assert outcome_of(changed, record(), Counts(1, 5)) == OutcomeOf("not_severe", None, "KS-D-03")
    free = record(amount={"fine": None, "confiscated": None})
    assert outcome_of(changed, free) == OutcomeOf("not_severe", None, "KS-D-02")


def test_two_conditions_that_hold_decide_nothing(agreement: Agreement) -> None:
    """``load`` refuses such a list; where one comes past it, no company is restricted by it."""
    changed = with_conditions(
        agreement,
        ("KS-D-01", "penalty.amount_cny >= 1.0", "determined", "EP-12"),
        ("KS-D-02", "penalty.amount_cny >= 2.0", "determined", "EP-10"),
    )
    assert outcome_of(changed, record()).kind == "unmapped"
    assert judge(changed, "310114", record(), TODAY, allow_candidates=True).reason == "unmapped"
