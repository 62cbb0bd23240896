"""Silence 漏报: a source that brings nothing, far too little or far too much for a cycle, or cannot be reached.

What a cycle brings stands on the facts page (``[expected]``); a row counts when it is new or changed, so a full
comparison is no news. Hours are those of working days 工作日, for offices fill their systems on these: what a weekend
or a holiday does not bring is no silence. The first filling of a node belongs to no cycle. Where a node was down longer
than a cycle, as many cycles are judged together as have passed.
"""

import datetime as dt
import math
from typing import Any

from sqlalchemy import Connection

from adapters.facts import SourceFacts
from syncd.agreement.workdays import worked_hours
from syncd.flows.alarms import quiet, sound
from syncd.flows.bureau import SHANGHAI, Bureau
from syncd.store import sourcebook

Json = dict[str, Any]
UNREACHED_HOURS = 24.0
"""How long a source may be out of reach, in hours of working days, where its facts page expects nothing."""
TOO_FEW, TOO_MANY, NOTHING, UNREACHED = "too_few_rows", "too_many_rows", "silence", "source_unreached"


class Silence:
    """The watch over one source's cycles."""

    def __init__(self, bureau: Bureau, name: str, facts: SourceFacts) -> None:
        self._bureau, self._name, self._expected = bureau, name, facts.expected
        self._first_try: dt.datetime | None = None
        self._reached = False

    def count(self, conn: Connection, penalties: int, relief: int, at_end: bool) -> None:
        """Rows that are new or changed; ``at_end`` says that the source has no more now."""
        if not self._reached:
            self._reached = True
            quiet(self._bureau, conn, UNREACHED, [self._name])
        expected = self._expected
        if expected is None:
            return
        cycle = sourcebook.read_one(conn, f"cycle:{self._name}")
        if not cycle:
            if at_end:
                self._begin(conn)
            return
        counts = {"penalty": cycle["penalty"] + penalties, "relief": cycle["relief"] + relief}
        passed = self._hours_since(cycle["began"]) / expected.cycle_hours
        ended = passed >= 1 and at_end
        for kind, (least, most) in (("penalty", expected.penalties), ("relief", expected.relief)):
            self._judge(conn, kind, counts[kind], least, most * max(1, math.ceil(passed)), ended)
        if ended:
            self._begin(conn)
        elif penalties or relief:
            sourcebook.post(conn, f"cycle:{self._name}", {"began": cycle["began"], **counts})

    def unreached(self) -> None:
        """The source could not be read; after a whole cycle of that it is an alarm."""
        bureau, now = self._bureau, self._bureau.clock()
        self._first_try = self._first_try or now
        with bureau.store.read() as conn:
            last = sourcebook.read_one(conn, f"source:{self._name}").get("last_pull")
        hours = self._hours_since(last) if last else _worked(self._first_try, now)
        allowed = self._expected.cycle_hours if self._expected else UNREACHED_HOURS
        if hours >= allowed:
            self._reached = False
            with bureau.store.write() as conn:
                sound(bureau, conn, UNREACHED, self._name, {"hours": int(hours), "allowed_hours": allowed})

    def _judge(self, conn: Connection, kind: str, count: int, least: int, most: int, ended: bool) -> None:
        """Too much is said at once, too little when the cycle has ended."""
        mark, facts = f"{self._name}/{kind}", {"rows": count, "least": least, "most": most}
        wrong = TOO_MANY if count > most else None
        if ended and count < least:
            wrong = TOO_FEW if count else NOTHING
        if wrong is not None:
            sound(self._bureau, conn, wrong, mark, facts)
        if ended:
            for one in {TOO_FEW, TOO_MANY, NOTHING} - {wrong}:
                quiet(self._bureau, conn, one, [mark])

    def _begin(self, conn: Connection) -> None:
        sourcebook.post(conn, f"cycle:{self._name}", {"began": self._bureau.now_text(), "penalty": 0, "relief": 0})

    def _hours_since(self, text: str) -> float:
        return _worked(dt.datetime.fromisoformat(text), self._bureau.clock())


def _worked(start: dt.datetime, end: dt.datetime) -> float:
    return worked_hours(start.astimezone(SHANGHAI), end.astimezone(SHANGHAI))
