"""Writing to one's own log: say things in one transaction, then sign what was committed.

Commit, then sign, then offer (LEDGER §5). A crash between commit and signature leaves entries that nobody has seen
signed; the next ``sign`` goes on from there.
"""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from schemas.registry import check_body
from syncd.errors import Stop
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.disclosure import disclose, disclose_items, disclose_text
from syncd.ledger.entry import Ref, uuid7
from syncd.ledger.notes import format_note
from syncd.store.append import Appended, Draft

Json = dict[str, Any]
ITEMS_PER_BATCH_ENTRY = 256
# Findings are checked by `collect`, where a fault is the row's own; answers are built from a checked agreement, and a
# test checks the answer of every rule against the schema.
CHECKED_BEFORE = frozenset({"finding.issued", "finding.amended", "restriction.imposed", "restriction.lifted"})
_SALT = 32
_CHANCE = 10 + _SALT


class Saying(NamedTuple):
    """One thing to say in one's own log: a disclosed body, a list of disclosed items, or a public object.

    ``text``: the canonical bytes of a body that was checked and made canonical before, instead of ``body``.
    """

    kind: str
    ref: Ref | None
    body: Json | None = None
    items: Sequence[Json] | None = None
    public: Json | None = None
    text: bytes | None = None


def record(bureau: Bureau, conn: Connection, sayings: Sequence[Saying]) -> list[Appended]:
    """Append to one's own log within the caller's transaction; record keys are synced before it commits."""
    if not sayings:
        return []
    if not bureau.may_sign:
        raise Stop("This node may not write to its log until its last countersigned size is known; nothing was added.")
    now = bureau.clock()
    milliseconds = int(now.timestamp() * 1000)
    chance = os.urandom(_CHANCE * len(sayings))  # at once: each call lets another thread in between
    drafts = [_draft(saying, milliseconds, chance[n * _CHANCE : (n + 1) * _CHANCE]) for n, saying in enumerate(sayings)]
    sealed = bureau.logs.seal([draft.disclosure for draft in drafts])
    failpoint("record.after_keys")
    return bureau.logs.append(conn, bureau.origin, drafts, sealed, now)


def _draft(saying: Saying, milliseconds: int, chance: bytes) -> Draft:
    """``chance``: random bytes, 10 for the entry's id and as many as a salt has."""
    identity = uuid7(milliseconds, chance[:10])
    if saying.text is not None:
        committed, raw = disclose_text(identity, chance[10:], saying.text)
        return Draft(identity, saying.kind, saying.ref, committed, raw)
    if saying.body is not None:
        if saying.kind not in CHECKED_BEFORE:
            check_body(saying.kind, saying.body)
        committed, raw = disclose(identity, chance[10:], saying.body)
        return Draft(identity, saying.kind, saying.ref, committed, raw)
    if saying.items is not None:
        for item in saying.items:
            check_body(saying.kind, item)
        pairs = [(os.urandom(_SALT), item) for item in saying.items]
        commitments, raw = disclose_items(identity, pairs)
        return Draft(identity, saying.kind, saying.ref, commitments, raw)
    return Draft(identity, saying.kind, saying.ref, saying.public, None)


def sign(bureau: Bureau) -> int:
    """Sign every committed, still unsigned size of one's own log; returns how many.

    The size is fsynced outside the database before the note is stored, so that a restored database cannot lead this
    node to sign two roots for one size. Raises ``Stop`` if signing is not allowed.
    """
    if not bureau.may_sign:
        raise Stop("This node may not sign until every member has told the size it last countersigned.")
    own = bureau.members[bureau.code]
    with bureau.store.read() as conn:  # most calls come after another stage has signed: they wait for no writer
        if not bureau.logs.unsigned(conn, bureau.origin):
            return 0
    with bureau.store.write() as conn:
        waiting = bureau.logs.unsigned(conn, bureau.origin)
        if not waiting:
            return 0
        if not bureau.still_alone():
            raise Stop(
                "The daemon's lock was lost, so another may be signing this log. Nothing was signed; start again."
            )
        bureau.sizes.record(bureau.origin, waiting[-1].size, waiting[-1].root)
        failpoint("sign.after_sizes")
        seconds = int(bureau.clock().timestamp())
        for listed in waiting:
            text = format_checkpoint(Checkpoint(bureau.origin, listed.size, listed.root))
            lines = [one.cosign(text, seconds) for one in bureau.signing("receipt")]
            own_lines = [one.sign(text) for one in bureau.signing("log")]
            if bureau.signers.sm2 is not None:
                own_lines.append(bureau.signers.sm2.sign(text))
            note = format_note(text, [*own_lines, *lines])
            bureau.logs.set_note(conn, bureau.origin, listed.size, note)
            bureau.logs.add_cosignature(conn, bureau.origin, listed.size, own.code, lines[0], seconds, bureau.clock())
        failpoint("sign.before_commit")
    failpoint("sign.after_commit")
    return len(waiting)
