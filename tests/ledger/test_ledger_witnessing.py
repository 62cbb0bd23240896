"""What a witness answers to each submission: the vectors made by another implementation, and everything to refuse."""

import pytest
from ledger_helpers import GrowingTree, signer, vectors, witness

from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import NoteSigner, NoteVerifier, format_note
from syncd.ledger.tree import consistency_proof
from syncd.ledger.wire import encode_add_checkpoint
from syncd.ledger.witness_files import parse_outside, parse_witnessed
from syncd.ledger.witnessing import Held, Submitted, WitnessRefusal, judge, read_submission

pytestmark = pytest.mark.fast

VECTORS = vectors("notes")
LOG = NoteVerifier.parse(VECTORS["vkeys"][0])
LOGS = {LOG.name: [LOG]}
OURS = signer(LOG.name, VECTORS["seeds"][LOG.name])


def body(size: int, old: int, *, root: bytes | None = None, key: NoteSigner = OURS, more: str = "") -> bytes:
    """A submission of the vectors' log at that size, with the proof that belongs to it."""
    tree = GrowingTree()
    tree.grow([str(i).encode() for i in range(max(size, old))])
    proof = consistency_proof(old, size, tree.read) if old <= size else []
    at_size = GrowingTree()
    at_size.grow([str(i).encode() for i in range(size)])
    text = format_checkpoint(Checkpoint(LOG.name, size, root or at_size.root)) + more
    return encode_add_checkpoint(old, proof, format_note(text, [key.sign(text)]))


def state(size: int) -> Held:
    """A witness that cosigned that size last."""
    tree = GrowingTree()
    tree.grow([str(i).encode() for i in range(size)])
    return Held(size, tree.root)


def answer(data: bytes, held: Held) -> tuple[int, str]:
    """Status and kind of misbehaviour of the answer."""
    try:
        judge(read_submission(data, LOGS), held)
    except WitnessRefusal as refusal:
        return refusal.status, refusal.misbehaviour
    return 200, ""


def test_the_vectors_are_cosigned() -> None:
    for old in (0, 70):
        data = VECTORS[f"add_checkpoint_{old}_300"].encode()
        assert data == body(300, old)
        submitted = read_submission(data, LOGS)
        assert isinstance(submitted, Submitted) and submitted.checkpoint.size == 300
        judge(submitted, state(old))


@pytest.mark.parametrize(
    ("data", "held", "status", "misbehaviour"),
    [
        (body(300, 0), Held(), 200, ""),
        (body(300, 300), state(300), 200, ""),
        (body(0, 0), Held(), 200, ""),
        (body(300, 0), state(70), 409, ""),
        (body(300, 70), Held(), 409, ""),
        (body(70, 70), state(300), 409, ""),
        (body(70, 300), state(300), 400, "shrinking"),
        (body(70, 300), state(70), 400, ""),
        (body(300, 300, root=b"x" * 32), state(300), 409, "two_roots"),
        (body(300, 70, root=b"x" * 32), state(300), 409, "two_roots"),
        (body(300, 70, root=b"x" * 32), state(70), 422, "inconsistent"),
        (body(300, 70), Held(70, b"x" * 32), 422, "inconsistent"),
        (body(70, 70, root=b"x" * 32), Held(300, b"y" * 32, b"z" * 32), 409, "two_roots"),
        (body(70, 300), Held(300, b"y" * 32, state(70).root), 400, ""),
        (body(300, 0, key=signer(LOG.name, 9)), Held(), 403, ""),
        (body(300, 0).replace(b"\nold", b"\nold"), Held(), 200, ""),
        (body(300, 0).replace(b"old 0", b"old 00"), Held(), 400, ""),
        (body(300, 0).replace(b"old 0", b"old +0"), Held(), 400, ""),
        (body(300, 0).replace(b"old 0\n", b""), Held(), 400, ""),
        (b"", Held(), 400, ""),
        (b"old 0\n" + b"A" * 43 + b"=\n" + body(300, 0)[6:], Held(), 422, "inconsistent"),
        (b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n", Held(), 400, ""),
    ],
)
def test_each_submission_has_its_status(data: bytes, held: Held, status: int, misbehaviour: str) -> None:
    assert answer(data, held) == (status, misbehaviour)


def test_an_unknown_log_is_not_found() -> None:
    with pytest.raises(WitnessRefusal) as refused:
        read_submission(body(300, 0), {"another.example/log": [LOG]})
    assert refused.value.status == 404


def test_an_outsiders_checkpoint_may_be_extended() -> None:
    assert answer(body(300, 0, more="a further line\n"), Held())[0] == 200


def test_lines_of_unknown_keys_are_ignored() -> None:
    other, data = signer("other.example/log", 8), body(300, 0)
    line = other.sign("something else\n")
    assert answer(data + f"{line}\n".encode(), Held())[0] == 200


@pytest.mark.parametrize("one", [one for one in VECTORS["refused"] if "properly signed" in one["why"]])
def test_what_must_be_refused_is_refused(one: dict[str, str]) -> None:
    if "extension line" not in one["why"]:
        assert answer(b"old 0\n\n" + one["checkpoint"].encode(), Held())[0] == 400


def test_the_two_files() -> None:
    logs = f"# whom\nlog {LOG.vkey}\n\nlog {LOG.vkey} another.example/name\n".encode()
    assert parse_witnessed(logs) == {LOG.name: [LOG], "another.example/name": [LOG]}
    key = witness("court.example/w", 2)
    (one,) = parse_outside(f"witness court {key.vkey} https://court.example/w/\n".encode())
    assert (one.name, one.key, one.url) == ("court", key.verifier, "https://court.example/w")
    for wrong in (f"log {key.vkey}", "log x", "quorum none", f"log {LOG.vkey} a b"):
        with pytest.raises(FormatError, match="Line 1"):
            parse_witnessed(f"{wrong}\n".encode())
    for wrong in (f"310114 {key.vkey} https://x", f"a {key.vkey} http://x", f"a {LOG.vkey} https://x"):
        with pytest.raises(FormatError, match="Line 1"):
            parse_outside(f"witness {wrong}\n".encode())
