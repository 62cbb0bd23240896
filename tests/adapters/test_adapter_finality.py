"""Finality and legacy columns: what waits and until when, and rows of the 2016 to 2018 generation."""

import datetime as dt

import pytest
from adapter_rows import PERSON, ROW_KEY, SOURCES, Row, company, facts_of, penalty
from test_adapter_penalty import FACTS, Rows, body_of, collect, fault_of

from adapters.facts import SourceFacts, parse_facts
from adapters.records import Collected, ReliefRecord
from adapters.source import Source
from schemas.registry import check_body

pytestmark = pytest.mark.fast

TODAY = dt.date(2026, 11, 22)


def facts_with(more: str, old: str = "", new: str = "") -> SourceFacts:
    """The files-mode facts page with changes."""
    text = (SOURCES / "kunshan.toml").read_text("utf-8")
    assert old in text
    return parse_facts((text.replace(old, new, 1) + more).encode())


def on(day: dt.date, row: Row, facts: SourceFacts = FACTS) -> Collected:
    """The verdict on one row on a day."""
    page = Source(Rows(row), facts, ROW_KEY).collect(None, day)
    assert page.balanced
    return page


REVIEWED = facts_with("", 'review = "FYZT"', 'review = "FYZT"\nreview_until = "FYQX"')


def test_a_period_of_review_that_the_source_states_is_waited_for() -> None:
    row = penalty(1) | {"FYQX": "2026-12-31"}
    (wait,) = on(TODAY, row, REVIEWED).waiting
    assert (wait.reason, wait.taken_on) == ("review_period", "2027-01-01")
    assert on(dt.date(2026, 12, 31), row, REVIEWED).waiting
    assert on(dt.date(2027, 1, 1), row, REVIEWED).records
    assert on(TODAY, row | {"FYQX": ""}, REVIEWED).records
    (bad,) = on(TODAY, row | {"FYQX": "1900-01-01"}, REVIEWED).quarantined
    assert (bad.field, bad.reason) == ("FYQX", "sentinel")


def test_without_its_column_of_review_nobody_takes_a_row_for_final() -> None:
    row = penalty(1)
    del row["FYZT"]
    (fault,) = on(TODAY, row).quarantined
    assert (fault.field, fault.reason) == ("FYZT", "missing")
    service = facts_of("jiading")
    assert on(TODAY, row, service).records  # a service may leave out what is empty


def test_windows_of_law_alone_keep_nothing_back() -> None:
    assert on(TODAY, penalty(1, CF_JDRQ="2026-11-20", GSRQ="2026-11-22")).records


def test_what_is_published_later_is_taken_when_its_day_comes() -> None:
    row = penalty(1, GSRQ="2026-11-25")
    (wait,) = on(TODAY, row).waiting
    assert (wait.reason, wait.taken_on) == ("not_published", "2026-11-25")
    assert on(dt.date(2026, 11, 25), row).records


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"CF_JDRQ": "2206-11-02", "GSRQ": "2206-11-05", "CF_YXQ": "", "CF_GSJZQ": ""}, "CF_JDRQ", "in_future"),
        ({"GSRQ": "2206-11-05"}, "GSRQ", "in_future"),
        ({"GSRQ": "2026-11-01"}, "GSRQ", "before_decision"),
    ],
)
def test_days_that_are_slips_of_the_pen(changes: Row, field: str, reason: str) -> None:
    (one,) = on(TODAY, penalty(1, **changes)).quarantined
    assert (one.field, one.reason) == (field, reason)


@pytest.mark.parametrize("column", ["CF_GSJZQ", "CF_YXQ"])
def test_an_end_that_the_database_moves_at_each_edit(column: str) -> None:
    """The column declared ON UPDATE CURRENT_TIMESTAMP: its value is a moment, and no legal end is one."""
    assert fault_of(**{column: "2028-11-22 09:13:20"}) == (column, "stamped")
    assert fault_of(**{column: "2028/11/22T9:00"}) == (column, "stamped")
    for day in ("2028-11-22 00:00:00", "2028-11-22 0:00", "2028-11-22 23:59:59", "2028-11-22T00:00:00.000"):
        body_of(**{column: day})


def test_the_code_inside_the_code() -> None:
    inner = company(1)[8:17]
    for same in (inner, f"{inner[:8]}-{inner[8:]}", "", "32058300001"):
        body_of(CF_XDR_ZZJG=same)
    assert fault_of(CF_XDR_ZZJG=company(2)[8:17]) == ("CF_XDR_ZZJG", "contradicts")


def test_one_decision_about_two_organisations_is_two_findings() -> None:
    page = collect(penalty(1), penalty(2, CF_WSH=penalty(1)["CF_WSH"]))
    assert len({record.body["subject"]["uscc"] for record in page.records}) == 2


def test_a_record_says_where_it_stood() -> None:
    assert [one.where for one in collect(penalty(1)).records] == ["rows"]


@pytest.mark.parametrize("name", ["坏\udcff.csv:3", "XZCF_310101199001011237_.csv", "x" * 201])
def test_a_file_whose_name_cannot_be_kept_is_named_by_a_hash(name: str) -> None:
    from adapters.border import Border

    shown = Border(FACTS, ROW_KEY).shown_place(name)
    assert shown.startswith("hmac-") and shown != Border(FACTS, ROW_KEY).shown_place("other" * 60)
    assert Border(FACTS, ROW_KEY).shown_place("XZCF_20261122222044013269.csv:7").endswith(":7")


LEGACY = facts_with('\n[legacy]\nviolations = { "KS-0104" = "通过暗管排放生产废水" }\n')


def legacy(**changes: str) -> Row:
    """A row as systems of 2016 to 2018 write it: no organ's code, violation, class or term; other names."""
    new = penalty(1)
    gone = ("CF_CFJGDM", "CF_WFXW", "CF_XDR_LB", "CF_YXQ", "CF_CFLB", "CF_FRDB", "CF_NR", "CF_CFJG", "CF_XDR_ZZJG",
            "RDDM", "SSQH", "GXSJ", "CF_SJLY", "CF_SJLYDM")  # fmt: skip
    old = {"CF_BM": "KS-0104", "DFBM": "320583", "SJC": "2026-11-22 09:00:00", "CF_CFLB1": "罚款", "CF_CFLB2": "警告",
           "CF_FR": PERSON, "CF_JG": f"由{PERSON}接收", "CF_XZJG": "苏州市生态环境局", "CF_CFMC": f"{PERSON}案",
           "CF_XDR_ZDM": company(1)[8:17], "CF_ZT": "0", "CF_SYFW": "0", "CF_SXYZCD": "1"}  # fmt: skip
    return {name: value for name, value in new.items() if name not in gone} | old | changes


def test_the_gaps_of_a_legacy_row_are_filled_by_the_facts_page() -> None:
    page = on(TODAY, legacy(), LEGACY)
    (record,) = page.records
    body = record.body
    check_body("finding.issued", body)
    assert page.unknown_columns == set() and PERSON not in repr(page)
    assert body["key"]["organ"] == LEGACY.publisher.organ and body["kinds"] == ["罚款", "警告"]
    assert body["violation"] == "通过暗管排放生产废水" and body["ends"]["measures"] is None
    assert (body["place"], body["local_code"], record.updated[:10]) == ("320583", "KS-0104", "2026-11-22")
    assert page.personal == {"CF_FRDB": 1, "CF_FR_ZJLX": 1, "CF_FR_ZJHM": 1}


def test_a_violation_that_nobody_has_mapped_goes_to_the_desk() -> None:
    (one,) = on(TODAY, legacy(CF_BM="KS-9999"), LEGACY).quarantined
    assert (one.field, one.reason) == ("CF_WFXW", "unmapped_violation") and "facts page" in one.sentence


@pytest.mark.parametrize(("scope", "reason"), [("1", "not_public"), ("2", "not_public")])
def test_what_is_not_for_the_public_waits(scope: str, reason: str) -> None:
    (wait,) = on(TODAY, legacy(CF_SYFW=scope), LEGACY).waiting
    assert (wait.reason, wait.taken_on) == (reason, "")


@pytest.mark.parametrize("column", ["CF_ZT", "CF_SYFW"])
def test_a_status_or_scope_nobody_explains(column: str) -> None:
    (one,) = on(TODAY, legacy(**{column: "3"}), LEGACY).quarantined
    assert (one.field, one.reason) == (column, "unknown_value")


def test_a_row_that_says_it_is_revoked_is_relief_and_no_finding() -> None:
    (one,) = on(TODAY, legacy(CF_ZT="1", CF_JDRQ="?"), LEGACY).records
    assert isinstance(one, ReliefRecord) and one.kind == "relief.revoked" and one.row == "KS2026000001"
    check_body(one.kind, one.body)


def test_a_row_that_says_it_is_disputed_is_a_finding_with_a_mark() -> None:
    page = on(TODAY, legacy(CF_ZT="2"), LEGACY)
    assert len(page.records) == 1 and page.states == {"KS2026000001": "relief.disputed"}
    assert collect(penalty(1)).states == {}


STATES = facts_with(
    '\n[state]\nN = "in_force"\nX = "relief.repaired"\nD = "desk"\n', "[columns]", '[columns]\nstate = "ZT"'
)


def test_the_facts_page_says_what_states_mean() -> None:
    assert on(TODAY, penalty(1) | {"ZT": "N"}, STATES).states == {"KS2026000001": "in_force"}
    (one,) = on(TODAY, penalty(1) | {"ZT": "X"}, STATES).records
    assert isinstance(one, ReliefRecord) and one.kind == "relief.repaired"
    assert on(TODAY, penalty(1) | {"ZT": "N"}, STATES).unknown_columns == set()
    (one,) = on(TODAY, penalty(1) | {"ZT": "D"}, STATES).quarantined
    assert (one.field, one.reason) == ("ZT", "needs_person")


def test_known_odd_values_are_what_the_facts_page_says_they_are() -> None:
    odd = facts_with('\n[columns.odd.CF_NR_FK]\n"贰万元" = "2"\n[columns.odd.CF_GSJZQ]\n"1900-01-01" = ""\n')
    (record,) = on(TODAY, penalty(1, CF_NR_FK=" 贰万元 ", CF_GSJZQ="1900-01-01"), odd).records
    assert record.body["amount"]["fine"] == "20000.00" and record.body["ends"]["publicity"] is None
    assert on(TODAY, penalty(1, CF_NR_FK="叁万元"), odd).quarantined[0].reason == "format"
    assert record.digest != on(TODAY, penalty(1, CF_NR_FK="2", CF_GSJZQ=""), odd).records[0].digest
