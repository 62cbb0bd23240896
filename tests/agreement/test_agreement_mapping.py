"""What follows from a finding: candidates never act, measures need their region's law, days end in time."""

import time
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from syncd.agreement.mapping import Judgement, judge
from syncd.agreement.model import Agreement

pytestmark = pytest.mark.fast

TODAY = date(2026, 11, 22)
Json = dict[str, Any]


def finding(**changes: Any) -> Json:
    """What the mapping reads of a finding: Kunshan, evading supervision, decided this month."""
    body: Json = {
        "subject": {"uscc": "91320583MA0000015L", "name": "示例企业", "type": "POLLUTER"},
        "place": "320583",
        "local_code": "KS-0104",
        "criterion": "EP-04",
        "decided_on": "2026-11-02",
        "published_on": "2026-11-09",
        "ends": {"publicity": None, "query": None, "measures": None},
    }
    for name in ("publicity", "query", "measures"):
        if name in changes:
            body["ends"] = {**body["ends"], name: changes.pop(name)}
    if "type" in changes:
        body["subject"] = {**body["subject"], "type": changes.pop("type")}
    return {**body, **changes}


def by_code(judged: Judgement) -> dict[str, date]:
    return {measure.id: measure.to for measure in judged.measures}


def every_determined(agreement: Agreement) -> list[Json]:
    """One finding for each local code of each region that stands for a criterion."""
    return [
        finding(place=region.code, local_code=code.code, criterion=code.criterion, type=code.subject_type)
        for region in agreement.regions.values()
        for code in region.local_codes.values()
        if code.criterion
    ]


def test_candidates_never_take_effect(agreement: Agreement) -> None:
    for body, region in product(every_determined(agreement), agreement.members):
        judged = judge(agreement, region, body, TODAY, released=True)
        assert (judged.outcome, judged.measures) == ("hold", ())
        assert judged.reason == (
            "candidate" if agreement.criteria[body["criterion"]].status == "candidate" else "nothing_in_force"
        )
        assert not judged.demonstration


def test_a_hold_says_which_measures_are_candidates_and_which_lack_a_basis(agreement: Agreement) -> None:
    body = finding(local_code="KS-0101", criterion="EP-01")
    judged = judge(agreement, "320585", body, TODAY)
    measures = agreement.regions["320585"].rules["EP-01"].measures
    assert [code for code, why in judged.details if why == "candidate"] == list(measures)
    assert [code for code, why in judged.details if why == "no_basis"] == ["MA-03", "SF-02"]


def test_a_demonstration_restricts_for_every_criterion_in_every_region(agreement: Agreement) -> None:
    for body, region in product(every_determined(agreement), agreement.members):
        judged = judge(agreement, region, body, TODAY, allow_candidates=True, released=True)
        rule = agreement.regions[region].rules[body["criterion"]]
        assert (judged.outcome, judged.rule, judged.details) == ("impose", rule.id, ())
        assert [measure.id for measure in judged.measures] == list(rule.measures)
        assert any(measure.kind != "advisory" for measure in judged.measures)
        assert judged.demonstration


def test_confirmed_measures_act_only_where_the_law_of_the_region_carries_them(confirmed: Agreement) -> None:
    body = finding()
    shanghai = judge(confirmed, "310114", body, TODAY)
    assert {m.id: m.basis for m in shanghai.measures if m.basis} == {
        "MA-04": "LB-MA-04-1",
        "SF-01": "LB-SF-01-1",
        "PP-03": "LB-PP-03-1",
        "FS-05": "LB-FS-05-1",
    }
    jiangsu = judge(confirmed, "320583", body, TODAY)
    assert [(m.id, m.kind, m.basis) for m in jiangsu.measures] == [
        ("MA-04", "binding", "LB-MA-04-1"),
        ("FS-05", "advisory", None),
    ]
    assert jiangsu.details == (("SF-01", "no_basis"), ("PP-03", "no_basis"), ("PP-04", "no_basis"))
    assert not jiangsu.demonstration


def test_a_basis_must_be_in_force_on_the_day_of_the_answer(confirmed: Agreement) -> None:
    body = finding(type="AUTO_MONITOR_OPERATOR", local_code="KS-0301", criterion="ES-01", decided_on="2025-12-20")

    def acts(day: date) -> bool:
        return "MA-09" in by_code(judge(confirmed, "320583", body, day))

    # An operator can be barred by the soil law until it was repealed, by the monitoring regulation from 2026.
    assert acts(date(2025, 12, 31))
    assert by_code(judge(confirmed, "320583", body, date(2025, 12, 31)))["MA-09"] == date(2026, 8, 14)
    assert by_code(judge(confirmed, "320583", body, date(2026, 1, 1)))["MA-09"] == date(2028, 12, 20)


@pytest.mark.parametrize(
    ("decided_on", "ends", "to"),
    [
        ("2026-11-02", {}, date(2028, 11, 2)),
        ("2024-11-30", {}, date(2026, 11, 30)),
        ("2025-08-31", {"publicity": None}, date(2027, 8, 31)),
        ("2025-02-28", {}, date(2027, 2, 28)),
        ("2026-11-02", {"publicity": "2027-11-01"}, date(2027, 11, 1)),
        ("2026-11-02", {"publicity": "2031-11-01"}, date(2028, 11, 2)),
        ("2026-11-02", {"measures": "2027-05-02"}, date(2027, 5, 2)),
        ("2026-11-02", {"measures": "2027-05-02", "publicity": "2027-02-02"}, date(2027, 2, 2)),
        ("2026-11-02", {"query": "2026-12-31"}, date(2028, 11, 2)),
        ("2024-11-22", {}, TODAY),
        ("2026-11-02", {"publicity": "2026-11-22"}, TODAY),
    ],
)
def test_measures_end_at_the_earliest_of_rule_publicity_and_effect(
    agreement: Agreement, decided_on: str, ends: Json, to: date
) -> None:
    judged = judge(agreement, "310114", finding(decided_on=decided_on, **ends), TODAY, allow_candidates=True)
    assert judged.outcome == "impose"
    assert {measure.from_ for measure in judged.measures} == {TODAY}
    assert set(by_code(judged).values()) == {to}


def test_months_are_clamped_to_the_end_of_the_month(agreement: Agreement) -> None:
    body = finding(local_code="KS-0103", criterion="EP-03", decided_on="2026-08-31")
    judged = judge(agreement, "320583", body, date(2026, 9, 1), allow_candidates=True)
    assert set(by_code(judged).values()) == {date(2028, 2, 29)}  # 18 months


@pytest.mark.parametrize("changes", [{"decided_on": "2024-11-21"}, {"publicity": "2026-11-21"}])
def test_what_ended_yesterday_is_dropped(agreement: Agreement, changes: Json) -> None:
    judged = judge(agreement, "310114", finding(**changes), TODAY, allow_candidates=True)
    assert (judged.outcome, judged.reason) == ("hold", "nothing_in_force")
    assert judged.details
    assert {why for _, why in judged.details} == {"ended"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"criterion": None, "local_code": ""}, "unmapped"),
        ({"criterion": None, "local_code": "KS-0777"}, "unmapped"),
        ({"criterion": None}, "unmapped"),
        ({"criterion": "EP-77"}, "unmapped"),
        ({"local_code": "KS-0777"}, "unmapped"),
        ({"local_code": "JD-HB-04"}, "unmapped"),
        ({"place": "320500"}, "unmapped"),
        ({"criterion": None, "local_code": "KS-0100"}, "not_severe"),
        ({"local_code": "KS-0100"}, "mapping_differs"),
        ({"local_code": "KS-0105"}, "mapping_differs"),
        ({"type": "MONITORING_AGENCY"}, "subject_type"),
        ({"criterion": "EP-A6", "local_code": "KS-0199"}, "review"),
    ],
)
def test_held_with_its_reason(agreement: Agreement, changes: Json, reason: str) -> None:
    judged = judge(agreement, "310114", finding(**changes), TODAY, allow_candidates=True)
    assert (judged.outcome, judged.reason, judged.measures) == ("hold", reason, ())


def test_a_person_releases_reviews_and_differing_codes_but_never_the_unmapped(agreement: Agreement) -> None:
    def released(**changes: Any) -> str | None:
        body = finding(**changes)
        return judge(agreement, "310114", body, TODAY, allow_candidates=True, released=True).reason

    assert released(criterion="EP-A6", local_code="KS-0199") is None
    assert released(local_code="KS-0105") is None
    assert released(local_code="KS-0777") is None
    assert released(criterion=None) == "unmapped"
    assert released(type="MONITORING_AGENCY") == "subject_type"


def test_the_type_may_come_from_the_code_or_the_criterion(agreement: Agreement) -> None:
    operator = finding(type=None, local_code="TC-C04", place="320585", criterion="ES-04")
    assert judge(agreement, "310114", operator, TODAY, allow_candidates=True).outcome == "impose"
    assert judge(agreement, "310114", finding(type=None), TODAY, allow_candidates=True).outcome == "impose"
    nobody = {**operator, "local_code": "TC-C77"}
    judged = judge(agreement, "310114", nobody, TODAY, allow_candidates=True, released=True)
    assert judged.reason == "subject_type"


def test_without_a_rule_it_is_held(agreement: Agreement) -> None:
    region = agreement.regions["310114"]
    rules = {code: rule for code, rule in region.rules.items() if code != "EP-04"}
    without = replace(agreement, regions={**agreement.regions, "310114": replace(region, rules=rules)})
    judged = judge(without, "310114", finding(), TODAY, allow_candidates=True)
    assert (judged.reason, judged.details) == ("no_rule", ((None, "no_rule"),))


def test_measures_of_another_region_or_type_are_not_applied(agreement: Agreement) -> None:
    region = agreement.regions["310114"]
    rule = replace(region.rules["EP-04"], measures=("MA-04", "MA-11", "PP-04"))
    changed = replace(region, rules={"EP-04": rule}, responders={**region.responders, "PP-04": "水务局"})
    other = replace(agreement, regions={**agreement.regions, "310114": changed})
    judged = judge(other, "310114", finding(), TODAY, allow_candidates=True)
    assert list(by_code(judged)) == ["MA-04"]
    assert judged.details == (("MA-11", "not_applicable"), ("PP-04", "not_applicable"))


def test_market_and_industry_are_advised_whatever_the_row_says(confirmed: Agreement) -> None:
    binding = replace(confirmed.measures["FS-05"], kind="binding")
    changed = replace(confirmed, measures={**confirmed.measures, "FS-05": binding})
    judged = judge(changed, "320583", finding(), TODAY)
    assert ("FS-05", "advisory") in [(measure.id, measure.kind) for measure in judged.measures]


def test_judging_again_gives_the_same_object(agreement: Agreement) -> None:
    first = judge(agreement, "310114", finding(), TODAY, allow_candidates=True)
    assert judge(agreement, "310114", finding(), TODAY, allow_candidates=True) is first


def test_ten_thousand_findings_are_judged_in_a_blink(agreement: Agreement) -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 11) for day in range(1, 29)]
    bodies = [dict(body, decided_on=day) for body in every_determined(agreement)[:36] for day in days]
    started = time.process_time()
    for body in bodies:
        judge(agreement, "320585", body, TODAY, allow_candidates=True)
    assert (time.process_time() - started) / len(bodies) < 100e-6  # about 10 µs; ten times that on a bad day
