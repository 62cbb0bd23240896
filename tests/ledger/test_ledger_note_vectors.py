"""Notes, checkpoints, policy, proof, add-checkpoint bodies made with golang.org/x/mod, and 16 to refuse."""

from base64 import b64decode

import pytest
from ledger_helpers import GrowingTree, signer, vectors, witness

from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import BadSignature, NoteVerifier, format_note, parse_note, verify_note
from syncd.ledger.policy import cosigners, format_policy, parse_policy, satisfied
from syncd.ledger.proof import format_proof, parse_proof, verify_proof
from syncd.ledger.tree import ProofError, consistency_proof, leaf_hash
from syncd.ledger.wire import decode_add_checkpoint, encode_add_checkpoint

pytestmark = pytest.mark.fast

VECTORS = vectors("notes")
POLICY = parse_policy(VECTORS["policy_all"].encode())
LOG, COURT, CIVIL = (NoteVerifier.parse(vkey) for vkey in VECTORS["vkeys"])
SIGNED_BUT_MALFORMED = (
    "leading zero in the size, properly signed",
    "sign before the size, properly signed",
    "underscore in the size, properly signed",
    "unpadded root, properly signed",
    "root with its spare bits set, properly signed",
    "extension line, properly signed (refused by this project's profile)",
)
REASONS = {
    **dict.fromkeys(SIGNED_BUT_MALFORMED, FormatError),
    "size changed": BadSignature,
    "not signed by the log": None,
    "one cosignature short of the quorum": None,
    "no empty line": FormatError,
    "no final newline": FormatError,
    "carriage returns": FormatError,
    "hyphen for the em dash": FormatError,
    "a control character in the origin": FormatError,
    "time of a cosignature changed": BadSignature,
    "cosignature under another witness's name": None,
}


def tree_of(size: int) -> GrowingTree:
    tree = GrowingTree()
    tree.grow([str(i).encode() for i in range(size)])
    return tree


def test_keys_are_made_again() -> None:
    makers = [signer(name, seed) for name, seed in VECTORS["seeds"].items() if name == LOG.name]
    makers += [witness(name, seed) for name, seed in VECTORS["seeds"].items() if name != LOG.name]
    assert sorted(maker.vkey for maker in makers) == sorted(VECTORS["vkeys"])
    assert [NoteVerifier.parse(vkey).vkey for vkey in VECTORS["vkeys"]] == VECTORS["vkeys"]


@pytest.mark.parametrize("size", [70, 300])
def test_checkpoint_is_made_again_byte_for_byte(size: int) -> None:
    expected = VECTORS[f"checkpoint_{size}"].encode()
    note = parse_note(expected)
    assert parse_checkpoint(note.text).root == tree_of(size).root
    times = [verify_note(note, COURT), verify_note(note, CIVIL)]
    assert times == [1_700_000_001, 1_700_000_002]
    assert cosigners(POLICY, note) == {"court": times[0], "civil": times[1]}
    assert satisfied(POLICY, note)
    seeds = VECTORS["seeds"]
    lines = [
        signer(LOG.name, seeds[LOG.name]).sign(note.text),
        witness(COURT.name, seeds[COURT.name]).cosign(note.text, 1_700_000_001),
        witness(CIVIL.name, seeds[CIVIL.name]).cosign(note.text, 1_700_000_002),
    ]
    assert format_note(note.text, lines) == expected


def test_empty_checkpoint() -> None:
    note = parse_note(VECTORS["checkpoint_empty"].encode())
    verify_note(note, LOG)
    assert (parse_checkpoint(note.text).size, parse_checkpoint(note.text).root) == (0, tree_of(0).root)
    assert not satisfied(POLICY, note)


def test_all_refused_cases_are_known() -> None:
    assert {case["why"] for case in VECTORS["refused"]} == set(REASONS)
    assert len(VECTORS["refused"]) == 16


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_refused(case: dict[str, str]) -> None:
    data, reason = case["checkpoint"].encode(), REASONS[case["why"]]
    if reason is None:
        assert not satisfied(POLICY, parse_note(data))
    else:
        with pytest.raises(reason):
            satisfied(POLICY, parse_note(data))
    if case["why"] in SIGNED_BUT_MALFORMED:  # then nothing but the form may be the reason
        note = parse_note(data)
        for key in (LOG, COURT, CIVIL):
            verify_note(note, key)


def test_policy_is_made_again() -> None:
    made = format_policy(LOG.vkey, {"court": COURT.vkey, "civil": CIVIL.vkey})
    assert parse_policy(made).witnesses == POLICY.witnesses
    assert parse_policy(made).groups["members"] == POLICY.groups["both"]
    assert satisfied(parse_policy(made), parse_note(VECTORS["checkpoint_300"].encode()))


def test_tlog_proof() -> None:
    text = VECTORS["tlog_proof_123_of_300"].encode()
    proof = parse_proof(text)
    assert format_proof(proof) == text
    checkpoint = verify_proof(proof, leaf_hash(VECTORS["leaf_123"].encode()), POLICY)
    assert (proof.index, checkpoint.size) == (123, 300)
    with pytest.raises(ProofError):
        verify_proof(proof, leaf_hash(b"124"), POLICY)


def test_tlog_proof_needs_the_policy() -> None:
    proof = parse_proof(VECTORS["tlog_proof_123_of_300"].encode())
    other = parse_policy(format_policy(signer("other.example/log", 9).vkey, {}))
    with pytest.raises(BadSignature, match="the policy asks for"):
        verify_proof(proof, leaf_hash(b"123"), other)


@pytest.mark.parametrize(("old", "size"), [(0, 300), (70, 300)])
def test_add_checkpoint_bodies(old: int, size: int) -> None:
    body = VECTORS[f"add_checkpoint_{old}_{size}"].encode()
    found_old, proof, note = decode_add_checkpoint(body)
    assert (found_old, proof) == (old, consistency_proof(old, size, tree_of(size).read))
    assert parse_checkpoint(parse_note(note).text).size == size
    verify_note(parse_note(note), LOG)
    assert encode_add_checkpoint(old, proof, note) == body


def test_key_ids_are_bound_to_name_and_key() -> None:
    name, key_id, data = VECTORS["vkeys"][0].split("+", 2)
    for wrong in (f"{name}x+{key_id}+{data}", f"{name}+00000000+{data}", f"{name}+{key_id.upper()}+{data}"):
        with pytest.raises(FormatError):
            NoteVerifier.parse(wrong)
    assert b64decode(data)[0] == 1
