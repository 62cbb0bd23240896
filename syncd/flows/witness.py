"""The witness 见证 of outsiders' logs: answers C2SP tlog-witness ``add-checkpoint`` with this node's witness key.

What was cosigned last is whatever is larger: the store's row, or the file of signed sizes, which is synced before any
line leaves; so a store that comes back from an old copy cannot make this node cosign a second history. The key is used
for nothing else, and nobody who asks is known or needs to be.
"""

import threading
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.misbehaviour import Accusation, accuse
from syncd.flows.not_now import or_not_now
from syncd.ledger.notes import NoteSigner, NoteVerifier
from syncd.ledger.witnessing import TWO_ROOTS, Held, Submitted, WitnessRefusal, judge, read_submission
from syncd.peers import Answer
from syncd.store import witnessed
from syncd.store.witnessed import Cosigned

SIZE_KIND = "text/x.tlog.size"


class Witness:
    """Cosigns checkpoints of the logs it was told of; safe to call from several threads."""

    def __init__(self, bureau: Bureau, signer: NoteSigner, logs: Mapping[str, Sequence[NoteVerifier]]) -> None:
        self._bureau = bureau
        self._signer = signer
        self._logs = logs
        self._lock = threading.Lock()  # looking at the last size and moving it are one step

    @or_not_now
    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer ``POST /witness/add-checkpoint``."""
        bureau = self._bureau
        if not bureau.may_sign:
            return Answer(503, b"This node may not sign yet. Nothing was cosigned; ask again later.\n", retry_after=60)
        try:
            submitted = read_submission(body, self._logs)
            with self._lock:
                return self._cosign(submitted)
        except WitnessRefusal as refusal:
            bureau.notice("witness.refused", {"status": refusal.status})
            kind = SIZE_KIND if refusal.status == 409 else "text/plain; charset=utf-8"
            return Answer(refusal.status, f"{refusal}\n".encode(), kind)

    def _cosign(self, submitted: Submitted) -> Answer:
        bureau, new = self._bureau, submitted.checkpoint
        with bureau.store.read() as conn:
            held = self._held(conn, submitted)
        try:
            judge(submitted, held)
        except WitnessRefusal as refusal:
            if refusal.misbehaviour:
                self._accuse(submitted, held, refusal.misbehaviour)
            raise
        seconds = int(bureau.clock().timestamp())
        with bureau.store.write() as conn:
            row = Cosigned(new.origin, new.size, new.root, submitted.data, seconds, bureau.now_text())
            witnessed.put(conn, row)
        if new.size:
            bureau.sizes.record(new.origin, new.size, new.root)
        line = self._signer.cosign(submitted.note.text, seconds)
        bureau.notice("witness.cosigned", {"log": new.origin, "size": new.size})
        return Answer(200, f"{line}\n".encode())

    def _held(self, conn: Connection, submitted: Submitted) -> Held:
        origin, size = submitted.checkpoint.origin, submitted.checkpoint.size
        newest, there = witnessed.newest(conn, origin), witnessed.at_size(conn, origin, size)
        signed, root_there = self._bureau.sizes.get(origin), there.root if there is not None else None
        if signed is not None and (newest is None or signed.size > newest.size):
            return Held(signed.size, signed.root, root_there)
        return Held(newest.size, newest.root, root_there) if newest is not None else Held()

    def _accuse(self, submitted: Submitted, held: Held, code: str) -> None:
        """Keep the note cosigned at that size or last, beside the one submitted now."""
        bureau, origin = self._bureau, submitted.checkpoint.origin
        with bureau.store.write() as conn:
            there = witnessed.at_size(conn, origin, submitted.checkpoint.size) if code == TWO_ROOTS else None
            before = there or witnessed.newest(conn, origin)
            known = before.note if before is not None else b""
            keys, proven = [key.vkey for key in self._logs[origin]], code == TWO_ROOTS and bool(known)
            accuse(bureau, conn, Accusation(origin, code, known, submitted.data, keys, "witness", proven,
                                            proof=submitted.proof))  # fmt: skip
