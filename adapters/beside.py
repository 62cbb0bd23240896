"""Columns beside the finding 履行与关联: service, performance, and the decision against an agency's client.

They never leave the bureau: its own rules may propose by them (criteria that several facts make together), and a person
decides. A source that has none of these columns is complete without them; a value that cannot be read is a fault, as
everywhere at the border.
"""

from collections.abc import Mapping

from adapters.base import RowFault
from adapters.facts import SourceFacts
from adapters.records import Beside
from schemas.dates import read_end
from schemas.fault import Fault
from schemas.text import is_placeholder_number, normalise_number


def read_beside(fields: Mapping[str, str], facts: SourceFacts) -> Beside | None:
    """What the row says in these columns; None where the facts page names none. Raises ``RowFault``."""
    own = facts.columns
    if not (own.served or own.perform_by or own.performed or own.related):
        return None
    return Beside(
        served_on=_day(fields, own.served),
        perform_by=_day(fields, own.perform_by),
        performed=_performed(fields, facts),
        contested=_contested(fields, facts),
        related=_number(fields, own.related),
    )


def _day(fields: Mapping[str, str], column: str) -> str | None:
    try:
        day = read_end(fields.get(column, "")) if column else None
    except Fault as fault:
        raise RowFault(column, fault.reason, fault.sentence) from None
    return day.isoformat() if day is not None else None


def _contested(fields: Mapping[str, str], facts: SourceFacts) -> bool | None:
    if facts.performance is None:
        return None
    return fields.get(facts.columns.review, "").strip() not in facts.performance.uncontested


def _performed(fields: Mapping[str, str], facts: SourceFacts) -> bool | None:
    column, value = facts.columns.performed, fields.get(facts.columns.performed, "").strip()
    if facts.performance is None or not value:
        return None
    if value in facts.performance.done:
        return True
    if value in facts.performance.undone:
        return False
    raise RowFault(
        column,
        "unknown_value",
        "The state of performance is not on the facts page of the source; correct it there or add it here.",
    )


def _number(fields: Mapping[str, str], column: str) -> str | None:
    text = fields.get(column, "") if column else ""
    number = normalise_number(text)
    return number if number and not is_placeholder_number(text) else None
