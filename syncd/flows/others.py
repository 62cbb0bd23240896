"""What other regions answered 他地回应: noted as theirs, never acted upon; it informs inquiry and the desk."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.flows.answer import COPY, DECLINED, HELD, IMPOSED, LIFTED
from syncd.flows.bureau import Bureau, Peer, day_of_text
from syncd.flows.opening import DAMAGED, VERSION, Opened
from syncd.flows.respond import response_row
from syncd.ledger.entry import Ref
from syncd.store import desk, register
from syncd.store.append import Appended
from syncd.store.state import LogState

Json = dict[str, Any]
UNREADABLE_AT_PEER = frozenset(
    {"unknown_kind", "other_agreement", "version", "no_disclosure", "does_not_open", "invalid_body", "newer_schema",
     "not_canonical", "exception", "not_its_finding", DAMAGED}
)  # fmt: skip


def note_answers(bureau: Bureau, conn: Connection, state: LogState, owner: Peer, opened: Sequence[Opened]) -> None:
    """Note what another region answered; what it could not read goes to our desk as well."""
    if owner.code == bureau.code:
        return
    answers = [one for one in opened if one.kind in (IMPOSED, LIFTED, DECLINED, HELD)
               and one.fault is None and one.entry and one.entry.ref]  # fmt: skip
    rows = answer_rows(conn, state, owner, answers)
    register.put_responses(conn, rows)
    told = [_told(owner, one) for one in answers if _unread(one) and _ours(bureau, one) and not _for_version(one)]
    _versions(bureau, conn, owner, answers)
    if desk.open_marks(conn, "unreadable_at_peer"):
        read = [f"{owner.code}:{about.leaf}" for one in answers if (about := _about(one)) and not _unread(one)]
        desk.clear(conn, "unreadable_at_peer", read, bureau.now_text())
    told += _copies(bureau, conn, owner, answers)
    desk.put(conn, told, bureau.now_text())


def _for_version(one: Opened) -> bool:
    return one.kind == HELD and (one.body or {}).get("reason") == VERSION


def _versions(bureau: Bureau, conn: Connection, owner: Peer, answers: Sequence[Opened]) -> None:
    """Another member cannot read our version yet: one item while its newest answers about our entries say so."""
    ours = [one for one in answers if _ours(bureau, one)]
    if not ours:
        return
    if _for_version(ours[-1]):
        facts = {"region": owner.code, "agreement": bureau.agreement.tag, "said_in": ours[-1].leaf.hex()}
        item = {"kind": "version_at_peer", "mark": owner.code, "reason": VERSION, "facts": facts, "anew": True}
        desk.put(conn, [item], bureau.now_text())
    elif owner.code in desk.open_marks(conn, "version_at_peer"):
        desk.clear(conn, "version_at_peer", [owner.code], bureau.now_text())


def _copies(bureau: Bureau, conn: Connection, owner: Peer, answers: Sequence[Opened]) -> list[Json]:
    """Another region says that a copy of a decision of ours lies in its source: shown on this desk as well."""
    marked = [about for one in answers if one.body and one.body.get("mark") and (about := _about(one))
              and COPY in str(one.body["mark"]).split()]  # fmt: skip
    own = register.findings_by_leaf(conn, [bytes.fromhex(ref.leaf) for ref in marked])
    return [
        {"kind": "copy_at_peer", "mark": f"{owner.code}:{leaf.hex()}", "reason": "other_place",
         "facts": {"region": owner.code, "finding": leaf.hex(), "natural_key": row.natural_key.hex()}}
        for leaf, row in own.items() if row.issuer == bureau.code
    ]  # fmt: skip


def answer_rows(conn: Connection, state: LogState, owner: Peer, answers: Sequence[Opened]) -> list[register.Response]:
    """The newest answer of a region to each finding that it has answered in these entries."""
    named = {one.leaf: bytes.fromhex(one.entry.ref.leaf) for one in answers if one.entry and one.entry.ref}
    stored = register.responses_of(conn, list(set(named.values())), owner.code)
    before = {finding: found[owner.code] for finding, found in stored.items()}
    rows: dict[bytes, register.Response] = {}
    texts: dict[int, str] = {}  # answers in the same words share their body
    for one in answers:
        finding = named[one.leaf]
        earlier = before.get(finding)
        if one.entry is None or (earlier is not None and earlier.idx >= one.idx):
            continue
        day = day_of_text(one.entry.at)
        body = texts.get(id(one.body)) or texts.setdefault(id(one.body), orjson.dumps(one.body).decode())
        entry = Appended(one.idx, one.leaf, one.entry.id, one.entry.at)
        rows[finding] = response_row(owner.code, finding, earlier, one.kind, body, state.id, entry, day)
        before[finding] = rows[finding]
    return list(rows.values())


def _about(one: Opened) -> Ref | None:
    return one.entry.ref if one.entry is not None else None


def _ours(bureau: Bureau, one: Opened) -> bool:
    """Whether the entry that could not be read there is this bureau's own: it goes to the desks of both sides only."""
    return one.entry is not None and one.entry.ref is not None and one.entry.ref.log == bureau.origin


def _unread(one: Opened) -> bool:
    return one.kind == "finding.held" and (one.body or {}).get("reason") in UNREADABLE_AT_PEER


def _told(owner: Peer, one: Opened) -> Json:
    entry = one.entry.ref.leaf if one.entry and one.entry.ref else ""
    reason = one.body["reason"] if one.body else ""
    facts = {"region": owner.code, "entry": entry, "said_in": one.leaf.hex()}
    return {"kind": "unreadable_at_peer", "mark": f"{owner.code}:{entry}", "reason": reason, "facts": facts}
