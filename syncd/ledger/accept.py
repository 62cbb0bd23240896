"""The verdict on a peer's batch (验收), pure: bytes and what is held in, proven facts out.

1. Both checkpoints are three-line checkpoints of this log, the newest not below the batch's.
2. Both carry the log's own signature. The newest may bear only a key that entries still to come introduce: then it says
   how far there is to go, and nothing more is believed of it.
3. The batch starts at the size held here, and its records are as many as it announces.
4. The checkpoint extends what is held: consistency proof, from the root of the tiles held.
5. Every leaf's hash leads up to the signed root.

A failure refuses the whole batch and changes nothing. Nothing here reads an entry: holding is not
understanding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.errors import Refuse
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.entry import LEAF_LIMIT
from syncd.ledger.notes import BadSignature, NoteVerifier, parse_note, verify_note
from syncd.ledger.tiles import Tiles, append, root_at
from syncd.ledger.tree import ProofError, leaf_hashes, verify_consistency
from syncd.ledger.wire import STOP_ENTRIES, Batch


class IntegrityError(Refuse):
    """A batch that is refused whole.

    ``code``: ``malformed`` (400), ``unknown_signature`` (403), ``size_conflict`` (409, ``held`` says where to
    go on), ``too_large`` (413), ``not_consistent`` and ``fork`` (422: two signed states of one log that
    exclude each other; the batch is evidence and must be kept).
    """

    def __init__(self, code: str, sentence: str, held: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.held = held


@dataclass(frozen=True, slots=True)
class Accepted:
    """A proven batch: the new ``size`` and ``root``, the new leaf hashes, the tiles that changed (whole).

    ``target`` is the size of the sender's newest checkpoint: findings below it are imposed only once it is
    reached.
    """

    size: int
    root: bytes
    leaf_hashes: list[bytes]
    tiles: Tiles
    target: int
    newest_root: bytes


def verify_batch(
    batch: Batch,
    origin: str,
    log_verifier: NoteVerifier,
    held_size: int,
    edge: Mapping[tuple[int, int], bytes],
    newest_verifiers: Sequence[NoteVerifier] | None = None,
) -> Accepted:
    """Return what ``batch`` proves about log ``origin``, of which ``held_size`` entries are held.

    ``newest_verifiers``: keys of the log that may have signed its newest checkpoint, if not the same one; none if that
    bears no key known so far.
    Raises IntegrityError; then nothing may be stored but, for ``fork``, the evidence. A batch that starts
    elsewhere is ``size_conflict``, also when its checkpoint is already held: whether that one is answered
    again is the caller's.
    """
    checkpoint = _signed(batch.checkpoint, origin, log_verifier)  # 1, 2
    others = [log_verifier] if newest_verifiers is None else newest_verifiers
    newest = checkpoint if batch.newest == batch.checkpoint else _signed(batch.newest, origin, *others)
    _check_newest(checkpoint, newest)
    _check_extent(batch, checkpoint, held_size)  # 3
    held_root = root_at(held_size, edge)
    _check_consistent(batch, checkpoint, held_size, held_root)  # 4
    hashes = leaf_hashes([record.leaf for record in batch.records])
    tiles, root = append(held_size, edge, hashes)  # 5
    if root != checkpoint.root:
        raise IntegrityError(
            "not_consistent",
            f"The entries sent do not lead to the signed root of {origin} at size {checkpoint.size}; "
            "nothing was stored. The sender must read its log again and send the batch anew.",
        )
    return Accepted(checkpoint.size, root, hashes, tiles, newest.size, newest.root)


def _signed(data: bytes, origin: str, *verifiers: NoteVerifier) -> Checkpoint:
    try:
        note = parse_note(data)
        checkpoint = parse_checkpoint(note.text)
        if checkpoint.origin != origin:
            raise FormatError(f"The checkpoint is not one of {origin}.")
        for verifier in verifiers:
            verify_note(note, verifier)
    except FormatError as error:
        raise IntegrityError("malformed", f"{error} Nothing was stored.") from error
    except BadSignature as error:
        raise IntegrityError("unknown_signature", f"{error} Nothing was stored.") from error
    return checkpoint


def _check_newest(checkpoint: Checkpoint, newest: Checkpoint) -> None:
    if newest.size < checkpoint.size:
        raise IntegrityError("malformed", "The newest checkpoint is older than the batch's; nothing was stored.")
    if newest.size == checkpoint.size and newest.root != checkpoint.root:
        raise _fork(checkpoint)


def _check_extent(batch: Batch, checkpoint: Checkpoint, held_size: int) -> None:
    if batch.old != held_size:
        raise IntegrityError(
            "size_conflict",
            f"The batch starts at {batch.old}, but {held_size} entries are held; go on from there.",
            held_size,
        )
    if len(batch.records) > STOP_ENTRIES or any(len(record.leaf) > LEAF_LIMIT for record in batch.records):
        raise IntegrityError("too_large", "The batch or one of its leaves is too large; nothing was stored.")
    if checkpoint.size - batch.old != len(batch.records):
        raise IntegrityError("malformed", "The batch does not hold the records it announces; nothing was stored.")


def _check_consistent(batch: Batch, checkpoint: Checkpoint, held_size: int, held_root: bytes) -> None:
    if checkpoint.size == held_size and checkpoint.root != held_root:
        raise _fork(checkpoint)
    try:
        verify_consistency(held_size, checkpoint.size, batch.proof, held_root, checkpoint.root)
    except ProofError as error:
        raise IntegrityError("not_consistent", f"{error} Nothing was stored.") from error


def _fork(checkpoint: Checkpoint) -> IntegrityError:
    return IntegrityError(
        "fork",
        f"The log {checkpoint.origin} has signed two different roots at size {checkpoint.size}; nothing was "
        "stored. Keep the batch as evidence and call the bureau: this log must be sealed.",
    )
