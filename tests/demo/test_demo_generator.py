"""The generated month: the same for the same day, all criteria used, and what it expects is true."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.dates import read_day
from schemas.identifiers import canonical_uscc
from schemas.text import is_placeholder_number, normalise_name, normalise_number
from syncd.agreement.load import load_agreement
from syncd.agreement.mapping import Judgement, judge
from syncd.demo.bulk import generate_bulk
from syncd.demo.dirt import DIRT
from syncd.demo.formats import SOURCE_COLUMNS
from syncd.demo.generator import generate
from syncd.demo.places import CONFIG, load_places
from syncd.demo.scenario import ExpectedFinding, Scenario

pytestmark = pytest.mark.fast

TODAY = date(2026, 11, 22)
CRITERIA = {f"EP-{n:02d}" for n in range(1, 15)} | {f"ES-{n:02d}" for n in range(1, 6)}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return generate(TODAY)


@pytest.fixture(scope="module")
def judged(scenario: Scenario) -> dict[tuple[str, str], tuple[ExpectedFinding, Judgement]]:
    """What each region answers to each expected finding, by the agreement as it is shipped."""
    root = CONFIG / "agreements" / load_places().plan["agreement"]
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*.toml") if p.parent.name != "members"}
    agreement = load_agreement(files)
    found = {}
    for finding in (*scenario.findings, *scenario.stories["crossing"].findings):
        body = {
            "place": finding.bureau,
            "local_code": finding.local_code,
            "criterion": finding.criterion or None,
            "subject": {"type": finding.company.subject_type},
            "decided_on": finding.decided_on.isoformat(),
            "ends": {"publicity": None, "query": None, "measures": None},
        }
        for region in agreement.regions:
            answer = judge(agreement, region, body, TODAY, allow_candidates=True)
            found[f"{finding.bureau}/{finding.row}", region] = (finding, answer)
    return found


def test_the_same_day_gives_the_same_rows_and_another_day_moves_them(scenario: Scenario) -> None:
    assert generate(TODAY) == scenario
    moved = generate(TODAY + timedelta(days=1))
    assert [f.row for f in moved.findings] == [f.row for f in scenario.findings]
    assert moved.findings != scenario.findings


def test_each_row_is_counted_once_and_each_source_holds_about_sixty(scenario: Scenario) -> None:
    for code, load in scenario.loads.items():
        said = load.expected
        counted = said.accepted + said.waiting + said.duplicates + said.linked
        counted += sum(said.refused.values()) + sum(said.quarantined.values())
        assert counted == said.rows == len(load.penalties) == 60
        assert said.accepted == sum(f.bureau == code for f in scenario.findings)
        assert {tuple(row) for row in load.penalties} == {SOURCE_COLUMNS}


def test_every_bureau_uses_every_criterion_and_the_special_rows_occur_once(scenario: Scenario) -> None:
    for code in scenario.loads:
        assert {f.criterion for f in scenario.findings if f.bureau == code} >= CRITERIA
    total: Counter[str] = Counter()
    for load in scenario.loads.values():
        total.update(load.expected.refused)
        total.update(load.expected.held)
        total["waiting"] += load.expected.waiting
        total["linked"] += load.expected.linked
    assert total == dict.fromkeys(
        ("natural_person", "sole_proprietor", "not_severe", "review", "unmapped", "waiting", "linked"), 1
    )
    assert {kind for kinds in load_places().plan["dirt"].values() for kind in kinds} == set(DIRT)


@pytest.mark.parametrize("day", ["2026-11-22", "2027-01-01", "2028-02-29", "2026-05-31"])
def test_on_any_day_decisions_are_apart_and_lie_within_the_month(day: str) -> None:
    today = date.fromisoformat(day)
    for load in (month := generate(today)).loads.values():
        assert len(load.penalties) == 60
    keys = Counter((f.organ, f.number, f.company.uscc, f.decided_on) for f in month.findings)
    assert set(keys.values()) == {1}
    assert all(timedelta(0) < today - f.decided_on <= timedelta(days=30) for f in month.findings)
    assert all(line.relief["XF_RQ"] <= day for line in month.stories.values())


def test_findings_have_true_codes_numbers_of_their_own_and_days_within_reach(scenario: Scenario) -> None:
    keys = Counter((f.organ, f.number, f.company.uscc, f.decided_on) for f in scenario.findings)
    assert set(keys.values()) == {1}
    rows = {(load.bureau, row["ID"]): row for load in scenario.loads.values() for row in load.penalties}
    for finding in scenario.findings:
        row = rows[finding.bureau, finding.row]
        assert canonical_uscc(finding.company.uscc) == finding.company.uscc == canonical_uscc(row["CF_XDR_SHXYM"])
        assert canonical_uscc(row["CF_CFJGDM"]) == finding.organ
        assert normalise_number(row["CF_WSH"]) == finding.number and not is_placeholder_number(finding.number)
        assert normalise_name(row["CF_XDR_MC"]) == normalise_name(finding.company.name)
        assert "虚构" in finding.company.name
        assert read_day(row["CF_JDRQ"]) == finding.decided_on <= read_day(row["GSRQ"]) <= TODAY
        assert finding.decided_on.weekday() < 5 and row["SSQH"] == finding.bureau


def test_companies_are_active_in_two_and_in_three_places(scenario: Scenario) -> None:
    assert Counter(len(places) for places in scenario.shared.values()) == {2: 6, 3: 3}
    for company, places in scenario.shared.items():
        assert {f.bureau for f in scenario.findings if f.company == company} == set(places)


def test_the_twin_is_one_decision_in_two_sources_with_one_explicit_place(scenario: Scenario) -> None:
    twin = scenario.twin
    rows = {load.bureau: {row["ID"]: row for row in load.penalties} for load in scenario.loads.values()}
    mine, copy = rows[twin.finding.bureau][twin.finding.row], rows[twin.copy_bureau][twin.copy_row]
    same = ("CF_XDR_SHXYM", "CF_CFJGDM", "CF_JDRQ", "SSQH")
    assert [mine[c] for c in same] == [copy[c] for c in same] and copy["SSQH"] == twin.finding.bureau
    assert normalise_number(mine["CF_WSH"]) == normalise_number(copy["CF_WSH"])
    assert mine["RDDM"] != copy["RDDM"] and mine["CF_SJLYDM"] != copy["CF_SJLYDM"]
    assert twin.copy_row not in {f.row for f in scenario.findings if f.bureau == twin.copy_bureau}


def test_story_companies_have_no_other_findings_and_relief_names_their_decision(scenario: Scenario) -> None:
    for line in scenario.stories.values():
        mine = [f for f in scenario.findings if f.company == line.company]
        assert tuple(mine) == (() if line.live else line.findings)
        assert line.relief["CF_WSH"] in {f.number for f in line.findings if f.bureau == line.relief_bureau}
        assert (line.relief in scenario.loads[line.relief_bureau].relief) == line.early
    assert {line.relief_state for line in scenario.stories.values()} == {"修复", "异议", "撤销"}
    assert len(scenario.stories["twice"].findings) == 2


def test_what_must_not_appear_stands_in_the_rows_and_in_no_company(scenario: Scenario) -> None:
    for load in scenario.loads.values():
        text = "\n".join("\t".join(row.values()) for row in load.penalties)
        assert all(word in text for word in scenario.must_not_appear)
    names = "".join(f.company.name for f in scenario.findings)
    assert not any(word in names for word in scenario.must_not_appear)


def test_every_determined_finding_takes_effect_in_all_regions_but_those_expected_on_a_desk(
    scenario: Scenario, judged: dict[tuple[str, str], tuple[ExpectedFinding, Judgement]]
) -> None:
    held = {
        (code, reason, region): count
        for code, load in scenario.loads.items()
        for reason, count in load.expected.held.items()
        for region in scenario.loads
    }
    found = Counter(
        (finding.bureau, answer.reason or "", region)
        for (_, region), (finding, answer) in judged.items()
        if answer.outcome == "hold"
    )
    assert found == held


def test_each_finding_of_the_story_restricts_everywhere(
    scenario: Scenario, judged: dict[tuple[str, str], tuple[ExpectedFinding, Judgement]]
) -> None:
    for line in scenario.stories.values():
        for finding in line.findings:
            for region in scenario.loads:
                answer = judged[f"{finding.bureau}/{finding.row}", region][1]
                assert any(m.kind != "advisory" for m in answer.measures), (line.name, region)


def test_bulk_rows_are_distinct_clean_and_go_on_where_the_last_ended() -> None:
    for region in load_places().bureaus:
        rows = [*generate_bulk(region, 300, TODAY), *generate_bulk(region, 100, TODAY, start=300)]
        assert rows == list(generate_bulk(region, 400, TODAY))
        for column in ("ID", "CF_XDR_MC", "CF_XDR_SHXYM", "CF_WSH"):
            assert len({row[column] for row in rows}) == 400
        assert all(canonical_uscc(row["CF_XDR_SHXYM"]) == row["CF_XDR_SHXYM"] for row in rows)
        assert {row["SSQH"] for row in rows} == {region} and {tuple(row) for row in rows} == {SOURCE_COLUMNS}
    with pytest.raises(ValueError, match="below 1000000"):
        next(generate_bulk(region, 1, TODAY, start=1_000_000))


def test_the_shipped_data_says_that_it_is_invented() -> None:
    for name in ("bureaus", "names", "violations", "scenario"):
        assert Path(CONFIG / "demo" / f"{name}.toml").read_text(encoding="utf-8").startswith("# ")
    places = load_places()
    for bureau in places.bureaus.values():
        for organ in (bureau.unit, *(organ for organ, _ in bureau.decides)):
            assert canonical_uscc(organ.code) == organ.code
