"""How erasures stand 删除进度: who has answered which order, who owes it, and who is late. Read only.

The limit is three working days (行政处罚法 Art. 48 with Art. 85); every member of the agreement is a holder, the
bureau that ordered it included.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from syncd.agreement.workdays import due
from syncd.flows.books import Books
from syncd.flows.bureau import day_of_text
from syncd.flows.respond import RELIEF_WORKING_DAYS
from syncd.ledger.entry import Ref
from syncd.store import erased, reading
from syncd.store import state as logs
from syncd.store.erased import Order

Json = dict[str, Any]
LATE = "erasure_late"


def progress(books: Books, conn: Connection, order: Order) -> dict[str, str | None]:
    """Each member, and when it said that it has erased (UTC text), or None."""
    origins = {state.id: state.origin for state in logs.states(conn)}
    codes = {books.members[code].origin: code for code in books.agreement.members}
    said: dict[str, str | None] = dict.fromkeys(sorted(books.agreement.members))
    for row in reading.entries_about(conn, [Ref(origins[order.log], order.id, order.leaf.hex())]):
        code = codes.get(row.origin)
        if row.kind == erased.DONE and code is not None and said[code] is None:
            said[code] = row.at
    return said


def due_of(order: Order) -> str:
    """The last day on which it is in time."""
    return order.due or due(day_of_text(order.at), RELIEF_WORKING_DAYS).day.isoformat()


def listed(books: Books, conn: Connection, today: dt.date) -> list[Json]:
    """Every order that is held here, oldest first, with who has answered it and who is late."""
    origins = {state.id: state.origin for state in logs.states(conn)}
    return [_shown(order, origins[order.log], progress(books, conn, order), today) for order in erased.orders(conn)]


def _shown(order: Order, origin: str, said: Mapping[str, str | None], today: dt.date) -> Json:
    limit = due_of(order)
    days = {code: today if at is None else day_of_text(at) for code, at in said.items()}
    return {
        "log": origin,
        "index": order.idx,
        "id": str(UUID(order.id)),
        "order": order.leaf.hex(),
        "finding": order.finding.hex(),
        "ordered_at": order.at,
        "ground": order.ground,
        "number": order.number,
        "due": limit,
        "here": order.state,
        "answers": dict(said),
        "waiting_for": [code for code, at in said.items() if at is None],
        "late": [code for code, day in days.items() if day.isoformat() > limit],
    }


def late(books: Books, conn: Connection, today: dt.date) -> dict[str, Json]:
    """Orders over their limit: this node's own with whoever has not answered, others' where it is this node."""
    own = books.members[books.code].origin
    origins = {state.id: state.origin for state in logs.states(conn)}
    found = {}
    for order in erased.open_orders(conn):
        if today.isoformat() <= due_of(order):
            continue
        missing = [code for code, at in progress(books, conn, order).items() if at is None]
        owing = missing if origins[order.log] == own else [code for code in missing if code == books.code]
        if owing:
            facts = {"log": origins[order.log], "index": order.idx, "due": due_of(order), "waiting_for": owing}
            found[order.leaf.hex()] = facts
    return found


def summary(books: Books, conn: Connection, today: dt.date) -> Json:
    """For ``status``: how many orders are open, and how many of them late."""
    return {"open": len(erased.open_orders(conn)), "late": len(late(books, conn, today))}
