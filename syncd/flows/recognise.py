"""Stage ``recognise`` 互认: any log this node holds → what it means in this region.

Three cursors over each log. Relief is read to the end of what is held and acts at once; findings below the *target*
(the newest size the sender had when it sent) are answered only when the target is reached, so catching up never
imposes what is already relieved (LEDGER §6). What other regions answered only informs, so it is read when nothing
that acts is waiting. Cursor, register and appended answers commit together: a crash before
the commit leaves nothing, a crash after it leaves nothing to do.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from syncd.errors import Retry
from syncd.failpoint import failpoint
from syncd.flows.alarms import match, quiet, sound
from syncd.flows.amend import amend
from syncd.flows.answer import DECLINED, HELD, IMPOSED, LIFTED
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.grounds import lost_grounds
from syncd.flows.opening import DAMAGED, ERASED, INFORMING, VERSION, is_relief, read_opened
from syncd.flows.others import note_answers
from syncd.flows.record import Saying, record, sign
from syncd.flows.respond import InHand, respond
from syncd.flows.understand import AMENDED, Changes, suspend_until_read, understand
from syncd.flows.unsaid import lift_unsaid
from syncd.store import desk, honours, register
from syncd.store.replayed import held_after, held_for
from syncd.store.state import LogState

Json = dict[str, Any]
BATCH = 512
QUIET_SECONDS = 1.0
HELD_AT_ONCE = 64
FAST_LANE = frozenset({"relief.%", AMENDED, ""})
ISSUED = "finding.issued"
_NONE: Mapping[bytes, register.Finding] = MappingProxyType({})
SAID_HERE = frozenset({ISSUED, IMPOSED, LIFTED, DECLINED, HELD, "feedback.reported", "operator.acted"})


class Recognise:
    """The stage; ``step`` does one batch of one log and says whether there is more."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._acted = dt.datetime.min.replace(tzinfo=dt.UTC)

    def step(self) -> bool:
        """One batch: relief first in every log, then the next findings that may be answered.

        While this node may not write to its log only relief is read, and acts; so it is with a log that was found to
        show two histories, until a person has looked.
        """
        bureau = self._bureau
        with bureau.store.read() as conn:
            states = {state.origin: state for state in bureau.logs.states(conn)}
            relief = {origin: self._cursor(conn, "relief", origin) for origin in states}
            done = {origin: self._cursor(conn, "recognise", origin) for origin in states}
            held = desk.open_marks(conn, "fork") if bureau.may_sign else set(states)
        behind = [state for origin, state in states.items() if relief[origin] < state.size
                  and (origin in held or state.settled < state.size or state.size - done[origin] > BATCH)]  # fmt: skip
        ready = [state for origin, state in states.items() if done[origin] < state.settled and origin not in held]
        doing = [(state, self._relief if bureau.may_sign else self._unsaid) for state in behind]
        doing += [(state, self._findings) for state in ready]
        trouble: Exception | None = None
        for state, lane in doing:
            try:
                if lane(state):
                    return True
            except Retry:
                raise
            except Exception as error:  # one log's trouble never holds back another's, least of all its relief
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return False

    def day_change(self) -> int:
        """Answer findings whose relief begins by itself today or did so since the last look; returns how many answers.

        What is in force needs no such look; the other regions and the home system are told by it.
        """
        bureau, today = self._bureau, self._bureau.today().isoformat()
        with bureau.store.write() as conn:
            since = bureau.logs.get_cursor(conn, "day_change") or ""
            if not bureau.may_sign:  # it goes home all the same, and is answered once this node may write
                return lift_unsaid(bureau, conn, register.relieved_between(conn, since, today))
            count = respond(bureau, conn, register.relieved_between(conn, since, today)) if since < today else 0
            bureau.logs.set_cursor(conn, "day_change", today)
        if count:
            self._after()
        return count

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

    def _relief(self, state: LogState) -> bool:
        """False where none has come: then nothing is written, not even how far was looked."""
        bureau = self._bureau
        owner = bureau.owner(state.origin)
        if not self._may_relieve(state):
            return False
        with bureau.store.write() as conn:
            start = max(self._cursor(conn, lane, state.origin) for lane in ("relief", "recognise"))
            stop = state.size
            changes = self._read_relief(conn, state, owner, start)
            self._apply(conn, state, changes)
            bureau.logs.set_cursor(conn, f"relief:{state.origin}", str(stop))
            failpoint("relief.before_commit")
        failpoint("relief.after_commit")
        self._after()
        return True

    def _may_relieve(self, state: LogState) -> bool:
        """Whether relief may be among what was not looked at for it so far; where memory cannot say, it may."""
        with self._bureau.store.read() as conn:
            start = max(self._cursor(conn, lane, state.origin) for lane in ("relief", "recognise"))
        kinds = self._bureau.logs.recent_kinds(state.origin, start, state.size)
        return kinds is None or any(is_relief(kind) or kind in FAST_LANE for kind in kinds)

    def _read_relief(self, conn: Connection, state: LogState, owner: Peer | None, start: int) -> Changes:
        """What relief and amendments from ``start`` to the end of what is held change at once."""
        if owner is None:
            return Changes()
        opened = read_opened(self._bureau, conn, state.origin, start, state.size, only=FAST_LANE)
        relieving = [one for one in opened if is_relief(one.kind) or one.relief]
        changes = understand(self._bureau, state.id, owner, relieving)
        for one in opened:
            if one.kind == AMENDED and one.fault != ERASED:
                suspend_until_read(state.id, owner, one, changes)
        return changes

    def _unsaid(self, state: LogState) -> bool:
        """Relief acts and goes home; the cursor of findings stays, so that it is read and answered once more later."""
        bureau, owner = self._bureau, self._bureau.owner(state.origin)
        with bureau.store.write() as conn:
            start = max(self._cursor(conn, lane, state.origin) for lane in ("relief", "recognise"))
            changes = self._read_relief(conn, state, owner, start)
            register.add_relief(conn, changes.relief)
            lift_unsaid(bureau, conn, changes.affected)
            bureau.logs.set_cursor(conn, f"relief:{state.origin}", str(state.size))
        bureau.wake("restrict")
        return True

    def _findings(self, state: LogState) -> bool:
        bureau = self._bureau
        owner = bureau.owner(state.origin)
        with bureau.store.write() as conn:
            start = self._cursor(conn, "recognise", state.origin)  # a person may have moved it meanwhile
            stop = self._until(conn, state, start)
            if owner is not None:
                self._recognise(conn, state, owner, start, stop)
            read = max(stop, self._cursor(conn, "relief", state.origin))  # relief beyond has acted already
            bureau.logs.set_cursor(conn, f"recognise:{state.origin}", str(stop))
            bureau.logs.set_cursor(conn, f"relief:{state.origin}", str(read))
            failpoint("recognise.before_commit")
        failpoint("recognise.after_commit")
        self._after()
        return True

    def _until(self, conn: Connection, state: LogState, start: int) -> int:
        """How far one batch goes: to where a batch of its owner ended, so that what is answered travels as a whole."""
        return self._bureau.logs.last_listed(conn, state.origin, start, min(start + BATCH, state.settled))

    def _recognise(self, conn: Connection, state: LogState, owner: Peer, start: int, stop: int) -> None:
        """Read and answer. Of one's own log, what this node said itself is known already and not opened again."""
        own = owner.code == self._bureau.code
        opened = read_opened(self._bureau, conn, state.origin, start, stop, unwanted=SAID_HERE if own else INFORMING)
        changes = understand(self._bureau, state.id, owner, opened)
        issued = self._issued_here(conn, state, owner, start, stop) if own else {}
        changes.affected |= issued.keys()
        self._apply(conn, state, changes, issued)

    def _answers(self, state: LogState) -> bool:
        """One batch of what another region answered; False if there is none."""
        bureau, owner = self._bureau, self._bureau.owner(state.origin)
        if owner is None or state.own:
            return False
        with bureau.store.read() as conn:
            start = self._cursor(conn, "answers", state.origin)
            stop = self._until(conn, state, start)
        if start >= stop:
            return False
        with bureau.store.write() as conn:
            if self._cursor(conn, "answers", state.origin) != start:
                return True  # moved meanwhile, as above
            opened = read_opened(bureau, conn, state.origin, start, stop, only=INFORMING)
            self._apply(conn, state, understand(bureau, state.id, owner, [one for one in opened if one.fault]))
            note_answers(bureau, conn, state, owner, opened)
            bureau.logs.set_cursor(conn, f"answers:{state.origin}", str(stop))
            failpoint("recognise.before_answers_commit")
        if sign(bureau):
            bureau.wake("share")
        return True

    def _issued_here(
        self, conn: Connection, state: LogState, owner: Peer, start: int, stop: int
    ) -> dict[bytes, register.Finding]:
        """Findings of one's own log: ``collect`` has put them into the register; one that is missing there is read."""
        for index in register.not_in_register(conn, state.id, start, stop):
            opened = read_opened(self._bureau, conn, state.origin, index, index + 1)
            register.add_findings(conn, understand(self._bureau, state.id, owner, opened).findings)
        return register.issued_between(conn, state.id, start, stop)

    def _after(self) -> None:
        self._acted = self._bureau.clock()
        sign(self._bureau)  # or another stage has since the commit; what waits to be delivered waits all the same
        self._bureau.wake("share")
        self._bureau.wake("restrict")

    def _apply(
        self, conn: Connection, state: LogState, changes: Changes, issued: Mapping[bytes, register.Finding] = _NONE
    ) -> None:
        """Put what was understood into the register and answer it; ``issued``: findings as they stand there already."""
        bureau = self._bureau
        added = register.add_findings(conn, changes.findings)
        fresh = {**issued, **added}
        amend(bureau, conn, state, changes)
        register.add_relief(conn, changes.relief)
        honours.add(conn, changes.honours, changes.withdrawn)
        lost_grounds(bureau, conn, {row["finding"] for row in changes.relief})
        answered = register.held_in(conn, state.id)
        register.hold_entries(conn, changes.held)
        desk.put(conn, changes.desk, bureau.now_text())
        for mark, facts in {one["mark"]: one["facts"] for one in changes.desk if one["kind"] == VERSION}.items():
            sound(bureau, conn, VERSION, mark, {name: facts[name] for name in ("region", "log", "agreement")})
        if any(one["reason"] == DAMAGED for one in changes.held):
            self._damaged(conn)
        for finding, *_ in changes.amendments:
            fresh.pop(finding, None)  # it is no longer as it was put in
            changes.bodies.pop(finding, None)
        respond(bureau, conn, changes.affected, InHand(fresh, changes.bodies if added else {}))
        # what was answered before it was damaged here stays answered: nothing would take a second word back
        said = register.responses_of(conn, {bytes.fromhex(ref.leaf) for _, ref, _ in changes.unreadable}, bureau.code)
        unread = [(ref, reason) for idx, ref, reason in changes.unreadable
                  if idx not in answered and bytes.fromhex(ref.leaf) not in said]  # fmt: skip
        if unread:
            knew = {held.origin: held.size for held in bureau.logs.states(conn)}
            body: Json = {"schema": "held/1.0", "details": [], "due": None, "knew": knew}
            record(bureau, conn, [Saying("finding.held", ref, {**body, "reason": reason}) for ref, reason in unread])

    def _damaged(self, conn: Connection) -> None:
        """The alarm stands while anything is held because this node's own store or vault is damaged."""
        match(self._bureau, conn, DAMAGED, held_for(conn, DAMAGED))

    def reconsider(self) -> int:
        """Retry every held entry, as after a change of version; returns how many were understood."""
        understood, place, more = 0, (0, -1), True
        while more:
            count, place, more = self._again(place)
            understood += count
        self._after()
        return understood

    def _again(self, place: tuple[int, int]) -> tuple[int, tuple[int, int], bool]:
        """Some held entries behind ``place``: how many were understood, how far it came, and whether there are more."""
        bureau, understood = self._bureau, 0
        with bureau.store.write() as conn:
            states = {state.id: state for state in bureau.logs.states(conn)}
            rows = held_after(conn, place, HELD_AT_ONCE)
            for row in rows:
                if row.reason == VERSION and row.agreement not in bureau.tags:
                    continue
                state = states[row.log]
                owner = bureau.owner(state.origin)
                opened = read_opened(bureau, conn, state.origin, row.idx, row.idx + 1)
                if owner is None or any(one.fault for one in opened):
                    continue
                changes = understand(bureau, row.log, owner, opened)
                self._apply(conn, state, changes)
                if changes.held:  # read, and held for what it says: it stays where it is, and on the desk
                    continue
                note_answers(bureau, conn, state, owner, opened)
                register.unhold(conn, [(row.log, row.idx)])
                desk.clear(conn, "unreadable", [one.leaf.hex() for one in opened], bureau.now_text())
                understood += 1
            if len(rows) < HELD_AT_ONCE:
                now_read = [mark for mark in desk.open_marks(conn, VERSION) if mark.partition(" ")[2] in bureau.tags]
                desk.clear(conn, VERSION, now_read, bureau.now_text())
                quiet(bureau, conn, VERSION, now_read)
                self._damaged(conn)
            failpoint("reconsider.before_commit")
        failpoint("reconsider.after_commit")
        last = (rows[-1].log, rows[-1].idx) if rows else place
        return understood, last, len(rows) == HELD_AT_ONCE
