"""SM2 lines: the standard's example, OpenSSL as the other implementation, and verifiers that do not know the type."""

import base64
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from ledger_helpers import signer, witness

from syncd import sm2_file
from syncd.errors import NeedsPerson, Stop
from syncd.ledger.canonical import FormatError, b64
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import BadSignature, format_note, parse_note
from syncd.ledger.policy import Span, parse_policy, satisfied, sm2_line
from syncd.ledger.sm2 import SM2_KEY, Sm2Signer, Sm2Verifier, new_key
from syncd.ledger.trust import TrustedKey, TrustedMember, format_trust, plain_trust

pytestmark = pytest.mark.fast

NAME = "jiakuntai-eco/320583/1"
LOG, RECEIPT = signer(NAME, 1), witness("jiakuntai-eco/320583/receipt", 2)
TEXT = format_checkpoint(Checkpoint(NAME, 12, bytes(range(32))))
# GM/T 0003.5-2012, A.2: the identity 1234567812345678, the curve and the signature of the text "message digest".
POINT = b"\x04" + bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


@pytest.fixture(scope="module")
def key() -> Sm2Signer:
    """A new key of the log."""
    return Sm2Signer(NAME, *new_key())


def line_of(key: Sm2Verifier, signature: bytes) -> str:
    """A note line of that key with these bytes."""
    return f"— {key.name} {b64(key.key_id + signature)}"


def flipped(line: str, at: int) -> str:
    """The line with one bit of byte ``at`` of its key id and signature changed."""
    head, _, text = line.rpartition(" ")
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return f"{head} {b64(bytes(data))}"


def test_the_example_of_the_standard_verifies() -> None:
    known = Sm2Verifier("example", POINT)
    known.verify("message digest", line_of(known, SIGNATURE))
    with pytest.raises(BadSignature):
        known.verify("message digesT", line_of(known, SIGNATURE))


def test_a_line_verifies_over_its_text_alone(key: Sm2Signer) -> None:
    line = key.sign(TEXT)
    key.verifier.verify(TEXT, line)
    other = Sm2Signer(NAME, *new_key())
    for check, text, wrong in (
        (key.verifier, TEXT + " ", line),
        (key.verifier, TEXT, flipped(line, 5)),
        (key.verifier, TEXT, flipped(line, 67)),
        (key.verifier, TEXT, line_of(key.verifier, base64.b64decode(line.split(" ")[2])[4:-1])),
        (key.verifier, TEXT, line_of(key.verifier, bytes(64))),
        (key.verifier, TEXT, line_of(key.verifier, b"\xff" * 64)),
        (other.verifier, TEXT, line),
        (other.verifier, TEXT, line_of(other.verifier, base64.b64decode(line.split(" ")[2])[4:])),
    ):
        with pytest.raises(BadSignature):
            check.verify(text, wrong)


def test_a_key_has_one_text_and_stands_on_the_curve(key: Sm2Signer) -> None:
    vkey = key.verifier.vkey
    assert Sm2Verifier.parse(vkey) == key.verifier
    name, ident, data = vkey.split("+", 2)
    off = SM2_KEY + b"\x04" + bytes(63) + b"\x01"
    ed25519 = LOG.vkey
    wrong_points = [b64(one) for one in (off, SM2_KEY + POINT[:-1], SM2_KEY + b"x" + POINT[1:])]
    for wrong in ("", f"{name}+{ident}", f"x{vkey}", f"{name}+00000000+{data}", ed25519,
                  *[f"{name}+{ident}+{point}" for point in wrong_points]):  # fmt: skip
        with pytest.raises(FormatError):
            Sm2Verifier.parse(wrong)
    assert base64.b64decode(data)[0] == 0xFF and SM2_KEY[1:] in base64.b64decode(data)


def openssl(*arguments: str | Path) -> None:
    """Run OpenSSL; without it a test fails in CI and is skipped, saying why, elsewhere."""
    if not shutil.which("openssl"):
        reason = "no openssl command: apt-get install openssl"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def der(signature: bytes) -> bytes:
    """r and s as OpenSSL wants them."""
    numbers = b""
    for at in (0, 32):
        value = int.from_bytes(signature[at : at + 32], "big")
        data = value.to_bytes(value.bit_length() // 8 + 1, "big")
        numbers += bytes([2, len(data)]) + data
    return bytes([0x30, len(numbers)]) + numbers


DIGEST = ("dgst", "-sm3", "-sigopt", "distid:1234567812345678")


def test_openssl_reads_our_key_file_and_accepts_our_line(tmp_path: Path) -> None:
    sm2_file.create(tmp_path)
    ours = sm2_file.load(tmp_path, NAME)
    (tmp_path / "text").write_text(TEXT)
    (tmp_path / "line").write_bytes(der(base64.b64decode(ours.sign(TEXT).split(" ")[2])[4:]))
    openssl("pkey", "-in", tmp_path / "sm2.key", "-pubout", "-out", tmp_path / "public")
    openssl(*DIGEST, "-verify", tmp_path / "public", "-signature", tmp_path / "line", tmp_path / "text")
    openssl("pkey", "-in", tmp_path / "sm2.key", "-pubout", "-outform", "DER", "-out", tmp_path / "point")
    assert (tmp_path / "point").read_bytes().endswith(ours.verifier.public_key)


def test_a_line_by_openssl_is_accepted(tmp_path: Path) -> None:
    private, text, signature, point = (tmp_path / name for name in ("private", "text", "signature", "point"))
    text.write_text(TEXT)
    openssl("genpkey", "-algorithm", "SM2", "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-outform", "DER", "-out", point)
    theirs = Sm2Verifier(NAME, point.read_bytes()[-65:])
    openssl(*DIGEST, "-sign", private, "-out", signature, text)
    data = signature.read_bytes()
    end = 4 + data[3]
    numbers = [int.from_bytes(one, "big").to_bytes(32, "big") for one in (data[4:end], data[end + 2 :])]
    theirs.verify(TEXT, line_of(theirs, b"".join(numbers)))


def test_the_key_file_is_its_owners_and_whole(tmp_path: Path) -> None:
    sm2_file.create(tmp_path)
    path = tmp_path / "sm2.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        sm2_file.create(tmp_path)
    whole = path.read_bytes()
    for wrong in (b"", whole[:60], whole.replace(b"EC", b"DH"), whole.replace(b"MHc", b"MHd"), b"\xff" * 200):
        path.write_bytes(wrong)
        with pytest.raises(Stop, match="not an SM2 key"):
            sm2_file.load(tmp_path, NAME)
    path.write_bytes(whole)
    path.chmod(0o640)
    with pytest.raises(Stop, match="chmod 600"):
        sm2_file.load(tmp_path, NAME)


def test_a_passphrase_wraps_the_key_file(tmp_path: Path) -> None:
    sm2_file.create(tmp_path, b"words")
    assert b"BEGIN" not in (tmp_path / "sm2.key").read_bytes()
    sm2_file.load(tmp_path, NAME, b"words")
    for wrong in (b"other", None):
        with pytest.raises(NeedsPerson, match="passphrase"):
            sm2_file.load(tmp_path, NAME, wrong)


def test_a_policy_names_the_key_and_readers_that_do_not_know_it_skip_the_line(key: Sm2Signer) -> None:
    lines = [LOG.sign(TEXT), key.sign(TEXT), RECEIPT.cosign(TEXT, 1_790_000_000)]
    note = parse_note(format_note(TEXT, lines))
    without = plain_trust("jiakuntai-eco", {"320583": (LOG.vkey, RECEIPT.vkey)})
    assert satisfied(parse_policy(without), note) and sm2_line(parse_policy(without), note) == ""
    trust = plain_trust("jiakuntai-eco", {"320583": (LOG.vkey, RECEIPT.vkey)}, None, {"320583": key.verifier.vkey})
    assert f"#: sm2 {key.verifier.vkey}\n".encode() in trust
    assert b"".join(line for line in trust.splitlines(True) if not line.startswith(b"#: sm2")) == without
    policy = parse_policy(trust)
    assert satisfied(policy, note) and sm2_line(policy, note) == "sm2_signed"
    bare = parse_note(format_note(TEXT, [lines[0], lines[2]]))
    assert satisfied(policy, bare) and sm2_line(policy, bare) == "sm2_missing"
    wrong = parse_note(format_note(TEXT, [lines[0], flipped(lines[1], 20), lines[2]]))
    assert satisfied(parse_policy(without), wrong)
    with pytest.raises(BadSignature):
        sm2_line(policy, wrong)
    with pytest.raises(FormatError, match="above already"):
        parse_policy(trust + f"#: sm2 {key.verifier.vkey}\n".encode())


def test_a_span_narrows_the_key(key: Sm2Signer) -> None:
    second = TrustedKey(key.verifier.vkey, [Span(NAME, 13)])
    member = TrustedMember("320583", [TrustedKey(LOG.vkey)], [TrustedKey(RECEIPT.vkey)], sm2=[second])
    policy = parse_policy(format_trust([member]))
    for size, said in ((12, ""), (13, "sm2_missing")):
        text = format_checkpoint(Checkpoint(NAME, size, bytes(32)))
        assert sm2_line(policy, parse_note(format_note(text, [LOG.sign(text)]))) == said
