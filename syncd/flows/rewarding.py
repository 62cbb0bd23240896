"""What honours 守信荣誉 bring an organisation in a region on a day, from the register's rows; asked anew each time."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson

from syncd.agreement.force import Restriction
from syncd.agreement.rewards import Granted, is_severe, rewards
from syncd.flows.books import Books
from syncd.store.honours import Honour
from syncd.store.register import Finding

Json = dict[str, Any]


def rewards_of(
    books: Books,
    honours: Sequence[Honour],
    findings: Sequence[tuple[Finding, Restriction]],
    region: str,
    day: dt.date,
) -> list[Json]:
    """Every honour in force with its incentives, offered or suspended by an active severe finding of any member."""
    if not honours:
        return []
    agreement, demonstration = books.agreement, books.allow_candidates
    severe = []
    for row, restriction in findings:
        ends = orjson.loads(row.body)["ends"]
        stated = (ends["publicity"], ends["measures"])
        if is_severe(agreement, row.criterion, row.decided_on, stated, restriction, day, demonstration):
            severe.append(row.leaf.hex())
    return rewards(agreement, region, [_granted(one) for one in honours], severe, day, demonstration)


def _granted(row: Honour) -> Granted:
    return Granted(
        leaf=row.leaf.hex(),
        issuer=row.issuer,
        honour=row.honour,
        number=row.number,
        granted_on=dt.date.fromisoformat(row.granted_on),
        until=dt.date.fromisoformat(row.until),
        withdrawn_on=dt.date.fromisoformat(row.withdrawn_on) if row.withdrawn_on else None,
    )
