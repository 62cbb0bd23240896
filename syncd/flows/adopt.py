"""Versions of the agreement 协议版本 as they come: texts taken up, adoptions read from the logs, the change on its day.

1. A text found in the folder of versions is kept in the store for good; another text of a number that is known is not.
2. ``agreement.adopted`` of every log is noted, if it names the keys that this node knows.
3. What is in force follows from both and the day (``agreement.versions``); from then on this node writes, reads and
   judges by it. Entries held for a version are read again; findings keep the version they were judged by.
4. A member that is no longer named has left: its log is sealed without a successor, and its findings end here.

All of it is derived from texts, logs and the day, so that it is done again after a crash and changes nothing twice.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from syncd.agreement.model import Agreement
from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau, day_of_text
from syncd.flows.judged import gone_by
from syncd.flows.record import Saying, record, sign
from syncd.flows.respond import respond
from syncd.flows.resync import Finish, operator_body
from syncd.flows.seal import known
from syncd.ledger.canonical import b64
from syncd.ledger.entry import MeaningError, parse_entry
from syncd.ledger.policy import Sealed
from syncd.store import seals, sourcebook, versions
from syncd.store.state import LogState

Json = dict[str, Any]
ADOPTED, SEALED = "agreement.adopted", "log.sealed"
BATCH = 512


class Adopt:
    """The stage; ``step`` takes up what is new and says whether there is more to do."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._seen: dict[str, int] = {}
        self._day: dt.date | None = None
        self._more = False
        self._waits = False

    def step(self) -> bool:
        """Take up texts and adoptions, and act by what is in force today; without news nothing is written."""
        bureau = self._bureau
        found, conflicts = self._found()
        with bureau.store.read() as conn:
            news = self._news(conn)
        waited = self._waits and bureau.may_sign  # in doubt nothing was written, so it is done now
        if not (found or news or waited or self._more or self._day != bureau.today()):
            return False
        before, held = (bureau.agreement.tag, bureau.tags, bureau.exchanging), bureau.timeline
        try:
            with bureau.store.write() as conn:
                take_up(bureau, conn, found)
                sourcebook.post(conn, "versions", {"conflicts": conflicts})
                said, self._more = self._changed(conn) if bureau.may_sign else (False, False)
                failpoint("adopt.before_commit")
        except BaseException:  # nothing was kept, so nothing is acted by; the next step looks at all of it again
            bureau.take(held)
            self._day = None
            raise
        self._day, self._waits = bureau.today(), not bureau.may_sign
        if said or before != (bureau.agreement.tag, bureau.tags, bureau.exchanging):
            self._after()
        if found:
            bureau.wake("members")  # a text may name one whose file lies here already
        return self._more

    def _found(self) -> tuple[list[Agreement], list[str]]:
        """Texts that are new here, and what is said of those that may not be taken up."""
        fresh, conflicts = list[Agreement](), list[str]()
        for one in self._bureau.find_versions():
            held = self._bureau.timeline.of(one.version)
            if held is None:
                fresh.append(one)
            elif held.digest != one.digest:
                conflicts.append(changed_text(one, held.digest))
        return fresh, conflicts

    def _news(self, conn: Connection) -> bool:
        """Whether a log holds an adoption that was not read so far."""
        news = False
        for state in self._bureau.logs.states(conn):
            start = self._seen.get(state.origin, 0)
            if start < state.size:
                read = self._bureau.logs.read_entries(conn, state.origin, start, state.size, only={ADOPTED})
                news = news or bool(read)
                self._seen[state.origin] = state.size
        return news

    def _after(self) -> None:
        bureau = self._bureau
        bureau.notice("agreement.in_force", {"agreement": bureau.agreement.tag, "acts": bureau.acts})
        if bureau.may_sign:
            sign(bureau)
        for bell in ("reconsider", "collect", "recognise", "share", "restrict"):
            bureau.wake(bell)

    def _changed(self, conn: Connection) -> tuple[bool, bool]:
        """Write under what is in force, and end what a member that left had begun.

        Says whether anything was said in the log, and whether there is more to end.
        """
        bureau = self._bureau
        size = bureau.logs.state(conn, bureau.origin).size
        bureau.logs.ensure(conn, bureau.origin, bureau.code, True, bureau.agreement.tag)
        gone = gone_by(bureau.timeline, bureau.members, bureau.code, bureau.today().isoformat())
        for code in sorted(gone):
            self._seal(conn, code)
        leaves = versions.answered_still(conn, bureau.code, sorted(gone), BATCH)
        respond(bureau, conn, leaves)
        return bureau.logs.state(conn, bureau.origin).size > size, len(leaves) == BATCH

    def _seal(self, conn: Connection, code: str) -> None:
        """The log of a member that left is sealed without a successor, once; its own node seals nothing."""
        bureau = self._bureau
        origin = bureau.members[code].origin
        held = bureau.timeline.gone_on(bureau.code) is None and bureau.logs.find(conn, origin)
        if not held or bureau.logs.get_cursor(conn, f"sealed:{origin}"):
            return
        size, root = held.size, bureau.logs.root(conn, origin, held.size)
        sealed = {"schema": "sealed/1.0", "log": origin, "size": size, "root": b64(root), "branches": [],
                  "successor": None}  # fmt: skip
        record(bureau, conn, [Saying(SEALED, None, public=sealed)])
        seals.put(conn, code, origin, Sealed(size, root), bureau.now_text())
        bureau.store.once_committed(lambda: known(bureau))
        bureau.logs.set_cursor(conn, f"sealed:{origin}", str(size))

    def load(self, finish: Finish = lambda conn, result: None) -> Json:
        """Take up what lies in the folder of versions now; says which are held."""
        bureau = self._bureau
        self._found()  # a folder is read once it rests, which takes a second look
        self.step()
        with bureau.store.write() as conn:
            result: Json = {"held": [one.tag for one in bureau.timeline.held], "agreement": bureau.agreement.tag}
            finish(conn, result)
        return result

    def adopt(self, number: int, account: int, ground: str, finish: Finish = lambda conn, result: None) -> Json:
        """Say in this member's own log that it adopts a version. Raises ``NeedsPerson`` where it cannot yet."""
        bureau = self._bureau
        self.step()
        agreement = self._may_adopt(number)
        with bureau.store.write() as conn:
            sizes = [{"log": state.origin, "size": state.size} for state in bureau.logs.states(conn)]
            body = operator_body("agreement.sign", account, ground, to=agreement.tag)
            record(bureau, conn, [Saying(ADOPTED, None, public=adopted(bureau, agreement, sizes)),
                                  Saying("operator.acted", None, body)])  # fmt: skip
            result: Json = {"agreement": agreement.tag, "effective_from": agreement.effective_from.isoformat()}
            finish(conn, result)
        sign(bureau)
        self.step()
        bureau.wake("share")
        return result

    def _may_adopt(self, number: int) -> Agreement:
        bureau = self._bureau
        agreement, current = bureau.timeline.of(number), bureau.timeline.on(bureau.today())
        if agreement is None:
            raise NeedsPerson(f"This node holds no version {number}; `syncd agreement load FOLDER` takes one up.")
        if current is not None and number <= current.version:
            raise NeedsPerson(f"Version {number} is not later than version {current.version}, which is in force.")
        if bureau.code not in agreement.members:
            raise NeedsPerson(f"Version {number} does not name {bureau.code}, so there is nothing for it to sign.")
        unknown = sorted(set(agreement.members) - set(bureau.members))
        if unknown:
            raise NeedsPerson(
                f"Version {number} names {', '.join(unknown)}, whose keys this node does not know. Nothing was signed; "
                "run `syncd member add` for its file, and sign then."
            )
        with bureau.store.read() as conn:
            own = [row for row in versions.adoptions(conn) if row.code == bureau.code]
            if any(
                row.read().of(agreement) and versions.fits(row.body, keys_of(bureau), versions.earlier(conn))
                for row in own
            ):
                raise NeedsPerson(f"This member has adopted version {number} already. Nothing was added.")
        return agreement


def take_up(bureau: Bureau, conn: Connection, found: Sequence[Agreement]) -> None:
    """Steps 1 to 3, in the caller's transaction: keep new texts, note new adoptions, act by what is in force.

    Raises ``NeedsPerson`` where the text of a version is not the one that this node has kept.
    """
    known = versions.known(conn)
    for one in (*bureau.timeline.held, *found):
        if one.version not in known:
            versions.keep(conn, one.version, one.digest, one.files, bureau.now_text())
        elif known[one.version] != one.digest:
            raise NeedsPerson(changed_text(one, known[one.version]))
    for state in bureau.logs.states(conn):
        _note_adoptions(bureau, conn, state)
    held = {one.version: one for one in (*found, *bureau.timeline.held)}
    bureau.take(versions.timeline_of(conn, held.values(), keys_of(bureau)))


def changed_text(one: Agreement, kept: str) -> str:
    """What is said where a folder holds another text of a known version."""
    return (
        f"The text of version {one.version} of the agreement was changed: the folder's digest is {one.digest[:16]}, "
        f"the one kept here is {kept[:16]}. It was not taken up. Put the folder back as it was; a changed text is "
        "another version, with a number of its own, that all members sign."
    )


def keys_of(bureau: Bureau) -> dict[str, versions.Keys]:
    """The members' logs and keys as this node knows them."""
    return {code: versions.Keys(one.origin, one.log.vkey, one.receipt.vkey) for code, one in bureau.members.items()}


def _note_adoptions(bureau: Bureau, conn: Connection, state: LogState) -> None:
    """Adoptions since the last look; what cannot be read adopts nothing."""
    cursor = f"adopted:{state.origin}"
    start = int(bureau.logs.get_cursor(conn, cursor) or 0)
    if start >= state.size:
        return
    for row in bureau.logs.read_entries(conn, state.origin, start, state.size, only={ADOPTED}):
        try:
            entry = parse_entry(row.leaf)
        except MeaningError:
            continue
        if isinstance(entry.body, dict):
            day = day_of_text(entry.at).isoformat()
            versions.note_adoption(conn, state.id, versions.AdoptionRow(state.owner, row.index, day, entry.body))
    bureau.logs.set_cursor(conn, cursor, str(state.size))


def adopted(bureau: Bureau, agreement: Agreement, sizes: Sequence[Json] = ()) -> Json:
    """The public object of ``agreement.adopted``; ``sizes``: from where newly named members answer each log."""
    before = bureau.timeline.on(bureau.today())
    named = before.members if before is not None else agreement.members
    members = [
        {"code": peer.code, "origin": peer.origin, "keys": {"log": peer.log.vkey, "receipt": peer.receipt.vkey},
         "from_sizes": [] if peer.code in named else list(sizes)}
        for peer in sorted(bureau.members.values(), key=lambda one: one.code)
        if peer.code in agreement.members
    ]  # fmt: skip
    return {
        "schema": "agreement/1.0",
        "id": agreement.id,
        "version": agreement.version,
        "digest": agreement.digest,
        "effective_from": agreement.effective_from.isoformat(),
        "members": members,
    }
