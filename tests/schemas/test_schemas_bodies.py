"""Bodies: every kind has one, a good one passes, each fault is named by field and reason, never by value."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import SCHEMA_VERSION
from schemas.identifiers import make_uscc
from schemas.registry import (
    BODY_BY_KIND,
    SCHEMAS,
    InvalidBody,
    NewerSchema,
    check_body,
    schema_version_of,
)
from schemas.text import NORMALISER, is_placeholder_number, normalise_number

pytestmark = pytest.mark.fast

Json = dict[str, Any]
LEAF = "0f" * 32
KNEW = {"jiakuntai-eco/310114/1": 12, "jiakuntai-eco/320583/1": 0}

FINDING: Json = {
    "schema": "finding/1.0",
    "subject": {
        "uscc": "91320583MA0000015L",
        "name": "昆山某某(集团)电镀有限公司",
        "type": "POLLUTER",
    },
    "key": {
        "organ": make_uscc("11320583", "MB000001"),
        "number": "苏环罚〔2026〕83第12号",
        "date": "2026-11-02",
        "normaliser": NORMALISER,
    },
    "place": "320583",
    "source": {"id": "kunshan", "row": "XZCF-2026-000012"},
    "local_code": "KS-0104",
    "criterion": "EP-04",
    "legal_basis": "《中华人民共和国水污染防治法》第八十三条第（二）项",
    "kinds": ["罚款", "责令停产停业"],
    "amount": {"fine": "20000.00", "confiscated": None},
    "violation": "超标排放水污染物",
    "decided_on": "2026-11-02",
    "published_on": "2026-11-09",
    "ends": {"publicity": "2027-11-02", "query": "2031-11-02", "measures": None},
}
RELIEF: Json = {
    "schema": "relief/1.0",
    "ground": "repaired",
    "by": "320583",
    "document": "苏环信修〔2026〕3号",
    "received_on": "2026-11-20",
    "effective_from": None,
    "clears": [LEAF],
}
MEASURE: Json = {
    "id": "SF-01",
    "kind": "binding",
    "responder": "财政局",
    "basis": "b-017",
    "from": "2026-11-22",
    "to": "2026-11-22",
}
RESTRICTION: Json = {
    "schema": "restriction/1.0",
    "rule": "320585-EP-04",
    "measures": [MEASURE],
    "released_by": None,
    "knew": KNEW,
    "demonstration": True,
    "mark": "异议",
}
HONOUR: Json = {
    "schema": "honour/1.0",
    "subject": FINDING["subject"],
    "key": {**FINDING["key"], "number": "昆诚〔2026〕1号"},
    "place": "320583",
    "honour": "HN-RED",
    "granted_on": "2026-11-02",
    "published_on": "2026-11-09",
    "until": "2027-10-31",
}

GOOD: dict[str, Json] = {
    "honour/1.0": HONOUR,
    "finding/1.0": FINDING,
    "relief/1.0": RELIEF,
    "restriction/1.0": RESTRICTION,
    "organisation/1.0": {
        "schema": "organisation/1.0",
        "uscc": "91320585MA0000015H",
        "name": "太仓某某监测有限公司",
        "former_names": ["太仓旧名监测有限公司"],
    },
    "held/1.0": {
        "schema": "held/1.0",
        "reason": "candidate",
        "details": [{"measure": "SF-01", "reason": "no_basis"}, {"measure": None, "reason": "review"}],
        "due": "2026-11-25",
        "knew": KNEW,
    },
    "lifting/1.0": {
        "schema": "lifting/1.0",
        "reason": "repaired",
        "because": LEAF,
        "due": None,
        "knew": {},
        "demonstration": False,
    },
    "notice/1.0": {"schema": "notice/1.0", "on": "2026-11-22", "means": "post"},
    "feedback/1.0": {
        "schema": "feedback/1.0",
        "about": LEAF,
        "measure": "SF-01",
        "department": "财政局",
        "state": "applied",
        "on": "2026-11-22",
        "matter": None,
        "effect": "refused_application",
        "counter": 1,
    },
    "operator/1.0": {
        "schema": "operator/1.0",
        "act": "resync",
        "stage": "share",
        "peer": "320585",
        "from": 120,
        "to": "2026-11-22/row.7",
        "account": 0,
        "ground": "peer_restored",
    },
    "erasure/1.0": {"schema": "erasure/1.0", "ground": "revoked", "order": None, "due": "2026-11-27"},
}


def kind_of(name: str) -> str:
    return next(kind for kind, model in BODY_BY_KIND.items() if model is SCHEMAS[name])


def refusal(name: str, change: Callable[[Json], object]) -> tuple[str, str]:
    body = copy.deepcopy(GOOD[name])
    change(body)
    with pytest.raises(InvalidBody) as caught:
        check_body(kind_of(name), body)
    return caught.value.field, caught.value.reason


def test_every_schema_has_a_good_example_here_and_the_version_of_all() -> None:
    assert GOOD.keys() == SCHEMAS.keys()
    assert all(name.endswith("/" + SCHEMA_VERSION) for name in SCHEMAS)


@pytest.mark.parametrize("kind", BODY_BY_KIND)
def test_a_good_body_of_every_kind_passes_and_is_left_as_it_was(kind: str) -> None:
    name = next(name for name, model in SCHEMAS.items() if model is BODY_BY_KIND[kind])
    body = copy.deepcopy(GOOD[name])
    check_body(kind, body)
    assert body == GOOD[name]


def test_the_organisation_is_described_though_no_entry_carries_it() -> None:
    SCHEMAS["organisation/1.0"].model_validate(GOOD["organisation/1.0"])


def test_only_clears_may_be_left_out() -> None:
    without = {key: value for key, value in RELIEF.items() if key != "clears"}
    check_body("relief.repaired", without)
    for name, body in GOOD.items():
        if name == "organisation/1.0":
            continue
        for field in body.keys() - {"schema", "clears"}:
            assert refusal(name, lambda b, f=field: b.pop(f)) == (field, "missing")


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (lambda b: b["subject"].update(uscc="91320583MA0000015X"), "subject.uscc", "outer_check"),
        (lambda b: b["subject"].update(uscc="91310114MA00000161"), "subject.uscc", "inner_check"),
        (lambda b: b["subject"].update(uscc="９1320583MA0000015L"), "subject.uscc", "not_canonical"),
        (lambda b: b["subject"].update(uscc="11010519491231002X"), "subject.uscc", "person_id"),
        (
            lambda b: b["subject"].update(uscc=make_uscc("92320583", "MA000001")),
            "subject.uscc",
            "sole_proprietor",
        ),
        (lambda b: b["subject"].update(uscc="9" * 100_000), "subject.uscc", "string_too_long"),
        (
            lambda b: b["subject"].update(name="某某（上海）有限公司"),
            "subject.name",
            "string_pattern_mismatch",
        ),
        (lambda b: b["subject"].update(name=""), "subject.name", "string_too_short"),
        (lambda b: b["subject"].update(name="甲\n乙"), "subject.name", "string_pattern_mismatch"),
        (lambda b: b["subject"].update(type="RESPONSIBLE_PERSON"), "subject.type", "person"),
        (lambda b: b["key"].update(number="苏环罚[2026]12号"), "key.number", "string_pattern_mismatch"),
        (lambda b: b["key"].update(number="苏环罚〔2026〕 12号"), "key.number", "string_pattern_mismatch"),
        (lambda b: b["key"].update(number="不详"), "key.number", "placeholder_number"),
        (lambda b: b["key"].update(number="/"), "key.number", "placeholder_number"),
        (lambda b: b["key"].update(normaliser=True), "key.normaliser", "int_type"),
        (lambda b: b["key"].update(normaliser=1.0), "key.normaliser", "int_type"),
        (lambda b: b["key"].update(date="2026-02-30"), "key.date", "no_such_day"),
        (lambda b: b.update(decided_on="2026/11/02"), "decided_on", "string_pattern_mismatch"),
        (lambda b: b.update(decided_on="2026-11-02\n"), "decided_on", "string_pattern_mismatch"),
        (lambda b: b.update(published_on="٢٠٢٦-11-02"), "published_on", "string_pattern_mismatch"),
        (lambda b: b["ends"].update(publicity="1900-01-01"), "ends.publicity", "sentinel"),
        (lambda b: b["ends"].update(query="9999-12-31"), "ends.query", "sentinel"),
        (lambda b: b["ends"].update(measures="2099-12-31"), "ends.measures", "sentinel"),
        (lambda b: b.update(place="苏州市"), "place", "string_pattern_mismatch"),
        (lambda b: b.update(place=320583), "place", "string_type"),
        (lambda b: b.update(kinds="罚款"), "kinds", "list_type"),
        (lambda b: b.update(kinds=["罚款", ""]), "kinds.1", "string_too_short"),
        (lambda b: b["amount"].update(fine="2"), "amount.fine", "string_pattern_mismatch"),
        (lambda b: b["amount"].update(fine="-2.00"), "amount.fine", "string_pattern_mismatch"),
        (lambda b: b["amount"].update(fine=20000), "amount.fine", "string_type"),
        (lambda b: b.update(legal_basis="条" * 2049), "legal_basis", "string_too_long"),
        (lambda b: b.update(criterion="另见附件 某某"), "criterion", "string_pattern_mismatch"),
        (lambda b: b.update(CF_NR="罚款两万元"), "CF_NR", "extra_forbidden"),
        (
            lambda b: b["subject"].update(legal_representative="张三"),
            "subject.legal_representative",
            "extra_forbidden",
        ),
        (lambda b: b.update({"张三": 1}), "?", "extra_forbidden"),
        (lambda b: b.update(subject=["91320583MA0000015L"]), "subject", "model_type"),
        (lambda b: b.update(schema_="finding/1.0"), "schema_", "extra_forbidden"),
    ],
)
def test_faults_of_a_finding(change: Callable[[Json], object], field: str, reason: str) -> None:
    assert refusal("finding/1.0", change) == (field, reason)


@pytest.mark.parametrize(
    ("name", "change", "field", "reason"),
    [
        ("restriction/1.0", lambda b: b.update(measures=[]), "measures", "too_short"),
        (
            "restriction/1.0",
            lambda b: b["measures"][0].update(to="2026-11-21"),
            "measures.0",
            "ends_before_it_begins",
        ),
        (
            "restriction/1.0",
            lambda b: b["measures"][0].update(kind="约束"),
            "measures.0.kind",
            "literal_error",
        ),
        (
            "restriction/1.0",
            lambda b: b["measures"][0].update(from_="2026-11-22"),
            "measures.0.from_",
            "extra_forbidden",
        ),
        ("restriction/1.0", lambda b: b.update(demonstration=1), "demonstration", "bool_type"),
        ("restriction/1.0", lambda b: b["knew"].update({"张三": 1}), "knew.?.?", "string_pattern_mismatch"),
        ("restriction/1.0", lambda b: b["knew"].update({"a/310114/1": -1}), "knew.?", "greater_than_equal"),
        ("restriction/1.0", lambda b: b["knew"].update({"a/310114/1": 2**53}), "knew.?", "less_than_equal"),
        ("relief/1.0", lambda b: b.update(clears=[LEAF.upper()]), "clears.0", "string_pattern_mismatch"),
        ("relief/1.0", lambda b: b.update(ground="公司已经整改到位"), "ground", "string_pattern_mismatch"),
        ("feedback/1.0", lambda b: b.update(state="已执行"), "state", "literal_error"),
        ("feedback/1.0", lambda b: b.update(effect="因张三不在未办理"), "effect", "string_pattern_mismatch"),
        ("operator/1.0", lambda b: b.update(account="张三"), "account", "int_type"),
        ("lifting/1.0", lambda b: b.update(because="abc"), "because", "string_pattern_mismatch"),
    ],
)
def test_faults_of_other_bodies(name: str, change: Callable[[Json], object], field: str, reason: str) -> None:
    assert refusal(name, change) == (field, reason)


def test_a_refusal_never_repeats_the_value() -> None:
    body = copy.deepcopy(FINDING)
    body["subject"]["uscc"] = "11010519491231002X"
    body["张三"] = "住址"
    with pytest.raises(InvalidBody) as caught:
        check_body("finding.issued", body)
    shown = f"{caught.value} {caught.value.__cause__} {caught.value.sentence} {caught.value.field}"
    assert "11010519491231002X" not in shown and "张三" not in shown and "住址" not in shown


@pytest.mark.parametrize("stated", ["finding/1.1", "finding/2.0", "finding/1.10"])
def test_a_newer_schema_waits_for_an_upgrade_whatever_else_it_says(stated: str) -> None:
    with pytest.raises(NewerSchema):
        check_body("finding.issued", {"schema": stated, "new": [1]})


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("finding/0.9", "unknown_version"),
        ("relief/1.0", "other_family"),
        ("relief/9.0", "other_family"),
        ("finding/01.0", "no_version"),
        ("finding/1", "no_version"),
        ("finding/١.0", "no_version"),
        ("finding/1.0\n", "no_version"),
        (1, "no_version"),
        (None, "no_version"),
    ],
)
def test_what_is_no_version_of_this_schema(stated: object, reason: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        check_body("finding.issued", {**FINDING, "schema": stated})
    assert (caught.value.field, caught.value.reason) == ("schema", reason)
    assert not isinstance(caught.value, NewerSchema)


def test_versions_are_read() -> None:
    assert schema_version_of({"schema": "finding/1.12"}) == ("finding", (1, 12))
    with pytest.raises(InvalidBody):
        schema_version_of({})


@pytest.mark.parametrize("kind", ["relief.forgiven", "agreement.adopted", "log.sealed", "", "finding"])
def test_a_kind_without_a_body_is_refused(kind: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        check_body(kind, FINDING)
    assert caught.value.reason == "no_body_for_kind"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(BODY_BY_KIND)), st.data())
def test_any_value_in_any_field_passes_or_is_refused_in_words(kind: str, data: st.DataObject) -> None:
    name = next(name for name, model in SCHEMAS.items() if model is BODY_BY_KIND[kind])
    body = copy.deepcopy(GOOD[name])
    body[data.draw(st.sampled_from(sorted(body)))] = data.draw(json_values)
    try:
        check_body(kind, body)
    except InvalidBody as fault:
        assert fault.field and fault.reason


@given(st.text("苏环罚〔〕[]（）(){}【】2026１号第aｚ-—‐ \t\u3000e\u0301\u200b", max_size=60))
def test_a_normalised_number_always_fits_the_key(text: str) -> None:
    number = normalise_number(text)
    if is_placeholder_number(number):
        return
    body = {**FINDING, "key": {**FINDING["key"], "number": number}}
    check_body("finding.issued", body)
