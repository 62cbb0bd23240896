"""Doubt 存疑: why this node may not sign for now, kept in the store so that a restart does not forget it."""

from typing import Any

from sqlalchemy import Connection

from syncd.flows.alarms import sound
from syncd.flows.bureau import Bureau
from syncd.store import desk

Json = dict[str, Any]
OLDER, MISSING, MOVED, AHEAD, OTHER = "store_older", "sizes_missing", "database_moved", "peer_ahead", "other_history"
SENTENCES = {
    OLDER: "this node has signed more than its store holds, so the store is an old copy",
    MISSING: "the file of signed sizes is missing or damaged",
    MOVED: "the database was restored or promoted",
    AHEAD: "a member holds more of this node's log than its store, so the store is an old copy",
    OTHER: "a member holds another history of this node's log, signed by its key",
}


def doubt(bureau: Bureau, conn: Connection, reason: str, facts: Json) -> None:
    """Stop signing and sequencing, for a reason that survives a restart; alarm."""
    bureau.may_sign, bureau.doubt = False, reason
    bureau.logs.set_cursor(conn, "doubt", reason)
    facts = {"log": bureau.origin, "sentence": SENTENCES[reason], **facts}
    item = {"kind": "custody", "mark": bureau.origin, "reason": reason, "facts": facts, "anew": True}
    desk.put(conn, [item], bureau.now_text())
    bureau.wake("custody")
    sound(bureau, conn, "custody", bureau.origin, {"reason": reason, **facts})
