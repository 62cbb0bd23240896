"""Stage ``restrict`` 受限: what it means here → this bureau's own systems, and back: feedback 反馈 and lifting.

Present state is delivered, never history: one order row for each (finding, measure, counter), liftings first
(LEDGER §7). Pushing again changes nothing at home, so a crash between push and commit only repeats a delivery.
Acknowledgements come back as one batch entry for each delivered batch, at most 256 items.
"""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection

from adapters.base import Ack, AckFault, SourceError
from adapters.source import Source
from syncd.agreement.model import Agreement
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.flows.record import ITEMS_PER_BATCH_ENTRY, Saying, record, sign
from syncd.flows.set_aside import ACKNOWLEDGEMENTS
from syncd.store import desk, erased, order_receipts, outbox, register, sourcebook
from syncd.store.outbox import FORGET, Delivery, Due

Json = dict[str, Any]
BATCH = 512
NARROWER = 8
REFUSED_AT_ONCE = 32
"""So many are not a fault of single orders: the home system takes nothing now."""
_SHARED = 512  # measures of findings of one kind and day are the same text, and their orders about 10 KB
UNREAD = (
    "An acknowledgement 回执 could not be read, so the order it answers stays unanswered; the department must correct "
    "it and answer again. Others were read."
)
_OF_FINDING = dict.fromkeys(
    ("CJD_PCH", "CJD_RDBH", "CJD_BBH", "CJD_SY", "CJD_WSH", "CJD_WSRQ", "CJD_XDR_MC", "CJD_XDR_SHXYM"), ""
)  # they keep their places in the shared orders, which is faster than to put two halves together for each
KIND_ZH = {"binding": "约束", "discretionary": "裁量", "advisory": "建议"}
MARK_ZH = {"disputed": "异议", FORGET: "删除"}


class Restrict:
    """The stage for one bureau's own system; ``step`` delivers one batch and says whether there is more."""

    def __init__(self, bureau: Bureau, source: Source) -> None:
        self._bureau = bureau
        self._source = source
        self._most = BATCH
        self._refused: dict[tuple[bytes, int], SourceError] = {}

    def step(self) -> bool:
        """Deliver one batch. Raises ``SourceError``; then everything stays pending and is tried again.

        After a refusal the batches become small until what is refused stands alone. That is passed over until all
        else has had its turn: one order that a home system will not take keeps nothing back, least of all relief.

        Where candidates take no effect, a restriction that was judged as a demonstration 演示 stays pending until it is
        judged again; of its measures only those that are off go home.
        """
        bureau, day = self._bureau, self._bureau.today()
        with bureau.store.read() as conn:
            waiting = self._waiting(conn)
        if not waiting:
            return False
        if not waiting[0].delivery.active:  # liftings travel alone: an order that is refused at home keeps none back
            waiting = [one for one in waiting if not one.delivery.active]
        rows = [one.delivery for one in waiting]
        held = set[bytes]() if bureau.allow_candidates else {row.finding for row in rows if _demonstrates(row)}
        batch = f"{bureau.code}-{int(bureau.clock().timestamp() * 1000)}"
        orders = [order for one in waiting for order in orders_of(bureau.agreement, bureau.code, one, batch, day)
                  if order["CJD_ZT"] == "0" or one.delivery.finding not in held]  # fmt: skip
        failpoint("restrict.before_push")
        try:
            numbers = self._source.push(orders) if orders else ()
        except SourceError as error:
            if error.transient or not self._narrow(rows, error):
                raise
            return True
        self._most = min(BATCH, self._most * NARROWER)
        failpoint("restrict.after_push")
        sent = [row for row in rows if row.finding not in held]
        with bureau.store.write() as conn:
            said = outbox.acknowledged(conn, [row.finding for row in sent])
            outbox.delivered(conn, [_delivered(row, said.get(row.finding), day) for row in sent], bureau.now_text())
            outbox.put_off(conn, [row for row in rows if row.finding in held], day.isoformat())
            order_receipts.note(conn, [(row.finding, row.counter) for row in sent], numbers, bureau.now_text())
            facts = {"last_delivery": bureau.now_text(), "orders": len(orders), "error": None}
            sourcebook.post(conn, "home", facts)
            if bureau.today() != day:  # midnight has passed since the orders were made
                outbox.changed_by(conn, bureau.today().isoformat())
            failpoint("restrict.before_commit")
        failpoint("restrict.after_commit")
        if any(FORGET in row.terms for row in rows):
            bureau.wake("erase")
        bureau.notice("restrict.delivered", {"findings": len(sent), "orders": len(orders)})
        return True

    def _waiting(self, conn: Connection) -> list[Due]:
        """The next batch without what was refused; that is tried again, and reported, once nothing else waits."""
        due = outbox.pending(conn, self._most + len(self._refused))
        waiting = [one for one in due if _mark(one.delivery) not in self._refused][: self._most]
        if not waiting and self._refused:
            errors, self._refused = list(self._refused.values()), {}
            if due:
                raise errors[-1]
        return waiting

    def _narrow(self, rows: Sequence[Delivery], error: SourceError) -> bool:
        """Make the next batch smaller, or pass over what is alone; False if too much was refused: then all from anew,
        for once the home system takes orders again liftings come first.
        """
        self._most = max(1, len(rows) // NARROWER)
        if len(rows) == 1:
            self._refused[_mark(rows[0])] = error
        if len(self._refused) < REFUSED_AT_ONCE:
            return True
        self._refused = {}
        return False

    def acknowledgements(self) -> bool:
        """Read one page of acknowledgements back and record them; says whether there is more."""
        bureau, origin = self._bureau, self._bureau.origin
        with bureau.store.read() as conn:
            text = bureau.logs.get_cursor(conn, "acknowledgements")
        page = self._source.acknowledgements(orjson.loads(text) if text else None)
        if not page.rows:
            if page.cursor and (text is None or orjson.loads(text) != page.cursor):
                with bureau.store.write() as conn:
                    self._unread(conn, page.faults)
                    bureau.logs.set_cursor(conn, "acknowledgements", orjson.dumps(page.cursor).decode())
            return page.more
        with bureau.store.write() as conn:
            self._unread(conn, page.faults)
            items = self._note(conn, page.rows)
            for start in range(0, len(items), ITEMS_PER_BATCH_ENTRY):
                said = items[start : start + ITEMS_PER_BATCH_ENTRY]
                record(bureau, conn, [Saying("feedback.reported", None, items=said)])
            bureau.logs.set_cursor(conn, "acknowledgements", orjson.dumps(page.cursor).decode())
            failpoint("acknowledgements.before_commit")
        failpoint("acknowledgements.after_commit")
        if sign(bureau):
            bureau.wake("share")
            bureau.wake("recognise")  # of the own log too, or it seems to lag behind until something else is said
        bureau.notice("restrict.acknowledged", {"items": len(items), "log": origin})
        return page.more

    def _unread(self, conn: Connection, faults: Sequence[AckFault]) -> None:
        """What could not be read goes to quarantine, one item for each column and cause, with the newest place."""
        source = self._source.facts.source.id
        items = [
            {"kind": "quarantine", "mark": f"{source}/{ACKNOWLEDGEMENTS}/{one.field}/{one.reason}",
             "reason": one.reason, "anew": True,
             "facts": {"source": source, "row": one.where, "field": one.field, "digest": "", "sentence": UNREAD}}
            for one in {(one.field, one.reason): one for one in faults}.values()
        ]  # fmt: skip
        desk.put(conn, items, self._bureau.now_text())

    def _note(self, conn: Connection, acks: Sequence[Ack]) -> list[Json]:
        """Count acknowledgements of what was delivered; one of an older counter or said before adds nothing.

        Measure and department are said in the words of the order, never in those that came back: in a column for the
        department somebody may have written a person's name, and what stands in the ledger is shared.
        """
        leaves = {bytes.fromhex(ack.finding) for ack in acks}
        known = outbox.of_findings(conn, leaves)
        answered = register.responses_of(conn, leaves, self._bureau.code)
        said = {leaf: orjson.loads(row.acknowledged) for leaf, row in known.items()}
        erasing = erased.covered_by(conn, leaves)
        items, touched = [], set()
        for ack in acks:
            leaf = bytes.fromhex(ack.finding)
            row = known.get(leaf)
            if row is None or ack.counter != row.counter or said[leaf].get(ack.measure) == ack.state:
                continue
            department = ordered_of(row.measures).get(ack.measure)
            if department is None:
                continue  # nothing was ordered by that code: it may be anything
            said[leaf][ack.measure] = ack.state
            touched.add(leaf)
            if leaf in erasing:
                continue  # noted for the erasure's sake; nothing more is said about it
            response = answered[leaf][self._bureau.code]
            items.append({"schema": "feedback/1.0", "about": response.leaf.hex(), "measure": ack.measure,
                          "department": department, "state": ack.state, "on": ack.on, "matter": None,
                          "effect": None, "counter": ack.counter})  # fmt: skip
        day = self._bureau.today()
        outbox.acknowledge(conn, [_acknowledged(known[leaf], said[leaf], day) for leaf in touched])
        return items


def _mark(row: Delivery) -> tuple[bytes, int]:
    return row.finding, row.counter


def _demonstrates(row: Delivery) -> bool:
    return row.active and '"demonstration":true' in row.terms


def _acknowledged(row: Delivery, said: Json, day: dt.date) -> Json:
    state = "acknowledged" if complete(row, said, day) else row.state
    return {"leaf": row.finding, "now_state": state, "said": orjson.dumps(said).decode()}


def _delivered(row: Delivery, said: str | None, day: dt.date) -> tuple[str, str | None, bytes, int, str]:
    """A home system may acknowledge before the delivery is marked: then it is acknowledged at once."""
    answered = said is not None and complete(row, orjson.loads(said), day)
    state = "acknowledged" if answered else "delivered"
    return state, next_change(row.measures, day), row.finding, row.counter, row.queued_at


def complete(row: Delivery, said: Json, day: dt.date) -> bool:
    """Whether every measure has been answered for what it is now: one that is off, as lifted or never applied."""
    today = day.isoformat()
    for measure in orjson.loads(row.measures):
        answer = said.get(measure["id"])
        on = measure["on"] and measure["to"] >= today
        if answer is None or (not on and answer == "applied") or (on and answer == "lifted"):
            return False
    return True


@lru_cache(_SHARED)
def ordered_of(measures: str) -> dict[str, str]:
    """The department that each of the delivered ``measures`` was ordered from."""
    return {measure["id"]: measure["responder"] for measure in orjson.loads(measures)}


@lru_cache(_SHARED)
def next_change(measures: str, day: dt.date) -> str | None:
    """The first day after ``day`` on which one of the delivered ``measures`` ends by itself."""
    ends = [measure["to"] for measure in orjson.loads(measures) if measure["on"]]
    later = [end for end in ends if end >= day.isoformat()]
    if not later:
        return None
    return (dt.date.fromisoformat(min(later)) + dt.timedelta(days=1)).isoformat()


def orders_of(agreement: Agreement, region: str, one: Due, batch: str, day: dt.date) -> list[Json]:
    """The order rows 惩戒单 of one finding: a row for each measure, on or lifted, as of ``day``."""
    row = one.delivery
    about = {
        "CJD_PCH": batch,
        "CJD_RDBH": row.finding.hex(),
        "CJD_BBH": str(row.counter),
        "CJD_SY": one.criterion or "",
        "CJD_WSH": one.number,
        "CJD_WSRQ": one.decided_on,
        "CJD_XDR_MC": one.name,
        "CJD_XDR_SHXYM": one.uscc,
    }
    return [order | about for order in _ordered(agreement, region, row.measures, row.terms, day)]


@lru_cache(_SHARED)
def _ordered(agreement: Agreement, region: str, measures: str, terms: str, day: dt.date) -> Sequence[Json]:
    """What orders say of the measures alone: the same for all findings of one kind and day."""
    said, today = orjson.loads(terms), day.isoformat()
    common = {
        **_OF_FINDING,
        "CJD_LY": agreement.field_zh,
        "CJD_GZ": said.get("rule") or "",
        "CJD_TQBM": agreement.regions[region].department,
        "CJD_SFFK": "是",
        "CJD_BJ": next((zh for mark, zh in MARK_ZH.items() if mark in (said.get("mark") or "").split()), ""),
        "CJD_YS": "演示" if said.get("demonstration") else "",
    }
    return [
        {
            **common,
            "CJD_ZT": "1" if measure["on"] and measure["to"] >= today else "0",
            "CJD_YJ": measure["basis"] or "",
            "CJD_CS": measure["id"],
            "CJD_CSMC": agreement.measures[measure["id"]].name_zh if measure["id"] in agreement.measures else "",
            "CJD_XZ": KIND_ZH[measure["kind"]],
            "CJD_ZXBM": measure["responder"],
            "CJD_YXQ": measure["from"],
            "CJD_YXZ": measure["to"],
        }
        for measure in orjson.loads(measures)
    ]
