"""Intake 收数: what a page of a source came to, counted so that no row is lost unseen, and a month's data quality.

Of every round (a reading from where the last one ended to where there is no more) it must hold that

    rows in = recorded + unchanged + quarantined + refused + waiting + duplicates.

If it does not, a row has gone astray in this program: that is an alarm, and it stands until a full reading adds up.
"""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from adapters.facts import SourceFacts
from adapters.records import Collected, Quarantined
from adapters.remedies import is_incomplete
from syncd.agreement.workdays import due
from syncd.flows.alarms import quiet, sound
from syncd.flows.bureau import Bureau
from syncd.flows.drift import Drift
from syncd.flows.planning import Plan
from syncd.flows.relieve import Relief
from syncd.flows.silence import Silence
from syncd.store import desk, quality, sourcebook

Json = dict[str, Any]
PUBLISH_WORKING_DAYS = 7
"""From the decision to its publication: 发改办财金〔2018〕424号."""
ENDS = ("recorded", "unchanged", "quarantined", "refused", "waiting", "duplicates")
"""Where a row can end; every row is in just one of them."""


def outcome(page: Collected, plan: Plan, relief: Relief, marks: int) -> dict[str, int]:
    """Where the rows of one page ended. ``marks`` are relief records that no row was, but a row's own state."""
    recorded = len(plan.issue) + len(plan.amend) + plan.linked + plan.repeated + plan.replaced + plan.returned
    recorded += plan.erased
    return {
        "rows": page.rows,
        "recorded": recorded + relief.fresh - marks,
        "unchanged": plan.unchanged + relief.unchanged,
        "quarantined": len(page.quarantined) + len(plan.refused),
        "refused": page.refused.total(),
        "waiting": len(page.waiting),
        "duplicates": page.duplicates,
    }


def astray(counts: Mapping[str, int]) -> int:
    """How many rows came in and ended nowhere (less than nothing: ended twice)."""
    return counts["rows"] - sum(counts[name] for name in ENDS)


@lru_cache(8_192)
def in_time(decided: str, published: str) -> bool:
    """Whether a decision was published within seven working days. In a year without a calendar every day counts."""
    return published <= due(dt.date.fromisoformat(decided), PUBLISH_WORKING_DAYS).day.isoformat()


class Intake:
    """The books of one source's intake: totals, the round, the month, and what looks wrong about them."""

    def __init__(self, bureau: Bureau, name: str, facts: SourceFacts) -> None:
        self._bureau, self._name = bureau, name
        self.silence = Silence(bureau, name, facts)
        self._drift = Drift(bureau, name, facts)

    def note(
        self, conn: Connection, page: Collected, plan: Plan, relief: Relief, marks: int, full: bool, begins: bool
    ) -> Json:
        """Count one page within its transaction; returns the counts.

        ``full``: part of a full reading; ``begins``: its first page.
        """
        counts = outcome(page, plan, relief, marks)
        fresh = self._fresh(conn, [*page.quarantined, *plan.refused])
        received = plan.fresh + sum(not one.row.startswith("relief/") for one in fresh)
        self._month(conn, plan, fresh, received)
        said = {"issued": len(plan.issue), "amended": len(plan.amend), "relief": relief.said}
        self._post(conn, page, counts, said, full, begins)
        self.silence.count(conn, received, relief.fresh - marks, not page.more)
        self._drift.look(conn, page)
        return counts | said

    def _fresh(self, conn: Connection, quarantined: list[Quarantined]) -> list[Quarantined]:
        """Rows that were not in quarantine before in this version: a row that stays there is not received anew."""
        if not quarantined:
            return []
        marks = [f"{self._name}/{one.row}" for one in quarantined]
        known = {(item.mark, desk.facts_of(item).get("digest")) for item in desk.of_marks(conn, marks)
                 if item.kind == "quarantine"}  # fmt: skip
        return [one for one, mark in zip(quarantined, marks, strict=True) if (mark, one.digest) not in known]

    def _month(self, conn: Connection, plan: Plan, fresh: list[Quarantined], received: int) -> None:
        """Each version of a row counts once; whether it was published in time counts when it is first recorded."""
        incomplete = sum(is_incomplete(one.reason) for one in fresh if not one.row.startswith("relief/"))
        invalid = sum(not is_incomplete(one.reason) for one in fresh if not one.row.startswith("relief/"))
        first = [body for one, body in plan.issue if one.row not in plan.sealed]
        prompt = sum(in_time(body["decided_on"], body["published_on"]) for body in first)
        counts = {"received": received, "incomplete": incomplete, "invalid": invalid, "in_time": prompt,
                  "late": len(first) - prompt}  # fmt: skip
        if any(counts.values()):
            quality.add(conn, self._name, self._bureau.today().isoformat()[:7], counts)

    def _post(
        self, conn: Connection, page: Collected, counts: Mapping[str, int], said: Json, full: bool, begins: bool
    ) -> None:
        """What was said since the beginning, what is there, and the round; at its end it is checked.

        What is there, persons' rows above all, of which nothing is kept to know them by, is what the last full reading
        met: rounds read rows again, so their sum says nothing. Until the first one has ended it is what that has met.
        """
        board = sourcebook.read_one(conn, f"source:{self._name}")
        round_ = _sum(board.get("round", {}), counts)
        done = board.get("last_round")
        if not page.more and round_["rows"]:
            done = {**round_, "astray": astray(round_), "ended": self._bureau.now_text()}
            self._check(conn, done, full)
        reading, there = {} if begins else board.get("reading", {}), board.get("there")
        if full:
            reading = {"rows": reading.get("rows", 0) + page.rows,
                       "refused": _sum(reading.get("refused", {}), page.refused)}  # fmt: skip
            there = there if page.more else reading
        facts = {
            "last_pull": self._bureau.now_text(),
            "error": None,
            "totals": _sum(board.get("totals", {}), said),
            "reading": reading if full and page.more else {},
            "there": there,
            **(there or reading),
            "unknown_columns": sorted(set(board.get("unknown_columns", [])) | page.unknown_columns),
            "round": round_ if page.more else {},
            "last_round": done,
        }
        sourcebook.post(conn, f"source:{self._name}", facts)

    def _check(self, conn: Connection, done: Json, full: bool) -> None:
        if done["astray"]:
            sound(self._bureau, conn, "imbalance", self._name, {name: done[name] for name in ("rows", *ENDS, "astray")})
        elif full:
            quiet(self._bureau, conn, "imbalance", [self._name])


def _sum(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: before.get(name, 0) + more.get(name, 0) for name in [*before, *(set(more) - set(before))]}
