"""A day that has passed, for who asks the register 登记: what stood by then, and without it what stands now.

The register keeps the newest of everything. ``Past`` brings back from the entries what had been recorded, amended and
answered by the end of the day; marks that were set later are left aside here. Relief that names its own day acts from
that day, whenever it was said.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from syncd.agreement.history import ENDINGS
from syncd.store import honours, register
from syncd.store.honours import Honour
from syncd.store.register import Finding, ReliefRow, Response

Rows = TypeVar("Rows", Finding, Honour)


class Past(Protocol):
    """What stood by the end of a day that has passed, from the entries (``syncd/evidence/then.py``)."""

    @property
    def day(self) -> dt.date:
        """The day, Asia/Shanghai."""

    def recorded(self, conn: Connection, rows: Sequence[Rows]) -> list[Rows]:
        """Those findings or honours that had been recorded by then."""

    def findings(self, conn: Connection, rows: Sequence[Finding]) -> list[Finding]:
        """Each with the body that was newest by then; one that is newer than the day as it was issued."""

    def answers(
        self, conn: Connection, rows: Sequence[Finding], region: str | None = None
    ) -> Mapping[bytes, Mapping[str, Response]]:
        """What had been answered, by finding and region."""


class Told(NamedTuple):
    """What was said of some findings: relief and marks, and the regions' answers."""

    relief: Mapping[bytes, Sequence[ReliefRow]]
    answers: Mapping[bytes, Mapping[str, Response]]


def bodies_by(conn: Connection, rows: Sequence[Finding], past: Past | None) -> Sequence[Finding]:
    """Findings as they stood."""
    return past.findings(conn, rows) if past is not None else rows


def known_by(conn: Connection, rows: Sequence[Finding], past: Past | None) -> Sequence[Finding]:
    """Findings as they stood, without those that had not been recorded."""
    return past.findings(conn, past.recorded(conn, rows)) if past is not None else rows


def told_by(conn: Connection, rows: Sequence[Finding], region: str, past: Past | None, *, every: bool = False) -> Told:
    """What had been said of these findings, as ``bodies_by`` gives them; ``every``: they are all that there are."""
    leaves = None if every else [row.leaf for row in rows]
    relief = register.relief_of(conn, leaves)
    if past is None:
        return Told(relief, register.responses_of(conn, leaves, region))
    day, recognised = past.day.isoformat(), {row.amended for row in rows}
    kept = {
        leaf: [one for one in said if one.kind in ENDINGS or one.at_day <= day or one.leaf in recognised]
        for leaf, said in relief.items()
    }
    return Told(kept, past.answers(conn, rows, region))


def honours_by(conn: Connection, usccs: Collection[str] | None, past: Past | None) -> dict[str, list[Honour]]:
    """Honours by organisation, without those that had not been recorded."""
    held = honours.of(conn, usccs)
    if past is None or not held:
        return held
    known = {one.leaf for one in past.recorded(conn, [one for some in held.values() for one in some])}
    return {uscc: [one for one in some if one.leaf in known] for uscc, some in held.items()}
