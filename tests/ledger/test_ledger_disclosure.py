"""Commitments by their written recipe; what opens, what does not, and items that are opened and erased alone."""

import os
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import UUID

from syncd.ledger.canonical import FormatError, b64url, decode, encode
from syncd.ledger.disclosure import (
    DISCLOSURE_LIMIT,
    commitment,
    disclose,
    disclose_items,
    encode_disclosure,
    encode_items,
    item_commitment,
    open_disclosure,
    open_items,
)
from syncd.ledger.entry import BATCH_ITEMS, MeaningError

pytestmark = pytest.mark.fast

SALT = bytes(range(32))
BODY: dict[str, Any] = {
    "schema": "finding/1.0",
    "subject": {"uscc": "91320583MA1GT12345", "name": '昆山某某"环境"科技有限公司 · \\'},
    "amount": {"fine": "20000.00", "confiscated": None},
    "kinds": ["fine"],
    "knew": {"jiakuntai-eco/320583/1": 7},
}
OTHER_UUID = UUID[:-1] + "c"
KEYS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
BODIES = st.dictionaries(KEYS, st.integers(0, 99) | st.text('公司ab"\\ {}[],:', max_size=9), max_size=5)


def reason(*args: Any) -> str:
    with pytest.raises(MeaningError) as caught:
        open_disclosure(*args)
    return caught.value.reason


def items_reason(*args: Any) -> str:
    with pytest.raises(MeaningError) as caught:
        open_items(*args)
    return caught.value.reason


def test_the_recipe() -> None:
    made, raw = disclose(UUID, SALT, BODY)
    message = rfc8785.dumps(["syncd/disclosure/v1", UUID, b64url(SALT), BODY])
    assert made == commitment(UUID, SALT, BODY) == b64url(sha256(message).digest())
    assert raw == encode_disclosure(SALT, BODY) == rfc8785.dumps({"salt": b64url(SALT), "body": BODY})


@given(BODIES)
def test_what_was_disclosed_opens(body: dict[str, Any]) -> None:
    made, raw = disclose(UUID, SALT, body)
    assert open_disclosure(UUID, made, raw) == body
    assert made == b64url(sha256(rfc8785.dumps(["syncd/disclosure/v1", UUID, b64url(SALT), body])).digest())


def test_nothing_else_opens() -> None:
    made, raw = disclose(UUID, SALT, BODY)
    assert reason(OTHER_UUID, made, raw) == "disclosure_does_not_open"
    assert reason(UUID, commitment(UUID, bytes(32), BODY), raw) == "disclosure_does_not_open"
    assert reason(UUID, made, encode_disclosure(SALT, BODY | {"place": "x"})) == "disclosure_does_not_open"
    assert reason(UUID, made, encode_disclosure(os.urandom(32), BODY)) == "disclosure_does_not_open"
    assert reason(UUID, made, b"") == "disclosure_not_canonical"
    for at in range(len(raw)):
        assert reason(UUID, made, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).startswith("disclosure_")


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b" ",
        lambda raw: raw.replace(b'{"body":', b'{"a":1,"body":'),
        lambda raw: raw.replace(b'"20000.00"', b"20000.00"),
        lambda raw: raw.replace(b'{"body":', b'{"body": '),
        lambda raw: b'{"salt":"' + b64url(SALT).encode() + b'","body":{}}',
        lambda raw: encode({"body": [], "salt": b64url(SALT)}),
        lambda raw: encode({"body": {}, "salt": b64url(SALT)[:-1] + "9"}),
        lambda raw: encode({"body": {}, "salt": b64url(SALT) + "A"}),
        lambda raw: encode({"body": {}, "salt": 1}),
        lambda raw: encode({"body": {}}),
        lambda raw: b"[]",
        lambda raw: b"\xff" * 20,
    ],
)
def test_disclosures_of_another_form(change: Any) -> None:
    made, raw = disclose(UUID, SALT, BODY)
    assert reason(UUID, made, change(raw)) == "disclosure_not_canonical"


def test_a_float_or_a_strange_key_never_opens_even_if_committed_to() -> None:
    for body in (b'{"a":1.5}', b'{"A":1}', '{"a":"e\u0301"}'.encode(), b'{"a":"\\n"}', b'{"b":1,"a":2}'):
        salt = b64url(SALT).encode()
        message = b'["syncd/disclosure/v1","%b","%b",%b]' % (UUID.encode(), salt, body)
        made = b64url(sha256(message).digest())
        assert reason(UUID, made, b'{"body":%b,"salt":"%b"}' % (body, salt)) == "disclosure_not_canonical"


def test_256_kib_at_most() -> None:
    room = DISCLOSURE_LIMIT - len(encode_disclosure(SALT, {"a": ""}))
    made, raw = disclose(UUID, SALT, {"a": "x" * room})
    assert len(raw) == DISCLOSURE_LIMIT
    assert open_disclosure(UUID, made, raw)
    with pytest.raises(FormatError, match="allowed"):
        disclose(UUID, SALT, {"a": "x" * (room + 1)})
    assert reason(UUID, made, raw + b"x") == "disclosure_too_large"


def test_salts_are_32_bytes_and_bodies_objects() -> None:
    for salt in (b"", bytes(31), bytes(33)):
        with pytest.raises(FormatError, match="salt"):
            disclose(UUID, salt, BODY)
        with pytest.raises(FormatError, match="salt"):
            encode_items([(salt, BODY)])
    no_object: Any = ["no object"]
    with pytest.raises(FormatError, match="object"):
        encode_disclosure(SALT, no_object)


def test_items_by_the_recipe() -> None:
    pairs = [(os.urandom(32), {"schema": "feedback/1.0", "counter": n}) for n in range(3)]
    commitments, raw = disclose_items(UUID, pairs)
    for n, (salt, item) in enumerate(pairs):
        message = rfc8785.dumps(["syncd/item/v1", UUID, n, b64url(salt), item])
        assert commitments[n] == item_commitment(UUID, n, salt, item) == b64url(sha256(message).digest())
    assert raw == rfc8785.dumps({"items": [{"salt": b64url(salt), "item": item} for salt, item in pairs]})
    assert open_items(UUID, commitments, raw) == [item for _, item in pairs]


def test_an_item_is_erased_alone() -> None:
    pairs = [(os.urandom(32), {"counter": n}) for n in range(3)]
    commitments, _ = disclose_items(UUID, pairs)
    assert open_items(UUID, commitments, encode_items([pairs[0], None, pairs[2]])) == [
        {"counter": 0},
        None,
        {"counter": 2},
    ]
    assert open_items(UUID, commitments, encode_items([None] * 3)) == [None] * 3


def test_items_that_do_not_open() -> None:
    pairs = [(os.urandom(32), {"counter": n}) for n in range(3)]
    commitments, raw = disclose_items(UUID, pairs)
    assert items_reason(OTHER_UUID, commitments, raw) == "disclosure_does_not_open"
    assert items_reason(UUID, commitments[::-1], raw) == "disclosure_does_not_open"
    assert items_reason(UUID, commitments, encode_items(pairs[1:])) == "disclosure_not_canonical"
    assert items_reason(UUID, commitments, encode_disclosure(SALT, BODY)) == "disclosure_not_canonical"
    for row in (1, {}, {"item": 1, "salt": b64url(SALT)}, {"item": {}, "salt": "x"}, {"item": {}}):
        assert items_reason(UUID, commitments[:1], encode({"items": [row]})) == "disclosure_not_canonical"
    assert items_reason(UUID, commitments, b"[]") == "disclosure_not_canonical"


def test_batch_limits() -> None:
    pair = (SALT, {"a": 1})
    assert len(decode(encode_items([pair] * BATCH_ITEMS))["items"]) == BATCH_ITEMS
    for count in (0, BATCH_ITEMS + 1):
        with pytest.raises(FormatError, match="items"):
            encode_items([pair] * count)
    with pytest.raises(FormatError, match="allowed"):
        encode_items([(SALT, {"a": "x" * 2000})] * 200)
