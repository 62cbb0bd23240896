"""Sealing a log 封存 that cannot be continued (LEDGER §1): its key was stolen or lost, its tail is gone, or it forked.

Each member seals it by itself, on a person's word:

1. ``log.sealed`` in its own log says where the log ended here (size and root), all branches seen, and the successor:
   the next epoch, with a new log key, compared by fingerprint like any member file.
2. From then on this node takes nothing more of the sealed log, whoever signs it; what comes is kept as evidence.
3. The successor is a log like any other; its relief acts on what the sealed log issued.
4. Relief that not every member had countersigned when its own bureau sealed the log is said once more by the successor:
   who seals at a smaller size would never hear of it.

The keys of the sealed log count up to the sealed size and no further; the trust policy says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.errors import NeedsPerson
from syncd.failpoint import failpoint
from syncd.flows.alarms import quiet
from syncd.flows.bureau import Bureau, Peer, day_of_text
from syncd.flows.opening import read_opened
from syncd.flows.record import Saying, record, sign
from syncd.flows.relieve import relief_body, say_own
from syncd.flows.resync import Finish, operator_body
from syncd.ledger.canonical import FormatError, b64
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.key_history import EVERYWHERE, KeySpan
from syncd.ledger.notes import parse_note
from syncd.ledger.policy import Sealed
from syncd.store import desk, evidence, member_keys, register, seals

Json = dict[str, Any]
BRANCHES = 32
"""Branches named in the entry at most: it must fit into a leaf. All of them stay in the evidence."""


class Seal:
    """The job ``keys.seal``."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def run(self, origin: str, successor: Json | None, keys: Sequence[str], account: int, finish: Finish) -> None:
        """Seal a member's log; ``successor``: its ``origin``, ``log`` and ``receipt`` keys as vkeys, or None.

        ``keys``: vkeys of the sealed log, for where its member file is replaced already.

        Raises ``NeedsPerson`` where the log is not held here, or is sealed already with another successor, and where
        this node still writes to what is to be its own sealed log.
        """
        bureau = self._bureau
        with bureau.store.write() as conn:
            owner, before = _owner(bureau, origin), seals.ends(conn)
            done = before.get(owner.code, {}).get(origin)
            name = successor["origin"] if successor is not None else None
            if done is not None and (done.successor is not None or name is None):
                raise NeedsPerson(f"The log {origin} is sealed here already, at size {done.size}. Nothing was changed.")
            if owner.code == bureau.code and name is not None and name != bureau.origin:
                raise NeedsPerson(
                    f"This node still writes to {bureau.origin}, not to {name}, so nothing was sealed. Its daemon's "
                    "log says why (members.not_taken); mend it, or stop the daemon, and give the command again."
                )
            end = done or Sealed(*_end(bureau, conn, origin))
            end = Sealed(end.size, end.root, name)
            body = operator_body("keys.seal", account, "operator_request")
            said = [
                Saying("operator.acted", None, body),
                Saying("log.sealed", None, public=_body(conn, origin, end, successor)),
            ]
            record(bureau, conn, said)
            if owner.code == bureau.code and name is not None:
                _relieve_again(bureau, conn, origin)
            seals.put(conn, owner.code, origin, end, bureau.now_text())
            sizes = {log: bureau.logs.countersigned(conn, log, owner.code) for log in bureau.origins}
            spans = ended(owner.history(), origin, end, successor, keys, {**sizes, origin: end.size})
            member_keys.put(conn, owner.code, spans)
            for kind in ("fork", "misbehaviour"):
                desk.clear(conn, kind, [origin], bureau.now_text())
                quiet(bureau, conn, kind, [origin])
            finish(conn, {"log": origin, "size": end.size, "root": b64(end.root), "successor": name})
            bureau.store.once_committed(lambda: known(bureau))
        failpoint("seal.after_commit")
        sign(bureau)
        for bell in ("share", "recognise"):
            bureau.wake(bell)
        bureau.notice("keys.sealed", {"log": origin, "size": end.size, "successor": name})


def _relieve_again(bureau: Bureau, conn: Connection, origin: str) -> None:
    """Step 4: relief at the end of this node's own sealed log, which a member may never get from it."""
    signed = bureau.logs.countersigned_by_all(conn, origin)
    start = min((signed.get(code, 0) for code in bureau.owing if code != bureau.code), default=0)
    stop = bureau.logs.state(conn, origin).size
    opened = read_opened(bureau, conn, origin, start, stop, only=frozenset({"relief.%"}))
    about = [(one, one.entry, bytes.fromhex(one.entry.ref.leaf)) for one in opened if one.entry and one.entry.ref]
    found = register.findings_by_leaf(conn, {leaf for _, _, leaf in about})
    held = register.relief_of(conn, list(found))
    cleared = {leaf for rows in held.values() for row in rows for leaf in orjson.loads(row.clears)}
    said = []
    for one, entry, leaf in about:
        if leaf in found and one.leaf.hex() not in cleared:
            day = (one.body or {}).get("effective_from") or day_of_text(entry.at).isoformat()
            body = one.body or relief_body("log_sealed", bureau)
            said.append((entry.kind, found[leaf], {**body, "effective_from": day}))
    if said:
        say_own(bureau, conn, said)


def known(bureau: Bureau) -> None:
    """Take the history of all members' keys and the sealed logs from the store: at each start, and after a seal."""
    with bureau.store.read() as conn:
        history, ends = member_keys.history(conn), seals.ends(conn)
    for code, peer in bureau.members.items():
        peer.spans[:] = history.get(code, [])
        peer.former[:] = before(peer.origin, ends.get(code, {}))
    bureau.sealed = {origin: end for of_member in ends.values() for origin, end in of_member.items()}


def before(origin: str, ends: Mapping[str, Sealed]) -> list[str]:
    """The sealed logs that ``origin`` goes on for, however many seals ago."""
    found = [origin]
    while more := [one for one, end in ends.items() if end.successor in found and one not in found]:
        found += more
    return found[1:]


def _owner(bureau: Bureau, origin: str) -> Peer:
    owner = bureau.owner(origin) or next(
        (one for one in bureau.members.values() if origin.rpartition("/")[0] == one.origin.rpartition("/")[0]), None
    )
    if owner is None:
        raise NeedsPerson(f"No member of the agreement has the log {origin}. Nothing was sealed.")
    return owner


def _end(bureau: Bureau, conn: Connection, origin: str) -> tuple[int, bytes]:
    """Where the log ends here: all that is held of it and signed by its key."""
    held = bureau.logs.find(conn, origin)
    newest = bureau.logs.newest(conn, origin)
    if held is None or newest is None:
        raise NeedsPerson(f"Nothing of the log {origin} is held here, so nothing can be sealed.")
    return newest.size, newest.root


def _body(conn: Connection, origin: str, end: Sealed, successor: Json | None) -> Json:
    seen = set[tuple[int, str]]()
    for one in evidence.listing(conn):
        for note in (one.held, one.shown) if one.log == origin else ():
            try:
                shown = parse_checkpoint(parse_note(note).text)
            except FormatError:
                continue
            seen.add((shown.size, b64(shown.root)))
    branches = [{"size": size, "root": root} for size, root in sorted(seen)[:BRANCHES]]
    following = {"origin": successor["origin"], "log": successor["log"]} if successor is not None else None
    return {"schema": "sealed/1.0", "log": origin, "size": end.size, "root": b64(end.root), "branches": branches,
            "successor": following}  # fmt: skip


def ended(
    history: Sequence[KeySpan],
    origin: str,
    end: Sealed,
    successor: Json | None,
    keys: Sequence[str],
    sizes: Mapping[str, int],
) -> list[KeySpan]:
    """A member's keys after a seal: those of the sealed log end with it, the successor's begin.

    ``sizes``: up to where a receipt key counts that the successor does not go on with, by log.
    """
    spans = []
    for one in history:
        if one.role == "log" and one.origin in (origin, EVERYWHERE) and _names(one.vkey, origin):
            last = end.size if one.last is None else min(one.last, end.size)
            spans.append(KeySpan("log", one.vkey, origin, 0 if one.origin == EVERYWHERE else one.first, last))
        elif one.role == "receipt" and successor is not None and one.vkey != successor["receipt"] and one.last is None:
            spans += [KeySpan("receipt", one.vkey, log, 0, size) for log, size in sizes.items()]
        elif not (one.role == "log" and successor is not None and one.vkey == successor["log"]):
            spans.append(one)
    known_keys = {one.vkey for one in spans}
    spans += [KeySpan("log", vkey, origin, 0, end.size) for vkey in keys if vkey not in known_keys]
    if successor is not None:
        spans.append(KeySpan("log", successor["log"], successor["origin"]))
        if all(one.vkey != successor["receipt"] for one in spans):
            spans.append(KeySpan("receipt", successor["receipt"], EVERYWHERE))
    return spans


def _names(vkey: str, origin: str) -> bool:
    return vkey.partition("+")[0] == origin
