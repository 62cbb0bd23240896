"""Identifiers: both check characters, one canonical form, and no person's number let through."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import uscc as oracle

from schemas.identifiers import (
    ALPHABET,
    InvalidIdentifier,
    canonical_uscc,
    holds_person_id,
    is_sole_proprietor,
    looks_like_person_id,
    make_uscc,
)

pytestmark = pytest.mark.fast

PUBLISHED = ["91350100M000100Y43", "91310114MA0000015X", "91320583MA0000015L", "91320585MA0000015H"]

letters = st.sampled_from(ALPHABET)
bodies = st.text(letters, min_size=8, max_size=8)
digit_prefixes = st.from_regex(r"[1-9][1-9][0-9]{6}", fullmatch=True).map(str)


def reason_of(text: str) -> str:
    with pytest.raises(InvalidIdentifier) as caught:
        canonical_uscc(text)
    assert text == "" or text not in str(caught.value), "a sentence must never repeat the value"
    return caught.value.reason


@pytest.mark.parametrize("code", PUBLISHED)
def test_published_and_synthetic_codes_are_taken(code: str) -> None:
    assert canonical_uscc(code) == code
    assert make_uscc(code[:8], code[8:16]) == code


def test_full_width_and_surrounding_blanks_are_read() -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in PUBLISHED[0])
    assert canonical_uscc(f"\u3000 {wide}\t") == PUBLISHED[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("91310114MA00000161", "inner_check"),
        ("91310114MA0000015Y", "outer_check"),
        ("91310114ma0000015x", "lower_case"),
        ("91310114-MA0000015X", "separator"),
        ("91310114 MA0000015X", "separator"),
        ("91310114‐MA0000015X", "separator"),
        ("91310114MA0000015", "length"),
        ("91310114MA0000015XX", "length"),
        ("91310114MA000001OX", "alphabet"),
        ("9131011４MA00000１5²", "alphabet"),
        ("٩1310114MA0000015X", "alphabet"),
        ("Q1310114MA0000015X", "prefix"),
        ("90310114MA0000015X", "prefix"),
        ("913101A4MA0000015X", "prefix"),
        ("11010519491231002X", "person_id"),
        ("11010519491231002x", "person_id"),
        ("110105491231002", "person_id"),
        ("上海某某环保科技有限公司", "length"),
    ],
)
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    assert reason_of(text) == reason


def test_stdnum_would_have_taken_a_wrong_inner_check_and_what_is_not_canonical() -> None:
    for text in ("91310114MA00000161", "91310114ma0000015x", "91310114-MA0000015X"):
        assert oracle.is_valid(text)
        reason_of(text)


@pytest.mark.parametrize("prefix", ["Y1310114", "N2320583", "A1310000", "11310114", "51320583", "92320585"])
def test_every_registering_department_is_known(prefix: str) -> None:
    code = make_uscc(prefix, "MA000001")
    assert canonical_uscc(code) == code
    assert is_sole_proprietor(code) == prefix.startswith("92")


@given(digit_prefixes, bodies)
def test_made_codes_are_taken_here_and_by_stdnum(prefix: str, body: str) -> None:
    code = make_uscc(prefix, body)
    assume(not looks_like_person_id(code))
    assert oracle.is_valid(code)
    assert canonical_uscc(code) == code


@given(digit_prefixes, st.text(letters, min_size=10, max_size=10))
def test_the_outer_check_agrees_with_stdnum_on_any_characters(prefix: str, rest: str) -> None:
    text = prefix + rest
    assume(not looks_like_person_id(text))
    try:
        canonical_uscc(text)
        outer_holds = True
    except InvalidIdentifier as fault:
        outer_holds = fault.reason != "outer_check"
    assert outer_holds == oracle.is_valid(text)


@given(digit_prefixes, bodies, st.integers(0, 17), letters)
def test_one_wrong_character_is_always_found(prefix: str, body: str, place: int, wrong: str) -> None:
    code = make_uscc(prefix, body)
    assume(code[place] != wrong)
    with pytest.raises(InvalidIdentifier):
        canonical_uscc(code[:place] + wrong + code[place + 1 :])


@given(st.text(max_size=30))
def test_any_text_is_taken_as_itself_or_refused_with_a_reason(text: str) -> None:
    try:
        code = canonical_uscc(text)
    except InvalidIdentifier as fault:
        assert fault.reason.isascii() and fault.sentence != fault.reason
    else:
        assert canonical_uscc(code) == code


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("11010519491231002X", True),
        ("11010519491231002x", True),
        ("１１０１０５１９４９１２３１００２Ｘ", True),
        ("110105194912310021", True),  # mistyped check: still personal
        ("110105194913310021", False),  # no such month
        ("110105491231002", True),
        ("110105491331002", False),
        ("91310114MA0000015X", False),
        ("91350100M000100Y43", False),
        ("310114", False),
        ("", False),
    ],
)
def test_identity_numbers_are_recognised(text: str, person: bool) -> None:
    assert looks_like_person_id(text) is person


def test_an_identity_number_that_passes_both_checks_of_a_code_is_still_a_person() -> None:
    weights = [pow(2, 17 - i, 11) for i in range(17)]
    for sequence in range(100_000, 200_000):
        body = f"90{sequence:06d}"[:8]
        code = make_uscc("31010519", body) if body[:2] == "90" else ""
        if not (code[:17].isdigit() and looks_like_person_id(code)):
            continue
        if "10X98765432"[sum(int(c) * w for c, w in zip(code, weights, strict=False)) % 11] == code[17]:
            assert reason_of(code) == "person_id"
            return
    raise AssertionError("no identity number of this kind was found to test with")


@pytest.mark.parametrize(
    ("prefix", "body"), [("9131011", "MA000001"), ("91310114", "MA00001"), ("91310114", "ma000001")]
)
def test_codes_cannot_be_made_of_other_parts(prefix: str, body: str) -> None:
    with pytest.raises(InvalidIdentifier):
        make_uscc(prefix, body)


IN_TEXTS = [
    "11010519491231002X", "身份证NO11010519491231002xA", "１１０１０５１９４９１２３１００２Ｘ", "110105194912310021",
    "110105-19491231-002X", "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", "张三（110105·19491231·0021）第1号",
    "110105\u200b19491231\u200b002X", "1101051949123１ 002X", "810000199001011234 ", "310114 2013 0101 1234",
    "110105491231002", "ID110105491231002", "110105-491231-002", "110105 99 01 01 001号",
]  # fmt: skip
NO_PERSON = [
    "", "苏环罚〔2026〕123号", "沪0114环罚〔2026〕第12号", "浙杭林罚决字[2019]第 2-001 号", "310114-20260315-0012",
    "320583〔2026〕11230012号", "320583202600012", "310114260315001", "第205834912310021号", "320583001301001",
    "100105491231002", "110105491331002", "110105490231002", "1101054912310021", "110105491231002A",
    "91320583MA0000015L", "91310114607300001X", "913205831990010112370001P", "5132058349123100MA",
    "1,101,054,912,310.02", "110105491231.002", "罚款1,234,567.89元，没收110105元，491231元", "110105、19491231、002X",
    "2026-03-01 14:30:00 2026-03-02 15:30", "0512-57123456、0512-57123457", "6222 0210 0112 3456 789",
    "110105年1949月1231日002X", "110105----19491231----002X",
]  # fmt: skip


@pytest.mark.parametrize("text", IN_TEXTS)
def test_an_identity_number_in_a_text_is_found_in_pieces_and_with_fifteen_digits(text: str) -> None:
    assert holds_person_id(text) and holds_person_id(f"某某{text}的")


@pytest.mark.parametrize("text", NO_PERSON)
def test_numbers_of_decisions_codes_and_amounts_are_no_persons(text: str) -> None:
    assert not holds_person_id(text)


def test_an_all_digit_code_of_a_company_in_a_text_is_none_either() -> None:
    code = make_uscc("91320519", "49123104")
    assert code.isdecimal() and canonical_uscc(code) == code and not holds_person_id(f"代码{code}。")
