"""Persons stay out: who a row is about, and whether a text that would pass names somebody by number.

The shared schema speaks of organisations only. A natural person 自然人 and a sole proprietor 个体工商户 leave at the
border with a count and nothing else; numbers of persons that stand in other columns send the row to quarantine.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from adapters.base import Json, RowFault
from schemas.fault import Fault
from schemas.identifiers import (
    InvalidIdentifier,
    canonical_uscc,
    holds_person_id,
    is_sole_proprietor,
    looks_like_person_id,
)
from schemas.text import half_width

NATURAL_PERSON = "natural_person"
SOLE_PROPRIETOR = "sole_proprietor"
LEFT_IN_KEY = "source.row"
"""Field of a fault in the row's own name, by which it is then not named."""

_OTHER_CODES = ("CF_XDR_GSZC", "CF_XDR_ZZJG", "CF_XDR_SWDJ", "CF_XDR_SYDW", "CF_XDR_SHZZ")
_LONG_NUMBER = re.compile(r"[0-9０-９]{11}")
_SHAPE = r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
# Mobile telephone numbers, not as part of a longer number or code.
_TELEPHONE = re.compile(r"(?<![0-9A-Z])1[3-9][0-9]{9}(?![0-9A-Z])", re.ASCII)

# A row's key needs no digits of this length, and older identity numbers have fifteen without any check.
_ON_END = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])", re.ASCII)
_LONG_RUN = re.compile(r"[0-9]{15}")
_PIECED = re.compile(_SHAPE)
_BETWEEN = re.compile(r"[^0-9A-Za-z]+")
_KEYED_HASH = re.compile(r"hmac-[0-9a-f]{32}")


def refusal(fields: Mapping[str, str]) -> str | None:
    """Whether the row is about a natural person or a sole proprietor, by every sign there is.

    The code decides over the class: class 92 counts under 法人 too, and so does a mistyped code that begins with it.
    Where the code is no organisation's, a person's number is looked for in the other columns: they get swapped.
    """
    get = fields.get
    label, name = get("CF_XDR_LB", ""), get("CF_XDR_MC", "")
    found = _whose_code(get("CF_XDR_SHXYM", ""))
    if "自然人" in label or found == NATURAL_PERSON:
        return NATURAL_PERSON
    if "个体" in label or found or name.strip() == "个体工商户":
        return SOLE_PROPRIETOR
    if found is None:
        return _whose_code(name) or _by_other_columns(fields)
    return None


def _whose_code(text: str) -> str | None:
    """A person's, a sole proprietor's, the empty text for an organisation's right code, None for anything else."""
    try:
        return SOLE_PROPRIETOR if is_sole_proprietor(canonical_uscc(text)) else ""
    except InvalidIdentifier:
        code = half_width(text).strip()
        if looks_like_person_id(code):
            return NATURAL_PERSON
        return SOLE_PROPRIETOR if len(code) == 18 and is_sole_proprietor(code) else None


def _by_other_columns(fields: Mapping[str, str]) -> str | None:
    if fields.get("CF_XDR_SHXYM", "").strip():
        return None
    personal = fields.get("CF_XDR_ZJHM", "").strip() != ""
    if personal or any(looks_like_person_id(fields.get(column, "")) for column in _OTHER_CODES):
        return NATURAL_PERSON
    return None


def ask_leftover(body: Json) -> None:
    """The last look at a finding that is about to pass: ``RowFault`` for a number of a person in any of its texts."""
    name, number, code = body["subject"]["name"], body["key"]["number"], body["local_code"]
    row = body["source"]["row"]
    at = LEFT_IN_KEY
    try:
        if may_name_somebody(row) and not _KEYED_HASH.fullmatch(row):
            raise _personal()
        at = "CF_XDR_MC"
        _ask_name(name)
        at = "CF_WSH"
        ask_identity(number)
        at = "RDDM"
        ask_identity(code)
        at = "CF_WFXW"
        _ask_text(body["violation"])
        at = "CF_YJ"
        _ask_text(body["legal_basis"])
    except Fault as fault:
        raise RowFault(at, fault.reason, fault.sentence) from None


def may_name_somebody(key: str) -> bool:
    """Whether a row key may be a person's: a run of 15 digits or more, an identity number in pieces, or no ASCII.

    Stricter than any other column, since a keyed hash names a row as well as its key does.
    """
    if not key.isascii() or _LONG_RUN.search(key):
        return True
    return len(key) > 18 and (_PIECED.search(_BETWEEN.sub("", key)) is not None or holds_person_id(key))


def ask_identity(text: str) -> None:
    """``Fault`` if an identity number stands in a number or code, in pieces or not."""
    if holds_person_id(text):
        raise _personal()


def ask_identity_on_end(text: str) -> None:
    """The same for eighteen digits on end alone: what only finds a finding is asked no more than findings ever were, so
    that none that was issued waits for its relief.
    """
    if any(looks_like_person_id(run) for run in _ON_END.findall(text)):
        raise _personal()


def _ask_name(text: str) -> None:
    """``Fault`` if an identity or telephone number stands in a text."""
    ask_identity(text)
    if _LONG_NUMBER.search(text) and _TELEPHONE.search(half_width(text)):
        raise _personal()


_ask_text = lru_cache(4_096)(_ask_name)
"""The same for texts that repeat, so the answer is kept."""


def _personal() -> Fault:
    sentence = "The text holds an identity or telephone number; the source must take it out and send the row again."
    return Fault("personal_content", sentence)
