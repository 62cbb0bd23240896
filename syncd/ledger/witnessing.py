"""The verdict of a witness 见证 on a checkpoint that somebody submits (C2SP tlog-witness ``add-checkpoint``), pure.

1. The body is ``old <size>``, at most 63 proof lines, a blank line and a checkpoint; else 400.
2. The checkpoint's origin is a log this witness was told to witness; else 404.
3. One of that log's keys signed it; lines of unknown keys are ignored; else 403.
4. The old size is not above the checkpoint's; else 400.
5. The old size is the one cosigned last; else 409 with that size.
6. Between equal sizes the roots are equal; else 409.
7. The consistency proof leads from the root cosigned last; else 422.

An outsider's checkpoint may carry extension lines, as the specification allows; only members' logs refuse them.
Nobody who submits proves who he is. So only two signed roots of one size accuse a log for certain; a failed proof or
a size that goes down may be somebody else's replay, and is kept as a suspicion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.errors import Refuse
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.notes import NOTE_LIMIT, BadSignature, Note, NoteVerifier, parse_note, verify_note
from syncd.ledger.tree import EMPTY_ROOT, ProofError, verify_consistency
from syncd.ledger.wire import decode_add_checkpoint

BODY_LIMIT = NOTE_LIMIT + 4096
TWO_ROOTS, SHRINKING, INCONSISTENT = "two_roots", "shrinking", "inconsistent"


@dataclass(frozen=True, slots=True)
class Held:
    """What a witness cosigned last of a log, and the root it cosigned at the submitted size if it did."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    root_there: bytes | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A body after steps 1 to 3: whose log it is, and that the log has signed it."""

    old: int
    proof: Sequence[bytes]
    note: Note
    data: bytes
    checkpoint: Checkpoint


class WitnessRefusal(Refuse):
    """Why nothing is cosigned: an HTTP ``status``; ``misbehaviour`` if both signed notes must be kept as evidence."""

    def __init__(self, status: int, sentence: str, misbehaviour: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.misbehaviour = misbehaviour


def read_submission(body: bytes, logs: Mapping[str, Sequence[NoteVerifier]]) -> Submitted:
    """Steps 1 to 3; ``logs`` maps each origin to the keys trusted for it. Raises WitnessRefusal."""
    try:
        old, proof, data = decode_add_checkpoint(body)  # step 1
        note = parse_note(data)
        checkpoint = outsiders_checkpoint(note.text)
    except FormatError as error:
        raise WitnessRefusal(400, f"{error} Nothing was cosigned.") from error
    keys = logs.get(checkpoint.origin)
    if keys is None:  # step 2
        raise WitnessRefusal(404, "This witness does not know a log of that origin. Nothing was cosigned.")
    if not any(_signed(note, key) for key in keys):  # step 3
        raise WitnessRefusal(403, "No key that is trusted for this log has signed the checkpoint.")
    return Submitted(old, proof, note, data, checkpoint)


def judge(submitted: Submitted, held: Held) -> None:
    """Steps 4 to 7: return if the checkpoint may be cosigned. Raises WitnessRefusal."""
    new, old = submitted.checkpoint, submitted.old
    forked = held.root_there not in (None, new.root) or (new.size == held.size and new.root != held.root)
    accused = TWO_ROOTS if forked and held.size else ""
    if old > new.size:  # step 4
        shrunk = SHRINKING if old == held.size and held.root_there is None else ""
        raise WitnessRefusal(400, f"The old size {old} is above the checkpoint's {new.size}.", accused or shrunk)
    if old != held.size:  # step 5
        raise WitnessRefusal(409, f"{held.size}", accused)
    if accused:  # step 6
        raise WitnessRefusal(409, f"{held.size}", accused)
    try:
        verify_consistency(old, new.size, submitted.proof, held.root, new.root)  # step 7
    except ProofError as error:
        raise WitnessRefusal(422, f"{error} Nothing was cosigned.", INCONSISTENT) from error


def outsiders_checkpoint(text: str) -> Checkpoint:
    """Origin, size and root of a checkpoint that may carry extension lines. Raises FormatError."""
    lines = text.split("\n")
    if any(not line for line in lines[3:-1]):
        raise FormatError("An extension line of the checkpoint is empty.")
    return parse_checkpoint("".join(f"{line}\n" for line in lines[: min(3, len(lines) - 1)]))


def _signed(note: Note, key: NoteVerifier) -> bool:
    try:
        verify_note(note, key)
    except BadSignature:
        return False
    return True
