"""What people complain of in such data, each complaint and each fault seen in real code or data with what answers it.

The faults: ``1900-01-01`` as end of publicity; an end that a database stamps at each edit; name and code of the source
unit swapped; text in a date; codes whose check digit nobody made. The complaints: identifiers left empty, the same
papers filed several times, other words for the same column, penalties of one firm under two ways to write its name.
"""

import pytest
from adapter_rows import STAMP, Row, company, facts_of, penalty
from test_adapter_penalty import body_of, collect, fault_of

from adapters.records import FindingRecord
from adapters.remedies import REMEDIES, is_incomplete
from schemas.identifiers import make_uscc

pytestmark = pytest.mark.fast
CODE = company(1)


@pytest.mark.parametrize(
    ("about", "changes", "at", "reason"),
    [
        ("1900-01-01 as end of publicity", {"CF_GSJZQ": "1900-01-01"}, "CF_GSJZQ", "sentinel"),
        ("an end stamped at each edit", {"CF_GSJZQ": "2026-11-22 10:31:07"}, "CF_GSJZQ", "stamped"),
        ("the same in the period of effect", {"CF_YXQ": "2026-11-22 10:31:07.0"}, "CF_YXQ", "stamped"),
        ("name and code swapped", {"CF_SJLY": "8a8080e2", "CF_SJLYDM": "某某局"}, "CF_SJLYDM", "swapped"),
        (
            "organ and its code swapped",
            {"CF_CFJG": "11320500MB2000020M", "CF_CFJGDM": "某某局"},
            "CF_CFJGDM",
            "swapped",
        ),
        ("a made-up code", {"CF_XDR_SHXYM": CODE[:17] + "0"}, "CF_XDR_SHXYM", "outer_check"),
        ("its inner check skipped", {"CF_XDR_SHXYM": "91310114MA00000161"}, "CF_XDR_SHXYM", "inner_check"),
        ("identifier left empty", {"CF_XDR_SHXYM": "", "CF_XDR_ZJHM": ""}, "CF_XDR_SHXYM", "missing"),
        ("another firm's organisation code", {"CF_XDR_ZZJG": "123456789"}, "CF_XDR_ZZJG", "contradicts"),
        ("no number of the decision", {"CF_WSH": "/"}, "CF_WSH", "placeholder"),
        ("a day written as words", {"CF_JDRQ": "去年"}, "CF_JDRQ", "format"),
    ],
)
def test_each_fault_is_named_and_has_a_remedy(about: str, changes: Row, at: str, reason: str) -> None:
    assert fault_of(**changes) == (at, reason), about
    assert REMEDIES[reason].turn == "source"
    assert is_incomplete(reason) == (reason in {"missing", "placeholder", "sentinel"})


def test_text_in_place_of_an_end_says_that_none_is_stated() -> None:
    for text in ("无处罚期限", "长期", "2099-12-31"):
        assert body_of(CF_YXQ=text)["ends"]["measures"] is None


def test_the_same_papers_filed_several_times_are_one() -> None:
    page = collect(penalty(1), penalty(1), penalty(1, GXSJ="2026-11-22 10:00:00.000000"))
    assert len(page.records) == 1 and page.duplicates == 2 and page.balanced


def test_two_decisions_under_one_key_stay_back_both() -> None:
    page = collect(penalty(1), penalty(1, CF_WSH="苏环行罚字[2026]9号", GXSJ="2026-11-22 10:00:00.000000"))
    assert not page.records and [one.reason for one in page.quarantined] == ["duplicate_key"] * 2


def test_one_firm_and_one_decision_however_they_are_written() -> None:
    one = body_of(CF_XDR_MC="昆山（上海）有限 公司", CF_WSH="苏环罚【2026】1号")
    two = body_of(CF_XDR_MC="昆山(上海)有限公司", CF_WSH="苏环罚(2026)1 号")
    assert (one["subject"], one["key"]) == (two["subject"], two["key"])


def test_other_words_for_the_same_column_are_understood() -> None:
    row = penalty(1)
    row["行政处罚决定书文号"], row["CF_XDR_ZDM"] = row.pop("CF_WSH"), row.pop("CF_XDR_ZZJG")
    (record,) = collect(row).records
    assert isinstance(record, FindingRecord) and record.body["key"]["number"].startswith("苏环行罚字")


def test_a_sole_proprietor_under_the_class_of_legal_persons_is_seen_by_its_code() -> None:
    page = collect(penalty(1, CF_XDR_SHXYM=make_uscc("92320583", "MA000001")))
    assert page.refused == {"sole_proprietor": 1} and not page.records and not page.quarantined


def test_a_row_only_touched_is_the_same_row() -> None:
    facts = facts_of("kunshan")
    assert "LYSJ" in facts.columns.ignored
    first, touched = (collect(penalty(1, GXSJ=at) | {"LYSJ": at}).records[0] for at in (STAMP, "2026-11-23 08:00:00"))
    assert first.digest == touched.digest and first.updated < touched.updated
