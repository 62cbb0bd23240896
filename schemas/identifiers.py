"""Who it is: the unified social credit code 统一社会信用代码 (USCC); and persons' numbers, to keep out.

GB 32100-2015 gives the 18 characters and the outer check character, GB 11714 the organisation code
组织机构代码 at 9-17 with an inner check character of its own, GB 11643 the identity number 居民身份证.
"""

import re
from datetime import date
from functools import lru_cache
from operator import mul

from schemas.fault import Fault
from schemas.text import half_width

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015; I, O, S, V and Z are left out."""

_CACHED = 4_096
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# As bytes, so that a whole code is turned into its values by one call.
_OUTER_VALUES = bytes(ALPHABET.find(chr(code)) % 256 for code in range(256))
_OUTER_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_INNER_VALUES = bytes(int(chr(code), 36) if chr(code) in ALPHABET else 255 for code in range(256))
_INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# Registering departments 登记管理部门: the standard's digits and letters (A army, N agriculture, Y other).
_PREFIX = re.compile(r"[1-9ANY][1-9][0-9]{6}", re.ASCII)
_CANONICAL = re.compile(f"[{ALPHABET}]{{18}}", re.ASCII)
_SEPARATOR = re.compile(r"[\s\u002d\u2010-\u2015]")
_PERSON_18 = re.compile(r"([1-9])[0-9]{5}((?:18|19|20)[0-9]{2})([0-9]{2})([0-9]{2})[0-9]{3}[0-9Xx]", re.ASCII)
_PERSON_15 = re.compile(r"[1-8][0-9]{5}([0-9]{2})([0-9]{2})([0-9]{2})[0-9]{3}", re.ASCII)
# In a text up to three signs or blanks between two digits leave a number what it is. Letters and characters end it, and
# so do commas, which stand between numbers and within amounts; an amount may have a point and fifteen digits.
_NO_WORDS = re.compile(r"[1-9１-９][^A-Za-z\u2e80-\u9fff]{14}")
_BETWEEN = r"[^\w,，、;；]{0,3}_?"
_BEGIN = re.compile(r"(?<![0-9])[1-9]")
_RUN_18 = re.compile(rf"[1-9](?:{_BETWEEN}[0-9]){{16}}{_BETWEEN}[0-9Xx](?![0-9])")
_RUN_15 = re.compile(r"[1-8](?:[^\w.,，、;；]{0,3}_?[0-9]){14}(?![0-9A-Za-z])")
_SIGNS = re.compile(r"[\W_]+")
_BORN = re.compile(r"[0-9]{6}((?:19|20)[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]")
# GB/T 2260: provinces, then a prefecture and a county; 81 to 83 stand alone in residence permits.
_DIVISION = re.compile(
    r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71)(?!00)[0-9]{2}(?!00)[0-9]{2}|8[1-3]0000", re.ASCII
)
_DECISIONS_SINCE = 2014
"""Numbers of decisions may be made of division, day and counter, as identity numbers are: one in pieces with a day from
here on is taken for a decision's. Decisions published 双公示 are newer, and persons who are fined are older."""
_OLDEST_15 = 30
"""Year of birth in numbers of fifteen digits: whoever has an earlier one is near a hundred; decisions are newer."""
_PERSON_WEIGHTS = tuple(pow(2, 17 - i, 11) for i in range(17))

_SENTENCES = {
    "empty": "The code is empty; the source must fill it in and send the row again.",
    "person_id": "The code is a person's identity number; persons are not taken in.",
    "separator": "The code has hyphens or blanks in it; the source must write its 18 characters together.",
    "length": "The code does not have 18 characters; the source must correct it and send the row again.",
    "lower_case": "The code has lower-case letters, as if typed by hand; the source must correct it.",
    "alphabet": "The code has characters outside GB 32100 (I, O, S, V, Z); the source must correct it.",
    "prefix": "The code does not begin with a registering department, a class and a division of six digits; "
    "the source must correct it.",
    "outer_check": "The last character does not check (GB 32100); the source must correct the code.",
    "inner_check": "The organisation code at 9-17 does not check (GB 11714); the source must correct it.",
    "parts": "A made-up code needs eight characters of prefix and eight of body, of the standard's alphabet.",
}


class InvalidIdentifier(Fault):
    """The text is no code we may store.

    Reasons: ``empty``, ``person_id``, ``separator``, ``length``, ``lower_case``, ``alphabet``, ``prefix``,
    ``outer_check``, ``inner_check``, and ``parts`` from ``make_uscc``.
    """

    def __init__(self, reason: str, sentence: str = "") -> None:
        super().__init__(reason, sentence or _SENTENCES.get(reason, ""))


@lru_cache(_CACHED)
def canonical_uscc(text: str) -> str:
    """The code in the one form that is stored: 18 half-width capitals and digits, both checks right.

    Full-width characters are read as half-width and surrounding blanks dropped. Nothing else is mended: lower
    case, hyphens and inner blanks show a hand-typed code, which the source must correct.
    Raises ``InvalidIdentifier``, never with the text in it.
    """
    code = half_width(text).strip()
    if not _CANONICAL.fullmatch(code):
        raise InvalidIdentifier(_fault_of_shape(code))
    if not _PREFIX.match(code):
        raise InvalidIdentifier("prefix")
    if code[:17].isdecimal() and looks_like_person_id(code) and _person_check(code):
        raise InvalidIdentifier("person_id")  # one identity number in 341 would pass both checks below
    if code[17] != _outer_check(code[:17]):
        raise InvalidIdentifier("outer_check")
    if code[16] != _inner_check(code[8:16]):
        raise InvalidIdentifier("inner_check")
    return code


def _fault_of_shape(code: str) -> str:
    """Name the first thing that is wrong with the shape, so that the source knows what to look for."""
    if not code:
        return "empty"
    if looks_like_person_id(code):
        return "person_id"
    if _SEPARATOR.search(code):
        return "separator"
    if len(code) != 18:
        return "length"
    return "lower_case" if _CANONICAL.fullmatch(code.upper()) else "alphabet"


def _outer_check(first17: str) -> str:
    total = sum(map(mul, first17.encode().translate(_OUTER_VALUES), _OUTER_WEIGHTS))
    return ALPHABET[-total % 31]


def _inner_check(body8: str) -> str:
    """Check character of GB 11714; letters count A=10 … Z=35, unlike in the outer sum."""
    remainder = 11 - sum(map(mul, body8.encode().translate(_INNER_VALUES), _INNER_WEIGHTS)) % 11
    return {10: "X", 11: "0"}.get(remainder) or str(remainder)


def is_organisation_code(text: str) -> bool:
    """Whether a text is an organisation code 组织机构代码 (GB 11714): nine characters, its check right."""
    return len(text) == 9 and set(text) <= _VALUE.keys() and _inner_check(text[:8]) == text[8]


def is_sole_proprietor(uscc: str) -> bool:
    """Whether a canonical code belongs to a sole proprietor 个体工商户 (department 9, class 2)."""
    return uscc.startswith("92")


def looks_like_person_id(text: str) -> bool:
    """Whether the text has the shape of an identity number (GB 11643, or the older 15 digits).

    The birth date must exist; the check character is not asked for, since a mistyped number is personal too.
    Only where the first digit is 9, as in most companies' codes and in foreigners' permanent residence
    numbers, must it hold too.
    """
    number = half_width(text).strip()
    if found := _PERSON_18.fullmatch(number):
        head, year, month, day = found.groups()
        return _is_day(int(year), int(month), int(day)) and (head != "9" or _person_check(number))
    if found := _PERSON_15.fullmatch(number):
        year, month, day = found.groups()
        return _is_day(1900 + int(year), int(month), int(day))
    return False


def holds_person_id(text: str) -> bool:
    """Whether an identity number stands anywhere in a text: of 18 digits or 15, on end or in pieces.

    On end 18 digits need a day of birth only, as their check may be mistyped. In pieces, where a decision's number
    may look the same, they need a division of GB/T 2260 as well and a day before 2014; 15 digits always need a division
    and a day of birth from 1930 on. Costs less than a microsecond where few digits stand together.
    """
    if len(text) < 15 or not _NO_WORDS.search(text):
        return False
    plain = half_width(text)
    return any(_person_at(plain, found.start()) for found in _BEGIN.finditer(plain))


def _person_at(text: str, start: int) -> bool:
    whole, older = _RUN_18.match(text, start), _RUN_15.match(text, start)
    if whole is not None and _is_person_18(_SIGNS.sub("", whole[0]), len(whole[0]) > 18):
        return True
    number = "" if older is None else _SIGNS.sub("", older[0])
    if not _DIVISION.match(number) or int(number[6:8]) < _OLDEST_15:
        return False
    return _is_day(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))


def _is_person_18(number: str, in_pieces: bool) -> bool:
    born = _BORN.fullmatch(number)
    if born is None:
        return False
    if number[0] == "9":  # most companies' codes begin so
        return _person_check(number)
    if not in_pieces:
        return True
    return _DIVISION.match(number) is not None and int(born[1]) < _DECISIONS_SINCE


def _person_check(number: str) -> bool:
    """GB 11643, for a number that ``_PERSON_18`` has matched: seventeen digits first."""
    total = sum(int(c) * w for c, w in zip(number[:17], _PERSON_WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def make_uscc(prefix8: str, body8: str) -> str:
    """A whole code from department, class and division (8) and the organisation code without its check (8).

    For tests and the demo's invented companies. Raises ``InvalidIdentifier`` for parts of another shape.
    """
    if len(body8) != 8 or not _PREFIX.fullmatch(prefix8) or not set(body8) <= _VALUE.keys():
        raise InvalidIdentifier("parts")
    first17 = prefix8 + body8 + _inner_check(body8)
    return first17 + _outer_check(first17)
