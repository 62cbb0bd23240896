"""How one row of 双公示 (行政处罚信息, 发改办财金〔2018〕424号) becomes the body of a finding.

The columns stand in ``columns``. A row comes here when it has passed the border's first steps (``border``); a
column with the duty ``personal`` or ``free_text`` is not read. Readers of columns that repeat are cached.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from adapters.base import Json, RowFault
from adapters.columns import KINDS
from adapters.facts import SourceFacts
from schemas.dates import read_day, read_end
from schemas.fault import Fault
from schemas.identifiers import canonical_uscc
from schemas.money import from_wan
from schemas.text import NORMALISER, half_width, is_placeholder_number, normalise_name, normalise_number

_ORGANISATIONS = frozenset({"", "法人", "非法人组织", "法人及非法人组织", "法人和非法人组织"})
_SWAPPABLE = (("CF_XDR_MC", "CF_XDR_SHXYM"), ("CF_CFJG", "CF_CFJGDM"), ("CF_SJLY", "CF_SJLYDM"))
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BETWEEN_KINDS = re.compile(r"[;；,，]")
_SUPPLEMENT = re.compile(r"其他[-－—].*", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNPRINTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")  # not what only parts words or lines
_DIGIT = re.compile(r"[0-9]")
_NUMERAL = re.compile(r"[0-9〇○零一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾]")
_CLOCK = re.compile(r"[T ]([0-9]{1,2}:[0-9:.,]+)", re.ASCII)
_PLACE = re.compile(r"[1-9][0-9]{5}", re.ASCII)


def read_penalty(row: str, fields: Mapping[str, str], facts: SourceFacts) -> Json:
    """The body ``finding/1.0`` of the row named ``row``; criterion and subject.type are not the border's to say.

    Raises ``RowFault`` for the first column at fault. Not asked for: a fine where the kinds name one (the decision
    is still a finding), the names of organ and unit. ``ends.query`` is no column: the agreement computes it.
    """
    get, own = fields.get, facts.columns
    ask_columns_in_place(fields)
    at = ""
    try:
        _ask_class(get(at := "CF_XDR_LB", ""))
        uscc = canonical_uscc(get(at := "CF_XDR_SHXYM", ""))
        _ask_same_organisation(uscc, get(at := "CF_XDR_ZZJG", ""))
        name = bounded(normalise_name(get(at := "CF_XDR_MC", "")), 1, 200)
        number = _own_number(get(at := "CF_WSH", ""))
        day = read_iso_day(get(at := "CF_JDRQ", ""))
        body = {
            "schema": "finding/1.0",
            "subject": {"uscc": uscc, "name": name, "type": None},
            "key": {
                "organ": read_organ(get(at := "CF_CFJGDM", ""), facts),
                "number": number,
                "date": day,
                "normaliser": NORMALISER,
            },
            "place": _read_place(get(at := own.place, "")),
            "source": {"id": facts.source.id, "row": row},
            "local_code": bounded(plain(get(at := own.determination, "")), 0, 64),
            "criterion": None,
            "legal_basis": bounded(plain(get(at := "CF_YJ", "")), 1, 2048),
            "kinds": list(_read_kinds(get(at := "CF_CFLB", ""))),
            "amount": {
                "fine": _read_amount(get(at := "CF_NR_FK", "")),
                "confiscated": _read_amount(get(at := "CF_NR_WFFF", "")),
            },
            "violation": _read_violation(get(at := "CF_WFXW"), get(own.determination, ""), facts),
            "decided_on": day,
            "published_on": _not_before(day, read_iso_day(get(at := own.published, ""))),
            "ends": {
                "publicity": _read_end(get(at := "CF_GSJZQ", ""), day),
                "query": None,
                "measures": _read_end(get(at := "CF_YXQ", ""), day),
            },
        }
    except Fault as fault:
        raise row_fault(at, fault) from None
    return body


def row_fault(field: str, fault: Fault) -> RowFault:
    """A reader's fault, with the column it was found in."""
    return RowFault(field, "missing" if fault.reason == "empty" else fault.reason, fault.sentence)


def read_number(text: str) -> str:
    """The decision number 文号 in its normal form; one that says nothing makes no natural key."""
    number = normalise_number(text)
    if not _DIGIT.search(number) and is_placeholder_number(text):
        raise Fault(
            "placeholder",
            "The number of the decision is empty or only stands for a missing one; the source must fill it in.",
        )
    return bounded(number, 1, 128)


def _own_number(text: str) -> str:
    """The number of a decision to be issued: it enters the natural key, so what numbers nothing is a fault.

    Relief is not asked for this much: it only has to find its finding.
    """
    number = read_number(text)
    if _UNPRINTED.search(text):
        raise Fault("invalid", "The number of the decision holds a control character; the source must write it anew.")
    if not _NUMERAL.search(number):
        sentence = "The number of the decision has no digit, so it numbers nothing; the source must write it in full."
        raise Fault("invalid", sentence)
    return number


def read_organ(text: str, facts: SourceFacts) -> str:
    """The organ's code, from the facts page where the row says none (legacy rows lack the column)."""
    return canonical_uscc(text) if text.strip() else facts.publisher.organ


@lru_cache(8_192)
def read_iso_day(text: str) -> str:
    """A day as it stands in bodies, ``2026-11-22``."""
    return read_day(text).isoformat()


@lru_cache(8_192)
def plain(text: str) -> str:
    """Text as one line in NFC: line breaks and runs of blanks become one blank, control characters go."""
    return _CONTROLS.sub("", " ".join(unicodedata.normalize("NFC", text).split()))


def bounded(text: str, least: int, most: int) -> str:
    """The text if its length is one the shared schema takes."""
    if least <= len(text) <= most:
        return text
    if text:
        raise Fault(
            "too_long",
            f"The column has more than {most} characters, perhaps another's content; the source must check it.",
        )
    raise Fault("empty", "The column is empty; the source must fill it in and send the row again.")


def ask_columns_in_place(fields: Mapping[str, str]) -> None:
    """A name where the code belongs, and no Chinese where the name belongs: the two columns were swapped.

    Seen in real data with CF_SJLY and CF_SJLYDM, where an internal key stood in the name's place.
    """
    for name, code in _SWAPPABLE:
        if code in fields and not fields[code].isascii() and _swapped(fields.get(name, ""), fields[code]):
            raise RowFault(
                code,
                "swapped",
                f"{name} and {code} are swapped; the source must put them right and send the row again.",
            )


def _swapped(name: str, code: str) -> bool:
    return _CHINESE.search(code) is not None and _CHINESE.search(name) is None and name.strip() != ""


def _ask_class(text: str) -> None:
    if text not in _ORGANISATIONS and text.strip() not in _ORGANISATIONS:
        raise Fault(
            "unknown_value", "The class of the counterpart is none of the standard's; the source must correct it."
        )


def _ask_same_organisation(uscc: str, text: str) -> None:
    """The organisation code 组织机构代码 is characters 9 to 17 of the USCC; another one is another organisation's."""
    code = half_width(text).replace("-", "").strip()
    if len(code) == len(uscc[8:17]) and code != uscc[8:17]:
        sentence = "The organisation code is not the one inside the USCC, so one of them is another organisation's; "
        raise Fault("contradicts", f"{sentence}the source must say which.")


def _read_violation(text: str | None, local_code: str, facts: SourceFacts) -> str:
    """The type of violation; rows of 2016 to 2018 lack the column, and the facts page may give it by local code."""
    violation = plain(text or "") or facts.legacy.violations.get(local_code.strip(), "")
    if text is None and not violation:
        sentence = "The row lacks the column, and the facts page gives no violation for its local code; add it there."
        raise Fault("unmapped_violation", sentence)
    return bounded(violation, 1, 2048)


def _not_before(decided: str, published: str) -> str:
    if published < decided:
        raise Fault("before_decision", "It was published before it was decided; the source must check both days.")
    return published


@lru_cache(1_024)
def _read_place(text: str) -> str:
    place = text.strip()
    if _PLACE.fullmatch(place):
        return place
    sentence = (
        "The place must be the six digits of GB/T 2260; it is never derived from a name. The source must fill it in."
    )
    raise Fault("invalid" if place else "empty", sentence)


@lru_cache(1_024)
def _read_kinds(text: str) -> tuple[str, ...]:
    """Kinds of penalty, each once. The supplement in ``其他-补充说明`` is free text and stays behind."""
    parts = (_SUPPLEMENT.sub("其他", plain(part)) for part in _BETWEEN_KINDS.split(text))
    kinds = tuple(dict.fromkeys(part for part in parts if part))
    if not kinds:
        raise Fault("empty", "The kind of penalty is empty; the source must fill it in and send the row again.")
    if not KINDS.issuperset(kinds):
        raise Fault(
            "unknown_value", "A kind of penalty is none of the standard's or the law's; the source must correct it."
        )
    return kinds


def _read_amount(text: str) -> str | None:
    """CNY of an amount in 万元; an empty column orders nothing."""
    return from_wan(text) if text and not text.isspace() else None


@lru_cache(8_192)
def _read_end(text: str, decided: str) -> str | None:
    """An end, or None where none is stated; an end before the decision shows a slip in either.

    A legal end is a day. With a time of day it is what a database wrote when the row was last touched, as real tables
    do that declare the column ON UPDATE CURRENT_TIMESTAMP: every edit moves it.
    """
    end = read_end(text)
    if end is None:
        return None
    clock = _CLOCK.search(half_width(text))
    if clock and clock[1].strip("0:.,") and not clock[1].startswith("23:59"):
        sentence = "The end carries a time of day, so the database seems to stamp it at each edit; "
        raise Fault("stamped", f"{sentence}the source must put the legal day back.")
    if end.isoformat() < decided:
        raise Fault(
            "before_decision",
            "The end lies before the decision; the source must check both days and send the row again.",
        )
    return end.isoformat()
