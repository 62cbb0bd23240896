"""Keys that change 换钥 (LEDGER §9): a rotation begins and ends with an entry, and the exchange never stops for it.

1. ``rotate`` writes ``key.changed`` (added); from the checkpoint that covers it both keys sign. It is a stop, which no
   batch crosses, so that whoever comes from before it meets a checkpoint of the key he knows, with this entry.
2. Every holder of that entry takes lines of either key; who does not hold it yet finds the old one's.
3. ``retire``, looked at by the watch: once every member has countersigned a size that covers the entry, a second
   ``key.changed`` (retired) says up to which sizes the old key counts, and it signs no more.

An entry that does not fit the history changes nothing, whoever wrote it. The private half is a file of the node; only
its public half is ever written or sent.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.record import Saying, record, sign
from syncd.flows.resync import Finish, operator_body
from syncd.ledger.canonical import FormatError
from syncd.ledger.entry import Entry
from syncd.ledger.key_history import ROLES, active, added_body, follow, retired_body
from syncd.store import member_keys

CHANGED = "key.changed"
CERTIFICATES = ("tls", "ca")


def take_entries(bureau: Bureau, conn: Connection, owner: Peer, entries: Iterable[tuple[int, Entry | None]]) -> None:
    """Follow the entries about keys among these of the owner's log, in the transaction that stores them."""
    spans = owner.history()
    changed = False
    for index, entry in entries:
        if entry is None or entry.kind != CHANGED or not isinstance(entry.body, dict):
            continue
        try:
            spans, changed = follow(spans, entry.body, owner.origin, index), True
        except (FormatError, KeyError, TypeError, ValueError) as error:
            bureau.notice("keys.not_followed", {"log": owner.origin, "index": index, "because": type(error).__name__})
    if changed:
        member_keys.put(conn, owner.code, spans)
        bureau.store.once_committed(lambda: owner.spans.__setitem__(slice(None), spans))


class Rotate:
    """The job ``keys.rotate``."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def run(self, role: str, vkey: str, account: int, finish: Finish) -> None:
        """Begin the rotation to the key ``vkey``, whose private half lies in the node's keys already.

        Raises ``NeedsPerson`` where a rotation of that role is under way, or its file cannot be found.
        """
        bureau = self._bureau
        if role in CERTIFICATES:
            self._note(role, account, finish)
            return
        own = bureau.members[bureau.code]
        signing = [one for one in active(own.history(), role) if role != "log" or own.names(one)]
        if role not in ROLES or len(signing) != 1:
            raise NeedsPerson(
                f"A rotation of the {role} key is under way: both keys sign until every member has countersigned it. "
                "Nothing was changed; `syncd keys show` shows whose line is missing."
            )
        if all(one.vkey != vkey for one in bureau.signers.spare()):
            raise NeedsPerson("The new key's file is not in the node's folder of keys. Nothing was changed.")
        with bureau.store.write() as conn:
            body = operator_body("keys.rotate", account, "operator_request")
            said = [
                Saying("operator.acted", None, body),
                Saying(CHANGED, None, public=added_body(role, vkey, signing[0])),
            ]
            appended = record(bureau, conn, said)
            _follow_own(bureau, conn, appended[1].index, said[1])
            bureau.logs.close_stop(conn, bureau.origin, bureau.clock(), at_once=True)
            finish(conn, {"role": role, "key": vkey, "replaces": signing[0], "entry": appended[1].index})
        failpoint("keys.added")
        sign(bureau)
        bureau.wake("share")
        bureau.notice("keys.added", {"role": role, "key": vkey})

    def _note(self, role: str, account: int, finish: Finish) -> None:
        """A certificate was renewed in the node's folder: no entry about a key, only who did so."""
        bureau = self._bureau
        with bureau.store.write() as conn:
            record(
                bureau,
                conn,
                [Saying("operator.acted", None, operator_body("keys.rotate", account, "operator_request"))],
            )
            finish(conn, {"role": role, "key": None, "replaces": None, "entry": None})
        sign(bureau)
        for bell in ("share", "certificates"):
            bureau.wake(bell)


def retire(bureau: Bureau) -> Sequence[str]:
    """End the rotations whose new key every member knows; returns the roles."""
    own, ended = bureau.members[bureau.code], list[str]()
    for role in ROLES:
        signing = [one for one in active(own.history(), role) if role != "log" or own.names(one)]
        if len(signing) == 2 and _known_to_all(bureau, own, role, signing[1]):
            with bureau.store.write() as conn:
                said = Saying(CHANGED, None, public=retired_body(role, signing[0], _last_sizes(bureau, conn, role)))
                _follow_own(bureau, conn, record(bureau, conn, [said])[0].index, said)
            failpoint("keys.retired")
            ended.append(role)
    if ended:
        sign(bureau)
        bureau.wake("share")
        bureau.notice("keys.retired", {"roles": ended})
    return ended


def _known_to_all(bureau: Bureau, own: Peer, role: str, vkey: str) -> bool:
    first = next(span.first for span in own.history() if (span.role, span.vkey) == (role, vkey))
    with bureau.store.read() as conn:
        signed = bureau.logs.countersigned_by_all(conn, bureau.origin)
    return all(signed.get(code, 0) >= first for code in bureau.owing)


def _last_sizes(bureau: Bureau, conn: Connection, role: str) -> dict[str, int]:
    """Up to where the old key counts: of one's own log all that is listed, of others what was countersigned."""
    size = bureau.logs.state(conn, bureau.origin).size
    if role == "log":
        return {bureau.origin: size}
    others = {one: bureau.logs.countersigned(conn, one, bureau.code) for one in bureau.origins}
    return {**others, bureau.origin: size}


def _follow_own(bureau: Bureau, conn: Connection, index: int, said: Saying) -> None:
    own = bureau.members[bureau.code]
    spans = follow(own.history(), said.public or {}, own.origin, index)
    member_keys.put(conn, own.code, spans)
    bureau.store.once_committed(lambda: own.spans.__setitem__(slice(None), spans))
