"""The one byte form: equal to RFC 8785 by an oracle that is not ours, and nothing else is taken."""

import json
import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from syncd.ledger.canonical import (
    FormatError,
    b64,
    b64url,
    decode,
    encode,
    hash_of_base64,
    unb64,
    unb64url,
)

pytestmark = pytest.mark.fast

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_equals_the_oracle_and_comes_back(value: Any) -> None:
    data = encode(value)
    assert data == rfc8785.dumps(value)
    assert decode(data) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_taken_as_they_are_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except FormatError:
        return
    assert encode(value) == data


@given(VALUES, st.data())
def test_a_second_spelling_is_refused(value: Any, data: st.DataObject) -> None:
    spelling = json.dumps(value, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1])))
    if spelling.encode() != encode(value):
        with pytest.raises(FormatError):
            decode(spelling.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nul",
        b'{"a":1,"a":2}',
        b'{"a":1, "b":2}',
        b' {"a":1}',
        b'{"a":1}\n',
        b'{"b":1,"a":2}',
        b"NaN",
        b"Infinity",
        b"1E400",
        b"1.0",
        b"1.5",
        b"1e3",
        b"-0",
        b"-0.0",
        b"01",
        b"+1",
        b"1_000",
        b"9007199254740992",
        b"-9007199254740992",
        b"18446744073709551616",
        b'{"a":0.5}',
        b'{"a":[1,[2.5]]}',
        b'"\\u00e9"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\xaf"',
        '"e\u0301"'.encode(),
        '{"a":["\u212b"]}'.encode(),
        '"\uf900"'.encode(),
        '{"\u00e9":1}'.encode(),
        b'"\\n"',
        b'"\\t"',
        b'"\\u0000"',
        b'"\\u001f"',
        b'"\x7f"',
        '"\u0085"'.encode(),
        '"\u009f"'.encode(),
        b'{"A":1}',
        b'{"":1}',
        b'{"1a":1}',
        b'{"_a":1}',
        b'{"a-b":1}',
        b'{"a b":1}',
        b'{"a":{"B":1}}',
        b'[{"a.b":1}]',
        b'{"jiakuntai-eco/320583/1":5}',
        b'{"\\n":1}',
        b"\xef\xbb\xbf1",
        b"/**/1",
        b"'a'",
        b"[1,]",
        b"[" * 5000,
        b'{"a":' * 900 + b"1.5" + b"}" * 900,
    ],
)
def test_refused_bytes(data: bytes) -> None:
    with pytest.raises(FormatError):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        2**70,
        "\ud800",
        "e\u0301",
        "a\x00b",
        "\x7f",
        "\x85",
        {"A": 1},
        {1: 2},
        {"a": 1.5},
        {"a": {"b": (1, 2)}},
        (1,),
        {1, 2},
        b"bytes",
        object(),
        {"a": ["x\ny"]},
        {None: 1},
    ],
)
def test_values_that_cannot_be_written(value: Any) -> None:
    with pytest.raises(FormatError):
        encode(value)


def test_depth_is_limited() -> None:
    deep, deeper = (b'{"a":' * depth + b"null" + b"}" * depth for depth in (250, 300))
    assert encode(decode(deep)) == deep
    with pytest.raises(FormatError):
        decode(deeper)


def test_quotes_and_backslashes_are_no_control_characters() -> None:
    text = 'a"b\\n\\\\" · § é'
    assert decode(encode({"a": text})) == {"a": text}


def test_origins_are_keys_only_where_they_are_allowed() -> None:
    knew = {"knew": {"jiakuntai-eco/310114/1": 7, "jiakuntai-eco/320583/12": 0}}
    data = encode(knew, origins=True)
    assert decode(data, origins=True) == knew
    for _ in range(2):  # a key once seen where it may stand may not stand elsewhere
        with pytest.raises(FormatError):
            decode(data)
    for key in (
        "jiakuntai-eco/310114/0",
        "jiakuntai-eco/31011/1",
        "A/310114/1",
        "jiakuntai-eco/310114/1/",
        "x/٣٣٣٣٣٣/1",
    ):
        with pytest.raises(FormatError):
            encode({key: 1}, origins=True)


@given(st.binary(max_size=40))
def test_base64_comes_back(data: bytes) -> None:
    assert unb64url(b64url(data)) == data
    assert unb64(b64(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AAB", "AA==", "A A", "AA\n", "A+", "A/", "é", "٣٣", "AAAAA"])
def test_base64url_has_one_form(text: str) -> None:
    with pytest.raises(FormatError):
        unb64url(text)


@pytest.mark.parametrize(
    "text", ["AB==", "AA", "AA=", "AA= =", "AA==\n", "A-==", "AAB=", "AA==AA==", "é===", "=", "*AA=="]
)
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(FormatError):
        unb64(text)


def test_hashes_are_32_bytes() -> None:
    assert hash_of_base64(b64(bytes(32))) == bytes(32)
    for length in (0, 31, 33):
        with pytest.raises(FormatError):
            hash_of_base64(b64(bytes(length)))
