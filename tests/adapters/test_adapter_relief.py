"""Reading one relief row: never kept back for what stands beside, always for what names the finding."""

import pytest
from adapter_rows import ORGAN, PERSON_NUMBER, ROW_KEY, Row, company, facts_of, relief
from test_adapter_penalty import Rows

from adapters.base import RawRow
from adapters.records import Collected, ReliefRecord
from adapters.source import Source
from schemas.identifiers import make_uscc
from schemas.registry import check_body

pytestmark = pytest.mark.fast


class ReliefRows(Rows):
    """The given rows, as relief."""

    def pull(self, cursor: object) -> object:
        page = super().pull(None)
        page.rows = [RawRow("relief", row.key, row.fields, row.where) for row in page.rows]
        return page


def collect(*rows: Row) -> Collected:
    page = Source(ReliefRows(*rows), facts_of("kunshan"), ROW_KEY).collect(None)
    assert page.balanced
    return page


def record_of(**changes: str) -> ReliefRecord:
    (record,) = collect(relief(1, **changes)).records
    assert isinstance(record, ReliefRecord)
    check_body(record.kind, record.body)
    return record


def test_a_good_row() -> None:
    record = record_of()
    assert (record.row, record.kind, record.organ, record.uscc) == (
        "relief/XF000001",
        "relief.repaired",
        ORGAN,
        company(1),
    )
    assert record.number == "苏环行罚字〔2026〕83第001号"
    assert record.left_out == ()
    assert record.body == {
        "schema": "relief/1.0",
        "ground": "XF-01",
        "by": ORGAN,
        "document": "昆环修〔2026〕1号",
        "received_on": None,
        "effective_from": "2026-11-20",
        "clears": [],
    }


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("异议", "relief.disputed"),
        ("中止", "relief.suspended"),
        ("修复", "relief.repaired"),
        ("撤销", "relief.revoked"),
        ("到期", "relief.expired"),
        ("维持", "finding.upheld"),
        (" 恢复 ", "finding.resumed"),
    ],
)
def test_every_status(state: str, kind: str) -> None:
    record = record_of(XF_ZT=state)
    assert record.kind == kind
    assert record.body["received_on"] == ("2026-11-20" if kind == "relief.disputed" else None)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"XF_RQ": "1900-01-01"}, "XF_RQ", "sentinel"),
        ({"XF_RQ": ""}, "XF_RQ", "missing"),
        ({"XF_LX": "公司已经整改"}, "XF_LX", "invalid"),
        ({"XF_WS": "文" * 129}, "XF_WS", "too_long"),
        ({"XF_WS": f"告知{PERSON_NUMBER}"}, "XF_WS", "personal_content"),
        ({"XF_LX": PERSON_NUMBER}, "XF_LX", "personal_content"),
    ],
)
def test_relief_is_not_kept_back_and_the_reverse_is(changes: Row, field: str, reason: str) -> None:
    for state in ("异议", "中止", "修复", "撤销", "到期"):
        record = record_of(XF_ZT=state, **changes)
        assert [(fault.field, fault.reason) for fault in record.left_out] == [(field, reason)]
    for state in ("维持", "恢复"):
        (one,) = collect(relief(1, XF_ZT=state, **changes)).quarantined
        assert (one.row, one.field, one.reason) == ("relief/XF000001", field, reason)


def test_relief_finds_its_finding_also_by_a_number_that_none_would_be_issued_by() -> None:
    """A row that only lets go is not kept back by what stands between the characters of the number."""
    assert record_of(CF_WSH="苏环行罚字〔2026〕\x0083第001号").number == "苏环行罚字〔2026〕83第001号"


@pytest.mark.parametrize("number", ["320583-20130405-0012", "嘉环罚320583550101001号"])
def test_relief_is_not_kept_from_what_was_issued_by_a_number_like_a_persons(number: str) -> None:
    """None would be issued by it today; one that was, under an earlier version, may still be relieved."""
    assert record_of(CF_WSH=number).number == number


def test_without_a_ground_or_a_document() -> None:
    body = record_of(XF_LX="", XF_WS="").body
    assert (body["ground"], body["document"]) == ("unstated", None)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"XF_ZT": "完成"}, "XF_ZT", "unknown_value"),
        ({"XF_ZT": ""}, "XF_ZT", "unknown_value"),
        ({"CF_WSH": "无"}, "CF_WSH", "placeholder"),
        ({"CF_WSH": f"虚环罚〔2026〕{PERSON_NUMBER}号"}, "CF_WSH", "personal_content"),
        ({"CF_XDR_SHXYM": ""}, "CF_XDR_SHXYM", "missing"),
        ({"CF_CFJGDM": "113205"}, "CF_CFJGDM", "length"),
        ({"CF_WSH": f"昆环罚〔2026〕{PERSON_NUMBER}"}, "CF_WSH", "personal_content"),
    ],
)
def test_what_names_the_finding_must_be_right(changes: Row, field: str, reason: str) -> None:
    (one,) = collect(relief(1, **changes)).quarantined
    assert (one.field, one.reason) == (field, reason)


def test_persons_and_proprietors_are_only_counted() -> None:
    proprietor = make_uscc("92320583", "MA000001")
    page = collect(relief(1, CF_XDR_SHXYM=PERSON_NUMBER), relief(2, CF_XDR_SHXYM=proprietor))
    assert page.refused == {"natural_person": 1, "sole_proprietor": 1}
    assert "XF00000" not in repr(page)


def test_the_organ_of_the_facts_page() -> None:
    assert record_of(CF_CFJGDM="").organ == facts_of("kunshan").publisher.organ
