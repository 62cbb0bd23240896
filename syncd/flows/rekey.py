"""Keys 密钥 and seals 封存 told again from the entries: what ``member_keys`` and ``seals`` must say.

1. a member's first keys are those that this node's own first ``agreement.adopted`` names, else its member file's;
2. each ``key.changed`` of its logs is followed in order, as it was when it came;
3. each ``log.sealed`` of this node's own logs ends the keys of the log it names, and its successor's begin.

The successor's receipt key is the one that its own first entry names. Where a seal replaced the receipt key too, the
sizes up to which the old one counts are those of the largest lines it has made here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau, Peer
from syncd.flows.keys import CHANGED
from syncd.flows.seal import before, ended
from syncd.ledger.canonical import FormatError, unb64
from syncd.ledger.entry import Entry, MeaningError, parse_entry
from syncd.ledger.key_history import EVERYWHERE, KeySpan, base, follow
from syncd.ledger.notes import NoteVerifier
from syncd.ledger.policy import Sealed
from syncd.store import member_keys
from syncd.store import seals as stored
from syncd.store.engine import bulk_upsert
from syncd.store.key_tables import seals
from syncd.store.state import LogState
from syncd.store.statement import execute

Json = dict[str, Any]
ADOPTED, SEALED = "agreement.adopted", "log.sealed"
KINDS = frozenset({ADOPTED, CHANGED, SEALED})
Places = Mapping[str, Mapping[str, Sequence[int]]]
"""Where entries of these kinds stand: indices by origin and kind, in order."""


class Seal(NamedTuple):
    """One ``log.sealed`` of this node's own: where it stands and when, and what it says."""

    at: str
    end: Sealed
    successor_log: str | None


class Story(NamedTuple):
    """What the entries say: spans by member's code (none where nothing changed) and the seals by origin."""

    spans: dict[str, list[KeySpan]]
    seals: dict[str, list[Seal]]
    owners: dict[str, str]

    def ends(self, code: str) -> dict[str, Sealed]:
        """A member's sealed logs, as they stand now."""
        return {origin: found[-1].end for origin, found in self.seals.items() if self.owners.get(origin) == code}

    def row(self, origin: str) -> Json:
        """What the table of seals must say of one."""
        end = self.seals[origin][-1].end
        return {"origin": origin, "member": self.owners.get(origin, ""), "size": end.size, "root": end.root,
                "successor": end.successor, "at": self.seals[origin][0].at}  # fmt: skip

    def take(self, bureau: Bureau) -> None:
        """Let a bureau know members' keys and seals by this story."""
        for code, peer in bureau.members.items():
            peer.spans[:] = self.spans[code]
            peer.former[:] = before(peer.origin, self.ends(code))
        bureau.sealed = {origin: found[-1].end for origin, found in self.seals.items()}


def write_seals(conn: Connection, told: Story) -> None:
    """Let the store say what the seals say; one that stands there keeps the time at which it was sealed."""
    rows = [told.row(origin) for origin in told.seals]
    conn.execute(seals.delete().where(seals.c.origin.not_in(told.seals)))
    bulk_upsert(conn, seals, rows, ("origin",), ("member", "size", "root", "successor"))


def recall(bureau: Bureau) -> None:
    """After entries were fetched back: the seals among them, which a copy from before does not know, count again."""
    with bureau.store.write() as conn:
        told = story(bureau, conn, places_of(bureau, conn))
        lost = {code for code in told.spans if told.ends(code) != stored.ends(conn).get(code, {})}
        if not lost:
            return
        write_seals(conn, told)
        for code in sorted(lost):
            member_keys.put(conn, code, told.spans[code])
        bureau.store.once_committed(lambda: told.take(bureau))


def places_of(bureau: Bureau, conn: Connection) -> Places:
    """Look for such entries by their column: it reads every log once."""
    found: dict[str, dict[str, list[int]]] = {}
    for state in bureau.logs.states(conn):
        for kind in KINDS:
            sql = "SELECT idx FROM entries WHERE log = ? AND kind = ? AND idx < ? ORDER BY idx"
            indices = execute(conn, sql, (state.id, kind, state.size)).scalars()
            found.setdefault(state.origin, {})[kind] = [int(idx) for idx in indices]
    return found


def story(bureau: Bureau, conn: Connection, places: Places) -> Story:
    """Tell it from the entries at these places."""
    logs = sorted(bureau.logs.states(conn), key=lambda one: one.id)
    owners = {state.origin: state.owner for state in logs}
    told = Story({}, _seals(conn, logs, places), owners)
    for code, peer in bureau.members.items():
        of_member = [state for state in logs if state.owner == code]
        told.spans[code] = _history(bureau, conn, peer, of_member, told, places)
    return told


def entries_at(conn: Connection, log: LogState, indices: Sequence[int], kind: str) -> Iterator[tuple[int, Entry, Json]]:
    """The entries there that are of that kind and carry a public object, in order."""
    for idx in indices:
        leaf = execute(conn, "SELECT leaf FROM entries WHERE log = ? AND idx = ?", (log.id, idx)).scalar_one_or_none()
        try:
            entry = parse_entry(leaf or b"")
        except MeaningError:
            continue
        if entry.kind == kind and isinstance(entry.body, dict):
            yield idx, entry, entry.body


def _seals(conn: Connection, logs: Sequence[LogState], places: Places) -> dict[str, list[Seal]]:
    """The seals that this node has written, oldest first; a later one of the same log only names its successor."""
    found: dict[str, list[Seal]] = {}
    for state in (one for one in logs if one.own):
        for _, entry, body in entries_at(conn, state, places.get(state.origin, {}).get(SEALED, ()), SEALED):
            origin, after = str(body.get("log")), body.get("successor") or {}
            try:
                end = Sealed(int(body["size"]), unb64(str(body["root"])), after.get("origin"))
            except (KeyError, ValueError, FormatError):
                continue
            if origin in found:
                end = replace(found[origin][0].end, successor=end.successor)
            found.setdefault(origin, []).append(Seal(entry.at, end, after.get("log")))
    return found


def _named(
    conn: Connection, logs: Sequence[LogState], places: Places, code: str, origin: str
) -> tuple[str, str] | None:
    """The keys of a member's log and receipts by the first adoption in these logs that names both."""
    for state in logs:
        for _, _, body in entries_at(conn, state, places.get(state.origin, {}).get(ADOPTED, ()), ADOPTED):
            for said in body.get("members", ()):
                keys = said.get("keys") or {} if isinstance(said, dict) else {}
                if (said.get("code"), said.get("origin")) == (code, origin) and keys.get("log") and keys.get("receipt"):
                    return str(keys["log"]), str(keys["receipt"])
    return None


def _history(
    bureau: Bureau, conn: Connection, peer: Peer, logs: Sequence[LogState], told: Story, places: Places
) -> list[KeySpan]:
    own = [state for state in bureau.logs.states(conn) if state.own]
    first = logs[0].origin if logs else peer.origin
    named = _named(conn, own, places, peer.code, first) or (peer.log.vkey, peer.receipt.vkey)
    spans, changed = [base("receipt", named[1]), base("log", named[0])], False
    for state in logs:
        for idx, _, body in entries_at(conn, state, places.get(state.origin, {}).get(CHANGED, ()), CHANGED):
            try:
                spans, changed = follow(spans, body, state.origin, idx), True
            except (FormatError, KeyError, TypeError, ValueError):
                continue  # it changed nothing when it came either
        for number, seal in enumerate(told.seals.get(state.origin, ())):
            left = number == 0 and seal.end.successor is None and bureau.logs.get_cursor(conn, f"sealed:{state.origin}")
            if left:
                continue  # a member that left: its log ended by the agreement, its keys are as they were
            after = _successor(conn, peer, logs, seal, spans, places)
            sizes = _last_lines(bureau, conn, peer.code, spans) | {state.origin: seal.end.size}
            spans, changed = ended(spans, state.origin, seal.end, after, (), sizes), True
    return spans if changed else []


def _successor(
    conn: Connection, peer: Peer, logs: Sequence[LogState], seal: Seal, spans: Sequence[KeySpan], places: Places
) -> Json | None:
    name = seal.end.successor
    if name is None:
        return None
    itself = [state for state in logs if state.origin == name]
    named = _named(conn, itself, places, peer.code, name)
    same = [span.vkey for span in spans if span.role == "receipt" and span.last is None]
    receipt = named[1] if named else peer.receipt.vkey if peer.origin == name else same[-1]
    return {"origin": name, "log": seal.successor_log, "receipt": receipt}


def _last_lines(bureau: Bureau, conn: Connection, code: str, spans: Sequence[KeySpan]) -> dict[str, int]:
    """The largest size of each log under which these receipt keys of a member have made a line."""
    keys = [NoteVerifier.parse(one.vkey) for one in spans if one.role == "receipt" and one.origin == EVERYWHERE]
    sql = (
        "SELECT s.size, s.line FROM cosignatures s JOIN logs l ON l.id = s.log "
        "WHERE l.origin = ? AND s.member = ? ORDER BY s.size DESC"
    )
    found: dict[str, int] = {}
    for origin in bureau.origins:
        lines = execute(conn, sql, (origin, code))
        made = (int(size) for size, line in lines if any(key.made(line) for key in keys))
        found[origin] = next(made, 0)
    return found
