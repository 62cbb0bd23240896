"""The border: organisations only, columns by name, and a hash that sees what nobody else may."""

import pytest
from adapter_rows import PERSON, PERSON_NUMBER, Row, company, penalty, relief
from test_adapter_penalty import collect

from schemas.identifiers import make_uscc

pytestmark = pytest.mark.fast

PROPRIETOR = make_uscc("92320583", "MA000001")


@pytest.mark.parametrize(
    "changes",
    [
        {"CF_XDR_LB": "自然人"},
        {"CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_ZJHM": PERSON_NUMBER},
        {"CF_XDR_LB": "", "CF_XDR_SHXYM": "", "CF_XDR_ZJHM": PERSON_NUMBER},
        {"CF_XDR_SHXYM": PERSON_NUMBER},
        {"CF_XDR_SHXYM": "110105491231002"},
        {"CF_XDR_SHXYM": "１１０１０５１９４９１２３１００２Ｘ"},
        {"CF_XDR_SHXYM": "110105194912310021"},
        {"CF_XDR_MC": PERSON_NUMBER, "CF_XDR_SHXYM": PERSON},
        {"CF_XDR_SHXYM": "", "CF_XDR_SWDJ": PERSON_NUMBER},
        {"CF_XDR_SHXYM": "", "CF_XDR_GSZC": "110105491231002"},
    ],
)
def test_a_natural_person_is_only_a_count(changes: Row) -> None:
    page = collect(penalty(1, ID="KEY-OF-A-PERSON", CF_XDR_MC=PERSON) | changes, penalty(2))
    assert page.refused == {"natural_person": 1}
    assert [one.row for one in page.records] == ["KS2026000002"]
    for secret in ("KEY-OF-A-PERSON", PERSON, PERSON_NUMBER):
        assert secret not in repr(page)


@pytest.mark.parametrize(
    "changes",
    [
        {"CF_XDR_LB": "个体工商户"},
        {"CF_XDR_SHXYM": PROPRIETOR},
        {"CF_XDR_SHXYM": PROPRIETOR, "CF_XDR_LB": "法人"},
        {"CF_XDR_SHXYM": f" {PROPRIETOR}　"},
        {"CF_XDR_SHXYM": PROPRIETOR[:17] + ("0" if PROPRIETOR[17] != "0" else "1")},
        {"CF_XDR_MC": PROPRIETOR, "CF_XDR_SHXYM": "张三小吃店"},
        {"CF_XDR_MC": "个体工商户", "CF_XDR_SHXYM": ""},
    ],
)
def test_a_sole_proprietor_is_only_a_count(changes: Row) -> None:
    page = collect(penalty(1) | changes)
    assert page.refused == {"sole_proprietor": 1}
    assert not page.records and not page.quarantined


def test_personal_columns_are_counted_by_name_under_any_name() -> None:
    row = penalty(1)
    row["CF_FR"], row["CF_SFZ"] = row.pop("CF_FRDB"), row.pop("CF_FR_ZJHM")
    page = collect(row)
    assert page.personal == {"CF_FRDB": 1, "CF_FR_ZJLX": 1, "CF_FR_ZJHM": 1}
    assert page.unknown_columns == set()
    assert len(page.records) == 1 and PERSON not in repr(page)


def test_aliases_and_labels_are_the_same_column() -> None:
    row = penalty(1)
    plain = collect(row).records
    row["CF_CFWSH"] = row.pop("CF_WSH")
    row["行政相对人名称"] = row.pop("CF_XDR_MC")
    row["CF_XZJG"] = row.pop("CF_CFJG")
    assert collect(row).records == plain


def test_two_kinds_are_joined() -> None:
    row = penalty(1) | {"CF_CFLB1": "罚款", "CF_CFLB2": "警告"}
    del row["CF_CFLB"]
    assert collect(row).records[0].body["kinds"] == ["罚款", "警告"]


def test_an_alias_that_contradicts() -> None:
    (one,) = collect(penalty(1) | {"CF_CFWSH": "另一文号1号"}).quarantined
    assert (one.field, one.reason) == ("CF_WSH", "conflicting")
    assert len(collect(penalty(1) | {"CF_CFWSH": penalty(1)["CF_WSH"]}).records) == 1


def test_unknown_columns_are_named_and_dropped() -> None:
    page = collect(penalty(1) | {"XXLX": "内部", "LYSJ": "2026"})
    assert page.unknown_columns == {"XXLX"}
    assert "内部" not in repr(page)


@pytest.mark.parametrize("column", ["CF_SY", "CF_NR", "BZ", "CF_FRDB", "CF_NR_ZKDX", "RDDM", "FYZT"])
def test_any_change_that_counts_changes_the_hash(column: str) -> None:
    (one,), (other,) = (collect(penalty(1, **{column: value})).records for value in ("", "无"))
    assert one.digest != other.digest
    assert len(one.digest) == 64


def test_what_does_not_change_the_hash() -> None:
    (plain,) = collect(penalty(1)).records
    touched = penalty(1, GXSJ="2026-12-01 00:00:00.000000") | {"LYSJ": "now", "XXLX": "new column"}
    (same,) = collect(dict(reversed(touched.items()))).records
    assert plain.digest == same.digest


def test_another_key_gives_another_hash() -> None:
    from adapter_rows import facts_of
    from test_adapter_penalty import Rows

    from adapters.source import Source

    one, other = (Source(Rows(penalty(1)), facts_of("kunshan"), key * 32).collect(None) for key in (b"a", b"b"))
    assert one.records[0].digest != other.records[0].digest


@pytest.mark.parametrize("key", [PERSON_NUMBER, PERSON, "a b", "x" * 129])
def test_a_key_that_might_name_somebody_is_replaced(key: str) -> None:
    (one,) = collect(penalty(1, ID=key)).records
    (again,) = collect(penalty(1, ID=key)).records
    assert one.row == again.row == one.body["source"]["row"]
    assert one.row.startswith("hmac-")
    (one,) = collect(penalty(1, ID=key, SSQH="")).quarantined
    assert key not in repr(one)


@pytest.mark.parametrize(
    "key", ["JH-2026-001", "1", "8a8080e2:77/1", "20261122000001", "7f3c1e0a-9b1d-4a51-8f5e-0c2d4e6f8a90"]
)
def test_usual_keys_stay(key: str) -> None:
    assert collect(penalty(1, ID=f" {key} ")).records[0].row == key


def test_rows_twice_in_a_page() -> None:
    page = collect(penalty(1), penalty(1), penalty(2), penalty(1))
    assert [one.row for one in sorted(page.records, key=lambda one: one.row)] == ["KS2026000001", "KS2026000002"]
    assert page.duplicates == 2


def test_two_decisions_under_one_key_stay_back() -> None:
    later = "2026-12-01 00:00:00.000000"
    page = collect(penalty(1), penalty(1, CF_XDR_SHXYM=company(2), GXSJ=later), penalty(1))
    assert page.records == []
    assert [one.reason for one in page.quarantined] == ["duplicate_key"] * 2
    assert page.duplicates == 1


def test_two_versions_of_one_time_stay_back() -> None:
    for other in (penalty(1, CF_NR_FK="9"), penalty(1, ID=" KS2026000001")):
        page = collect(penalty(1), other)
        assert [one.reason for one in page.quarantined] == ["duplicate_key"] * 2


@pytest.mark.parametrize("state", ["复议中", "诉讼中停止执行"])
def test_a_row_open_to_review_waits(state: str) -> None:
    page = collect(penalty(1, FYZT=state), penalty(2))
    (one,) = page.waiting
    assert (one.row, one.reason) == ("KS2026000001", state)
    assert len(page.records) == 1
    (record,) = collect(penalty(1, FYZT="")).records
    assert record.digest != one.digest


def test_an_instruction_row_of_the_spreadsheet() -> None:
    row = dict.fromkeys(penalty(1), "选填") | {"ID": "表格说明", "CF_XDR_LB": "必填", "FYZT": ""}
    (one,) = collect(row).quarantined
    assert one.reason == "unknown_value" and one.field == "CF_XDR_LB"


def test_relief_rows_are_not_penalty_rows() -> None:
    assert collect(relief(1)).quarantined[0].reason in ("missing", "unknown_value")
