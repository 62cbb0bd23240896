"""Why: each step from the text that judged, in both languages, with what it read; every reason has its sentences."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from syncd.agreement.explanation import BOUNDS, explanation
from syncd.agreement.mapping import judge
from syncd.agreement.model import Agreement
from syncd.agreement.reasons import REASONS, said_of

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 22)
CHINESE = re.compile("[\u4e00-\u9fff]")
Json = dict[str, Any]


def body(**changes: Any) -> Json:
    whole: Json = {
        "subject": {"uscc": "91320583MA0000015L", "name": "示例企业", "type": "POLLUTER"},
        "key": {"organ": "11320583MB2000039R", "number": "昆环罚〔2026〕1号", "date": "2026-11-02", "normaliser": 1},
        "place": "320583", "local_code": "KS-0104", "criterion": "EP-04", "decided_on": "2026-11-02",
        "published_on": "2026-11-09", "kinds": ["罚款"], "violation": "篡改监测数据", "legal_basis": "示例",
        "amount": {"fine": "20000.00", "confiscated": None},
        "ends": {"publicity": None, "query": None, "measures": None},
    }  # fmt: skip
    return whole | changes


def imposed(agreement: Agreement, region: str, of: Json) -> Json:
    judged = judge(agreement, region, of, DAY, allow_candidates=True, released=True)
    measures = [
        {"id": one.id, "kind": one.kind, "responder": one.responder, "basis": one.basis,
         "from": one.from_.isoformat(), "to": one.to.isoformat()} for one in judged.measures
    ]  # fmt: skip
    return {"rule": judged.rule, "measures": measures, "released_by": None}


def explained(agreement: Agreement, of: Json, *, demonstration: bool, answer: Json | None) -> dict[str, list[Json]]:
    """The steps by their kind."""
    steps = explanation(agreement, "320585", of, DAY, answer, demonstration=demonstration, released=False)
    assert all(CHINESE.search(step["zh"]) and re.search("[a-z]{3}", step["en"]) for step in steps)
    found: dict[str, list[Json]] = {}
    for step in steps:
        found.setdefault(step["step"], []).append(step)
    return found


def test_a_restriction_names_row_rule_article_and_what_ends_it(agreement: Agreement) -> None:
    found = explained(agreement, body(), demonstration=True, answer=imposed(agreement, "320585", body()))
    assert found["outcome"][0]["text"] == agreement.regions["320583"].local_codes["KS-0104"].meaning_zh
    assert found["rule"][0]["months"] == agreement.regions["320585"].rules["EP-04"].months
    assert {one["ends_by"] for one in found["measure"]} <= {"rule", "maximum", "basis"}
    carried = [one for one in found["measure"] if one["basis"]]
    assert carried and all(one["instrument"] in one["zh"] for one in carried)
    assert found["criterion"][0]["agreement"] == agreement.tag


def test_what_ends_a_measure_is_named(agreement: Agreement) -> None:
    for name, ends in (("publicity", {"publicity": "2027-01-31"}), ("effect", {"measures": "2027-01-31"})):
        of = body(ends={"publicity": None, "query": None, "measures": None} | ends)
        found = explained(agreement, of, demonstration=True, answer=imposed(agreement, "320585", of))
        assert {one["ends_by"] for one in found["measure"]} == {name}
        assert all(BOUNDS[name][0] in one["zh"] for one in found["measure"])


def test_a_wait_says_for_each_measure_why_not(agreement: Agreement) -> None:
    found = explained(agreement, body(), demonstration=False, answer=None)
    assert "measure" not in found
    why = {one["id"]: one["reasons"] for one in found["measure_not"]}
    assert why.keys() == set(agreement.regions["320585"].rules["EP-04"].measures)
    assert any("no_basis" in reasons for reasons in why.values())


def test_a_condition_is_shown_with_the_facts_that_it_read(agreement: Agreement) -> None:
    region = agreement.regions["320583"]
    code, conditions = next(iter(region.conditions.items()))
    of = body(local_code=code, criterion=None, violation="未批先建")
    (outcome,) = explained(agreement, of, demonstration=True, answer=None)["outcome"]
    assert outcome["by"] in {one.id for one in conditions}
    assert outcome["facts"]["penalty.violation"] == "未批先建"
    asked = [one.when for one in conditions if one.id == outcome["by"]]
    assert asked == [outcome["text"] or None]


def test_what_a_person_confirmed_names_rule_and_records(agreement: Agreement) -> None:
    grounds = {"rule": "EP-03", "records": ["a" * 64, "b" * 64], "confirmed_by": "account:1001"}
    of = body(criterion="EP-03", grounds=grounds)
    (outcome,) = explained(agreement, of, demonstration=True, answer=None)["outcome"]
    assert outcome["by"] == "EP-03" and outcome["records"] == grounds["records"] and "account:1001" in outcome["en"]


def test_every_reason_that_the_program_gives_has_its_sentences() -> None:
    source = "".join((ROOT / "syncd" / path).read_text("utf-8") for path in ("agreement/mapping.py", "flows/answer.py"))
    given = set(re.findall(r'_held\("([a-z_]+)"', source)) | set(re.findall(r'_hold\("([a-z_]+)"', source))
    assert given | {"candidate", "no_rule", "no_basis", "not_applicable", "ended"} <= REASONS.keys()
    assert said_of("version_2").zh.count("2") == 1 and said_of("new_code").en == "new_code"
