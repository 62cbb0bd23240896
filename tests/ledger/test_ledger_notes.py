"""Notes, checkpoints, policies and proofs: every other spelling, and the traps of Python's text functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import ORIGIN, GrowingTree, signer, witness

from syncd.ledger.canonical import FormatError, b64
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint, parse_size, split_notes
from syncd.ledger.notes import (
    LINES_LIMIT,
    NOTE_LIMIT,
    BadSignature,
    NoteSigner,
    NoteVerifier,
    format_note,
    parse_note,
    verify_note,
)
from syncd.ledger.policy import cosigners, format_policy, parse_policy, satisfied
from syncd.ledger.proof import TlogProof, format_proof, parse_proof, verify_proof
from syncd.ledger.tree import inclusion_proof, leaf_hash

pytestmark = pytest.mark.fast

LOG = signer(ORIGIN, 1)
MEMBERS = {
    code: witness(f"jiakuntai-eco/{code}/receipt", n) for n, code in enumerate(("310114", "320583", "320585"), 2)
}
TEXT = format_checkpoint(Checkpoint(ORIGIN, 300, bytes(range(32))))
TIME = 1_795_338_000


def note_of(*lines: str, text: str = TEXT) -> bytes:
    return format_note(text, lines)


def all_lines(text: str = TEXT) -> list[str]:
    return [LOG.sign(text), *(key.cosign(text, TIME) for key in MEMBERS.values())]


def policy_of(threshold: int | None = None) -> bytes:
    return format_policy(LOG.vkey, {code: key.vkey for code, key in MEMBERS.items()}, threshold)


def test_sign_and_verify() -> None:
    note = parse_note(note_of(*all_lines()))
    assert note.text == TEXT
    assert verify_note(note, LOG.verifier) is None
    assert [verify_note(note, key.verifier) for key in MEMBERS.values()] == [TIME] * 3
    assert LOG.name == ORIGIN
    assert repr(LOG).count("private") == 0


def test_keys_do_not_change_roles() -> None:
    with pytest.raises(FormatError, match="only cosignatures"):
        MEMBERS["310114"].sign(TEXT)
    with pytest.raises(FormatError, match="its own checkpoints"):
        LOG.cosign(TEXT, TIME)
    with pytest.raises(FormatError):
        signer("x", 1, 0xFF)
    for name in ("", "a b", "a+b", "a\u3000b", "a\nb"):
        with pytest.raises(FormatError):
            signer(name, 1)


def test_a_known_key_must_verify_and_an_unknown_one_is_ignored() -> None:
    line, sm2 = LOG.sign(TEXT), f"— {ORIGIN} {b64(b'SM2!' + bytes(72))}"
    verify_note(parse_note(note_of(sm2, line, signer("other/log", 9).sign(TEXT))), LOG.verifier)
    wrong = LOG.sign(TEXT.replace("300", "301"))
    for lines in ((wrong,), (line, wrong), (wrong, line)):
        with pytest.raises(BadSignature):
            verify_note(parse_note(note_of(*lines)), LOG.verifier)
    with pytest.raises(BadSignature, match="no line of"):
        verify_note(parse_note(note_of(sm2)), LOG.verifier)
    with pytest.raises(BadSignature, match="another key"):
        LOG.verifier.verify(TEXT, sm2)


@pytest.mark.parametrize("size", [1, 8, 63, 65, 71, 73])
def test_signatures_of_another_length(size: int) -> None:
    for key in (LOG, MEMBERS["310114"]):
        line = f"— {key.name} {b64(key.verifier.key_id + bytes(size))}"
        with pytest.raises(BadSignature):
            key.verifier.verify(TEXT, line)


def test_the_time_is_part_of_a_cosignature() -> None:
    key = MEMBERS["320583"]
    assert key.verifier.verify(TEXT, key.cosign(TEXT, 0)) == 0
    name, data = key.cosign(TEXT, TIME).rsplit(" ", 1)
    later, signature = key.cosign(TEXT, TIME + 1).rsplit(" ", 1)[1], data
    assert later[:5] == signature[:5]  # the same key id
    with pytest.raises(BadSignature):
        key.verifier.verify(TEXT, f"{name} {later[:16]}{signature[16:]}")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_note(data)


@pytest.mark.parametrize(
    "data",
    [
        note_of(LOG.sign(TEXT))[:-1],
        note_of(LOG.sign(TEXT)) + b"\n",
        note_of(LOG.sign(TEXT)) + b"junk\n",
        note_of(LOG.sign(TEXT).replace(" ", "  ", 1)),
        note_of(LOG.sign(TEXT) + " "),
        note_of(LOG.sign(TEXT)[:-1]),
        note_of(LOG.sign(TEXT).replace("— ", "- ")),
        note_of(f"— {ORIGIN} AAAA"),
        note_of(f"— {ORIGIN} AB=="),
        note_of(f"—  {b64(bytes(68))}"),
        note_of(f"— a+b {b64(bytes(68))}"),
        note_of(f"— a\u00a0b {b64(bytes(68))}"),
        note_of(),
        TEXT.encode(),
        note_of(LOG.sign(TEXT)).replace(b"\n", b"\r\n"),
        note_of(LOG.sign(TEXT), text=TEXT.replace("jia", "ji\x00a")),
        note_of(LOG.sign(TEXT)).replace(b"jia", b"ji\xff"),
        note_of(*[LOG.sign(TEXT)] * (LINES_LIMIT + 1)),
        note_of(LOG.sign(TEXT), text="x" * NOTE_LIMIT),
    ],
)
def test_notes_of_another_form(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_note(data)


def test_text_and_lines_split_at_the_last_blank_line() -> None:
    text = "one\n\ntwo\n\nthree\n"
    assert parse_note(note_of(LOG.sign(text), text=text)).text == text


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
def test_only_a_newline_ends_a_line(separator: str) -> None:
    text = TEXT.replace("jia", f"j{separator}ia")
    note = parse_note(note_of(LOG.sign(text), text=text))
    assert note.text == text
    assert parse_checkpoint(note.text).origin == ORIGIN.replace("jia", f"j{separator}ia")
    with pytest.raises(FormatError):
        parse_note(note_of(f"{LOG.sign(TEXT)}{separator}{LOG.sign(TEXT)}"))


@pytest.mark.parametrize(
    "size", ["", "00", "01", "+1", "-1", "-0", "1_000", " 7", "7 ", "٣", "²", "1e3", "1.0", "0x1", "9" * 16, "9" * 5000]
)
def test_sizes_have_one_spelling(size: str) -> None:
    with pytest.raises(FormatError):
        parse_size(size)
    with pytest.raises(FormatError):
        parse_checkpoint(TEXT.replace("300", size))


def test_sizes_to_the_last() -> None:
    assert [parse_size(text) for text in ("0", "10", str(2**53 - 1))] == [0, 10, 2**53 - 1]
    with pytest.raises(FormatError):
        parse_size(str(2**53))


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "extension\n",
        "\n" + TEXT,
        TEXT.replace("300\n", ""),
        TEXT.split("\n", 1)[1],
        TEXT.replace("AAECAwQ", "AAECAw"),
        TEXT.replace("\n3", "\n\n3"),
        f"\n300\n{b64(bytes(32))}\n",
        f"{ORIGIN}\n300\n{b64(bytes(31))}\n",
        f"{ORIGIN}\n300\n{bytes(32).hex()}\n",
    ],
)
def test_checkpoints_are_exactly_three_lines(text: str) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint(text)


def test_checkpoints_that_cannot_be_written() -> None:
    for wrong in (Checkpoint("", 1, bytes(32)), Checkpoint("x\ny", 1, bytes(32)), Checkpoint("x", -1, bytes(32))):
        with pytest.raises(FormatError):
            format_checkpoint(wrong)
    for size, root in ((2**53, bytes(32)), (1, bytes(31))):
        with pytest.raises(FormatError):
            format_checkpoint(Checkpoint("x", size, root))


def test_notes_after_one_another() -> None:
    first, second = note_of(LOG.sign(TEXT)), note_of(*all_lines())
    data = b"head" + first + b"\n" + second + b"\nrest\n\n"
    notes, end = split_notes(data, 4, 2)
    assert (notes, data[end:]) == ([first, second], b"rest\n\n")
    for wrong in (first, first + b"\n" + second, first[:-1], b"\n" * 9, TEXT.encode() + b"\n\n", b"", b"x\n" * 300):
        with pytest.raises(FormatError):
            split_notes(wrong, 0, 2)


def test_a_quorum() -> None:
    first, *rest = all_lines()
    two = parse_note(note_of(first, *rest[:2]))
    assert cosigners(parse_policy(policy_of()), two) == {"310114": TIME, "320583": TIME}
    assert not satisfied(parse_policy(policy_of()), two)
    assert satisfied(parse_policy(policy_of(2)), two)
    assert not satisfied(parse_policy(policy_of(2)), parse_note(note_of(first, rest[0], rest[0])))
    assert satisfied(parse_policy(format_policy(LOG.vkey, {})), parse_note(note_of(first)))
    assert not satisfied(parse_policy(b"quorum none\n"), two)


def test_a_log_signs_only_under_its_own_name() -> None:
    text = TEXT.replace("320583", "320585")
    assert not satisfied(parse_policy(format_policy(LOG.vkey, {})), parse_note(note_of(LOG.sign(text), text=text)))


def test_policies_are_read_as_written() -> None:
    keys = [key.vkey for key in MEMBERS.values()]
    policy = parse_policy(
        f"# 嘉昆太\n\n \t log\t{LOG.vkey}  https://log.example/ \nwitness a {keys[0]}\nwitness 昆山 {keys[1]} https://x\n"
        f"  # more\nwitness c {keys[2]}\ngroup inner any a 昆山\ngroup outer 2 inner c\nquorum outer\n".encode()
    )
    assert policy.groups == {"inner": (1, ["a", "昆山"]), "outer": (2, ["inner", "c"])}
    lines = all_lines()
    assert satisfied(policy, parse_note(note_of(lines[0], lines[2], lines[3])))
    assert not satisfied(policy, parse_note(note_of(lines[0], lines[1], lines[2])))


KEY_A, KEY_B, KEY_C = (key.vkey for key in MEMBERS.values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        "quorum none\nquorum none\n",
        "quorum a\n",
        "nonsense\nquorum none\n",
        "log\nquorum none\n",
        f"log {KEY_A}\nquorum none\n",
        f"witness a {LOG.vkey}\nquorum a\n",
        f"witness none {KEY_A}\nquorum none\n",
        f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n",
        f"witness a {KEY_A}\nwitness b {KEY_A}\nquorum a\n",
        f"witness a {KEY_A}\nwitness a {KEY_B}\nquorum a\n",
        f"quorum a\nwitness a {KEY_A}\n",
        f"witness a {KEY_A}\ngroup g all\nquorum g\n",
        f"witness a {KEY_A}\ngroup g 0 a\nquorum g\n",
        f"witness a {KEY_A}\ngroup g 2 a\nquorum g\n",
        f"witness a {KEY_A}\ngroup g 01 a\nquorum g\n",
        f"witness a {KEY_A}\ngroup g ١ a\nquorum g\n",
        f"witness a {KEY_A}\ngroup g 1 b\nquorum g\n",
        f"witness a {KEY_A}\ngroup g any a a\nquorum g\n",
        f"witness a {KEY_A}\ngroup g any none\nquorum g\n",
        f"witness a {KEY_A}\ngroup g any g a\nquorum g\n",
        f"witness a {KEY_A}\ngroup a any a\nquorum a\n",
        f"witness a {KEY_A}\ngroup g any a\ngroup h any a g\nquorum h\n",
        f"witness a {KEY_A} u v\nquorum a\n",
        f"witness a\u00a0{KEY_A}\nquorum a\n",
        f"witness a\u3000{KEY_A}\nquorum none\n",
        "quorum none\r\n",
        "quorum none\x0b\n",
        f"witness a {KEY_A}\u2028quorum a\n",
        f"witness a {KEY_A[:-1]}\nquorum a\n",
    ],
)
def test_other_policies_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_policy(text.encode())


def test_policies_are_utf8() -> None:
    with pytest.raises(FormatError, match="UTF-8"):
        parse_policy(b"# \xff\nquorum none\n")
    assert KEY_C


@given(st.integers(1, 40), st.data(), st.none() | st.binary(max_size=20))
def test_proofs_come_back_and_verify(size: int, data: st.DataObject, extra: bytes | None) -> None:
    tree, index = GrowingTree(), data.draw(st.integers(0, size - 1))
    tree.grow([b"leaf"] * size)
    proof = TlogProof(index, inclusion_proof(index, size, tree.read), tree.note(LOG), extra)
    assert parse_proof(format_proof(proof)) == proof
    policy = parse_policy(format_policy(LOG.vkey, {}))
    assert verify_proof(proof, leaf_hash(b"leaf"), policy) == Checkpoint(ORIGIN, size, tree.root)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"index 1", b"index 01"),
        (b"index 1", "index ١".encode()),
        (b"index 1", b"index"),
        (b"index", b"Index"),
        (b"index 1\n", b""),
        (b"extra eA==\n", b"extra eB==\n"),
        (b"extra eA==\n", b"extra eA\n"),
        (b"\n\n", b"\n"),
        (b"extra eA==\nindex 1\n", b"index 1\nextra eA==\n"),
        (b"=\n", b"\n"),
        (b"=\n", b"=\n" * 70),
    ],
)
def test_proofs_of_another_form(old: bytes, new: bytes) -> None:
    tree = GrowingTree()
    tree.grow([b"leaf"] * 4)
    text = format_proof(TlogProof(1, inclusion_proof(1, 4, tree.read), tree.note(LOG), b"x"))
    with pytest.raises(FormatError):
        parse_note(parse_proof(text.replace(old, new)).checkpoint)


def test_signers_take_only_their_kind_of_key() -> None:
    assert isinstance(LOG, NoteSigner)
    assert NoteVerifier.parse(LOG.vkey) == LOG.verifier
    for vkey in (
        "",
        "a+b",
        f"{LOG.vkey}x",
        LOG.vkey.replace("+", " "),
        f"{ORIGIN}+00000000+",
        f"{ORIGIN}+00000000+AQ==",
    ):
        with pytest.raises(FormatError):
            NoteVerifier.parse(vkey)
