"""Names and decision numbers: the same thing is always written the same way."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text import NORMALISER, half_width, is_placeholder_number, normalise_name, normalise_number

pytestmark = pytest.mark.fast

# What meets in these fields and has bitten: full width, brackets, blanks, composition.
AWKWARD = "上号第（）()〔〕【】﹝［］{}Ａａ-‐—０7 \u3000\t\n\u200b\ufeff\u0301e\u2028\x85Ⅳßﬁ豈"
awkward = st.text(st.sampled_from(AWKWARD))


def test_the_normaliser_is_the_one_recorded_in_keys() -> None:
    assert NORMALISER == 1


@pytest.mark.parametrize(
    "written",
    [
        "沪0114环罚〔2026〕12号",
        "沪0114环罚[2026]12号",
        "沪0114环罚(2026)12号",
        "沪0114环罚（2026）12号",
        "沪0114环罚【2026】12号",
        "沪0114环罚﹝2026﹞12号",
        "沪0114环罚［２０２６］１２号",
        " 沪0114 环罚〔2026〕\u300012 号\n",
        "\ufeff沪0114环罚〔2026〕12号\u200b",
    ],
)
def test_all_styles_of_one_number_are_one(written: str) -> None:
    assert normalise_number(written) == "沪0114环罚〔2026〕12号"


def test_numbers_that_differ_stay_apart() -> None:
    written = ["沪环罚〔2026〕第12号", "沪环罚〔2026〕12号", "沪环罚〔2026〕012号", "沪环罚〔2025〕12号"]
    assert len({normalise_number(number) for number in written}) == 4


def test_letters_and_dashes_of_numbers() -> None:
    assert normalise_number("ks-2026—0012") == normalise_number("ＫＳ－２０２６–0012") == "KS-2026-0012"


@pytest.mark.parametrize("number", ["", " ", "无", "不详", "/", "-", "—", "／", "－－", "暂无", "null", "()", "\u3000"])
def test_numbers_that_only_say_there_is_none(number: str) -> None:
    assert is_placeholder_number(number)


@pytest.mark.parametrize("number", ["沪环罚〔2026〕1号", "1", "第十二号", "无锡环罚〔2026〕1号"])
def test_numbers_that_say_something(number: str) -> None:
    assert not is_placeholder_number(number)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("某某（上海）环保科技有限公司", "某某(上海)环保科技有限公司"),
        ("某某(上海)环保科技有限公司", "某某(上海)环保科技有限公司"),
        (" 昆山 某某\u3000电镀 有限公司 ", "昆山某某电镀有限公司"),
        ("ＡＢＣ化工（太仓）有限公司", "ABC化工(太仓)有限公司"),
        ("Acme  Monitoring\tCo", "Acme Monitoring Co"),
        ("某某\u200b有限公司\ufeff", "某某有限公司"),
        ("昆山·某某有限公司", "昆山·某某有限公司"),
    ],
)
def test_names_in_the_form_that_is_stored(written: str, stored: str) -> None:
    assert normalise_name(written) == stored


@given(st.one_of(awkward, st.text(max_size=40)))
def test_normalising_twice_changes_nothing_and_gives_what_a_leaf_may_hold(text: str) -> None:
    for normalise in (normalise_name, normalise_number):
        once = normalise(text)
        assert normalise(once) == once
        assert unicodedata.is_normalized("NFC", once)
        assert not any(unicodedata.category(c) == "Cc" for c in once)
        assert half_width(once) == once
