"""Stage ``collect`` 归集: the bureau's own system → its own log.

What becomes of each row is planned first (``planning``), then written. Relief rows find their finding by organ, number
and organisation; one that comes too early waits and is taken as soon as the finding is there. Cursor, source rows,
counts and entries commit together.

A long reading does not run far ahead of the sharing: what a peer is sent is acted upon when all that was there at the
time has arrived (LEDGER §6), so sharing in step lets all places work at once.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from adapters.base import SourceError
from adapters.records import Collected, FindingRecord, ReliefRecord
from adapters.source import Source
from syncd.agreement.versions import version_of
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.flows.intake import Intake
from syncd.flows.planning import ISSUED, Plan, Planner
from syncd.flows.propose import Own, propose, ripened
from syncd.flows.record import Saying, record, sign
from syncd.flows.reissue import carry_over, follow, revoke_sealed
from syncd.flows.relieve import Relief, marks_of_state, match_relief, origin_of, relief_body, say_own
from syncd.flows.respond import respond
from syncd.flows.set_aside import SetAside
from syncd.flows.understand import finding_row
from syncd.flows.vanished import vanished
from syncd.ledger.entry import Ref
from syncd.store import desk, origins, register, sourcebook
from syncd.store.append import Appended
from syncd.store.proposals import ripe
from syncd.store.register import ReliefRow

Json = dict[str, Any]
NOTE_SECONDS = 10.0


class Collect:
    """The stage for one source; ``step`` takes one page and says whether another is ready."""

    def __init__(self, bureau: Bureau, source: Source, name: str, pace: Callable[[], None] = lambda: None) -> None:
        self._bureau = bureau
        self._source = source
        self.name = name
        self._pace = pace
        self._planner = Planner(bureau, name)
        self._intake = Intake(bureau, name, source.facts)
        self._noted = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._ripened: dt.date | None = None
        self._aside = SetAside(name)

    def step(self) -> bool:
        """Take one page. Raises ``SourceError``: the cursor stays and nothing is lost."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            place = self._place(conn)
        if not place["full"] and self._day_has_come():
            return True
        self._ripen()
        began = bureau.now_text()
        page = self._read(place["cursor"])
        if not page.rows and not place["full"] and page.cursor == place["cursor"] and not self._due():
            return page.more  # nothing new: no transaction, or a busy rhythm would only sync the disk
        failpoint("collect.before_write")
        with bureau.store.write() as conn:
            if self._place(conn) != place:
                return True  # a person or the clock moved the cursor while the source was read: go on from there
            begins = place["full"] and place["cursor"] in (None, self._source.again)
            issued = self._write(conn, page, place, began, begins)
            if place["full"] and not page.more and vanished(bureau, conn, self.name, place["pass"]):
                self._aside.clear(conn, place["pass"], bureau.now_text())
            following = {"cursor": page.cursor, "pass": place["pass"], "full": place["full"] and page.more}
            bureau.logs.set_cursor(conn, f"collect:{self.name}", orjson.dumps(following).decode())
            failpoint("collect.before_commit")
        failpoint("collect.after_commit")
        if issued:
            sign(bureau)
            bureau.wake("share")
            bureau.wake("recognise")
        if page.more:
            self._pace()
        return page.more

    def _read(self, cursor: Json | None) -> Collected:
        try:
            return self._source.collect(cursor, self._bureau.today())
        except SourceError:
            self._intake.silence.unreached()
            raise

    def _due(self) -> bool:
        """Whether the last look at the source should be noted again, though it brought nothing."""
        now = self._bureau.clock()
        if (now - self._noted).total_seconds() < NOTE_SECONDS:
            return False
        self._noted = now
        return True

    def _day_has_come(self) -> bool:
        """A row that was to wait until today may be taken now, and its source need not change it: all is read again."""
        today = self._bureau.today().isoformat()
        with self._bureau.store.read() as conn:
            first = sourcebook.read_one(conn, f"waits:{self.name}").get("first")
        if first is None or first > today:
            return False
        with self._bureau.store.write() as conn:
            sourcebook.post(conn, f"waits:{self.name}", {"first": None})
            self.read_again(conn)
        return True

    def read_again(self, conn: Connection) -> None:
        """Begin a full reading: the cursor moves back to the start and every row is compared."""
        place = self._place(conn)
        filling = place["full"] and place["pass"] == 1  # relief has nothing to act on before its finding was read
        start = None if filling else self._source.again
        following = {"cursor": start, "pass": place["pass"] + 1, "full": True}
        self._bureau.logs.set_cursor(conn, f"collect:{self.name}", orjson.dumps(following).decode())

    def _place(self, conn: Connection) -> Json:
        text = self._bureau.logs.get_cursor(conn, f"collect:{self.name}")
        place: Json = orjson.loads(text) if text else {"cursor": None, "pass": 1, "full": True}
        return place

    def _write(self, conn: Connection, page: Collected, place: Json, began: str, begins: bool) -> int:
        bureau, pass_ = self._bureau, place["pass"]
        findings = [one for one in page.records if isinstance(one, FindingRecord)]
        reliefs = [one for one in page.records if isinstance(one, ReliefRecord)]
        plan = self._planner.plan(conn, findings, pass_)
        self._planner.reopened(conn, plan, page.waiting, pass_)
        held_back = sourcebook.known(conn, self.name, [one.row for one in page.quarantined])
        plan.rows += [
            self._planner.seen(row, pass_) for row in held_back.values()
        ]  # it cannot be read, but it is there
        self._set_aside(plan, page)
        if place["full"]:
            self._aside.meet(pass_, begins, [*page.quarantined, *plan.refused])
        stood = revoke_sealed(bureau, conn, list(plan.sealed.values()))
        sayings = self._sayings(plan)
        appended = record(bureau, conn, sayings)
        self._note_issued(conn, plan, appended, pass_)
        self._carry_over(conn, plan, appended, stood)
        said = [one for one, _ in plan.issue] + [one for one, _, _ in plan.amend]
        came = [origin_of(self.name, one, entry.index, began) for one, entry in zip(said, appended, strict=True)]
        origins.add_provenance(conn, bureau.logs.state(conn, bureau.origin).id, came)
        self._propose(conn, plan, appended)
        self._note_waiting(conn, page)
        suspended = [("relief.suspended", row, relief_body(ground, bureau)) for _, row, ground in plan.suspend]
        say_own(bureau, conn, suspended)
        now = bureau.now_text()
        suspending = [item for item in plan.desk if item.get("anew")]
        desk.put(conn, suspending, now)  # before a 恢复 of this page asks whether they are open
        marks = marks_of_state(bureau, conn, self.name, findings, page.states)
        relief = match_relief(bureau, conn, self.name, reliefs + marks, pass_, began)
        self._note_relief(conn, relief)
        sourcebook.remember(conn, plan.rows + relief.rows)
        counts = self._intake.note(conn, page, plan, relief, len(marks), place["full"], begins)
        desk.begin_files(conn, self.name, page.begun, now)
        desk.put(conn, plan.desk + relief.desk, now)
        self._answer_copied(conn, plan)
        self._clear(conn, page, plan, now)
        bureau.notice("collect.page", {"source": self.name, "began": began, **counts})
        return len(appended) + len(suspended) + relief.said

    def _set_aside(self, plan: Plan, page: Collected) -> None:
        """Rows in quarantine and rows that wait for review: named by key, column and reason, never by text."""
        for one in [*page.quarantined, *plan.refused]:
            facts = {"source": self.name, "row": one.row, "field": one.field, "digest": one.digest,
                     "sentence": one.sentence}  # fmt: skip
            mark = f"{self.name}/{one.row}"
            plan.desk.append({"kind": "quarantine", "mark": mark, "reason": one.reason, "facts": facts})

    def _note_waiting(self, conn: Connection, page: Collected) -> None:
        """The first day on which a waiting row may be taken."""
        days = [one.taken_on for one in page.waiting if one.taken_on]
        if days:
            first = sourcebook.read_one(conn, f"waits:{self.name}").get("first")
            sourcebook.post(conn, f"waits:{self.name}", {"first": min([*days, first or days[0]])})

    def _sayings(self, plan: Plan) -> list[Saying]:
        origin = self._bureau.origin
        said = [Saying("finding.issued", None, body) for _, body in plan.issue]
        said += [Saying("finding.amended", Ref(origin, row.id, row.leaf.hex()), body) for _, body, row in plan.amend]
        return said

    def _propose(self, conn: Connection, plan: Plan, appended: Sequence[Appended]) -> None:
        """What a rule derives from these rows goes to the desk; what a row says beside its finding may have changed."""
        own = [
            Own(entry.leaf_hash, one.row, body, one.beside)
            for (one, body), entry in zip(plan.issue, appended, strict=False)
        ]
        own += [Own(before.leaf, one.row, body, one.beside, again=True) for one, body, before in plan.amend]
        own += [Own(row.leaf, one.row, row.parsed(), one.beside, again=True) for one, row in plan.same if one.beside]
        propose(self._bureau, conn, self.name, own)

    def _ripen(self) -> None:
        """Once a day: terms that have run out since the last look need no change at the source."""
        today = self._bureau.today()
        if self._ripened == today:
            return
        with self._bureau.store.read() as conn:
            due = bool(ripe(conn, today.isoformat()))
        if due:
            with self._bureau.store.write() as conn:
                ripened(self._bureau, conn, self.name)
        self._ripened = today

    def _note_issued(self, conn: Connection, plan: Plan, appended: Sequence[Appended], pass_: int) -> None:
        held = self._bureau.logs.state(conn, self._bureau.origin)
        log, version, rows = held.id, version_of(held.agreement or ""), []
        for (one, body), entry in zip(plan.issue, appended, strict=False):
            rows.append(finding_row(log, entry.index, entry.leaf_hash, entry.id, self._bureau.code, body, version))
            plan.rows.append(self._planner.row(one, ISSUED, entry.leaf_hash, pass_))
        register.add_findings(conn, rows)

    def _carry_over(
        self, conn: Connection, plan: Plan, appended: Sequence[Appended], stood: Mapping[bytes, Sequence[ReliefRow]]
    ) -> None:
        """What stood on findings of a sealed log stands on those issued anew; who is suspended may still be resumed."""
        anew = {
            entry.leaf_hash: one.row
            for (one, _), entry in zip(plan.issue, appended, strict=False)
            if one.row in plan.sealed
        }
        suspended = carry_over(self._bureau, conn, {leaf: stood[plan.sealed[row].leaf] for leaf, row in anew.items()})
        plan.desk += [self._planner.to_resume(anew[leaf], leaf, "log_sealed") for leaf in sorted(suspended)]
        follow(self._bureau, conn, {plan.sealed[row].leaf: leaf for leaf, row in anew.items()})

    def _answer_copied(self, conn: Connection, plan: Plan) -> None:
        """Both desks are told of a copy: this region's answer to the true finding carries the mark to its issuer."""
        keys = [bytes.fromhex(item["mark"]) for item in plan.desk if item["kind"] == "linked"]
        found = register.findings_by_key(conn, keys)
        respond(self._bureau, conn, [row.leaf for rows in found.values() for row in rows])

    def _note_relief(self, conn: Connection, relief: Relief) -> None:
        sourcebook.stop_waiting(conn, self.name, relief.met)
        sourcebook.wait(conn, relief.waiting)

    def _clear(self, conn: Connection, page: Collected, plan: Plan, now: str) -> None:
        """A row that is accepted now leaves the quarantine by itself; a row that is back has not vanished."""
        opened = desk.counts(conn)
        set_aside = {one.row for one in plan.refused}
        marks = [f"{self.name}/{one.row}" for one in page.records if one.row not in set_aside]
        for kind in ("quarantine", "vanished"):
            if opened.get(kind):
                desk.clear(conn, kind, marks, now)
