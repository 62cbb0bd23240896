"""What a person decides at the desk 工作台: release or refuse one item.

Releasing lets the thing go on by the normal road: a quarantined row is read again, a finding under review is imposed,
an unreadable entry is tried again. Nothing is released that the rules never allow: another bureau's decision is
never imposed from its copy.
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.alarms import quiet
from syncd.flows.answer import DESK_REASONS
from syncd.flows.bureau import Bureau
from syncd.flows.collect import Collect
from syncd.flows.drift import accept
from syncd.flows.judged import judged_by
from syncd.flows.marks import UNREADABLE, ask_unreadable, removable
from syncd.flows.planning import WITHDRAWN
from syncd.flows.propose import confirmed_body, still_counts
from syncd.flows.recognise import Recognise
from syncd.flows.record import Saying, record, sign
from syncd.flows.reissue import change
from syncd.flows.rejudge import FIRST, SECOND_NEEDED, Rejudge, ask_another
from syncd.flows.relieve import CLEARS, KEPT_BACK, relief_body, say_own
from syncd.flows.respond import respond, state_of
from syncd.flows.resync import Finish, operator_body
from syncd.flows.set_aside import is_feedback
from syncd.flows.vanished import ALL_GONE, each
from syncd.store import desk, proposals, register, releases, sourcebook

Json = dict[str, Any]
_LETS_FOLLOW = frozenset({"review", "mapping_differs"})
"""What is released for these is judged as reviewed 已复核, so the rule's number of people is asked for both."""
_TRIED_AGAIN = frozenset({"quarantine", "relief_waiting", "unmapped", "no_rule", "subject_type", "exception",
                          "unreadable"})  # fmt: skip
"""Releasing these only has the thing tried again: the item goes once its cause has gone, by the normal road."""


class Decide:
    """Carries out decisions of the desk and writes each into the ledger."""

    def __init__(self, bureau: Bureau, collects: Sequence[Collect], recognise: Recognise) -> None:
        self._bureau = bureau
        self._collects = collects
        self._recognise = recognise
        self._releases: dict[str, Callable[[Connection, Row[Any], int], str]] = {
            "review": self._impose,
            "twin": self._impose,
            "twin_relieved": self._impose,
            "exception": self._judge_again,
            "quarantine": self._read_again,
            "relief_waiting": self._read_again,
            "relief_fault": self._leave,
            "unmapped": self._judge_again,
            "no_rule": self._judge_again,
            "mapping_differs": self._impose,
            "subject_type": self._judge_again,
            "vanished": self._revoke,
            "identity_changed": self._replace,
            "under_review": self._resume,
            UNREADABLE: self._resume,
            "unreadable": self._try_again,
            "proposed": self._confirm,
            "grounds_gone": self._resume,
            "schema_drift": self._accept_columns,
            "rejudge": self._rejudge,
        }

    def run(
        self, item: int, release: bool, account: int, ground: str, finish: Finish = lambda conn, result: None
    ) -> Json:
        """Release or refuse an item; raises ``NeedsPerson`` where there is none or it cannot be released."""
        bureau = self._bureau
        with bureau.store.write() as conn:
            row = desk.one(conn, item)
            if row is None or row.state != "open":
                raise NeedsPerson(f"There is no open item {item} on the desk; `syncd desk list` shows them.")
            done = self._release(conn, row, account) if release else self._refuse(conn, row)
            state = self._state_after(conn, row, done) if release else "refused"
            if state in ("released", "refused"):
                desk.decide(conn, item, state, str(account), ground, bureau.now_text())
            if state != "open":
                quiet(bureau, conn, row.kind, [row.mark])
            elif row.kind in DESK_REASONS and done != SECOND_NEEDED:
                done = f"{done}, and still {row.kind}: the item stays open until that has changed"
            body = operator_body(f"desk.{'release' if release else 'refuse'}.{row.kind}", account, ground)
            record(bureau, conn, [Saying("operator.acted", None, body)])
            result: Json = {"item": item, "kind": row.kind, "state": state, "done": done}
            finish(conn, result)
        failpoint("decide.after_commit")
        if release and row.kind == "unreadable":
            self._recognise.reconsider()
        sign(bureau)
        for bell in ("collect", "share", "recognise", "restrict"):
            bureau.wake(bell)
        return result

    def _release(self, conn: Connection, row: Row[Any], account: int) -> str:
        doing = self._releases.get(row.kind)
        if doing is None:
            raise NeedsPerson(
                f"An item of kind {row.kind} cannot be released: what it shows never takes effect here. "
                "`syncd desk refuse` closes it."
            )
        return doing(conn, row, account)

    def _state_after(self, conn: Connection, row: Row[Any], done: str) -> str:
        """An item is released once it lets something follow; one that only has it tried again goes with its cause."""
        left = desk.one(conn, row.id)
        state = str(left.state) if left is not None else "cleared"
        if done == SECOND_NEEDED or row.kind in _TRIED_AGAIN:
            return "released" if _is_feedback(row) else state
        return "open" if row.kind in DESK_REASONS and state == "open" else "released"

    def _refuse(self, conn: Connection, row: Row[Any]) -> str:
        """What was refused is seen by two people anew, should the item be opened again."""
        if row.kind in _LETS_FOLLOW:
            releases.unrelease(conn, bytes.fromhex(row.mark), self._bureau.code, "first")
        if row.kind == "rejudge":
            desk.state_facts(conn, row.id, {key: fact for key, fact in orjson.loads(row.facts).items() if key != FIRST})
        return "kept as it is"

    def _impose(self, conn: Connection, row: Row[Any], account: int) -> str:
        leaf = bytes.fromhex(row.mark)
        if row.kind in _LETS_FOLLOW and self._first_of_two(conn, leaf, account):
            return SECOND_NEEDED
        releases.release(conn, leaf, self._bureau.code, row.kind.removesuffix("_relieved"), account)
        releases.judge_from_today(conn, leaf, self._bureau.code)
        respond(self._bureau, conn, [leaf])
        return "released for this region; judged again"

    def _first_of_two(self, conn: Connection, leaf: bytes, account: int) -> bool:
        """Where the rule asks for two people 双人复核: whether this is the first, whose word alone changes nothing.

        The rule of the version that judges the finding, as ``respond`` applies it, not of the one in force now.
        """
        bureau = self._bureau
        finding = register.findings_by_leaf(conn, [leaf])[leaf]
        before = register.responses_of(conn, [leaf], bureau.code).get(leaf, {}).get(bureau.code)
        region = bureau.timeline.by(judged_by(finding, before)).regions.get(bureau.code)
        rule = region.rules.get(finding.criterion or "") if region is not None else None
        if rule is None or rule.persons == 1:
            return False
        said = (before.released_by or "").split("/") if before is not None else []
        first = next((part.partition(":")[2] for part in said if part.startswith("first:")), None)
        ask_another(first, account)
        if first is None:
            releases.release(conn, leaf, bureau.code, "first", account)
        return first is None

    def _confirm(self, conn: Connection, row: Row[Any], account: int) -> str:
        """A person of this bureau determines what a rule proposed: the finding is amended by its own log."""
        bureau, facts = self._bureau, orjson.loads(row.facts)
        leaf = bytes.fromhex(facts["finding"])
        records = {bytes.fromhex(one["finding"]) for one in facts["records"]} - {leaf}
        if not still_counts(bureau, conn, {leaf, *records}):
            raise NeedsPerson(
                "A record that this proposal rests on was relieved or suspended since, so it cannot be confirmed. "
                "Nothing was changed; `syncd desk refuse` closes it."
            )
        finding = register.findings_by_leaf(conn, [leaf])[leaf]
        body = confirmed_body(finding.parsed(), facts, account)
        proposals.put_grounds(conn, change(bureau, conn, finding, body), facts["rule"], sorted(records))
        return f"determined: the finding meets {facts['criterion']}, and goes to all members"

    def _rejudge(self, conn: Connection, row: Row[Any], account: int) -> str:
        return Rejudge(self._bureau).release(conn, row, orjson.loads(row.facts), account)

    def _judge_again(self, conn: Connection, row: Row[Any], account: int) -> str:
        leaf = bytes.fromhex(row.mark)
        releases.judge_from_today(conn, leaf, self._bureau.code)
        respond(self._bureau, conn, [leaf])
        return "judged again under the agreement as it is now"

    def _read_again(self, conn: Connection, row: Row[Any], account: int) -> str:
        if _is_feedback(row):
            return "the next acknowledgement that cannot be read opens it again"
        for collect in self._collects:
            collect.read_again(conn)
        return "the source is to be read again from the beginning; the item goes once its row is taken or there no more"

    def _revoke(self, conn: Connection, row: Row[Any], account: int) -> str:
        facts = orjson.loads(row.facts)
        if row.reason == ALL_GONE:
            each(self._bureau, conn, facts["source"], facts["pass"])
            return "they are truly gone; each has an item of its own now"
        self._revoke_finding(conn, facts["finding"], "row_gone")
        known = sourcebook.known(conn, facts["source"], [facts["row"]])
        sourcebook.remember(conn, [one._replace(status=WITHDRAWN) for one in known.values()])
        return "the finding was revoked"

    def _replace(self, conn: Connection, row: Row[Any], account: int) -> str:
        facts = orjson.loads(row.facts)
        self._revoke_finding(conn, facts["finding"], "row_changed")
        known = sourcebook.known(conn, facts["source"], [facts["row"]])
        anew = [one._replace(digest="", status="revoked", finding=None, updated="") for one in known.values()]
        sourcebook.remember(conn, anew)
        for collect in self._collects:
            collect.read_again(conn)
        return "the old finding was revoked; the row is read again and issued anew"

    def _resume(self, conn: Connection, row: Row[Any], account: int) -> str:
        facts = orjson.loads(row.facts)
        leaf = bytes.fromhex(facts["finding"])
        finding = register.findings_by_leaf(conn, [leaf])[leaf]
        marks = removable(self._bureau, conn, finding, CLEARS["finding.resumed"], row.kind)
        if marks:  # said at once, before the row is read again
            body = relief_body("review_over", self._bureau, marks)
            say_own(self._bureau, conn, [("finding.resumed", finding, body)])
        ask_unreadable(self._bureau, conn, finding)
        for collect in self._collects:
            collect.read_again(conn)
        rows = register.relief_of(conn, [leaf]).get(leaf, ())
        if state_of(finding, rows, self._bureau.today()).suspended:
            return "the row is read again; the finding stays suspended by what others said of it"
        return "the finding was resumed; the row is read again"

    def _accept_columns(self, conn: Connection, row: Row[Any], account: int) -> str:
        accept(conn, orjson.loads(row.facts))
        return "the source's columns are taken as they are now"

    def _leave(self, conn: Connection, row: Row[Any], account: int) -> str:
        if row.reason == KEPT_BACK:
            return "it was not said and the mark stays; the row with its day corrected removes it"
        return "the relief stands as it was read"

    def _try_again(self, conn: Connection, row: Row[Any], account: int) -> str:
        return "tried again; the item goes once the entry is read"

    def _revoke_finding(self, conn: Connection, leaf: str, ground: str) -> None:
        found = register.findings_by_leaf(conn, [bytes.fromhex(leaf)])
        for row in found.values():
            body = relief_body(ground, self._bureau)
            record(self._bureau, conn, [Saying("relief.revoked", self._bureau.ref_of(conn, row), body)])


def _is_feedback(row: Row[Any]) -> bool:
    """Whether it is about acknowledgements 回执, which are read once: nothing would take its item away."""
    return row.kind == "quarantine" and is_feedback(desk.facts_of(row)["source"], row.mark)
