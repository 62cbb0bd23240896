"""Erasure 删除 carried out here: an order acts, is carried out, and is answered (LEDGER §4).

1. *off*: the finding restricts nobody any more; the lifting is said, and goes home with the mark to forget;
2. *cleared*: record keys first, then salts and bodies; desk, jobs and source rows; of batches the items about it;
3. *gone*: once the home system has the lifting, the register and the outbox forget the finding;
4. *done*: the bytes are out of the store's file too, and ``erasure.done`` says so;
5. *closed*: an order of one's own, when every member has answered.

Each step is idempotent and commits by itself: a crash leaves the order where it was, and it goes on from there. While
this node is in doubt only the lifting acts; nothing that an order covers is served meanwhile (``store.erased``).
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.agreement.workdays import due
from syncd.errors import Retry
from syncd.failpoint import failpoint
from syncd.flows.alarms import match
from syncd.flows.bureau import Bureau, day_of_text
from syncd.flows.erasures import LATE, late, progress
from syncd.flows.grounds import lost_grounds
from syncd.flows.honour import GRANTED
from syncd.flows.honour_rows import honour_key
from syncd.flows.opening import read_opened
from syncd.flows.record import Saying, record, sign
from syncd.flows.respond import RELIEF_WORKING_DAYS, respond
from syncd.flows.understand import RESPONSES, relief_key
from syncd.flows.unsaid import lift_unsaid
from syncd.ledger.entry import Ref
from syncd.store import erased, forget, honours, outbox, register
from syncd.store.erased import Order
from syncd.store.honours import Withdrawal
from syncd.store.vault import Sealed

Json = dict[str, Any]
_AT_ONCE = 64


class Erase:
    """The stage; ``step`` takes every open order one step on and says whether any has moved."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._steps: dict[str, Callable[[Order], bool]] = {
            "held": self._off,
            "off": self._clear,
            "cleared": self._gone,
            "gone": self._done,
            "done": self._close,
        }

    def step(self) -> bool:
        """One step of each order; one that waits (for the home system, for members) does not hold back the others."""
        with self._bureau.store.read() as conn:
            waiting = erased.open_orders(conn)
        moved, trouble = False, None
        for order in waiting:
            try:
                moved = self._steps[order.state](order) or moved
            except Retry as error:
                trouble = error
        if waiting:
            self._alarm()
        if trouble is not None and not moved:
            raise trouble
        return moved

    def _off(self, order: Order) -> bool:  # step 1
        bureau = self._bureau
        with bureau.store.read() as conn:
            held = register.findings_by_leaf(conn, [order.finding]).get(order.finding)
            honour = honours.one(conn, order.finding)
            order = self._read(conn, order)
        if honour is not None:
            bureau.vault.bar([honour_key(honour.uscc, honour.honour, honour.number)], order.finding)
        if held is not None:
            bureau.vault.bar([held.natural_key, relief_key(held.organ, held.number, held.uscc)], order.finding)
        with bureau.store.write() as conn:
            if held is not None:
                register.add_relief(conn, [_as_relief(order, held.log)])
            if honour is not None:  # from its first day on it offers nothing
                gone = Withdrawal(honour.leaf, honour.log, order.leaf, honour.granted_on)
                honours.add(conn, [], [gone])
            if bureau.may_sign:
                respond(bureau, conn, [order.finding])
                lost_grounds(bureau, conn, [order.finding])
                self._answer(conn, order)
                erased.move(conn, order._replace(state="off"))
            else:
                lift_unsaid(bureau, conn, [order.finding])
            outbox.forget_at_home(conn, order.finding, bureau.now_text())
            failpoint("erase.before_off")
        if bureau.may_sign:
            sign(bureau)
            bureau.wake("share")
        bureau.wake("restrict")
        return bureau.may_sign

    def _read(self, conn: Connection, order: Order) -> Order:
        """What the order's body says; it acts without one, with the limit that the law gives."""
        said = read_opened(self._bureau, conn, self._origin(conn, order), order.idx, order.idx + 1)[0].body or {}
        day = due(day_of_text(order.at), RELIEF_WORKING_DAYS).day.isoformat()
        return order._replace(ground=said.get("ground"), number=said.get("order"), due=said.get("due") or day)

    def _answer(self, conn: Connection, order: Order) -> None:
        """A finding that this region never answered is declined: it was over before it was read here."""
        bureau, ref = self._bureau, self._finding(conn, order)
        if ref is None:
            return
        if any(row.kind == GRANTED for row in bureau.logs.entries_of(conn, [ref])):
            return  # no region answers an honour
        about = bureau.logs.entries_about(conn, [ref])
        if any(row.origin == bureau.origin and row.kind in RESPONSES for row in about):
            return
        knew = {state.origin: state.size for state in bureau.logs.states(conn)}
        body = {"schema": "lifting/1.0", "reason": "erased", "because": order.leaf.hex(), "due": None, "knew": knew,
                "demonstration": bureau.allow_candidates}  # fmt: skip
        record(bureau, conn, [Saying("restriction.declined", ref, body)])

    def _finding(self, conn: Connection, order: Order) -> Ref | None:
        opened = read_opened(self._bureau, conn, self._origin(conn, order), order.idx, order.idx + 1)[0]
        return opened.entry.ref if opened.entry is not None else None

    def _origin(self, conn: Connection, order: Order) -> str:
        return next(state.origin for state in self._bureau.logs.states(conn) if state.id == order.log)

    def _clear(self, order: Order) -> bool:  # step 2
        bureau = self._bureau
        with bureau.store.read() as conn:
            ref = self._finding(conn, order)
            rows = forget.chain(conn, ref.id if ref else "", order.finding) if ref else []
            keys = forget.keys_of(conn, rows)
            cut = self._cut(conn, rows)
        sealed = bureau.vault.seal([text for _, text in cut])
        bureau.vault.forget(keys)
        failpoint("erase.keys_forgotten")
        parts = [(batch, new) for (batch, _), new in zip(cut, sealed, strict=True)]
        with bureau.store.write() as conn:
            self._forget(conn, order, parts)
            old = [batch.sealed.key_id.hex() for batch, _ in parts]
            erased.move(conn, order._replace(state="cleared", keys=orjson.dumps(old).decode()))
            failpoint("erase.before_clear")
        return True

    def _forget(self, conn: Connection, order: Order, parts: Sequence[tuple[forget.Batch, Sealed]] = ()) -> None:
        finding = register.findings_by_leaf(conn, [order.finding]).get(order.finding)
        ref = self._finding(conn, order)
        rows = forget.chain(conn, ref.id, order.finding) if ref else []
        forget.blank(conn, rows)
        forget.replace(conn, parts)
        forget.forget_traces(conn, finding, order.finding, rows, honours.one(conn, order.finding))

    def _cut(self, conn: Connection, rows: Sequence[Any]) -> list[tuple[forget.Batch, bytes]]:
        """Every batch with items about what is erased, and what stays of it.

        One that is damaged may have such items: nothing stays of it, and it is owed by who wrote it.
        """
        found, some = list[tuple[forget.Batch, bytes]](), list[forget.Batch]()

        def judge() -> None:
            opened, damaged = self._bureau.vault.open_each([one.sealed for one in some])
            texts = [text or b"" for text in opened]
            kept = erased.without_items(conn, texts)
            pairs = enumerate(zip(some, texts, kept, strict=True))
            found.extend((one, new) for n, (one, old, new) in pairs if new != old or n in damaged)
            some.clear()

        for batch in forget.batches(conn, rows):
            some.append(batch)
            if len(some) >= _AT_ONCE:
                judge()
        judge()
        return found

    def _gone(self, order: Order) -> bool:  # step 3
        bureau = self._bureau
        bureau.vault.forget([bytes.fromhex(key) for key in orjson.loads(order.keys)])
        with bureau.store.write() as conn:
            sent = outbox.of_findings(conn, [order.finding]).get(order.finding)
            if sent is not None and sent.state == "pending":
                return False  # relief must still reach the bureau's own system
            self._forget(conn, order)
            forget.forget_finding(conn, order.finding)
            erased.move(conn, order._replace(state="gone", keys="[]"))
            failpoint("erase.before_gone")
        return True

    def _done(self, order: Order) -> bool:  # step 4
        bureau = self._bureau
        if not bureau.may_sign:
            return False
        if not bureau.store.wipe():
            raise Retry(
                "A finding is erased, but a long reading of the store keeps its bytes in the write-ahead log. It is "
                "tried again by itself; an audit or an export that runs now has to end first."
            )
        with bureau.store.write() as conn:
            body = {"schema": "erasure/1.0", "ground": order.ground or "ordered", "order": order.number,
                    "due": order.due}  # fmt: skip
            about = Ref(self._origin(conn, order), order.id, order.leaf.hex())
            record(bureau, conn, [Saying("erasure.done", about, body)])
            erased.move(conn, order._replace(state="done"))
            failpoint("erase.before_done")
        sign(bureau)
        bureau.wake("share")
        bureau.notice("erase.done", {"order": order.leaf.hex()})
        return True

    def _close(self, order: Order) -> bool:  # step 5
        bureau = self._bureau
        with bureau.store.write() as conn:
            own = order.log == bureau.logs.state(conn, bureau.origin).id
            if own and not all(progress(bureau, conn, order).values()):
                return False
            erased.move(conn, order._replace(state="closed"))
        return True

    def _alarm(self) -> None:
        """What is not answered in time: by this node, or, of one's own orders, by whoever owes it."""
        bureau = self._bureau
        with bureau.store.write() as conn:
            match(bureau, conn, LATE, late(bureau, conn, bureau.today()))


def _as_relief(order: Order, log: int) -> Json:
    """It ends the finding in the finding's own log, whether that ordered it or its successor."""
    return {"leaf": order.leaf, "finding": order.finding, "kind": erased.ORDERED, "log": log, "idx": order.idx,
            "at_day": day_of_text(order.at).isoformat(), "effective_from": None, "clears": "[]"}  # fmt: skip
