"""Credit review 信用审查 of one organisation or of many, from the register: reads by the batch, writes nothing.

Whoever asks is written into the review book by the caller before the answer is given (``store.reviews``).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.agreement.force import Restriction
from syncd.agreement.model import Purpose
from syncd.agreement.relief import UNTOUCHED
from syncd.agreement.review import CLEAR, Record, Reviewed, reviewed, touching
from syncd.errors import NeedsPerson
from syncd.flows.books import Books
from syncd.flows.inquiry import restriction_of, until_left
from syncd.flows.past import Past, honours_by, known_by, told_by
from syncd.flows.respond import state_of
from syncd.flows.rewarding import rewards_of
from syncd.store import register
from syncd.store import state as logs
from syncd.store.honours import Honour
from syncd.store.register import Finding

Json = dict[str, Any]
_AT_ONCE = 2_000
LOOKBACK_MONTHS = 24


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each organisation: for what, on which day, and how many months are looked back."""

    purpose: str
    day: dt.date
    lookback_months: int = LOOKBACK_MONTHS


class Review:
    """Reviews for one question at one node; ``past`` where its day has passed."""

    def __init__(self, books: Books, question: Question, past: Past | None = None) -> None:
        self._books = books
        self._past = past
        self._question = question
        self._purpose = self._known(question.purpose)
        self._touching = touching(books.agreement, self._purpose)

    def _known(self, code: str) -> Purpose:
        purposes = self._books.agreement.purposes
        if code not in purposes:
            names = ", ".join(f"{one.code} {one.name_zh}" for one in purposes.values())
            raise NeedsPerson(
                f"The agreement knows no purpose of that name; it knows {names or 'none'}. Nothing was asked. "
                "Purposes stand in purposes.toml of the agreement."
            )
        return purposes[code]

    def one(self, uscc: str) -> Json:
        """The answer about one organisation, with findings, measures, and until when it stands so."""
        with self._books.store.read() as conn:
            found = next(iter(self._some(conn, [uscc])))
        return {**self.head(), **found}

    def head(self) -> Json:
        """What was asked, as it stands at the head of every answer."""
        asked, purpose, books = self._question, self._purpose, self._books
        return {
            "agreement": books.agreement.tag,
            "region": books.code,
            "region_zh": books.agreement.regions[books.code].name_zh,
            "purpose": purpose.code,
            "purpose_zh": purpose.name_zh,
            "purpose_status": purpose.status,
            "on": asked.day.isoformat(),
            "lookback_months": asked.lookback_months,
            "demonstration": books.allow_candidates,
        }

    def many(self, codes: Sequence[str]) -> tuple[Json, list[Json]]:
        """The logs' sizes and the answers about all organisations, in their order, all of one moment."""
        with self._books.store.read() as conn:
            sizes = {state.origin: state.size for state in logs.states(conn)}
            answers: list[Json] = []
            for start in range(0, len(codes), _AT_ONCE):
                answers += self._some(conn, codes[start : start + _AT_ONCE])
        return sizes, answers

    def _some(self, conn: Connection, codes: Sequence[str]) -> Iterator[Json]:
        grouped: dict[str, list[Finding]] = {}
        known = known_by(conn, register.findings_among(conn, "uscc", list(dict.fromkeys(codes))), self._past)
        for row in known:
            grouped.setdefault(row.uscc, []).append(row)
        held = honours_by(conn, codes, self._past)
        relief, answered = told_by(conn, known, self._books.code, self._past)
        for code in codes:
            rows = grouped.get(code, [])
            records = [self._record(row, relief, answered) for row in rows]
            found = reviewed(self._touching, records, self._question.day, self._question.lookback_months)
            both = list(zip(rows, [one.restriction for one in records], strict=True))
            told = self._told(code, rows, found if rows else CLEAR, self._incentives(held.get(code, ()), both))
            yield told | {"demonstration": self._books.allow_candidates or self._shown(rows, answered)}

    def _shown(self, rows: Sequence[Finding], answered: Any) -> bool:
        """Whether an answer of this region was given under a demonstration, whatever its settings say by now."""
        said = [answered.get(row.leaf, {}).get(self._books.code) for row in rows]
        return any('"demonstration":true' in (one.last_imposed()[0] or "") for one in said if one is not None)

    def _record(self, row: Finding, relief: Any, answered: Any) -> Record:
        said = relief.get(row.leaf)
        state = state_of(row, said, self._question.day) if said else UNTOUCHED
        response = answered.get(row.leaf, {}).get(self._books.code)
        imposed = restriction_of(response, state, self._past is not None or self._books.allow_candidates)
        return Record(
            finding=row.leaf.hex(),
            issuer=row.issuer,
            number=row.number,
            criterion=row.criterion,
            decided_on=_day(row.decided_on),
            query_end=_query_end(row.body),
            restriction=until_left(imposed, self._books.timeline, row.issuer, self._books.code),
        )

    def _incentives(self, held: Sequence[Honour], findings: Sequence[tuple[Finding, Restriction]]) -> list[Json]:
        """What honours offer for this purpose, or what suspends it."""
        if not held:
            return []
        granted = rewards_of(self._books, held, findings, self._books.code, self._question.day)
        return [
            {**offer, "honour": one["honour"], "suspended_by": one["suspended_by"]}
            for one in granted
            for offer in one["incentives"]
            if offer["id"] in self._purpose.incentives and offer["state"] in ("offered", "suspended")
        ]

    def _told(self, code: str, rows: Sequence[Finding], found: Reviewed, incentives: list[Json]) -> Json:
        names = self._books.agreement.measures
        return {
            "uscc": code,
            "name": rows[-1].name if rows and found.records else None,
            "standing": found.standing,
            "until": found.until.isoformat() if found.until else None,
            "records": list(found.records),
            "incentives": incentives,
            "measures": [
                {**row, "name_zh": names[row["id"]].name_zh if row["id"] in names else ""} for row in found.measures
            ],
        }


@lru_cache(8_192)
def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _query_end(body: str) -> dt.date | None:
    if '"query":null' in body:
        return None
    end = orjson.loads(body)["ends"]["query"]
    return _day(end) if end else None
