"""Stage ``recognise`` 互认: any log this node holds → what it means in this region.

Three cursors over each log. Relief is read to the end of what is held and acts at once; findings below the *target*
(the newest size the sender had when it sent) are answered only when the target is reached, so catching up never
imposes what is already relieved (LEDGER §6). What other regions answered only informs, so it is read when nothing
that acts is waiting. Cursor, register and appended answers commit together: a crash before
the commit leaves nothing, a crash after it leaves nothing to do.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.failpoint import failpoint
from syncd.flows.answer import COPY, DECLINED, HELD, IMPOSED, LIFTED
from syncd.flows.bureau import Bureau, Peer, day_of_text
from syncd.flows.opening import INFORMING, Opened, is_relief, read_opened
from syncd.flows.record import Saying, record, sign
from syncd.flows.respond import respond, response_row
from syncd.flows.understand import AMENDED, Changes, suspend_until_read, understand
from syncd.store import desk, register
from syncd.store.state import LogState

Json = dict[str, Any]
BATCH = 512
QUIET_SECONDS = 1.0
FAST_LANE = frozenset({"relief.%", AMENDED, ""})
ISSUED = "finding.issued"
SAID_HERE = frozenset({ISSUED, IMPOSED, LIFTED, DECLINED, HELD, "feedback.reported", "operator.acted"})
UNREADABLE_AT_PEER = frozenset(
    {"unknown_kind", "other_agreement", "no_disclosure", "does_not_open", "invalid_body", "newer_schema",
     "not_canonical", "exception", "not_its_finding"}
)  # fmt: skip


class Recognise:
    """The stage; ``step`` does one batch of one log and says whether there is more."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._acted = dt.datetime.min.replace(tzinfo=dt.UTC)

    def step(self) -> bool:
        """One batch: relief first in every log, then the next findings that may be answered."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            states = {state.origin: state for state in bureau.logs.states(conn)}
            relief = {origin: self._cursor(conn, "relief", origin) for origin in states}
            done = {origin: self._cursor(conn, "recognise", origin) for origin in states}
        for origin, state in states.items():
            if state.settled < state.size and relief[origin] < state.size:
                self._relief(state)
                return True
        for origin, state in states.items():
            if done[origin] < state.settled:
                self._findings(state, done[origin], min(done[origin] + BATCH, state.settled))
                return True
        return False

    def answers(self, at_once: bool = False) -> bool:
        """One batch of what other regions answered; without ``at_once`` only while nothing that acts has just come."""
        bureau = self._bureau
        if not at_once and (bureau.clock() - self._acted).total_seconds() < QUIET_SECONDS:
            return False
        with bureau.store.read() as conn:
            states = bureau.logs.states(conn)
        return any(self._answers(state) for state in states)

    def _cursor(self, conn: Connection, lane: str, origin: str) -> int:
        value = self._bureau.logs.get_cursor(conn, f"{lane}:{origin}")
        return int(value) if value else 0

    def _relief(self, state: LogState) -> None:
        bureau = self._bureau
        owner = bureau.owner(state.origin)
        with bureau.store.write() as conn:
            start = max(self._cursor(conn, lane, state.origin) for lane in ("relief", "recognise"))
            stop = state.size
            changes = Changes()
            if owner is not None:
                opened = read_opened(bureau, conn, state.origin, start, stop, only=FAST_LANE)
                changes = understand(
                    bureau, state.id, owner, [one for one in opened if is_relief(one.kind) or one.relief]
                )
                for one in opened:
                    if one.kind == AMENDED:
                        suspend_until_read(state.id, one, changes)
            self._apply(conn, state, changes)
            bureau.logs.set_cursor(conn, f"relief:{state.origin}", str(stop))
            failpoint("relief.before_commit")
        failpoint("relief.after_commit")
        self._after()

    def _findings(self, state: LogState, start: int, stop: int) -> None:
        bureau = self._bureau
        owner = bureau.owner(state.origin)
        with bureau.store.write() as conn:
            if self._cursor(conn, "recognise", state.origin) != start:
                return  # a person has moved it meanwhile: the next step goes on from there
            if owner is not None:
                self._recognise(conn, state, owner, start, stop)
            bureau.logs.set_cursor(conn, f"recognise:{state.origin}", str(stop))
            bureau.logs.set_cursor(conn, f"relief:{state.origin}", str(stop))
            failpoint("recognise.before_commit")
        failpoint("recognise.after_commit")
        self._after()

    def _recognise(self, conn: Connection, state: LogState, owner: Peer, start: int, stop: int) -> None:
        """Read and answer. Of one's own log, what this node said itself is known already and not opened again."""
        own = owner.code == self._bureau.code
        opened = read_opened(self._bureau, conn, state.origin, start, stop, unwanted=SAID_HERE if own else INFORMING)
        changes = understand(self._bureau, state.id, owner, opened)
        if own:
            changes.affected |= self._issued_here(conn, state, start, stop)
        self._apply(conn, state, changes)

    def _answers(self, state: LogState) -> bool:
        """One batch of what another region answered; False if there is none."""
        bureau, owner = self._bureau, self._bureau.owner(state.origin)
        if owner is None or state.own:
            return False
        with bureau.store.read() as conn:
            start = self._cursor(conn, "answers", state.origin)
        stop = min(start + BATCH, state.settled)
        if start >= stop:
            return False
        with bureau.store.write() as conn:
            if self._cursor(conn, "answers", state.origin) != start:
                return True  # moved meanwhile, as above
            opened = read_opened(bureau, conn, state.origin, start, stop, only=INFORMING)
            self._apply(conn, state, understand(bureau, state.id, owner, [one for one in opened if one.fault]))
            self._peer_answers(conn, state, owner, opened)
            bureau.logs.set_cursor(conn, f"answers:{state.origin}", str(stop))
            failpoint("recognise.before_answers_commit")
        if sign(bureau):
            bureau.wake("share")
        return True

    def _issued_here(self, conn: Connection, state: LogState, start: int, stop: int) -> set[bytes]:
        """Findings of one's own log: ``collect`` has put them into the register; one that is missing there is read."""
        issued = register.issued_between(conn, state.id, start, stop)
        entries = self._bureau.logs.read_entries(conn, state.origin, start, stop, only=(ISSUED,))
        missing = [row.index for row in entries if row.leaf_hash not in issued]
        for index in missing:
            opened = read_opened(self._bureau, conn, state.origin, index, index + 1)
            owner = self._bureau.members[self._bureau.code]
            register.add_findings(conn, understand(self._bureau, state.id, owner, opened).findings)
            issued |= {one.leaf for one in opened if one.fault is None}
        return issued

    def _after(self) -> None:
        self._acted = self._bureau.clock()
        sign(
            self._bureau
        )  # or another stage has done so since the commit; what waits to be delivered waits all the same
        self._bureau.wake("share")
        self._bureau.wake("restrict")

    def _apply(self, conn: Connection, state: LogState, changes: Changes) -> None:
        bureau = self._bureau
        register.add_findings(conn, changes.findings)
        register.amend_findings(conn, [_amendment(*change) for change in changes.amendments])
        register.add_relief(conn, changes.relief)
        register.hold_entries(conn, changes.held)
        desk.put(conn, changes.desk, bureau.now_text())
        respond(bureau, conn, changes.affected)
        if changes.unreadable:
            knew = {held.origin: held.size for held in bureau.logs.states(conn)}
            body: Json = {"schema": "held/1.0", "details": [], "due": None, "knew": knew}
            record(
                bureau,
                conn,
                [Saying("finding.held", ref, {**body, "reason": reason}) for ref, reason in changes.unreadable],
            )

    def _peer_answers(self, conn: Connection, state: LogState, owner: Peer, opened: Sequence[Opened]) -> None:
        """Note what another region answered; what it could not read goes to our desk as well."""
        if owner.code == self._bureau.code:
            return
        answers = [one for one in opened if one.kind in (IMPOSED, LIFTED, DECLINED, HELD)
                   and one.fault is None and one.entry and one.entry.ref]  # fmt: skip
        rows = self._answer_rows(conn, state, owner, answers)
        register.put_responses(conn, rows)
        told = [_told(owner, one) for one in answers if _unread(one)]
        told += self._copies(conn, owner, answers)
        desk.put(conn, told, self._bureau.now_text())

    def _copies(self, conn: Connection, owner: Peer, answers: Sequence[Opened]) -> list[Json]:
        """Another region says that a copy of a decision of ours lies in its source: shown on this desk as well."""
        about = [(one.entry.ref.leaf, (one.body or {}).get("mark")) for one in answers if one.entry and one.entry.ref]
        marked = [bytes.fromhex(leaf) for leaf, mark in about if COPY in str(mark or "").split()]
        own = register.findings_by_leaf(conn, marked)
        return [
            {"kind": "copy_at_peer", "mark": f"{owner.code}:{leaf.hex()}", "reason": "other_place",
             "facts": {"region": owner.code, "finding": leaf.hex(), "natural_key": row.natural_key.hex()}}
            for leaf, row in own.items() if row.issuer == self._bureau.code
        ]  # fmt: skip

    def _answer_rows(self, conn: Connection, state: LogState, owner: Peer, answers: Sequence[Opened]) -> list[Json]:
        named = {one.leaf: bytes.fromhex(one.entry.ref.leaf) for one in answers if one.entry and one.entry.ref}
        stored = register.responses_of(conn, list(set(named.values())), owner.code)
        before = {finding: found[owner.code] for finding, found in stored.items()}
        rows: dict[bytes, Json] = {}
        for one in answers:
            finding = named[one.leaf]
            earlier = before.get(finding)
            if one.entry is None or (earlier is not None and earlier.idx >= one.idx):
                continue
            day = day_of_text(one.entry.at).isoformat()
            body = orjson.dumps(one.body).decode()
            rows[finding] = response_row(owner.code, finding, earlier, one.kind, body) | {
                "leaf": one.leaf,
                "id": one.entry.id,
                "log": state.id,
                "idx": one.idx,
                "at": one.entry.at,
                "since": earlier.since if earlier is not None and earlier.since else day,
                "stopped_on": day if one.kind == LIFTED else None,
                "imposed_leaf": one.leaf if one.kind == IMPOSED else earlier.imposed_leaf if earlier else None,
            }
            before[finding] = register.Response(**rows[finding])
        return list(rows.values())

    def reconsider(self) -> int:
        """Retry every held entry, as after a change of version; returns how many were understood."""
        bureau = self._bureau
        understood = 0
        with bureau.store.write() as conn:
            origins = {state.id: state for state in bureau.logs.states(conn)}
            for row in register.held(conn):
                state = origins[row.log]
                owner = bureau.owner(state.origin)
                opened = read_opened(bureau, conn, state.origin, row.idx, row.idx + 1)
                if owner is None or any(one.fault for one in opened):
                    continue
                self._apply(conn, state, understand(bureau, row.log, owner, opened))
                self._peer_answers(conn, state, owner, opened)
                register.unhold(conn, [(row.log, row.idx)])
                desk.clear(conn, "unreadable", [one.leaf.hex() for one in opened], bureau.now_text())
                understood += 1
            failpoint("reconsider.before_commit")
        failpoint("reconsider.after_commit")
        self._after()
        return understood


def _amendment(finding: bytes, by: bytes, idx: int, body: Json) -> Json:
    return {
        "of": finding,
        "by": by,
        "by_idx": idx,
        "now_name": body["subject"]["name"],
        "now_criterion": body["criterion"],
        "now_body": orjson.dumps(body).decode(),
    }


def _unread(one: Opened) -> bool:
    return one.kind == "finding.held" and one.body is not None and one.body["reason"] in UNREADABLE_AT_PEER


def _told(owner: Peer, one: Opened) -> Json:
    entry = one.entry.ref.leaf if one.entry and one.entry.ref else ""
    reason = one.body["reason"] if one.body else ""
    facts = {"region": owner.code, "entry": entry, "said_in": one.leaf.hex()}
    return {"kind": "unreadable_at_peer", "mark": f"{owner.code}:{entry}", "reason": reason, "facts": facts}
