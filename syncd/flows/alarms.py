"""Alarms 告警 as the stages raise and clear them: one log line on raise and one on clear, none in between.

Each kind stands once in ``KINDS`` with the sentence for who must act, and has its row in ``docs/alarms.md``. Raising
is idempotent by kind and mark; ``match`` is for a look that finds everything of a kind that is wrong at once.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.store import alarms
from syncd.store.alarms import Alarm

Json = dict[str, Any]
KINDS: Mapping[str, str] = {
    "certificate_ends": "A certificate of this node ends within 30 days: `syncd keys rotate tls`, or `ca` for ca.crt.",
    "custody": "This node signs and collects nothing until the members have told what they hold of its log.",
    "imbalance": "Rows of the source came in and are nowhere: a fault of this program. Report it to the maintainer.",
    "schema_drift": "The source has new columns or lacks some. Compare the facts page, then decide the item.",
    "silence": "The source brought no new row in a whole cycle, though its facts page expects some. Ask who fills it.",
    "source_unreached": "The source could not be read for a whole cycle. Look at its address, account and network.",
    "too_few_rows": "The source brought fewer new rows in a cycle than its facts page expects. Ask who fills it.",
    "too_many_rows": "The source brought more new rows in a cycle than its facts page expects. Ask who fills it.",
    "erasure_late": "An erasure is over its limit; `syncd erasures` names who owes it. Call them, or mend what waits.",
    "fork": "A member has signed two histories of its log; its findings wait here, its relief acts. Call the bureau.",
    "misbehaviour": "A log has signed what excludes, or does not extend, what it signed before; both notes are kept.",
    "outside_witness": "An outside witness does not countersign this node's log; the exchange goes on without it.",
    "store_damaged": "Disclosures held here do not open: the store or vault is damaged. Check the disk; ask the log's "
    "owner for `syncd resync share`, or restore store and vault from backups of one time.",
    "provisional": "A checkpoint still lacks members' lines after the time set; ask the members that are named.",
    "unchecked": "A member's checkpoints could not be compared with those held here for two hours; call the bureau.",
    "peer_restored": "A member holds less than it has countersigned: its store is an old copy and is filled up again.",
    "version": "A member writes under a version of the agreement that is not in force here; its findings wait, its "
    "relief acts. `syncd agreement status` says what is missing.",
}
"""Each kind of alarm, with what it means and what to do, for a reader who must act."""


def sound(bureau: Bureau, conn: Connection, kind: str, mark: str, facts: Mapping[str, Any] | None = None) -> None:
    """Raise an alarm within the caller's transaction, or refresh it; ``facts`` are codes, counts, hashes, origins.

    Raises KeyError for a kind that does not stand in ``KINDS``.
    """
    said, held = KINDS[kind], dict(facts or {})
    if alarms.put(conn, kind, mark, held, bureau.now_text()):
        line = {"kind": kind, "about": mark, "sentence": said, "facts": alarms.plain(held)}
        bureau.store.once_committed(lambda: bureau.notice("alarm.raised", line))


def quiet(bureau: Bureau, conn: Connection, kind: str, marks: Collection[str]) -> None:
    """Clear alarms whose cause is gone; those that do not stand are no matter."""
    for mark in alarms.clear(conn, kind, marks, bureau.now_text()):
        _cleared(bureau, kind, mark)


def match(bureau: Bureau, conn: Connection, kind: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise an alarm for each mark in ``found`` and clear every other one of this kind."""
    for mark, facts in found.items():
        sound(bureau, conn, kind, mark, facts)
    quiet(bureau, conn, kind, alarms.standing_marks(conn, kind) - set(found))


def shown(alarm: Alarm) -> Json:
    """An alarm as commands and pages show it."""
    return {
        "kind": alarm.kind,
        "about": alarm.mark,
        "since": alarm.since,
        "seen_at": alarm.seen_at,
        "cleared_at": alarm.cleared_at,
        "sentence": KINDS.get(alarm.kind, ""),
        "facts": alarm.facts,
    }


def _cleared(bureau: Bureau, kind: str, mark: str) -> None:
    bureau.store.once_committed(lambda: bureau.notice("alarm.cleared", {"kind": kind, "about": mark}))
