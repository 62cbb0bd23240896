"""What a member knew on a day 某日所知 (LEDGER §7), with the proof: indexed queries, one checkpoint a log.

A region's knowledge on a day is, for each log, the entries below the largest size that it had countersigned before the
day ended in Shanghai; of its own log, what it had itself signed. Relied on: this node's register, for which findings an
organisation has; and the lines held here, so that a line nobody has brought here shows less than was known, never more.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.agreement.force import Restriction, in_force_of, standing
from syncd.errors import NeedsPerson
from syncd.evidence.books import Evidence
from syncd.evidence.chain import ANSWERS, chain_of
from syncd.evidence.prove import Made, make_bundle
from syncd.flows.bureau import SHANGHAI, day_of_text
from syncd.flows.respond import state_of
from syncd.ledger.bundle import Known
from syncd.ledger.entry import Ref
from syncd.store import register
from syncd.store.checkpoints import known_from, known_size
from syncd.store.reading import EntryRow
from syncd.store.register import Finding

Json = dict[str, Any]


def as_known(evidence: Evidence, uscc: str, region: str, day: dt.date, now: dt.datetime) -> tuple[Json, Made]:
    """What ``region`` knew of an organisation by the end of ``day``, and the bundle that proves it.

    Raises NeedsPerson if the region is no member.
    """
    if region not in evidence.agreement.members:
        raise NeedsPerson(f"{region} is no member of this agreement; {', '.join(evidence.agreement.members)} are.")
    before = int(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), SHANGHAI).timestamp())
    with evidence.logs.store.read() as conn:
        view = _View(evidence, conn, region, before)
        findings = register.findings_of(conn, uscc)
        known = [one for one in findings if view.knows(view.origins[one.log], one.idx)]
        told = [view.finding(one, day) for one in known]
        made = make_bundle(evidence, conn, view.rows, view.sizes, f"{region} {day} {uscc}", now, Known(region, before))
        value = {
            "uscc": uscc,
            "name": known[-1].name if known else None,
            "region": region,
            "on": day.isoformat(),
            "before": before,
            "sizes": view.sizes,
            "standing": standing(view.restrictions, day),
            "findings": told,
            "not_yet_known": [view.late(one) for one in findings if one not in known],
        }
        return value, made


class _View:
    """The logs as one region knew them; collects the entries that go into the bundle."""

    def __init__(self, evidence: Evidence, conn: Connection, region: str, before: int) -> None:
        self.evidence, self.conn, self.region, self.before = evidence, conn, region, before
        states = evidence.logs.states(conn)
        self.origins: Mapping[int, str] = {state.id: state.origin for state in states}
        sizes = {state.origin: known_size(conn, state.origin, region, before) for state in states}
        self.sizes = {origin: size for origin, size in sizes.items() if size}
        self.rows: list[EntryRow] = []
        self.restrictions: list[Restriction] = []

    def knows(self, origin: str, index: int) -> bool:
        """Whether the region had countersigned a size that covers an entry."""
        return index < self.sizes.get(origin, 0)

    def finding(self, one: Finding, day: dt.date) -> Json:
        """One known finding: what the region had answered, which relief it knew, and what came to it later."""
        origin = self.origins[one.log]
        (root,) = [row for row in self.evidence.logs.entries_of(self.conn, [Ref(origin, one.id, one.leaf.hex())])
                   if row.origin == origin]  # fmt: skip
        chain = chain_of(self.evidence, self.conn, root)
        known = [row for row in chain if self.knows(row.origin, row.index)]
        self.rows += known
        answers = [row for row in known if row.kind in ANSWERS and row.origin.split("/")[1] == self.region]
        restriction = self._restriction(one, answers, day)
        self.restrictions.append(restriction)
        relief = [row for row in known if (row.kind or "").startswith("relief.") and row.origin == origin]
        return {
            "finding": one.leaf.hex(),
            "place": f"{origin}:{one.idx}",
            "number": one.number,
            "issuer": one.issuer,
            "known_since": known_from(self.conn, origin, self.region, one.idx),
            "answer": answers[-1].kind if answers else None,
            "answered_at": answers[-1].at if answers else None,
            "relief": [{"kind": row.kind, "place": f"{row.origin}:{row.index}", "at": row.at} for row in relief],
            "measures": in_force_of(restriction, day),
            "later": [self._later(row) for row in chain if row not in known],
        }

    def late(self, one: Finding) -> Json:
        """A finding that the region did not know yet."""
        origin = self.origins[one.log]
        since = known_from(self.conn, origin, self.region, one.idx)
        return {"place": f"{origin}:{one.idx}", "number": one.number, "known_since": since}

    def _restriction(self, one: Finding, answers: Sequence[EntryRow], day: dt.date) -> Restriction:
        """The region's newest restriction it had written by then, with the relief it knew and its own stop."""
        relief = [row for row in register.relief_of(self.conn, [one.leaf]).get(one.leaf, ())
                  if self.knows(self.origins[row.log], row.idx)]  # fmt: skip
        state = state_of(one, relief, day)
        imposed = [n for n, row in enumerate(answers) if row.kind == "restriction.imposed"]
        if not imposed:
            return Restriction((), state)
        (text,) = self.evidence.logs.unseal([answers[imposed[-1]].sealed])
        measures = orjson.loads(text)["body"]["measures"] if text else ()
        after = answers[imposed[-1] + 1 :]
        return Restriction(measures, state, day_of_text(after[0].at) if after and after[0].at else None)

    def _later(self, row: EntryRow) -> Json:
        since = known_from(self.conn, row.origin, self.region, row.index)
        return {"kind": row.kind, "place": f"{row.origin}:{row.index}", "at": row.at, "known_since": since}
