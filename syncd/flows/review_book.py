"""The review book 审查登记 of a node: who may be named as asking, writing a review down, and counting what was asked.

Every review is logged before it is answered: by unit, role and account number, never by a person's name. A unit is one
that the node knows (the region's departments, the units of the scoring tables), so that no free text gets in.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncd.agreement.scoring import Scoring, scored
from syncd.errors import NeedsPerson
from syncd.flows.books import Books
from syncd.flows.bureau import SHANGHAI
from syncd.flows.review import Question
from syncd.ledger.entry import format_time
from syncd.store import reviews, schema

Json = dict[str, Any]
ROLES = ("handling", "approving", "supervising")
"""经办、审批、监督: the closed list of roles in which somebody asks."""
LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an account number, a role and a unit; no name."""

    account: int
    role: str
    unit: str


def asker(books: Books, scoring: Scoring | None, account: int, role: str, unit: str) -> Asker:
    """Check who asks; without ``unit`` the bureau itself. Raises ``NeedsPerson`` for what the node does not know."""
    region = books.agreement.regions[books.code]
    known = {region.department, *region.responders.values(), *(scoring.units if scoring else ())}
    if role not in ROLES:
        raise NeedsPerson(f"A role is one of {', '.join(ROLES)}. Nothing was asked, and nothing was logged.")
    if unit and unit not in known:
        raise NeedsPerson(
            "This node knows no unit of that name, so nothing was asked and nothing was logged. Known are the "
            "departments of the agreement's region file and the units of the scoring tables; a person's name never "
            "belongs here."
        )
    return Asker(account, role, unit or region.department)


def log_review(
    books: Books, who: Asker, question: Question, answers: Sequence[Json], now: dt.datetime, uscc: str | None = None
) -> int:
    """Write one review, single or batch, into the book; returns its number. Committed before an answer is seen."""
    stands = Counter(answer["standing"] for answer in answers)
    with books.store.write() as conn:
        if schema.current(conn) != schema.revisions()[-1]:
            raise NeedsPerson(
                "The store's tables are of an older version, so a review cannot be logged, and is not answered. "
                "Start `syncd run` once; it brings them up to date."
            )
        return reviews.enter(
            conn,
            {
                "at": format_time(now),
                "day": question.day.isoformat(),
                "account": who.account,
                "role": who.role,
                "unit": who.unit,
                "purpose": question.purpose,
                "lookback_months": question.lookback_months,
                "uscc": uscc,
                "organisations": len(answers),
                "restricted": stands["restricted"],
                "noted": stands["noted"],
                "statement": None,
                "demonstration": any(answer["demonstration"] for answer in answers) or books.allow_candidates,
            },
        )


def attest(books: Books, number: int, statement: str) -> None:
    """Write the SHA-256 (hex) of the signed statement beside its review."""
    with books.store.write() as conn:
        reviews.attest(conn, number, statement)


def book(books: Books, scoring: Scoring | None, first: dt.date, last: dt.date) -> Json:
    """The reviews of the days ``first`` to ``last`` (Asia/Shanghai, inclusive), by unit, and what they come to."""
    began, ended = _moment(first), _moment(last + dt.timedelta(days=1))
    with books.store.read() as conn:
        rows = [
            {str(name): value for name, value in row._mapping.items()}
            for row in reviews.listing(conn, began, ended, LISTED)
        ]
        counts = reviews.by_unit(conn, began, ended)
    tables = None
    if scoring is not None:
        items = list(scored(scoring, counts))
        tables = {"assessor_zh": scoring.assessor_zh, "source": scoring.source, "items": items}
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "total": sum(counts.values()),
        "by_unit": [{"unit": unit, "reviews": count} for unit, count in sorted(counts.items())],
        "reviews": rows,
        "scoring": tables,
    }


def _moment(day: dt.date) -> str:
    return format_time(dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC))
