"""Misbehaviour of a log 违规: refused by whoever meets it, kept as evidence here, alarmed, and shown.

A member's log that was shown in two histories also stands on the desk as a *fork*: its findings wait until a person
has looked, its relief acts all the same (LEDGER §6).
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from syncd.flows.alarms import sound
from syncd.flows.bureau import Bureau
from syncd.ledger.canonical import b64
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import parse_note
from syncd.store import desk, evidence
from syncd.store.evidence import Evidence

SENTENCES = {
    "two_roots": "It has signed two roots for one size.",
    "split_view": "A member was shown another history of it than this node.",
    "shrinking": "It shows fewer entries than it has signed before.",
    "inconsistent": "What it shows is not proven to extend what was signed before.",
    "beyond_seal": "It goes on although it is sealed.",
}


def two_roots(one: bytes, other: bytes) -> bool:
    """Whether two notes, whose signatures were verified, show different roots of one log at one size."""
    first, second = (parse_checkpoint(parse_note(note).text) for note in (one, other))
    return (first.origin, first.size) == (second.origin, second.size) and first.root != second.root


class Accusation(NamedTuple):
    """What is held against a log: two signed notes, its keys, who showed the second, and whether it is certain.

    ``holds``: findings of the log wait until a person has looked. ``proof``: a consistency proof that belongs to it.
    """

    log: str
    code: str
    held: bytes
    shown: bytes
    keys: Sequence[str]
    shown_by: str
    proven: bool
    holds: bool = False
    proof: Sequence[bytes] = ()


def accuse(bureau: Bureau, conn: Connection, one: Accusation) -> None:
    """Keep both notes, put the log on the desk, and alarm. Saying the same again changes nothing.

    Deciding the item clears the alarm; new evidence opens it again.
    """
    proof, now = [b64(step) for step in one.proof], bureau.now_text()
    kept = Evidence(one.log, one.code, one.proven, one.held, one.shown, proof, one.keys, one.shown_by, now)
    fresh = evidence.keep(conn, kept)
    kind = "fork" if one.holds else "misbehaviour"
    facts = {"log": one.log, "sentence": SENTENCES[one.code], "shown_by": one.shown_by, "proven": one.proven}
    desk.put(conn, [{"kind": kind, "mark": one.log, "reason": one.code, "facts": facts, "anew": fresh}], now)
    if one.log in desk.open_marks(conn, kind):
        said = {"code": one.code, "proven": one.proven, "shown_by": one.shown_by}
        sound(bureau, conn, kind, one.log, said | {"evidence": evidence.counts(conn).get(one.log, 0)})
