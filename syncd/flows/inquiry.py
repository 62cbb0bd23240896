"""Answers from stored facts: is this organisation restricted, by what, until when, and why. Read only.

What is in force is a pure function of entries and a day: union over findings, each with its own end; expiry needs no
entry. Every answer says whether it is a demonstration 演示 and which marks (异议) stand.

The register keeps each region's newest answer and each finding's newest body. For a day that has passed, ``Past``
brings what stood by then (``syncd/flows/past.py``).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.agreement.force import ADVISORY, Restriction, in_force_of, standing
from syncd.agreement.outcome import grade_of
from syncd.agreement.relief import ReliefState
from syncd.agreement.versions import Timeline
from syncd.errors import NeedsPerson
from syncd.flows.books import Books
from syncd.flows.explain import Explain
from syncd.flows.judged import judged_by
from syncd.flows.past import Past, bodies_by, honours_by, known_by, told_by
from syncd.flows.respond import state_of
from syncd.flows.rewarding import rewards_of
from syncd.store import desk, order_receipts, outbox, register
from syncd.store import state as logs
from syncd.store.honours import Honour
from syncd.store.outbox import Delivery
from syncd.store.register import Finding, ReliefRow, Response

Json = dict[str, Any]


class Inquiry:
    """Questions to one node's register; ``past`` where a day is asked about that has passed."""

    def __init__(self, books: Books, past: Past | None = None) -> None:
        self._books = books
        self._past = past

    def check(self, uscc: str, day: dt.date, region: str | None = None) -> Json:
        """Whether an organisation is restricted, noted or clear on ``day`` in a region (this bureau's by default)."""
        region = self._region(region)
        with self._books.store.read() as conn:
            rows = bodies_by(conn, register.findings_of(conn, uscc), self._past)
            return self._standing(conn, uscc, rows, region, day)

    def register(self, region: str | None, day: dt.date) -> list[Json]:
        """Every organisation with a finding, and what is in force on it; on a past day, with one by then."""
        region = self._region(region)
        with self._books.store.read() as conn:
            grouped: dict[str, list[Finding]] = {}
            for row in known_by(conn, register.findings_of(conn), self._past):
                grouped.setdefault(row.uscc, []).append(row)
            told = told_by(conn, [row for rows in grouped.values() for row in rows], region, self._past, every=True)
            held = honours_by(conn, None, self._past)
            return [
                self._organisation(uscc, rows, told.relief, told.answers, {}, held.get(uscc, ()), region, day)
                for uscc, rows in grouped.items()
            ]

    def _region(self, region: str | None) -> str:
        members = self._books.agreement.members
        if region is not None and region not in members:
            raise NeedsPerson(f"{region} is no member of this agreement; its members are {', '.join(members)}.")
        return region or self._books.code

    def _standing(self, conn: Connection, uscc: str, rows: Sequence[Finding], region: str, day: dt.date) -> Json:
        told = told_by(conn, rows, region, self._past)
        here = region == self._books.code and self._past is None  # a delivery is known as it is now
        sent = outbox.of_findings(conn, [row.leaf for row in rows]) if here else {}
        held = honours_by(conn, [uscc], self._past).get(uscc, ())
        return self._organisation(uscc, rows, told.relief, told.answers, sent, held, region, day)

    def _organisation(
        self,
        uscc: str,
        rows: Sequence[Finding],
        relief: Mapping[bytes, Sequence[ReliefRow]],
        answered: Mapping[bytes, Mapping[str, Response]],
        sent: Mapping[bytes, Delivery],
        held: Sequence[Honour],
        region: str,
        day: dt.date,
    ) -> Json:
        restrictions, findings = [], []
        demonstrations = self._past is not None or self._books.allow_candidates
        for row in rows:
            state = state_of(row, relief.get(row.leaf, ()), day)
            response = answered.get(row.leaf, {}).get(region)
            imposed = restriction_of(response, state, demonstrations)
            restriction = until_left(imposed, self._books.timeline, row.issuer, region)
            restrictions.append(restriction)
            findings.append(self._finding(row, response, state, restriction, sent.get(row.leaf), day))
        stands = standing(restrictions, day)
        acting = [measure for finding in findings for measure in finding["measures"]]
        ends = [one["to"] for one in acting if stands == "noted" or one["kind"] != ADVISORY]
        return {
            "uscc": uscc,
            "name": rows[-1].name if rows else held[-1].name if held else None,
            "region": region,
            "region_zh": self._books.agreement.regions[region].name_zh,
            "on": day.isoformat(),
            "standing": stands,
            "until": max(ends, default=None),
            "demonstration": self._books.allow_candidates or any(one["demonstration"] for one in findings),
            "findings": findings,
            "honours": rewards_of(self._books, held, list(zip(rows, restrictions, strict=True)), region, day),
        }

    def _finding(
        self,
        row: Finding,
        response: Response | None,
        relief: ReliefState,
        restriction: Restriction,
        sent: Delivery | None,
        day: dt.date,
    ) -> Json:
        names = self._books.timeline.by(judged_by(row, response)).measures
        body = response.parsed() if response is not None else {}
        measures = [
            {**measure, "name_zh": names[measure["id"]].name_zh if measure["id"] in names else ""}
            for measure in in_force_of(restriction, day)
        ]
        return {
            "finding": row.leaf.hex(),
            "issuer": row.issuer,
            "number": row.number,
            "criterion": row.criterion,
            "grade": grade_of(self._books.timeline.by(row.version), orjson.loads(row.body)),
            "decided_on": row.decided_on,
            "answer": response.kind if response is not None else "waiting",
            "demonstration": body.get("demonstration", False),
            "reason": body.get("reason"),
            "details": body.get("details", []),
            "disputed": relief.disputed,
            "suspended": relief.suspended,
            "ended": relief.ended,
            "ended_on": relief.ended_on.isoformat() if relief.ended_on else None,
            "measures": measures,
            "home": sent.state if sent is not None else None,
        }

    def explain(self, uscc: str, day: dt.date) -> Json:
        """Finding → criterion → rule → measure → basis → entry and receipts, for every finding of an organisation."""
        with self._books.store.read() as conn:
            rows = bodies_by(conn, register.findings_of(conn, uscc), self._past)
            leaves = [row.leaf for row in rows]
            answer = self._standing(conn, uscc, rows, self._books.code, day)
            now = register.responses_of(conn, leaves)
            answered = self._past.answers(conn, rows) if self._past else now
            relief = register.relief_of(conn, leaves)
            states = {state.id: state.origin for state in logs.states(conn)}
            explaining = Explain(self._books, conn, states, day)
            taken = order_receipts.of_findings(conn, leaves)
            for row, finding in zip(rows, answer["findings"], strict=True):
                receipt = taken.get(row.leaf)
                finding["order_receipt"] = receipt and {"number": receipt.number, "at": receipt.at}
                whole = row, answered.get(row.leaf, {}), relief.get(row.leaf, ())
                finding["steps"] = explaining.steps(*whole, finding, now.get(row.leaf, {}))
                finding["desk"] = [
                    {"item": item.id, "kind": item.kind, "reason": item.reason, "state": item.state}
                    for item in desk.of_marks(conn, [row.leaf.hex()])
                ]
        return answer


def restriction_of(response: Response | None, relief: ReliefState, demonstrations: bool) -> Restriction:
    """A region's response as a restriction that can be asked for any day.

    ``demonstrations``: whether what was imposed as one 演示 counts. A node that has candidates no longer takes effect
    must not show it as in force until it was judged again, nor what another member still demonstrates.
    """
    imposed, _ = response.last_imposed() if response is not None else (None, None)
    if response is None or imposed is None:
        return Restriction((), relief)
    body = orjson.loads(imposed)
    if body.get("demonstration") and not demonstrations:
        return Restriction((), relief)
    stopped = dt.date.fromisoformat(response.stopped_on) if response.stopped_on else None
    return Restriction(body["measures"], relief, stopped)


def until_left(restriction: Restriction, known: Timeline, issuer: str, region: str) -> Restriction:
    """A restriction ends with the day on which its finding's member, or the region itself, leaves the agreement."""
    days = [day for day in (restriction.stopped_on, known.gone_on(issuer), known.gone_on(region)) if day is not None]
    return replace(restriction, stopped_on=min(days)) if days else restriction
