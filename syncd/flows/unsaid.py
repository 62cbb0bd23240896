"""Relief while this node may not write to its log: it acts at once and goes home; its entries follow later (LEDGER §5).

The delivery is turned off at its own counter, where lifted wins over restricted. The cursor of ``recognise`` stays, so
that the same relief is read again, and answered, as soon as the node may write.
"""

from collections.abc import Collection

import orjson
from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.respond import state_of
from syncd.store import outbox, register


def lift_unsaid(bureau: Bureau, conn: Connection, leaves: Collection[bytes]) -> int:
    """Queue the lifting of what relief has turned off by today, and ring for its delivery once that is committed.

    Returns how many findings were on.
    """
    day, found = bureau.today(), register.findings_by_leaf(conn, leaves)
    relief, sent = register.relief_of(conn, list(found)), outbox.of_findings(conn, list(found))
    off = [leaf for leaf, row in found.items() if leaf in sent and sent[leaf].active
           and state_of(row, relief.get(leaf, ()), day).off]  # fmt: skip
    rows = []
    for leaf in off:
        measures = [{**measure, "on": False} for measure in orjson.loads(sent[leaf].measures)]
        text, now = orjson.dumps(measures).decode(), bureau.now_text()
        rows.append(sent[leaf]._replace(active=False, measures=text, state="pending", next_change=None, queued_at=now))
    outbox.put(conn, rows)
    if rows:
        bureau.store.once_committed(lambda: bureau.wake("restrict"))
    return len(rows)
