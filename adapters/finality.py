"""Finality 生效与公开: whether a penalty row may be taken now, waits for a day, or waits for the source to change.

Only a decision that is issued, published and not open to review is final. Windows of law (60 days for 复议, six months
for 诉讼) alone keep nothing back: a row waits where the source says so, and is taken by itself when its day has come.
"""

import datetime as dt
from collections.abc import Mapping

from adapters.base import RowFault
from adapters.facts import SourceFacts
from schemas.dates import read_day, read_end
from schemas.fault import Fault

NOT_PUBLIC, NOT_PUBLISHED, REVIEW_PERIOD = "not_public", "not_published", "review_period"
STATE, SCOPE = "CF_ZT", "CF_SYFW"
"""Columns of 2016 to 2018 当前状态、信息使用范围; some front databases still carry them."""

USUAL_STATES = {"0": "in_force", "1": "relief.revoked", "2": "relief.disputed"}
"""正常、撤销、异议, where the facts page says nothing; 3 其他 is explained in remarks that nobody here may read."""

ENDED = frozenset({"relief.repaired", "relief.revoked", "relief.expired"})
"""States by which a decision is over: the row is relief, and a finding no more."""

_LEGACY = frozenset({STATE, SCOPE})
"""Rows with these columns never had one of review, and say by their state what became of them."""

_PUBLIC, _INTERNAL = frozenset({"", "0", "公示"}), frozenset({"1", "2", "仅限内部共享", "仅限授权查询"})
_LATEST_PUBLICATION = dt.timedelta(days=366)
_DAY = dt.timedelta(days=1)

Wait = tuple[str, str]
"""Why a row waits, and the first day on which it may be taken (empty: when the source changes it)."""


def waits(fields: Mapping[str, str], facts: SourceFacts, today: dt.date) -> Wait | None:
    """Why a penalty row must wait on ``today`` (the source's time zone), or None. Raises ``RowFault``.

    A value of the review column that the facts page does not know is a fault: nobody may guess that it is final. So is
    a table or file without that column; a service may leave out what is empty.
    """
    return _review(fields, facts, today) or _scope(fields) or _publication(fields, facts, today)


def _review(fields: Mapping[str, str], facts: SourceFacts, today: dt.date) -> Wait | None:
    column, value = facts.columns.review, fields.get(facts.columns.review, "").strip()
    if column not in fields and facts.source.mode != "service" and not _LEGACY.intersection(fields):
        raise RowFault(column, "missing", "The source has no column of review any more, so nobody knows what is final.")
    if value in facts.review.open:
        return value, ""
    if value not in facts.review.closed:
        sentence = "The state of review is not on the facts page of the source; correct it there or add it here."
        raise RowFault(column, "unknown_value", sentence)
    until = facts.columns.review_until
    if not until:
        return None
    try:
        last = read_end(fields.get(until, ""))
    except Fault as fault:
        raise RowFault(until, fault.reason, fault.sentence) from None
    return (REVIEW_PERIOD, (last + _DAY).isoformat()) if last is not None and last >= today else None


def _scope(fields: Mapping[str, str]) -> Wait | None:
    value = fields.get(SCOPE, "").strip()
    if value in _INTERNAL:
        return NOT_PUBLIC, ""
    if value not in _PUBLIC:
        sentence = "The scope of use is none of 0 公示, 1 内部 and 2 授权; the source must correct it."
        raise RowFault(SCOPE, "unknown_value", sentence)
    return None


def _publication(fields: Mapping[str, str], facts: SourceFacts, today: dt.date) -> Wait | None:
    """A decision of tomorrow is a slip of the pen; a publication of tomorrow is waited for."""
    column = facts.columns.published
    try:
        decided, published = read_day(fields.get("CF_JDRQ", "")), read_day(fields.get(column, ""))
    except Fault:
        return None  # said by the reader of the column, which names it
    if decided > today:
        raise RowFault("CF_JDRQ", "in_future", "The decision is dated after today; the source must correct the day.")
    if published <= today:
        return None
    if published - decided > _LATEST_PUBLICATION:
        sentence = "The decision is to be published more than a year after it was made; the source must check the day."
        raise RowFault(column, "in_future", sentence)
    return NOT_PUBLISHED, published.isoformat()


def state_of(fields: Mapping[str, str], facts: SourceFacts) -> str | None:
    """What the row's own state 当前状态 says of its decision: ``in_force`` or a kind of relief; None where it has none.

    Raises ``RowFault`` for a state that the facts page does not explain, or leaves to a person.
    """
    column = facts.columns.state or STATE
    value = fields.get(column, "").strip()
    if not value:
        return None
    state = (facts.state or USUAL_STATES).get(value)
    if state is None:
        sentence = "The state is not on the facts page (其他 other is none); the source must say which it is."
        raise RowFault(column, "unknown_value", sentence)
    if state == "desk":
        raise RowFault(column, "needs_person", "The state is one that a person must look at, at the source.")
    return state
