"""A confirmed finding rests on the records it counts: where one of them is relieved, it is off at once.

Relief is as fast as restriction: the program does not decide whether the finding falls, but it suspends it in the same
transaction in which the relief of the record is recognised, and a person looks.
"""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import Connection

from syncd.agreement.relief import off_on
from syncd.flows.bureau import Bureau
from syncd.flows.marks import removable
from syncd.flows.propose import still_counts
from syncd.flows.relieve import CLEARS, relief_body, say_own
from syncd.flows.respond import state_of
from syncd.store import desk, proposals, register

GROUND = "grounds_gone"


def lost_grounds(bureau: Bureau, conn: Connection, relieved: Collection[bytes]) -> int:
    """Suspend this bureau's own findings that rest on these records and have lost their ground; returns how many."""
    resting = proposals.resting_on(conn, relieved)
    if not resting:
        return 0
    own = bureau.own_logs(conn)
    rows = register.findings_by_leaf(conn, list(resting))
    relief = register.relief_of(conn, list(rows))
    lost = [
        row
        for leaf, row in rows.items()
        if row.log in own
        and row.parsed().get("grounds")  # amended since, it rests on them no more
        and not off_on(replace(state_of(row, relief.get(leaf, ()), bureau.today()), suspended=False), bureau.today())
        and not removable(bureau, conn, row, CLEARS["finding.resumed"], GROUND)  # what else suspends it may end first
        and not still_counts(bureau, conn, resting[leaf])
    ]
    say_own(bureau, conn, [("relief.suspended", row, relief_body(GROUND, bureau)) for row in lost])
    items = [
        {"kind": "grounds_gone", "mark": row.leaf.hex(), "reason": "record_relieved", "anew": True,
         "facts": {"finding": row.leaf.hex(), "records": [record.hex() for record in resting[row.leaf]]}}
        for row in lost
    ]  # fmt: skip
    desk.put(conn, items, bureau.now_text())
    return len(lost)
