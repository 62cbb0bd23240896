"""Is this store the newest of what was signed? 自证 What the members hold of this node's log settles it (LEDGER §5).

A node that has lost its newest entries (a restored copy, a promoted standby, a missing file of signed sizes) must not
go on by itself: it would sign a second history. In doubt 存疑 it sequences, collects and signs nothing; peers' batches
are stored and answered 503; relief and expiry still act and go home. The doubt ends

1. by itself, once every member has told what it holds and none holds more than this store or anything else, and the
   mirrored logs are filled up to what their owners hold;
2. by ``syncd ledger recover``, which fetches the missing entries back, or where a person answers for a silent member.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from syncd.errors import NeedsPerson, Retry
from syncd.flows.alarms import quiet
from syncd.flows.bureau import Bureau
from syncd.flows.doubt import AHEAD, MISSING, OLDER, OTHER, SENTENCES, doubt
from syncd.flows.lines import stamp_of, verify_log
from syncd.flows.refetch import Refetch, Told
from syncd.flows.share import Link
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import BadSignature, parse_note
from syncd.peers import Answer
from syncd.store import desk, instance
from syncd.store.sizes import SignedSize

Json = dict[str, Any]
ASK_SECONDS = 3.0


class Custody:
    """Asks the members, and ends the doubt if there is none left."""

    def __init__(self, bureau: Bureau, links: Mapping[str, Link], refetch: Refetch, after: Callable[[], None]) -> None:
        self._bureau = bureau
        self._refetch = refetch
        self._links = links
        self._after = after

    def ask(self, seconds: float = ASK_SECONDS) -> dict[str, Told]:
        """What each member that answers within ``seconds`` holds of this node's log; asked all at once."""
        found: dict[str, Told] = {}
        threads = [
            threading.Thread(target=self._ask, args=(code, found), name=f"ask:{code}", daemon=True)
            for code in self._asked()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds)
        return dict(found)

    def _asked(self) -> list[str]:
        """The members with whom entries are exchanged; one that has left says nothing any more."""
        return sorted(self._links.keys() & self._bureau.exchanging)

    def _ask(self, code: str, found: dict[str, Told]) -> None:
        bureau = self._bureau
        try:
            answer = self._links[code].get(bureau.origin, "checkpoint")
            if answer.status == 404:
                found[code] = Told(0, b"", b"")
            elif answer.status == 200:
                found[code] = told(bureau, answer)
        except (Retry, FormatError, BadSignature) as error:
            bureau.notice("custody.not_told", {"peer": code, "because": str(error)})

    def step(self) -> bool:
        """While in doubt: ask, and go on if nothing speaks against it. Raises what a person must do."""
        if self._bureau.may_sign:
            return False
        self.settle(())
        return False

    def settle(self, without: Collection[str]) -> None:
        """End the doubt if every member but those ``without`` has told, and none is ahead or elsewhere.

        Raises ``Retry`` while members are silent, ``NeedsPerson`` where entries must be fetched back.
        """
        bureau, answers = self._bureau, self.ask()
        silent = sorted(set(self._asked()) - set(answers) - set(without))
        with bureau.store.write() as conn:
            reason = against(bureau, conn, answers)
            if reason is not None:
                doubt(bureau, conn, reason, {"told": {code: one.size for code, one in answers.items()}})
        if reason is not None:
            raise NeedsPerson(
                f"Nothing is signed or collected, because {SENTENCES[reason]}. Everything held is kept, relief still "
                "acts. `syncd ledger recover` fetches the entries back; if it cannot, the log must be sealed."
            )
        if silent:
            raise Retry(
                f"Nothing is signed or collected, because {SENTENCES.get(bureau.doubt, 'the state is not known')}, and "
                f"{', '.join(silent)} did not tell yet what it holds. Asked again by itself; `syncd ledger recover` "
                "with --without goes on without it."
            )
        for code in answers:  # what was ordered to be erased meanwhile stands there, and acts before anything is served
            self._refetch.mirror(code, bureau.members[code])
        self._certain(answers)

    def _certain(self, answers: Mapping[str, Told]) -> None:
        bureau = self._bureau
        if bureau.doubt == MISSING:
            self._make_sizes(answers)
        with bureau.store.write() as conn:
            bureau.logs.set_cursor(conn, "doubt", "")
            bureau.logs.set_cursor(conn, "cluster", instance.cluster(conn))
            desk.clear(conn, "custody", [bureau.origin], bureau.now_text())
            quiet(bureau, conn, "custody", [bureau.origin])
        bureau.may_sign, bureau.doubt = True, ""
        bureau.notice("custody.certain", {"told": {code: one.size for code, one in answers.items()}})
        self._after()

    def _make_sizes(self, answers: Mapping[str, Told]) -> None:
        """A new file from what the store holds and the members show of this node's own lines under their logs."""
        bureau, known = self._bureau, dict[str, SignedSize]()
        with bureau.store.read() as conn:
            for origin in bureau.origins:
                size = bureau.logs.countersigned(conn, origin, bureau.code)
                known[origin] = SignedSize(origin, size, bureau.logs.root(conn, origin, size))
        for code in answers:
            shown = self._own_line(code)
            if shown is not None and shown.size > known[shown.origin].size:
                known[shown.origin] = shown
        bureau.sizes = bureau.new_sizes()
        bureau.sizes.record_many(list(known.values()))

    def _own_line(self, code: str) -> SignedSize | None:
        bureau, owner = self._bureau, self._bureau.members[code]
        answer = self._links[code].get(owner.origin, "checkpoint")
        if answer.status != 200:
            return None
        note = parse_note(answer.body)
        shown = parse_checkpoint(note.text)
        keys = bureau.members[bureau.code].receipt_keys(shown.origin, shown.size)
        if shown.origin != owner.origin or all(stamp_of(keys, note.text, line) is None for line in note.lines):
            return None
        return SignedSize(shown.origin, shown.size, shown.root)


def told(bureau: Bureau, answer: Answer) -> Told:
    """A checkpoint of one's own log as a member shows it. Raises FormatError, BadSignature."""
    note = parse_note(answer.body)
    shown = parse_checkpoint(note.text)
    # An old copy of the store does not know the keys that came since; their files are here all the same.
    ours = [one.verifier for one in bureau.signers.spare() if one.name == bureau.origin]
    verify_log(bureau.members[bureau.code], note, shown.size, more=ours)
    if shown.origin != bureau.origin:
        raise FormatError("The checkpoint is one of another log.")
    return Told(shown.size, shown.root, answer.body)


def against(bureau: Bureau, conn: Connection, answers: Mapping[str, Told]) -> str | None:
    """What speaks against going on from this store: a member ahead, another history, or one's own signature."""
    size = bureau.logs.state(conn, bureau.origin).size
    for one in answers.values():
        if one.size > size:
            return AHEAD
        if one.size and bureau.logs.root(conn, bureau.origin, one.size) != one.root:
            return OTHER
    if bureau.doubt == MISSING:
        return None
    signed = bureau.sizes.get(bureau.origin)
    if signed is not None and signed.size > size:
        return OLDER
    return None
