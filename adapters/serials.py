"""Numbers of a spreadsheet as text: serial days 日期序列号, and numbers that are identifiers or amounts.

A spreadsheet keeps a day as the count of days since the end of 1899, and every number with 15 digits: a code of 18
digits in a number cell has lost its last three.
"""

import datetime as dt
import re
from typing import Any

DIGITS = 15
_FIRST = dt.datetime(1899, 12, 30)
EARLIEST, LATEST = 18_264.0, 73_051.0
"""1950 to 2099: what else is a number in a column of days is no day."""
_SERIAL = re.compile(r"[1-7]\d{4}(\.\d{1,15})?", re.ASCII)


class Rounded(Exception):
    """A number with more digits than a number cell keeps."""


def as_day(text: str, days: int = 0) -> str:
    """A text that is a serial day becomes that day (with its time, if it has one); any other stays as it is.

    ``days``: what to add where day 0 is another (1462 for 1904-01-01).
    """
    if len(text) < 5 or not _SERIAL.fullmatch(text) or not EARLIEST <= float(text) < LATEST:
        return text
    seconds = round(float(text) * 86_400)
    time = _FIRST + dt.timedelta(days=days, seconds=seconds)
    return time.date().isoformat() if seconds % 86_400 == 0 else time.isoformat(" ")


def as_text(cell: Any, dated: bool, days: int = 0) -> str:
    """A cell that is no text. Raises ``Rounded`` for a number that the spreadsheet has rounded."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    text = str(int(cell)) if float(cell).is_integer() else format(cell, f".{DIGITS}g")
    if len(text.lstrip("-")) > DIGITS and "." not in text:
        raise Rounded
    return as_day(text, days) if dated else text
