"""Days as sources write them, and the days that are none.

A day is a ``datetime.date`` in Asia/Shanghai, inclusive at both ends. Sources write it in several ways,
often with a time behind it, and put ``1900-01-01``, ``2099-12-31`` or ``无处罚期限`` where they have none.
"""

import re
from datetime import date
from functools import lru_cache

from schemas.fault import Fault
from schemas.text import half_width

FAR_ENDS = frozenset({date(2099, 12, 31), date(9999, 12, 31)})
"""Ends that mean "long-term" 长期: none stated."""

NO_DAYS = frozenset({date(1900, 1, 1), *FAR_ENDS})
"""Sentinels seen in real data; none of them is ever stored or passed on as a day."""

_CACHED = 8_192
_NONE_STATED = frozenset({"", "无", "无期限", "无处罚期限", "长期", "长期有效", "永久", "/", "-", "--"})
# What may stand behind a day: a time, with no offset or Shanghai's own.
_TIME = r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?\+08:?00)?)?"
_STYLES = (
    re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}", re.ASCII),
    re.compile(rf"([0-9]{{4}})()([0-9]{{2}})([0-9]{{2}}){_TIME}", re.ASCII),
    re.compile(rf"([0-9]{{4}})( ?)年 ?([0-9]{{1,2}}) ?月 ?([0-9]{{1,2}}) ?日{_TIME}", re.ASCII),
)


class InvalidDay(Fault):
    """The text is no day. Reasons: ``empty``, ``format``, ``no_such_day``, ``sentinel``."""


@lru_cache(_CACHED)
def read_day(text: str) -> date:
    """The day in ``2026/11/22``, ``2026-11-22``, ``2026.11.22``, ``20261122`` or ``2026年11月22日``.

    A time behind the day is dropped; an offset other than Shanghai's is refused, since it could be another
    day. Raises ``InvalidDay``, also for the sentinels of ``NO_DAYS``.
    """
    day = _read(half_width(text).strip())
    if day in NO_DAYS:
        raise InvalidDay("sentinel", "The day only stands for a missing one; the source must fill it in.")
    return day


@lru_cache(_CACHED)
def read_end(text: str) -> date | None:
    """An end date (处罚有效期, 公示截止期), or None where none is stated.

    None stated: empty, ``长期``, ``无处罚期限``, 2099-12-31, 9999-12-31. Raises ``InvalidDay``; 1900-01-01
    with reason ``sentinel``, since nobody can say whether the period is over or has no end.
    """
    plain = half_width(text).strip()
    if plain in _NONE_STATED:
        return None
    day = _read(plain)
    if day in FAR_ENDS:
        return None
    if day in NO_DAYS:
        raise InvalidDay("sentinel", "The end is 1900-01-01: over, or without end? The source must correct it.")
    return day


def _read(plain: str) -> date:
    if not plain:
        raise InvalidDay("empty", "The day is empty; the source must fill it in.")
    found = next((match for style in _STYLES if (match := style.fullmatch(plain))), None)
    if not found:
        raise InvalidDay("format", "The day is not written YYYY-MM-DD, YYYY/MM/DD, YYYYMMDD or 年月日.")
    year, _, month, day = found.groups()
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise InvalidDay("no_such_day", "The calendar has no such day; the source must correct it.") from None
