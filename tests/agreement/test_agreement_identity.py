"""Who is who 主体识别: what a text is, which names are alike, and that persons are not looked up."""

import pytest

from schemas.identifiers import make_uscc
from syncd.agreement.identity import Named, candidates, is_branch, parents, read_query, read_question
from syncd.errors import Refuse

pytestmark = pytest.mark.fast

ONE, TWO, THREE = (make_uscc("91320583", f"MA00000{n}") for n in (1, 2, 3))
KNOWN = [
    Named(ONE, "昆山彩虹虚构涂料有限公司", "2024-01-01", "2026-01-01"),
    Named(ONE, "昆山彩虹涂料厂有限公司", "2021-01-01", "2022-01-01"),
    Named(TWO, "太仓独角虚构水泥制品有限公司", "2024-01-01", "2026-01-01"),
    Named(THREE, "昆山彩虹虚构涂料有限公司", "2024-01-01", "2026-02-01"),
]


@pytest.mark.parametrize(
    ("text", "kind", "form"),
    [
        (ONE, "uscc", ONE),
        (f" {ONE} ", "uscc", ONE),
        (ONE[8:17], "organisation_code", ONE[8:17]),
        (f"{ONE[8:16]}-{ONE[16]}", "organisation_code", ONE[8:17]),
        ("320583000012345", "registration", "320583000012345"),
        ("昆山彩虹（虚构）涂料有限公司", "name", "昆山彩虹(虚构)涂料有限公司"),
    ],
)
def test_a_text_is_read_by_what_identifies_best(text: str, kind: str, form: str) -> None:
    assert read_query(text) == (kind, form)


@pytest.mark.parametrize("text", [
    "11010519491231002X", "110105491231002", "张三丰", "92320583MB00000190",
    f"{ONE[:17]}{'1' if ONE[17] != '1' else '2'}",
    "张三11010519491231002X", "110105-19491231-002X", "张三丰公司110105 19491231 002X",
])  # fmt: skip
def test_persons_and_broken_codes_are_refused_without_their_text(text: str) -> None:
    with pytest.raises(Refuse) as caught:
        read_query(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ["Zhang San Feng", "古丽·买买提", "阿卜杜拉·阿卜杜热合曼", "昆山彩虹虚构"])
def test_a_name_that_may_be_a_persons_is_looked_up_and_never_kept(text: str) -> None:
    assert read_query(text)[0] == "name"
    with pytest.raises(Refuse, match="nothing was kept") as caught:
        read_question(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["昆山市环境监测站", "虚构第1号厂", "Rainbow Coatings Co., Ltd.", "彩虹(虚构)涂料厂(昆山)", ONE]
)
def test_a_name_with_the_form_of_an_organisation_is_kept(text: str) -> None:
    assert read_question(text) == read_query(text)


def test_equal_names_under_two_codes_are_two_candidates() -> None:
    found = candidates("昆山彩虹虚构涂料有限公司", KNOWN)
    assert [(one.uscc, one.score) for one in found[:2]] == [(ONE, 100.0), (THREE, 100.0)]
    assert len({one.uscc for one in found}) == len(found), "an organisation stands once, with its nearest name"


def test_a_former_name_leads_to_the_organisation_and_brackets_do_not_hide_it() -> None:
    (first, *_) = candidates("昆山彩虹涂料厂有限公司", KNOWN)
    assert first.uscc == ONE and first.score == 100.0
    wide = [Named(TWO, "虚构（上海）环保有限公司", "", "")]
    assert candidates("虚构(上海)环保有限公司", wide)[0].score == 100.0
    assert candidates("完全无关之名号商行", KNOWN[2:3]) == []


def test_a_branch_suggests_its_parent_and_is_not_it() -> None:
    branch = "昆山彩虹虚构涂料有限公司太仓分公司"
    assert is_branch(branch) and not is_branch("昆山彩虹虚构涂料有限公司")
    assert [one.uscc for one in parents(branch, KNOWN)] == sorted([ONE, THREE])
    assert parents("昆山彩虹虚构涂料有限公司", KNOWN) == []
