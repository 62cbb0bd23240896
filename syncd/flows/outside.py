"""Outside witnesses 外部见证 of this node's log: asked by C2SP tlog-witness, never waited for.

What is submitted is the newest final size, so that members' and outsiders' lines stand under the same checkpoint. The
cursor is the size that the witness has countersigned or told by a 409. A witness that refuses or is away alarms, and
the exchange goes on without its line.
"""

from typing import Protocol

from sqlalchemy import Connection

from syncd.errors import NeedsPerson, Retry
from syncd.flows.alarms import quiet, sound
from syncd.flows.bureau import Bureau
from syncd.flows.lines import stamp_of
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_size
from syncd.ledger.tree import consistency_proof
from syncd.ledger.wire import encode_add_checkpoint
from syncd.ledger.witness_files import OutsideWitness
from syncd.peers import Answer
from syncd.store import further_lines
from syncd.store.checkpoints import CheckpointRow, final_size, full_note


class Asked(Protocol):
    """The way to one outside witness."""

    def add_checkpoint(self, body: bytes) -> Answer:
        """``POST <prefix>/add-checkpoint``; raises ``Retry`` if it cannot be reached."""


class Outside:
    """The stage for one outside witness."""

    def __init__(self, bureau: Bureau, witness: OutsideWitness, link: Asked) -> None:
        self._bureau = bureau
        self._witness = witness
        self._link = link

    def step(self) -> bool:
        """Submit the newest final size if the witness has not countersigned it; whether to look again at once.

        Raises ``Retry`` where it is away and ``NeedsPerson`` where it refuses; both alarm until it countersigns.
        """
        submission = self._next()
        if submission is None:
            return False
        listed, old, body = submission
        try:
            answer = self._link.add_checkpoint(body)
        except Retry:
            self._alarm("away", 0)
            raise
        if answer.status == 409:
            return self._go_on_from(answer, old)
        if answer.status != 200:
            self._alarm("refused", answer.status)
            raise NeedsPerson(
                f"The witness {self._witness.name} refused size {listed.size} with {answer.status}. Nothing waits for "
                "its line; ask who runs it whether this log is known there."
            )
        self._accept(listed, answer)
        return False

    def _next(self) -> tuple[CheckpointRow, int, bytes] | None:
        bureau, origin, name = self._bureau, self._bureau.origin, self._witness.name
        with bureau.store.read() as conn:
            size = final_size(conn, origin, bureau.owing)
            listed, note = bureau.logs.checkpoint(conn, origin, size), full_note(conn, origin, size)
            if listed is None or note is None or self._done(conn, size):
                return None
            old = int(bureau.logs.get_cursor(conn, f"outside:{name}") or 0)
            if old > size:
                return None  # it countersigned more than is final here; what follows will become final
            proof = consistency_proof(old, size, bureau.logs.tile_reader(conn, origin)) if old else []
        return listed, old, encode_add_checkpoint(old, proof, note)

    def _done(self, conn: Connection, size: int) -> bool:
        held = further_lines.newest_outside(conn, self._bureau.origin).get(self._witness.name)
        return held is not None and held[0] >= size

    def _go_on_from(self, answer: Answer, old: int) -> bool:
        bureau, name = self._bureau, self._witness.name
        try:
            size = parse_size(answer.body.decode().removesuffix("\n"))
        except (FormatError, UnicodeDecodeError):
            size = old
        with bureau.store.write() as conn:
            held = bureau.logs.state(conn, bureau.origin).size
            if size != old and size <= held:
                bureau.logs.set_cursor(conn, f"outside:{name}", str(size))
                return True
            sound(bureau, conn, "outside_witness", name, {"reason": "other_size", "told": size, "held": held})
        raise NeedsPerson(
            f"The witness {name} says that it has countersigned size {size} of this log; {held} are held here. If this "
            "store is whole, ask who runs the witness; if it is an old copy, `syncd ledger recover`."
        )

    def _accept(self, listed: CheckpointRow, answer: Answer) -> None:
        bureau, witness, origin = self._bureau, self._witness, self._bureau.origin
        text = format_checkpoint(Checkpoint(origin, listed.size, listed.root))
        for line in answer.body.decode(errors="replace").split("\n"):
            stamp = stamp_of([witness.key], text, line)
            if stamp is None:
                continue
            with bureau.store.write() as conn:
                further_lines.keep_outside(conn, origin, listed.size, witness.name, line, stamp, bureau.now_text())
                bureau.logs.set_cursor(conn, f"outside:{witness.name}", str(listed.size))
                quiet(bureau, conn, "outside_witness", [witness.name])
            bureau.notice("outside.countersigned", {"witness": witness.name, "size": listed.size})
            return
        self._alarm("no_line", 200)
        raise NeedsPerson(
            f"The witness {witness.name} answered size {listed.size} without a line of its key that verifies. Nothing "
            "was kept; compare the key in the file of witnesses with the one it publishes."
        )

    def _alarm(self, reason: str, status: int) -> None:
        with self._bureau.store.write() as conn:
            sound(self._bureau, conn, "outside_witness", self._witness.name, {"reason": reason, "status": status})
