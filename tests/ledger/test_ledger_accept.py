"""The verdict on a peer's batch: what is proven is taken whole, everything else refused whole, with its code."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import ORIGIN, GrowingTree, signer, witness

from syncd.ledger.accept import IntegrityError, verify_batch
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.disclosure import disclose, open_disclosure
from syncd.ledger.entry import LEAF_LIMIT, MeaningError
from syncd.ledger.notes import format_note
from syncd.ledger.tiles import edge_after, root_at
from syncd.ledger.tree import consistency_proof, leaf_hash
from syncd.ledger.wire import Batch, Record, decode_batch, encode_batch, encode_records

pytestmark = pytest.mark.fast

LOG = signer(ORIGIN, 1)
THIEF = signer(ORIGIN, 7)
LEAVES = [f"leaf {n}".encode() for n in range(700)]


def tree_of(size: int, leaves: list[bytes] = LEAVES) -> GrowingTree:
    tree = GrowingTree()
    tree.grow(leaves[:size])
    return tree


def batch_of(old: int, size: int, newest: int | None = None, **changes: Any) -> Batch:
    """What an honest owner of LEAVES sends, but for ``changes``."""
    tree = tree_of(size)
    raw = encode_batch(
        old,
        consistency_proof(old, size, tree.read),
        tree.note(LOG),
        tree_of(newest or size).note(LOG),
        encode_records([Record(leaf, b"") for leaf in LEAVES[old:size]]),
    )
    return dataclasses.replace(decode_batch(raw), **changes)


def refused(batch: Batch, held: GrowingTree, verifier: Any = LOG.verifier, origin: str = ORIGIN) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        verify_batch(batch, origin, verifier, held.size, held.edge())
    return caught.value


def note_at(size: int, root: bytes, origin: str = ORIGIN) -> bytes:
    text = format_checkpoint(Checkpoint(origin, size, root))
    return format_note(text, [LOG.sign(text)])


@given(st.integers(0, 150), st.integers(0, 90), st.integers(0, 9))
def test_an_honest_batch_is_taken(old: int, more: int, ahead: int) -> None:
    held, size = tree_of(old), old + more
    accepted = verify_batch(batch_of(old, size, size + ahead), ORIGIN, LOG.verifier, old, held.edge())
    whole = tree_of(size)
    assert (accepted.size, accepted.root) == (size, whole.root)
    assert (accepted.target, accepted.newest_root) == (size + ahead, tree_of(size + ahead).root)
    assert accepted.leaf_hashes == [leaf_hash(leaf) for leaf in LEAVES[old:size]]
    assert all(whole.tiles[key] == tile for key, tile in accepted.tiles.items())
    assert root_at(size, edge_after(size, held.edge(), accepted.tiles)) == whole.root


def test_batches_follow_one_another_over_full_tiles() -> None:
    held = tree_of(0)
    for size in (1, 200, 256, 257, 512, 513, 700):
        batch = batch_of(held.size, size)
        accepted = verify_batch(batch, ORIGIN, LOG.verifier, held.size, held.edge())
        held.tiles.update(accepted.tiles)
        held.size = accepted.size
        assert tree_of(size).tiles == held.tiles


def test_unknown_signatures() -> None:
    held, tree = tree_of(3), tree_of(5)
    text = format_checkpoint(Checkpoint(ORIGIN, 5, tree.root))
    receipt = witness("jiakuntai-eco/320583/receipt", 2)
    for note in (tree.note(THIEF), format_note(text, [receipt.cosign(text, 1)])):
        assert refused(batch_of(3, 5, checkpoint=note), held).code == "unknown_signature"
        assert refused(batch_of(3, 5, newest=None), held, THIEF.verifier).code == "unknown_signature"
        with_newest = dataclasses.replace(batch_of(3, 5), newest=note)
        assert refused(with_newest, held).code == "unknown_signature"
    altered = LOG.sign(text)[:-6] + "AAAA=="
    for lines in ([altered], [LOG.sign(text), altered]):
        error = refused(batch_of(3, 5, checkpoint=format_note(text, lines)), held)
        assert error.code in ("unknown_signature", "malformed")


def test_checkpoints_of_another_form_or_log() -> None:
    held, root = tree_of(3), tree_of(5).root
    assert refused(batch_of(3, 5, checkpoint=note_at(5, root, "jiakuntai-eco/320585/1")), held).code == "malformed"
    assert refused(batch_of(3, 5, checkpoint=b"nonsense"), held).code == "malformed"
    assert refused(dataclasses.replace(batch_of(3, 5), newest=b"nonsense"), held).code == "malformed"
    assert refused(batch_of(3, 5), held, origin="jiakuntai-eco/320585/1").code == "malformed"
    older = dataclasses.replace(batch_of(3, 5), newest=tree_of(4).note(LOG))
    assert refused(older, held).code == "malformed"


@pytest.mark.parametrize(("old", "held"), [(3, 4), (3, 2), (0, 5), (5, 0)])
def test_a_batch_that_starts_elsewhere_is_told_where_to_go_on(old: int, held: int) -> None:
    error = refused(batch_of(old, 6), tree_of(held))
    assert (error.code, error.held) == ("size_conflict", held)


def test_a_forged_leaf() -> None:
    batch, held = batch_of(3, 9), tree_of(3)
    for at in range(6):
        records = [*batch.records]
        records[at] = Record(records[at].leaf + b"!", b"")
        assert refused(dataclasses.replace(batch, records=records), held).code == "not_consistent"
    swapped = [batch.records[1], batch.records[0], *batch.records[2:]]
    assert refused(dataclasses.replace(batch, records=swapped), held).code == "not_consistent"


def test_records_missing_doubled_or_too_large() -> None:
    batch, held = batch_of(3, 9), tree_of(3)
    for records in (batch.records[:-1], [*batch.records, batch.records[0]], []):
        assert refused(dataclasses.replace(batch, records=records), held).code == "malformed"
    large = [Record(b"x" * (LEAF_LIMIT + 1), b""), *batch.records[1:]]
    assert refused(dataclasses.replace(batch, records=large), held).code == "too_large"
    many = [Record(b"x", b"")] * 513
    assert refused(dataclasses.replace(batch, records=many), held).code == "too_large"


def test_a_proof_that_fails() -> None:
    batch, held = batch_of(3, 9), tree_of(3)
    for proof in ([], batch.proof[:-1], batch.proof[::-1], [*batch.proof, bytes(32)], [bytes(32)] * 63):
        assert refused(dataclasses.replace(batch, proof=proof), held).code == "not_consistent"
    assert refused(batch_of(0, 9, proof=[bytes(32)]), tree_of(0)).code == "not_consistent"


def test_a_rewritten_past() -> None:
    """The owner changed entry 1, which is held here, and signs a new tree: nothing of it is taken."""
    other = [LEAVES[0], b"rewritten", *LEAVES[2:]]
    tree = tree_of(9, other)
    proof = consistency_proof(3, 9, tree.read)
    batch = batch_of(3, 9, checkpoint=tree.note(LOG), proof=proof)
    assert refused(dataclasses.replace(batch, newest=tree.note(LOG)), tree_of(3)).code == "not_consistent"


def test_two_signed_roots_at_one_size_are_a_fork() -> None:
    held = tree_of(5)
    other = note_at(5, bytes(32))
    empty = Batch(5, [], other, other, [])
    error = refused(empty, held)
    assert error.code == "fork"
    assert "evidence" in str(error)
    assert refused(dataclasses.replace(batch_of(3, 5), newest=other), tree_of(3)).code == "fork"


def test_an_empty_batch_at_the_held_size_is_taken() -> None:
    held = tree_of(5)
    accepted = verify_batch(batch_of(5, 5, 8), ORIGIN, LOG.verifier, 5, held.edge())
    assert (accepted.size, accepted.root, accepted.leaf_hashes, accepted.tiles) == (5, held.root, [], {})
    assert accepted.target == 8
    proven = dataclasses.replace(batch_of(5, 5), proof=[bytes(32)])
    assert refused(proven, held).code == "not_consistent"


def test_an_altered_disclosure_is_no_matter_of_integrity() -> None:
    """The batch is taken and countersigned; only opening it fails, and that is held on the desk."""
    made, raw = disclose("id", bytes(32), {"schema": "finding/1.0"})
    batch, held = batch_of(3, 9), tree_of(3)
    altered = [Record(record.leaf, raw.replace(b"1.0", b"9.0")) for record in batch.records]
    accepted = verify_batch(dataclasses.replace(batch, records=altered), ORIGIN, LOG.verifier, 3, held.edge())
    assert accepted.root == tree_of(9).root
    with pytest.raises(MeaningError, match="does_not_open"):
        open_disclosure("id", made, altered[0].disclosure)


def test_leaves_without_any_meaning_are_taken() -> None:
    leaves = [b"", b"\xff\x00", b"{", b'{"kind":"finding.issued"}', b"x" * LEAF_LIMIT]
    tree = tree_of(5, leaves)
    records = [Record(leaf, b"junk") for leaf in leaves]
    batch = decode_batch(encode_batch(0, [], tree.note(LOG), tree.note(LOG), encode_records(records)))
    assert verify_batch(batch, ORIGIN, LOG.verifier, 0, {}).root == tree.root


def test_unknown_lines_beside_the_logs_own_are_ignored() -> None:
    tree, held = tree_of(5), tree_of(3)
    text = format_checkpoint(Checkpoint(ORIGIN, 5, tree.root))
    lines = [THIEF.sign(text), witness("anyone/witness", 9).cosign(text, 1), LOG.sign(text)]
    note = format_note(text, lines)
    assert verify_batch(batch_of(3, 5, checkpoint=note), ORIGIN, LOG.verifier, 3, held.edge()).size == 5
