"""``syncd erase``: a person of the bureau whose finding or honour it is orders that all said about it be erased 删除.

1. the finding stands in this bureau's own log or in a sealed one that it goes on for, and no order is held yet;
2. it is over: relieved, or past all its days; one that still stands is revoked in the same step, if that was asked for;
3. ``erasure.ordered`` names it, with ground, number of the order and limit; what follows is ``flows.erase``.
"""

import datetime as dt
import re
from typing import Any

from sqlalchemy import Connection

from syncd.agreement.workdays import due
from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.flows.honour import withdraw
from syncd.flows.record import Saying, record, sign
from syncd.flows.relieve import relief_body, say_own
from syncd.flows.respond import RELIEF_WORKING_DAYS, state_of
from syncd.flows.resync import Finish, operator_body
from syncd.store import erased, honours, register
from syncd.store.honours import Honour
from syncd.store.reading import EntryRow, by_id

Json = dict[str, Any]
_PLACE = re.compile(r"(.+):(0|[1-9][0-9]{0,15})", re.ASCII)
_LEAF = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class OrderErasure:
    """Writes the order; see the module."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def run(
        self,
        finding: str,
        ground: str,
        number: str | None,
        revoke: bool,
        account: int,
        finish: Finish = lambda conn, result: None,
    ) -> Json:
        """Order it; returns where the order stands and when it is due. Raises ``NeedsPerson`` with what is in the way.

        ``finding``: ``<log>:<index>``, id or leaf hash; ``ground`` and ``number`` are codes.
        """
        bureau = self._bureau
        with bureau.store.write() as conn:
            row = self._named(conn, finding)  # step 1
            revoked = self._over(conn, row, ground, revoke)  # step 2
            limit = due(bureau.today(), RELIEF_WORKING_DAYS).day.isoformat()
            body = {"schema": "erasure/1.0", "ground": ground, "order": number, "due": limit}
            order = record(bureau, conn, [Saying(erased.ORDERED, erased.ref_to(row), body)])[0]  # step 3
            record(bureau, conn, [Saying("operator.acted", None, operator_body("erase", account, ground))])
            result: Json = {"finding": row.leaf_hash.hex(), "order": order.leaf_hash.hex(), "log": bureau.origin,
                            "index": order.index, "due": limit, "revoked": revoked,
                            "holders": sorted(bureau.members)}  # fmt: skip
            finish(conn, result)
            failpoint("order_erasure.before_commit")
        sign(bureau)
        for bell in ("erase", "share", "recognise"):
            bureau.wake(bell)
        return result

    def _named(self, conn: Connection, text: str) -> EntryRow:
        bureau, rows = self._bureau, list[EntryRow]()
        own = [bureau.origin, *bureau.members[bureau.code].former]
        if match := _PLACE.fullmatch(text):
            origin = bureau.origin if match[1] == bureau.code else match[1]
            if origin in own:
                rows = bureau.logs.read_entries(conn, origin, int(match[2]), int(match[2]) + 1)
        elif _LEAF.fullmatch(text):
            rows = [row for origin in own for row in bureau.logs.by_leaf(conn, origin, [bytes.fromhex(text)])]
        elif _ID.fullmatch(text):
            rows = by_id(conn, [text])
        rows = [row for row in rows if row.origin in own and row.kind in erased.ROOTS]
        if not rows:
            raise NeedsPerson(
                "That is no finding or honour of this bureau's own log. Nothing was ordered. It is erased by the "
                "bureau that issued it: give its <log>:<index>, id or leaf hash, as `syncd explain` and `syncd honour "
                "list` show them."
            )
        held = erased.order_of(conn, rows[0].leaf_hash)
        if held is not None:
            log = next(state.origin for state in bureau.logs.states(conn) if state.id == held.log)
            raise NeedsPerson(
                f"Its erasure is ordered already, by {log}:{held.idx}. Nothing was ordered again; "
                "`syncd erasures` shows who has answered."
            )
        return rows[0]

    def _over(self, conn: Connection, row: EntryRow, ground: str, revoke: bool) -> bool:
        """Whether it had to be revoked first. Raises ``NeedsPerson`` where it stands and nobody asked for that."""
        bureau = self._bureau
        honour = honours.one(conn, row.leaf_hash)
        if honour is not None:
            return self._honour_over(conn, honour, revoke)
        finding = register.findings_by_leaf(conn, [row.leaf_hash]).get(row.leaf_hash)
        if finding is None:
            return False
        state = state_of(finding, register.relief_of(conn, [finding.leaf]).get(finding.leaf, ()), bureau.today())
        if (state.ended is not None and state.off) or _passed(finding.parsed(), bureau.today()):
            return False
        if not revoke:
            raise NeedsPerson(
                "The finding still stands: others restrict the organisation by it. Nothing was ordered. Have it "
                "relieved at its source first, or give --revoke, which revokes 撤销 and erases it in one step."
            )
        say_own(bureau, conn, [("relief.revoked", finding, relief_body(ground, bureau))])
        return True

    def _honour_over(self, conn: Connection, honour: Honour, revoke: bool) -> bool:
        """The same of an honour; one of a sealed log is withdrawn by the order alone."""
        bureau = self._bureau
        today = bureau.today().isoformat()
        if honour.until < today or (honour.withdrawn_on is not None and honour.withdrawn_on <= today):
            return False
        if not revoke:
            raise NeedsPerson(
                "The honour still stands, and others offer incentives by it. Nothing was ordered. Withdraw it first "
                "(`syncd honour withdraw`), or give --revoke, which withdraws and erases it in one step."
            )
        own = bureau.logs.state(conn, bureau.origin).id == honour.log
        if own:
            withdraw(bureau, conn, honour, today)
        return own


def _passed(body: Json, day: dt.date) -> bool:
    """Whether every day up to which it is shown, answered or acted upon lies behind."""
    ends = list(body["ends"].values())
    return bool(ends) and all(end is not None and end < day.isoformat() for end in ends)
