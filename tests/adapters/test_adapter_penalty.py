"""Reading one penalty row: what a good one becomes, and each fault seen in real sources."""

import pytest
from adapter_rows import ORGAN, ROW_KEY, Row, company, facts_of, penalty

from adapters.base import AckPage, Adapter, Json, Page, RawRow
from adapters.columns import COLUMNS, KINDS
from adapters.records import Collected
from adapters.source import Source
from schemas.registry import check_body

pytestmark = pytest.mark.fast

FACTS = facts_of("kunshan")


class Rows(Adapter):
    """A source of the given rows, one page."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows

    def pull(self, cursor: Json | None) -> Page:
        return Page([RawRow("penalty", row.get("ID", ""), dict(row), "rows") for row in self.rows], {}, False)

    def push(self, rows: object) -> None:
        """Nowhere to write."""

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        return AckPage([], {}, False)


def collect(*rows: Row) -> Collected:
    page = Source(Rows(*rows), FACTS, ROW_KEY).collect(None)
    assert page.balanced
    return page


def body_of(**changes: str) -> Json:
    (record,) = collect(penalty(1, **changes)).records
    check_body("finding.issued", record.body)
    return record.body


def fault_of(**changes: str) -> tuple[str, str]:
    page = collect(penalty(1, **changes), penalty(2))
    assert len(page.records) == 1  # the other row is not delayed
    (one,) = page.quarantined
    assert one.row == "KS2026000001" and len(one.digest) == 64 and one.sentence
    for value in changes.values():
        assert len(value) < 4 or value == "1900-01-01" or value not in repr(one)
    return one.field, one.reason


def test_the_table_has_thirty_columns_in_order() -> None:
    assert len(COLUMNS) == 30
    assert [column.code for column in COLUMNS][::29] == ["CF_XDR_MC", "BZ"]
    personal = {column.code for column in COLUMNS if column.duty == "personal"}
    assert personal == {"CF_FRDB", "CF_FR_ZJLX", "CF_FR_ZJHM", "CF_XDR_ZJLX", "CF_XDR_ZJHM"}
    assert {column.code for column in COLUMNS if column.duty == "free_text"} == {"CF_SY", "CF_NR", "BZ"}


def test_a_good_row() -> None:
    assert body_of() == {
        "schema": "finding/1.0",
        "subject": {"uscc": company(1), "name": "昆山(第1)电镀有限公司", "type": None},
        "key": {"organ": ORGAN, "number": "苏环行罚字〔2026〕83第001号", "date": "2026-11-02", "normaliser": 1},
        "place": "320583",
        "source": {"id": "kunshan", "row": "KS2026000001"},
        "local_code": "KS-0104",
        "criterion": None,
        "legal_basis": "《中华人民共和国生态环境法典》有关规定",
        "kinds": ["罚款", "责令停产停业"],
        "amount": {"fine": "25000.00", "confiscated": None},
        "violation": "通过暗管排放生产废水",
        "decided_on": "2026-11-02",
        "published_on": "2026-11-05",
        "ends": {"publicity": "2028-11-02", "query": None, "measures": "2029-11-02"},
    }


@pytest.mark.parametrize(
    ("column", "value", "field", "reason"),
    [
        ("CF_GSJZQ", "1900-01-01", "CF_GSJZQ", "sentinel"),
        ("CF_YXQ", "1900/01/01", "CF_YXQ", "sentinel"),
        ("CF_JDRQ", "2099-12-31", "CF_JDRQ", "sentinel"),
        ("GSRQ", "9999-12-31", "GSRQ", "sentinel"),
        ("GSRQ", "", "GSRQ", "missing"),
        ("CF_JDRQ", "2026-02-30", "CF_JDRQ", "no_such_day"),
        ("CF_JDRQ", "去年十一月", "CF_JDRQ", "format"),
        ("CF_GSJZQ", "2026-11-01", "CF_GSJZQ", "before_decision"),
        ("CF_YXQ", "2026-11-01", "CF_YXQ", "before_decision"),
        ("CF_XDR_SHXYM", "", "CF_XDR_SHXYM", "missing"),
        ("CF_XDR_SHXYM", company(1)[:17] + "0", "CF_XDR_SHXYM", "outer_check"),
        ("CF_XDR_SHXYM", "91310114MA00000161", "CF_XDR_SHXYM", "inner_check"),
        ("CF_XDR_SHXYM", company(1).lower(), "CF_XDR_SHXYM", "lower_case"),
        ("CF_XDR_SHXYM", "320583000012345", "CF_XDR_SHXYM", "length"),
        ("CF_XDR_MC", " 　", "CF_XDR_MC", "missing"),
        ("CF_XDR_MC", "公" * 201, "CF_XDR_MC", "too_long"),
        ("CF_XDR_LB", "党政机关内设机构", "CF_XDR_LB", "unknown_value"),
        ("CF_WSH", "无", "CF_WSH", "placeholder"),
        ("CF_WSH", "不详", "CF_WSH", "placeholder"),
        ("CF_WSH", "/", "CF_WSH", "placeholder"),
        ("CF_WSH", "-", "CF_WSH", "placeholder"),
        ("CF_WSH", "", "CF_WSH", "placeholder"),
        ("CF_WSH", "沪环" * 70, "CF_WSH", "too_long"),
        ("CF_WSH", "\0x", "CF_WSH", "invalid"),
        ("CF_WSH", "环罚〔2026〕\x001号", "CF_WSH", "invalid"),
        ("CF_WSH", "abc", "CF_WSH", "invalid"),
        ("CF_WSH", "苏环罚字第号", "CF_WSH", "invalid"),
        ("CF_NR_FK", "-2", "CF_NR_FK", "negative"),
        ("CF_NR_FK", "2万元", "CF_NR_FK", "format"),
        ("CF_NR_FK", "0.0000001", "CF_NR_FK", "decimals"),
        ("CF_NR_WFFF", "1e3", "CF_NR_WFFF", "format"),
        ("CF_CFLB", "", "CF_CFLB", "missing"),
        ("CF_CFLB", "罚款;口头教育", "CF_CFLB", "unknown_value"),
        ("CF_YJ", "", "CF_YJ", "missing"),
        ("CF_YJ", "条" * 2049, "CF_YJ", "too_long"),
        ("CF_WFXW", " ", "CF_WFXW", "missing"),
        ("CF_CFJGDM", "11320500MB2000020X", "CF_CFJGDM", "outer_check"),
        ("SSQH", "", "SSQH", "missing"),
        ("SSQH", "昆山", "SSQH", "invalid"),
        ("RDDM", "K" * 65, "RDDM", "too_long"),
        ("FYZT", "听证中", "FYZT", "unknown_value"),
        ("ID", " ", "ID", "missing"),
    ],
)
def test_faults_go_to_quarantine_by_column_and_reason(column: str, value: str, field: str, reason: str) -> None:
    if column == "ID":
        (one,) = collect(penalty(1, ID=value)).quarantined
        assert (one.field, one.reason) == (field, reason)
    else:
        assert fault_of(**{column: value}) == (field, reason)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("沪0114环罚〔2026〕第12号", "沪0114环罚〔2026〕第12号"),
        ("苏环罚【2026】\n12号", "苏环罚〔2026〕12号"),
        ("昆环罚决字［２０２６］１２号", "昆环罚决字〔2026〕12号"),
        ("环罚字第十二号", "环罚字第十二号"),
        ("环罚〔二〇二六〕一号", "环罚〔二〇二六〕一号"),
        ("KS-2026-0012", "KS-2026-0012"),
    ],
)
def test_every_style_of_a_number_that_numbers_something_is_taken(written: str, normal: str) -> None:
    assert body_of(CF_WSH=written)["key"]["number"] == normal


@pytest.mark.parametrize(
    ("name", "code"),
    [("CF_XDR_MC", "CF_XDR_SHXYM"), ("CF_SJLY", "CF_SJLYDM"), ("CF_CFJG", "CF_CFJGDM")],
)
def test_name_and_code_swapped(name: str, code: str) -> None:
    row = penalty(1)
    assert fault_of(**{name: row[code], code: row[name]}) == (code, "swapped")


def test_the_units_internal_key_in_place_of_its_name() -> None:
    assert fault_of(CF_SJLY="8a8080e2-77", CF_SJLYDM="杭州市某某局") == ("CF_SJLYDM", "swapped")


@pytest.mark.parametrize("column", ["CF_XDR_MC", "CF_WFXW", "CF_YJ"])
@pytest.mark.parametrize("number", ["11010519491231002X", "１１０１０５１９４９１２３１００２Ｘ", "13800138000"])
def test_numbers_of_persons_in_a_text_that_would_pass(column: str, number: str) -> None:
    assert fault_of(**{column: f"责任人（{number}）"}) == (column, "personal_content")


@pytest.mark.parametrize("column", ["CF_WSH", "RDDM"])
def test_an_identity_number_in_a_number_or_code(column: str) -> None:
    assert fault_of(**{column: "第11010519491231002X号"}) == (column, "personal_content")
    body_of(**{column: "第13800138000号"})


def test_a_row_that_is_far_too_large() -> None:
    page = collect(penalty(1, CF_SY="事" * 30_000), penalty(2))
    (one,) = page.quarantined
    assert (one.field, one.reason) == ("row", "too_large") and one.row.startswith("hmac-")
    assert len(page.records) == 1


def test_long_numbers_that_are_no_persons() -> None:
    assert body_of(CF_YJ="许可证编号320583202600000001号")["legal_basis"].startswith("许可证")


@pytest.mark.parametrize("end", ["", "无处罚期限", "长期", "2099/12/31", "9999-12-31"])
def test_no_end_stated(end: str) -> None:
    assert body_of(CF_YXQ=end, CF_GSJZQ=end)["ends"] == {"publicity": None, "query": None, "measures": None}


@pytest.mark.parametrize(
    ("wan", "cny"), [("0.2", "2000.00"), ("2", "20000.00"), ("0.000001", "0.01"), ("", None), ("0", "0.00")]
)
def test_ten_thousands_become_yuan(wan: str, cny: str | None) -> None:
    assert body_of(CF_NR_FK=wan)["amount"]["fine"] == cny


def test_one_form_of_names_numbers_and_days() -> None:
    body = body_of(
        CF_XDR_MC="昆山（第1）\n电镀 有限公司",
        CF_XDR_SHXYM=" ９１３２０５８３ＭＡ" + company(1)[10:] + "　",
        CF_WSH="苏环行罚字【２０２６】 83第001号",
        CF_JDRQ="2026年11月2日",
        CF_YJ="第一条\r\n第二条\x07",
        GSRQ="20261105",
    )
    assert body == body_of(CF_YJ="第一条 第二条")


def test_kinds_once_each_and_without_their_supplement() -> None:
    assert body_of(CF_CFLB="罚款；罚款,其他-责令张某道歉")["kinds"] == ["罚款", "其他"]
    assert set(body_of(CF_CFLB=";".join(sorted(KINDS)))["kinds"]) == set(KINDS)


def test_organ_of_the_facts_page_and_class_of_the_code() -> None:
    body = body_of(CF_CFJGDM="", CF_XDR_LB="", CF_CFJG="", CF_SJLY="", CF_SJLYDM="")
    assert body["key"]["organ"] == FACTS.publisher.organ


def test_a_row_without_a_determination_passes_undetermined() -> None:
    assert body_of(RDDM="")["local_code"] == ""


def test_the_place_is_the_one_stated() -> None:
    assert body_of(SSQH="320585")["place"] == "320585"


def test_a_code_with_letters_in_front() -> None:
    from schemas.identifiers import make_uscc

    army = make_uscc("A1320583", "MA000001")
    assert body_of(CF_XDR_SHXYM=army)["subject"]["uscc"] == army
