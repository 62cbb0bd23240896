"""Credit review 信用审查: what counts for a purpose, what stands within the years looked back, and how it is scored."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from syncd.agreement.force import Restriction
from syncd.agreement.load import AgreementError, load_agreement
from syncd.agreement.model import Agreement
from syncd.agreement.relief import ReliefState
from syncd.agreement.review import CLEAR, Record, reviewed, touching
from syncd.agreement.scoring import load_scoring, scored
from syncd.errors import NeedsPerson

pytestmark = pytest.mark.fast

DAY = date(2026, 11, 26)
TENDER = frozenset({"MA-03", "MA-04"})
SCORING = Path(__file__).parents[2] / "config" / "scoring" / "kunshan.toml"


def measure(code: str, kind: str = "binding", to: str = "2027-05-01") -> dict[str, str]:
    return {"id": code, "kind": kind, "responder": "示例", "basis": "", "from": "2026-11-01", "to": to}


def record(decided: str, *measures: dict[str, str], relief: ReliefState | None = None) -> Record:
    restriction = Restriction(measures, relief or ReliefState())
    return Record("aa", "320583", "示例1号", "EP-04", date.fromisoformat(decided), None, restriction)


def test_an_order_that_touches_the_purpose_restricts_until_its_last_day() -> None:
    rows = [record("2026-10-01", measure("MA-04"), measure("SF-01", to="2028-01-01")), record("2026-09-01")]
    found = reviewed(TENDER, rows, DAY, 24)
    assert (found.standing, found.until) == ("restricted", date(2027, 5, 1))
    assert [one["id"] for one in found.measures] == ["MA-04"] and len(found.records) == 2


def test_a_measure_that_does_not_touch_it_leaves_the_record_to_be_noted() -> None:
    found = reviewed(TENDER, [record("2026-10-01", measure("SF-01"))], DAY, 24)
    assert (found.standing, found.until, found.measures) == ("noted", date(2028, 10, 1), ())


def test_advice_is_noted_and_never_restricts() -> None:
    old = record("2019-01-01", measure("MA-04", kind="advisory"))
    found = reviewed(TENDER, [old], DAY, 24)
    assert (found.standing, found.until) == ("noted", date(2027, 5, 1)), "acting, though older than two years"


@pytest.mark.parametrize(
    ("decided", "months", "stands"),
    [("2024-11-26", 24, True), ("2024-11-25", 24, False), ("2024-11-25", 25, True), ("2026-11-27", 24, False)],
)
def test_the_years_looked_back_are_counted_from_the_decision(decided: str, months: int, stands: bool) -> None:
    assert (reviewed(TENDER, [record(decided)], DAY, months).standing == "noted") is stands


@pytest.mark.parametrize("relief", [
    ReliefState(ended="revoked"), ReliefState(ended="repaired", ended_on=DAY), ReliefState(suspended=True),
])  # fmt: skip
def test_what_is_repaired_revoked_or_suspended_is_held_against_nobody(relief: ReliefState) -> None:
    assert reviewed(TENDER, [record("2026-10-01", measure("MA-04"), relief=relief)], DAY, 24) == CLEAR


def test_a_dispute_is_told_and_a_repair_to_come_ends_the_record() -> None:
    relief = ReliefState(ended="repaired", ended_on=date(2026, 12, 1), disputed=True)
    found = reviewed(TENDER, [record("2026-10-01", relief=relief)], DAY, 24)
    assert found.records[0]["disputed"] and found.until == date(2026, 11, 30)


def test_a_record_past_its_query_end_is_not_told() -> None:
    ended = replace(record("2026-10-01"), query_end=date(2026, 11, 25))
    assert reviewed(TENDER, [ended], DAY, 24) == CLEAR


def test_the_shipped_purposes_are_marked_and_touch_what_they_name(agreement: Agreement) -> None:
    assert list(agreement.purposes) == ["tender", "permit", "fund", "honour", "loan"]
    assert all(one.status == "illustrative" and one.provenance for one in agreement.purposes.values())
    loan = touching(agreement, agreement.purposes["loan"])
    assert loan == {f"FS-0{n}" for n in range(1, 7)}
    assert all(agreement.measures[code].kind == "advisory" for code in loan), "no bank is ever ordered"


def test_a_purpose_names_only_what_there_is(agreement_files: dict[str, bytes]) -> None:
    wrong = agreement_files["purposes.toml"].replace(b'"MA-05"', b'"MA-99"').replace(b'["FS"]', b'["XX"]')
    with pytest.raises(AgreementError, match=r"tender, field measures: MA-99 is unknown.*loan, field categories: XX"):
        load_agreement({**agreement_files, "purposes.toml": wrong})
    without = {path: data for path, data in agreement_files.items() if path != "purposes.toml"}
    assert load_agreement(without).purposes == {}


def test_reviews_are_counted_as_the_tables_say() -> None:
    scoring = load_scoring(SCORING.read_bytes())
    assert {item.code: len(item.units) for item in scoring.items} == {"TOWN-5": 12, "OFFICE-4": 4, "DEPT-5": 54}
    rows = {(one["item"], one["unit"]): one for one in scored(scoring, {"财政局": 3, "张浦镇": 1})}
    assert rows["DEPT-5", "财政局"]["points"] == "0" and rows["DEPT-5", "审计局"]["points"] == "-0.10"
    assert rows["OFFICE-4", "柏庐城市管理办事处"]["points"] == "-2.00"
    town = rows["TOWN-5", "张浦镇"]
    assert town["met"] and town["also_needs"] == ["incentives"] and town["points"] == "0", "reviews alone earn nothing"
    with pytest.raises(NeedsPerson, match=r"items\.0\.points"):
        load_scoring(SCORING.read_bytes().replace(b'points = "0.40"', b"points = 0.4"))
