"""Two versions: which rows differ, said in two languages, and whom that would restrict or release in which region."""

from datetime import date

import pytest
from test_agreement_explanation import body

from syncd.agreement.comparison import affected, changes
from syncd.agreement.load import load_agreement
from syncd.agreement.model import Agreement

pytestmark = pytest.mark.fast

DAY = date(2026, 11, 22)


def edited(files: dict[str, bytes], *edits: tuple[str, str, str]) -> Agreement:
    changed = {path: data for path, data in files.items() if not path.startswith("members/")}
    for path, old, new in edits:
        text = changed[path].decode()
        assert old in text, (path, old)
        changed[path] = text.replace(old, new, 1).encode()
    return load_agreement(changed)


MONTHS = ("regions/320585.toml", 'criterion = "EP-04"\nmode = "automatic"\nmonths = 24',
          'criterion = "EP-04"\nmode = "automatic"\nmonths = 12')  # fmt: skip
REVIEW = ("regions/310114.toml", 'criterion = "EP-04"\nmode = "automatic"', 'criterion = "EP-04"\nmode = "review"')


def with_code(code: str, severe: bool) -> tuple[str, str, str]:
    """Kunshan's list with one code more."""
    criterion = 'criterion = "EP-04"\n' if severe else ""
    row = f'code = "{code}"\n{criterion}subject_type = "POLLUTER"\nmeaning_zh = "示例"\n'
    row += f'severe = {str(severe).lower()}\nstatus = "illustrative"\n'
    return "regions/320583.toml", "[[local_codes]]\n", f"[[local_codes]]\n{row}\n[[local_codes]]\n"


def test_each_row_that_differs_is_said_once_in_both_languages(
    agreement: Agreement, agreement_files: dict[str, bytes]
) -> None:
    later = ("agreement.toml", "effective_from = 2019", "effective_from = 2020")
    second = edited(agreement_files, MONTHS, with_code("KS-0177", severe=False), later)
    found = {(one.table, one.id): one for one in changes(agreement, second)}
    assert found.keys() == {("rules", "EP-04"), ("local_codes", "KS-0177"), ("effective_from", "")}
    rule = found["rules", "EP-04"]
    assert (rule.kind, rule.region, rule.was, rule.now) == ("changed", "320585", {"months": "24"}, {"months": "12"})
    assert rule.zh == "320585 互认规则EP-04：修改 months 24 → 12"
    assert rule.en == "rule EP-04 of 320585: changed months 24 → 12"
    assert found["local_codes", "KS-0177"].en == "local code KS-0177 of 320583: added"
    assert changes(agreement, agreement) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "table", "said"),
    [
        ("purposes.toml", '"MA-03", "MA-04"', '"MA-04"', "purposes", "信用审查用途tender：修改 measures"),
        ("honours.toml", 'name_en = "white list"', 'name_en = "a list"', "honours", "守信荣誉HN-WHITE：修改 name_en"),
        ("incentives.toml", 'regions = ["320583"]', 'regions = ["320585"]', "incentives", "激励措施IN-GREEN：修改"),
        ("regions/320583.toml", "[[rewards]]\nid", "[[rewards]]\n# now\nid", "text", "文件注释或排列regions/320583"),
        ("regions/320585.toml", 'department = "', 'department = "新', "region", "320585 地区文首：修改 department"),
        ("sources.toml", 'address = "昆山市信用办内部简报"', 'address = "x"', "sources", "出处SEED：修改 address"),
        ("agreement.toml", 'field_zh = "生态环境"', 'field_zh = "环境"', "head", "协议文首：修改 field_zh"),
        ("publicity.toml", 'kinds = ["警告", "通报批评"]', 'kinds = ["警告"]', "classes", "处罚等级minor：修改 kinds"),
        ("criteria.toml", "# Criteria of severe", "# Criteria of grave", "text", "文件注释或排列criteria.toml：修改"),
    ],
)  # fmt: skip
def test_whatever_changes_the_digest_is_said(
    agreement: Agreement, agreement_files: dict[str, bytes], path: str, old: str, new: str, table: str, said: str
) -> None:
    found = [one for one in changes(agreement, edited(agreement_files, (path, old, new))) if one.table == table]
    assert len(found) == 1 and found[0].zh.startswith(said) and found[0].en


def test_a_row_without_a_code_is_never_hidden_by_another_about_the_same(
    agreement: Agreement, agreement_files: dict[str, bytes]
) -> None:
    row = '[[doubts]]\nmeasure = "PP-04"\nstanding = "doubtful"\nregions = ["320583", "320585"]\nwhy_en = "once more"\n'
    files = {**agreement_files, "doubts.toml": agreement_files["doubts.toml"] + f"\n{row}".encode()}
    [one] = changes(agreement, edited(files))
    assert (one.kind, one.table, one.id) == ("added", "doubts", "PP-04 doubtful 320583 320585 #2")


def test_whom_a_change_would_affect_is_said_by_region(agreement: Agreement, agreement_files: dict[str, bytes]) -> None:
    second = edited(agreement_files, MONTHS, REVIEW)
    asked = affected(agreement, second, body(), DAY, regions=agreement.members, demonstration=True)
    found = {one.region: one for one in asked}
    assert found.keys() == {"310114", "320585"}, "in the third region nothing changes"
    assert (found["320585"].effect, found["320585"].until_now) == ("changed", "2027-11-02")
    assert (found["310114"].effect, found["310114"].reason) == ("released", "review")
    back = {one.region: one for one in affected(second, agreement, body(), DAY, regions=["310114"], demonstration=True)}
    assert back["310114"].effect == "newly_restricted" and back["310114"].gained
    again = affected(agreement, second, body(), DAY, regions=["310114"], demonstration=True, released=True)
    assert list(again) == [], "what a person released does not wait once more"


def test_a_code_list_that_makes_a_record_severe_restricts_anew(
    agreement: Agreement, agreement_files: dict[str, bytes]
) -> None:
    record = body(local_code="KS-0142", criterion=None)
    plain = edited(agreement_files, with_code("KS-0142", severe=False))
    severe = edited(agreement_files, with_code("KS-0142", severe=True))
    found = list(affected(plain, severe, record, DAY, regions=["320585"], demonstration=True))
    assert [one.effect for one in found] == ["newly_restricted"]
    kept = affected(plain, severe, record, DAY, regions=["320585"], demonstration=True, anew=False)
    assert list(kept) == [], "only its own bureau can make it another"
