"""The names that a condition may use 条件可用的名称, with their types: the whole vocabulary, and nothing else.

``docs/agreement.md`` lists the same table for the official who writes conditions; a test holds the two together.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from syncd.agreement.kinds import Json

NameType = Literal["text", "texts", "amount", "count", "day"]
"""text: one of any words; texts: a list of them; amount: CNY with a decimal point; count: whole number; day: a date."""

SAME_VIOLATION, PENALTIES = "history.same_violation_12m", "history.penalties_12m"


@dataclass(frozen=True, slots=True)
class Name:
    """One name: its type, what it says, and the column of the penalty record 双公示 it comes from."""

    name: str
    type: NameType
    zh: str
    en: str
    column: str
    read: Callable[[Json], Any] | None = None

    @property
    def of_history(self) -> bool:
        """Whether it needs the register; such a name can only propose, and only at the determining bureau."""
        return self.read is None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many penalties the organisation has had within twelve months up to this decision, this one included."""

    same_violation_12m: int = 1
    penalties_12m: int = 1


def _amount(text: str | None) -> float:
    """CNY; no amount is 0.0. Cents below 2^53 are exact enough in a double to compare with a threshold."""
    return float(text) if text else 0.0


_LISTED = (
    Name("subject.type", "text", "主体类型", "type of organisation; empty if its code says none", "认定代码",
         lambda body: body["subject"]["type"] or ""),
    Name("penalty.amount_cny", "amount", "罚款金额（元）", "fine in CNY; 0.0 if there is none", "CF_NR_FK",
         lambda body: _amount(body["amount"]["fine"])),
    Name("penalty.confiscated_cny", "amount", "没收金额（元）", "confiscated in CNY; 0.0 if nothing was", "CF_NR_WFFF",
         lambda body: _amount(body["amount"]["confiscated"])),
    Name("penalty.kinds", "texts", "处罚类别", "kinds of penalty", "CF_CFLB", lambda body: body["kinds"]),
    Name("penalty.violation", "text", "违法行为类型", "type of violation", "CF_WFXW", lambda body: body["violation"]),
    Name("penalty.legal_basis", "text", "处罚依据", "articles the decision rests on", "CF_YJ",
         lambda body: body["legal_basis"]),
    Name("penalty.decided_on", "day", "处罚决定日期", "day of the decision", "CF_JDRQ",
         lambda body: body["decided_on"]),
    Name("penalty.published_on", "day", "公示日期", "day of publication", "公示日期",
         lambda body: body["published_on"]),
    Name(SAME_VIOLATION, "count", "十二个月内同类违法行为受罚次数",
         "penalties for the same type of violation within twelve months, this one included", "登记"),
    Name(PENALTIES, "count", "十二个月内受罚次数", "all penalties within twelve months, this one included", "登记"),
)  # fmt: skip
NAMES: Mapping[str, Name] = {name.name: name for name in _LISTED}


def facts_of(names: Iterable[str], body: Json, counts: Counts | None = None) -> dict[str, Any]:
    """What the record (``finding/1.0``) says under these names, and the register under those of the history."""
    facts = {}
    for name in names:
        read = NAMES[name].read
        if read is not None:
            facts[name] = read(body)
        elif counts is not None:
            facts[name] = counts.same_violation_12m if name == SAME_VIOLATION else counts.penalties_12m
    return facts


def is_day(text: str) -> bool:
    """Whether a text is a day as conditions compare it, ``2026-11-22``: as text it sorts as days do."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
