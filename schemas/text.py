"""Names and decision numbers 决定书文号 brought to one form, so that the same thing is written the same way.

Bureaus write the same firm as ``（上海）`` and ``(上海)`` and the same decision with four styles of brackets
(DB32 公共信用信息归集规范 asks for half-width characters). A normalised number is part of a finding's natural
key, so a change of ``normalise_number`` needs a new ``NORMALISER``.
"""

import re
import unicodedata
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

NORMALISER = 1
"""Version of ``normalise_number``; it stands in every finding's key."""

_CACHED = 4_096
_FULL_TO_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# Zero-width and direction marks, left behind by spreadsheets: unseen, they make two equal names differ.
_INVISIBLE = dict.fromkeys([0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF])
_STYLE = str.maketrans(
    dict.fromkeys("([{【〖﹝﹙", "〔")
    | dict.fromkeys(")]}】〗﹞﹚", "〕")
    | dict.fromkeys("‐‑‒–—―−﹣", "-")
    | dict(zip(ascii_lowercase, ascii_uppercase, strict=True))
)
# One table each, so that a text is walked through once.
_NAME_TABLE = {**_FULL_TO_HALF, **_INVISIBLE}
_NUMBER_TABLE = {
    **{full: _STYLE.get(half, half) for full, half in _FULL_TO_HALF.items()},
    **_STYLE,
    **_INVISIBLE,
}
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_WIDE = r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff()]"
_BLANK_BESIDE_WIDE = re.compile(rf"(?<={_WIDE}) | (?={_WIDE})")
_PLACEHOLDERS = frozenset({"无", "暂无", "不详", "未知", "空", "无文号", "NULL", "NONE", "N/A", "NA"})
_WORD = re.compile(r"[^\W_]")


def half_width(text: str) -> str:
    """Full-width 全角 ASCII and the ideographic blank as half-width 半角; everything else stays as it is."""
    return text if text.isascii() else text.translate(_FULL_TO_HALF)


@lru_cache(_CACHED)
def normalise_name(text: str) -> str:
    """A name in the form that is stored and compared: half-width brackets and letters, NFC, no stray blanks.

    Blanks inside a Latin name stay, one each; beside a Chinese character or a bracket they go. Case stays: it
    is part of the registered name. Equal results only suggest that two subjects are one: the code decides.
    """
    plain = _BLANKS.sub(" ", text.translate(_NAME_TABLE)).strip()
    return unicodedata.normalize("NFC", _BLANK_BESIDE_WIDE.sub("", plain))


@lru_cache(_CACHED)
def normalise_number(text: str) -> str:
    """A decision number 文号 in the form of the natural key, e.g. ``沪0114环罚〔2026〕第12号``.

    All bracket styles become ``〔〕``, dashes ``-``, Latin letters half-width capitals; blanks go; ``第`` and
    ``号`` stay.
    """
    return unicodedata.normalize("NFC", _BLANKS.sub("", text.translate(_NUMBER_TABLE)))


def is_placeholder_number(text: str) -> bool:
    """Whether a number only says that there is none (empty, ``无``, ``不详``, ``/``): it makes no key."""
    return says_no_number(normalise_number(text))


def says_no_number(normalised: str) -> bool:
    """The same of a number that is normalised already, as in a key."""
    return normalised in _PLACEHOLDERS or _WORD.search(normalised) is None
