"""Hostile values where nobody looks for them: in row keys, in stamps of updating and in names of columns."""

import orjson
import pytest
from adapter_rows import PERSON, PERSON_NUMBER, ROW_KEY, STAMP, Row, company, facts_of, penalty, relief
from test_adapter_penalty import body_of, collect, fault_of
from test_adapter_relief import collect as collect_relief

from adapters.base import RowFault
from adapters.border import Border
from adapters.persons import ask_leftover
from adapters.records import FindingRecord, ReliefRecord
from adapters.times import FOLDS, SHAPES, canonical_time

pytestmark = pytest.mark.fast

SHANGHAI = "Asia/Shanghai"
NO_TIMES = [
    "",
    PERSON,
    PERSON_NUMBER,
    f"2026-11-05 {PERSON}",
    f"{PERSON} 2026-11-05",
    "310101199001011237",
    "13800138000",
    "2026-13-01",
    "2026-02-30 08:00:00",
    "2026-11-05 24:00:00",
    "2026-11-05 08:60",
    "2026-11-05 08:00:00.1234567",
    "2026-11/05",
    "2026-W45",
    "2026-309",
    "05/11/2026",
    "0000-00-00 00:00:00",
    "9999-12-31 23:00:00-05:00",
    "0001-01-01 00:00:00Z+08:00",
    "٢٠٢٦-١١-٠٥",
    "2026-11-05\n08:00\n",
]


@pytest.mark.parametrize(
    "key",
    [
        "ID310101199001011237",
        "310101199001011237/1",
        "31010119900101123X-2",
        "sfz31010119900101123xb",
        "310101900101123",
        "A310101900101123B",
        "310101-19900101-1237",
        "310101.1990.0101.1237#2",
        "０３１０１０１１９９００１０１１２３７",
        "٣١٠١٠١١٩٩٠٠١٠١١٢٣٧",
        "张三2026",
        "2026张三",
        "嘉环-2026-001",
        "〇2026",
        "𠮷2026",
        "X" + "1" * 40,
        "hmac-310101199001011237",
    ],
)
def test_a_key_that_holds_a_person_is_a_keyed_hash_everywhere(key: str) -> None:
    (one,) = collect(penalty(1, ID=key)).records
    assert isinstance(one, FindingRecord)
    assert one.row == one.body["source"]["row"] and one.row.startswith("hmac-") and len(one.row) == 37
    (set_aside,) = collect(penalty(1, ID=key, SSQH="")).quarantined
    assert set_aside.row == one.row
    (waits,) = collect(penalty(1, ID=key, FYZT="复议中")).waiting
    assert waits.row == one.row
    (saying,) = collect_relief(relief(1, ID=key)).records
    assert saying.row == f"relief/{one.row}"
    assert all(key not in repr(it) for it in (one, set_aside, waits, saying))


@pytest.mark.parametrize("row", ["ID310101199001011237", "张三2026", "hmac-310101199001011237"])
def test_the_last_look_sees_the_row_too(row: str) -> None:
    body = body_of()
    ask_leftover(body)
    ask_leftover(body | {"source": {"id": "kunshan", "row": "hmac-" + "1" * 32}})
    with pytest.raises(RowFault) as caught:
        ask_leftover(body | {"source": {"id": "kunshan", "row": row}})
    assert (caught.value.field, caught.value.reason) == ("source.row", "personal_content")
    assert row not in caught.value.sentence


def test_a_row_refused_for_its_key_is_not_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Border, "row_name", lambda self, kind, key: key)
    (one,) = (page := collect(penalty(1, ID="ID310101199001011237"))).quarantined
    assert one.field == "source.row" and one.row.startswith("hmac-")
    assert "310101199001011237" not in repr(page)


@pytest.mark.parametrize("column", ["CF_XDR_MC", "CF_WFXW", "CF_YJ", "CF_WSH", "RDDM"])
@pytest.mark.parametrize(
    "text",
    [
        "ID310101199001011237", "310101199001011237号", "身份证NO11010519491231002XA", "110105-19491231-002X",
        "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", "110105491231002",
    ],
)  # fmt: skip
def test_letters_around_an_identity_number_and_signs_within_it_hide_nothing(column: str, text: str) -> None:
    assert fault_of(**{column: text}) == (column, "personal_content")


def test_codes_of_organisations_still_pass_in_texts() -> None:
    codes = [company(7), "91310114607300001X", f"{company(7)}001P", "913205831990010112370001P"]
    assert body_of(CF_YJ=f"许可证{'、'.join(codes)}")["legal_basis"].endswith("P")
    assert body_of(CF_XDR_SHXYM=company(7))["subject"]["uscc"] == company(7)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026/11/5 8:00", "2026-11-05 08:00:00.000000"),
        ("2026-11-05", "2026-11-05 00:00:00.000000"),
        ("2026-11-05T08:00:00", "2026-11-05 08:00:00.000000"),
        ("2026-11-05 08:00:00.5", "2026-11-05 08:00:00.500000"),
        (" 2026-11-05 08:00:00.000123 ", "2026-11-05 08:00:00.000123"),
        ("2026.11.5", "2026-11-05 00:00:00.000000"),
        ("20261105", "2026-11-05 00:00:00.000000"),
        ("2026年11月5日 8:00:01", "2026-11-05 08:00:01.000000"),
        ("２０２６－１１－０５", "2026-11-05 00:00:00.000000"),
        ("2026-11-05T08:00:00+08:00", "2026-11-05 08:00:00.000000"),
        ("2026-11-05T00:00:00Z", "2026-11-05 08:00:00.000000"),
        (STAMP, STAMP),
    ],
)
def test_usual_writings_of_a_time(text: str, time: str) -> None:
    assert canonical_time(text, SHANGHAI) == time
    assert canonical_time(time, SHANGHAI) == time
    (one,) = collect(penalty(1, GXSJ=text)).records
    assert one.updated == time


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_empty_and_goes_nowhere(text: str) -> None:
    assert canonical_time(text, SHANGHAI) == ""
    found = (
        *collect(penalty(1, GXSJ=text)).records,
        *collect(penalty(1, GXSJ=text, FYZT="复议中")).waiting,
        *collect_relief(relief(1, GXSJ=text)).records,
    )
    assert [one.updated for one in found] == [""] * 3
    assert isinstance(found[2], ReliefRecord)
    assert not text or text not in repr(found)


def test_versions_are_ordered_by_time_and_not_by_writing() -> None:
    early, late = penalty(1, GXSJ="2026/9/9 9:00", CF_NR_FK="1"), penalty(1, GXSJ="2026/11/5 8:00", CF_NR_FK="3")
    for rows in ((early, late), (late, early)):
        (one,) = collect(*rows).records
        assert isinstance(one, FindingRecord) and one.body["amount"]["fine"] == "30000.00"
    page = collect(early, penalty(1, GXSJ="2026-09-09T09:00", CF_NR_FK="3"))
    assert [one.reason for one in page.quarantined] == ["duplicate_key"] * 2


@pytest.mark.parametrize("text", ["", PERSON])
def test_a_version_without_a_time_is_neither_earlier_nor_later(text: str) -> None:
    page = collect(penalty(1), penalty(1, GXSJ=text, CF_NR_FK="3"))
    assert [one.reason for one in page.quarantined] == ["duplicate_key"] * 2


def test_shapes_hold_nothing_but_times() -> None:
    def shape(text: str) -> str:
        for old, new in FOLDS:
            text = text.replace(old, new)
        return text

    for text in ("", PERSON, PERSON_NUMBER, f"2026-11-05 {PERSON}", "310101199001011237", "13800138000", "05/11/2026"):
        assert shape(text) not in SHAPES
    for text in ("2026/11/5 8:00", "2026-11-05", "2026年11月5日", "2026-11-05T08:00:00.123456+08:00", STAMP):
        assert shape(text) in SHAPES


@pytest.mark.parametrize(
    "name",
    [
        PERSON,
        PERSON_NUMBER,
        "ID310101199001011237",
        "KS2026000001",
        company(1),
        "苏环行罚字[2026]83第001号",
        "Zhang San",
        "_x",
        "a" * 41,
        "2026-11-05",
        "",
        "<script>",
        "A\n",
    ],
)
def test_a_column_name_that_may_be_content_is_not_shown(name: str) -> None:
    page = collect(penalty(1) | {name: "x", "另一个": "y", "XXLX": "z"})
    assert page.unknown_columns == {"unnamed column", "XXLX"}
    assert len(page.records) == 1


def test_a_file_without_its_header_line_shows_nothing_of_its_row() -> None:
    values = dict.fromkeys(value for value in penalty(1).values() if value)
    row: Row = {"ID": "1"} | dict.fromkeys(values, "x")
    page = collect(row)
    assert "unnamed column" in page.unknown_columns
    for secret in (PERSON, PERSON_NUMBER, company(1), "KS2026000001", "电镀"):
        assert secret not in repr(page)


def test_a_label_of_the_standard_may_be_shown() -> None:
    layout = Border(facts_of("kunshan"), ROW_KEY).layout("relief", ("ID", "法定代表人", PERSON))
    assert layout.unknown == {"法定代表人", "unnamed column"}
    assert PERSON not in orjson.dumps(sorted(layout.unknown)).decode()
