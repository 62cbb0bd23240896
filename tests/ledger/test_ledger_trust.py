"""The trust policy with the history of keys: both sides of a rotation and of a seal are taken, and nothing else."""

import pytest
from ledger_helpers import GrowingTree, signer, witness

from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from syncd.ledger.notes import Note, NoteSigner, format_note, parse_note
from syncd.ledger.policy import Sealed, Span, key_name, lacking, parse_policy, satisfied
from syncd.ledger.trust import TrustedKey, TrustedMember, fingerprint, format_trust, origins

pytestmark = pytest.mark.fast

ONE, NEXT, OTHER = "demo-log/310114/1", "demo-log/310114/2", "demo-log/320583/1"
OLD, NEW, SUCCESSOR, OTHERS = signer(ONE, 1), signer(ONE, 2), signer(NEXT, 3), signer(OTHER, 4)
RECEIPT, RENEWED = witness("demo-log/310114/receipt", 5), witness("demo-log/310114/receipt", 6)
THEIRS = witness("demo-log/320583/receipt", 7)


def note(log: NoteSigner, size: int, *receipts: NoteSigner, root: bytes = b"r" * 32) -> Note:
    """A checkpoint with these lines."""
    text = format_checkpoint(Checkpoint(log.name, size, root))
    lines = [log.sign(text), *[one.cosign(text, 1_700_000_000) for one in receipts]]
    return parse_note(format_note(text, lines))


def trust(first: TrustedMember, threshold: int | None = None) -> bytes:
    """The policy of two members, the first one given."""
    other = TrustedMember("320583", [TrustedKey(OTHERS.vkey)], [TrustedKey(THEIRS.vkey)])
    return format_trust([first, other], threshold, "of a test")


PLAIN = TrustedMember("310114", [TrustedKey(OLD.vkey)], [TrustedKey(RECEIPT.vkey)])


def test_one_policy_serves_every_log() -> None:
    policy = parse_policy(trust(PLAIN))
    assert origins(policy) == [ONE, OTHER]
    for log in (OLD, OTHERS):
        assert satisfied(policy, note(log, 3, RECEIPT, THEIRS))
        assert not satisfied(policy, note(log, 3, RECEIPT))
        assert lacking(policy, note(log, 3, RECEIPT)) == ["320583"]
    assert not satisfied(policy, note(NEW, 3, RECEIPT, THEIRS))


def test_a_quorum_of_some() -> None:
    policy = parse_policy(trust(PLAIN, 1))
    assert satisfied(policy, note(OLD, 3, THEIRS)) and not satisfied(policy, note(OLD, 3))
    assert lacking(policy, note(OLD, 3)) == ["310114", "320583"]


def test_a_rotated_log_key_counts_on_its_own_sizes() -> None:
    keys = [TrustedKey(OLD.vkey, [Span(ONE, 0, 10)]), TrustedKey(NEW.vkey, [Span(ONE, 8)])]
    policy = parse_policy(trust(TrustedMember("310114", keys, PLAIN.receipts)))
    for log, size, good in ((OLD, 10, True), (OLD, 11, False), (NEW, 7, False), (NEW, 8, True), (NEW, 99, True)):
        assert satisfied(policy, note(log, size, RECEIPT, THEIRS)) == good, (log, size)


def test_a_rotated_receipt_key_is_one_member_still() -> None:
    keys = [TrustedKey(RECEIPT.vkey, [Span(ONE, 0, 10), Span(OTHER, 0, 5)]), TrustedKey(RENEWED.vkey)]
    policy = parse_policy(trust(TrustedMember("310114", PLAIN.logs, keys)))
    for receipt, log, size, good in (
        (RECEIPT, OLD, 10, True), (RECEIPT, OLD, 11, False), (RENEWED, OLD, 11, True),
        (RECEIPT, OTHERS, 5, True), (RECEIPT, OTHERS, 6, False), (RENEWED, OTHERS, 6, True),
    ):  # fmt: skip
        assert satisfied(policy, note(log, size, receipt, THEIRS)) == good
    assert not satisfied(policy, note(OLD, 3, RECEIPT, RENEWED)), "two keys of one member are one line"
    assert lacking(policy, note(OLD, 3, THEIRS)) == ["310114"]


def test_a_sealed_log_ends_and_its_successor_goes_on() -> None:
    keys = [TrustedKey(OLD.vkey), TrustedKey(SUCCESSOR.vkey)]
    end = Sealed(10, b"r" * 32, NEXT)
    policy = parse_policy(trust(TrustedMember("310114", keys, PLAIN.receipts, {ONE: end})))
    assert policy.sealed == {ONE: end}
    assert satisfied(policy, note(OLD, 10, RECEIPT, THEIRS)) and satisfied(policy, note(OLD, 9, RECEIPT, THEIRS))
    assert not satisfied(policy, note(OLD, 11, RECEIPT, THEIRS)), "the stolen key goes no further"
    assert not satisfied(policy, note(OLD, 10, RECEIPT, THEIRS, root=b"s" * 32)), "nor to another end"
    assert satisfied(policy, note(SUCCESSOR, 11, RECEIPT, THEIRS))


def test_other_readers_of_the_form_see_comments() -> None:
    keys = [TrustedKey(OLD.vkey, [Span(ONE, 0, 10)]), TrustedKey(NEW.vkey, [Span(ONE, 8)])]
    text = trust(TrustedMember("310114", keys, PLAIN.receipts, {ONE: Sealed(12, b"r" * 32)})).decode()
    ours = [line for line in text.splitlines() if line.startswith("#:")]
    assert len(ours) == 3 and f"#: key {key_name(OLD.verifier)} {ONE} 0 10" in ours
    plain = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("#")).encode()
    assert parse_policy(plain).logs == parse_policy(text.encode()).logs


@pytest.mark.parametrize(
    "line",
    ["#: key", f"#: key {ONE} {ONE} 0 1", f"#: key x+01234567 {ONE} 0_1 -", f"#: key x+01234567 {ONE} 0 +1",
     f"#: sealed {ONE} 1 AAAA -", f"#: sealed {ONE} 01 {'A' * 43}= -", "#: something else"],
)  # fmt: skip
def test_history_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(FormatError, match="Line"):
        parse_policy(trust(PLAIN) + f"{line}\n".encode())


def test_a_log_ends_once() -> None:
    line = f"#: sealed {ONE} 1 {'A' * 43}= -\n".encode()
    with pytest.raises(FormatError, match="sealed above"):
        parse_policy(trust(PLAIN) + line + line)


def test_the_fingerprint_is_read_out_in_groups() -> None:
    groups = fingerprint(trust(PLAIN)).split("-")
    assert len(groups) == 16 and {len(group) for group in groups} == {4}
    assert fingerprint(trust(PLAIN)) != fingerprint(trust(PLAIN, 1))


def test_a_growing_log_is_taken_as_it_is() -> None:
    tree = GrowingTree()
    tree.grow([b"1", b"2"])
    signed = parse_note(tree.note(OLD))
    policy = parse_policy(trust(PLAIN))
    assert parse_checkpoint(signed.text).size == 2 and not satisfied(policy, signed)


def test_a_policy_that_narrows_a_key_it_does_not_name_is_refused() -> None:
    named = key_name(OLD.verifier)
    text = f"log {OLD.vkey}\nquorum none\n#: key {named} {ONE} 0 9\n"
    assert parse_policy(text.encode()).spans == {named: [Span(ONE, 0, 9)]}
    with pytest.raises(FormatError, match="does not name"):  # left out, it would count everywhere
        parse_policy(text.replace(f"key {named}", f"key {ONE}+00000000").encode())
