"""The stamp of updating 更新时间 in one form: as text it sorts by time, and nothing but a time can stand in it.

A source may write anything into the column. What is read as a time goes on in its canonical form; what is not
becomes the empty text. A cursor keeps the source's own writing only where it has one of ``SHAPES``.
"""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.text import half_width

FOLDS: tuple[tuple[str, str], ...] = (
    *((digit, "9") for digit in "012345678"),
    ("T", " "),
    ("/", "-"),
    ("年", "-"),
    ("月", "-"),
    ("日", ""),
    ("Z", ""),
    ("+99:99", ""),
)
"""What to replace in a stamp, in this order, to see its shape; a database can do the same with REPLACE."""

_DAYS = (*(f"9999{s}{m}{s}{d}" for s in "-." for m in ("9", "99") for d in ("9", "99")), "99999999")
_CLOCKS = (":99", ":99:99", *(f":99:99.{'9' * n}" for n in range(1, 7)))
SHAPES = frozenset({*_DAYS, *(f"{day} {hour}{rest}" for day in _DAYS for hour in ("9", "99") for rest in _CLOCKS)})
"""Shapes of the usual writings, from ``2026-11-5`` to ``2026/11/05T08:00:00.123456+08:00``."""

_DAY = r"(?:(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2})|(\d{4})年(\d{1,2})月(\d{1,2})日)"
_TIME = re.compile(
    rf"{_DAY}(?:[T ](\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:\.(\d{{1,6}}))?)?(Z|\+\d{{2}}:\d{{2}})?)?", re.ASCII
)


_LENGTH = len("2026-11-22 09:00:00.000000")
_USUAL_LENGTHS = frozenset({_LENGTH, len("2026-11-22 09:00:00")})


def _as_it_is(text: str) -> str:
    """The canonical form of a text that is in it but for the fraction, as most stamps of a database are."""
    try:
        canonical = datetime.fromisoformat(text).isoformat(" ", "microseconds")
    except ValueError:
        return ""
    return canonical if canonical.startswith(text) and len(canonical) == _LENGTH else ""


@lru_cache(8_192)
def canonical_time(text: str, zone: str) -> str:
    """``YYYY-MM-DD HH:MM:SS.ffffff`` in the source's time zone, or the empty text where no time can be read.

    A day alone is its midnight. A time with an offset is brought to ``zone`` (IANA name); one without is already there.
    """
    if len(text) in _USUAL_LENGTHS and (same := _as_it_is(text)):
        return same
    found = _TIME.fullmatch(half_width(text).strip())
    if found is None:
        return ""
    *day, hour, minute, second, fraction, offset = found.groups()
    numbers = [part for part in day if part and part.isdigit()]
    clock = f"{hour or 0:0>2}:{minute or '00'}:{second or '00'}.{fraction or '':0<6}"
    try:
        time = datetime.fromisoformat(f"{numbers[0]}-{numbers[1]:0>2}-{numbers[2]:0>2}T{clock}{offset or ''}")
        if offset:
            time = time.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return ""
    return time.isoformat(" ", "microseconds")


def written_like(like: str, time: datetime) -> str:
    """A time written as the sample is."""
    digits = iter(time.strftime("%Y%m%d%H%M%S%f"))
    return re.sub("[0-9]", lambda _: next(digits), like)
