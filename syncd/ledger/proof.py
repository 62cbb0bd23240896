"""Receipts that stand alone (离线回执): C2SP tlog-proof, one entry's inclusion in a signed checkpoint.

Whoever holds the leaf, this text and a policy can verify that the entry was logged and who had stored it,
offline and without trusting any bureau (level L1 of the ledger's verification).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.ledger.canonical import FormatError, b64, hash_of_base64, unb64
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint, parse_size
from syncd.ledger.notes import BadSignature, parse_note
from syncd.ledger.policy import Policy, satisfied
from syncd.ledger.tree import verify_inclusion
from syncd.ledger.wire import PROOF_LIMIT

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_TEXT_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Entry ``index`` (from 0), its inclusion proof, the checkpoint note, unauthenticated ``extra``."""

    index: int
    hashes: Sequence[bytes]
    checkpoint: bytes
    extra: bytes | None = None


def format_proof(proof: TlogProof) -> bytes:
    """Return the text of ``proof``; such files end in ``.tlog-proof``."""
    lines = [_FIRST_LINE]
    if proof.extra is not None:
        lines.append(f"extra {b64(proof.extra)}")
    lines += [f"index {proof.index}", *map(b64, proof.hashes), ""]
    return "".join(f"{line}\n" for line in lines).encode() + proof.checkpoint


def parse_proof(data: bytes) -> TlogProof:
    """Read the text of a proof; nothing is verified yet. Raises FormatError."""
    end = data.find(b"\n\n", 0, _TEXT_LIMIT)
    if end < 0:
        raise FormatError("The proof has no blank line before its checkpoint, or is too long.")
    try:
        lines = data[:end].decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("The proof's first lines are not ASCII.") from error
    if lines.pop(0) != _FIRST_LINE:
        raise FormatError(f"The proof does not begin with {_FIRST_LINE}.")
    extra = unb64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index ") or len(lines) > PROOF_LIMIT + 1:
        raise FormatError("The proof names no index, or has too many hashes.")
    hashes = [hash_of_base64(line) for line in lines[1:]]
    return TlogProof(parse_size(lines[0][6:]), hashes, data[end + 2 :], extra)


def verify_proof(proof: TlogProof, leaf_hash: bytes, policy: Policy) -> Checkpoint:
    """Return the checkpoint in which ``leaf_hash`` is proven to stand at ``proof.index``, by ``policy``.

    Raises FormatError, BadSignature if the policy is not satisfied, ProofError if the entry is not included.
    """
    note = parse_note(proof.checkpoint)
    if not satisfied(policy, note):
        raise BadSignature("The checkpoint does not carry the lines that the policy asks for.")
    checkpoint = parse_checkpoint(note.text)
    verify_inclusion(proof.index, checkpoint.size, leaf_hash, proof.hashes, checkpoint.root)
    return checkpoint
