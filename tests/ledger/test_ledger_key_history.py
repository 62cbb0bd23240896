"""A member's keys by the entries about them: what fits is followed, what does not changes nothing."""

import pytest
from ledger_helpers import ORIGIN, signer, witness

from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.key_history import KeySpan, active, added_body, base, follow, retired_body
from syncd.ledger.notes import NoteSigner, format_note, parse_note
from syncd.ledger.policy import parse_policy, satisfied
from syncd.ledger.trust import agreement_trust

pytestmark = pytest.mark.fast

OLD, NEW = signer(ORIGIN, 1), signer(ORIGIN, 2)
RECEIPT, NEXT = witness("jiakuntai-eco/320583/receipt", 3), witness("jiakuntai-eco/320583/receipt", 4)
OTHER = "jiakuntai-eco/310114/1"
START = [base("log", OLD.vkey), base("receipt", RECEIPT.vkey)]


def rotated() -> list[KeySpan]:
    """Both keys rotated: the log's at entries 10 and 20, the receipt's at 30 and 40."""
    spans = follow(START, added_body("log", NEW.vkey, OLD.vkey), ORIGIN, 10)
    assert active(spans, "log") == [OLD.vkey, NEW.vkey] and active(spans, "receipt") == [RECEIPT.vkey]
    spans = follow(spans, retired_body("log", OLD.vkey, {ORIGIN: 20}), ORIGIN, 20)
    spans = follow(spans, added_body("receipt", NEXT.vkey, RECEIPT.vkey), ORIGIN, 30)
    return follow(spans, retired_body("receipt", RECEIPT.vkey, {ORIGIN: 40, OTHER: 7}), ORIGIN, 40)


def note(log: NoteSigner, receipt: NoteSigner, size: int) -> bytes:
    """A checkpoint with both lines."""
    text = format_checkpoint(Checkpoint(ORIGIN, size, b"r" * 32))
    return format_note(text, [log.sign(text), receipt.cosign(text, 1_800_000_000)])


def test_both_sides_of_a_rotation_are_verified_by_the_policy() -> None:
    spans = rotated()
    assert active(spans, "log") == [NEW.vkey] and active(spans, "receipt") == [NEXT.vkey]
    keys = {"320583": (OLD.vkey, RECEIPT.vkey)}
    policy = parse_policy(agreement_trust("jiakuntai-eco", keys, history={"320583": spans}))
    for log, receipt, size, good in (
        (OLD, RECEIPT, 1, True), (OLD, RECEIPT, 20, True), (OLD, RECEIPT, 21, False), (NEW, RECEIPT, 10, False),
        (NEW, RECEIPT, 11, True), (NEW, RECEIPT, 40, True), (NEW, RECEIPT, 41, False), (NEW, NEXT, 41, True),
    ):  # fmt: skip
        assert satisfied(policy, parse_note(note(log, receipt, size))) == good, (log.vkey, size)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"schema": "key/1.0"}, added_body("tls", NEW.vkey, OLD.vkey), added_body("log", NEW.vkey, NEW.vkey),
        added_body("log", RECEIPT.vkey, OLD.vkey), added_body("log", OLD.vkey, OLD.vkey),
        added_body("log", signer(OTHER, 5).vkey, OLD.vkey), added_body("log", "nonsense", OLD.vkey),
        retired_body("log", OLD.vkey, {}), added_body("log", NEW.vkey, OLD.vkey) | {"schema": "key/2.0"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_followed(body: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        follow(START, body, ORIGIN, 3)


def test_one_rotation_of_a_role_at_a_time_and_no_way_back() -> None:
    under_way = follow(START, added_body("log", NEW.vkey, OLD.vkey), ORIGIN, 10)
    third = signer(ORIGIN, 6)
    for body in (added_body("log", third.vkey, NEW.vkey), retired_body("log", NEW.vkey, {ORIGIN: 9})):
        with pytest.raises(FormatError):
            follow(under_way, body, ORIGIN, 11)
    with pytest.raises(FormatError):
        follow(rotated(), added_body("log", OLD.vkey, NEW.vkey), ORIGIN, 50)
    assert active(follow(rotated(), added_body("log", third.vkey, NEW.vkey), ORIGIN, 50), "log")[1] == third.vkey
