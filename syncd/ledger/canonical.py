"""Canonical JSON (规范化 JSON): the one byte form of every leaf and every disclosure.

RFC 8785 (JCS), restricted so that no two readers can differ: objects, arrays, strings, integers below 2^53,
booleans and null; no floats; strings in NFC without lone surrogates or control characters; object keys
``[a-z][a-z0-9_]*``. Inside a disclosure a key may also be a log's origin (``knew{origin: size}``).

What is hashed is always the bytes received, never a re-encoding: ``decode`` proves that the two are the same.
"""

import base64
import binascii
import re
from typing import Any
from unicodedata import is_normalized

import orjson

from syncd.errors import Refuse

Json = dict[str, Any]

ORIGIN = re.compile(r"[a-z0-9-]+/[0-9]{6}/[1-9][0-9]{0,8}", re.ASCII)
"""``<agreement id>/<GB/T 2260 code>/<epoch>``: the name of a member's log (日志名)."""

HASH_TEXT = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""32 bytes in strict base64url: the last character's spare bits are unset."""

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
_KEY = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SCALARS = frozenset((int, bool, type(None)))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_KNOWN_KEYS_LIMIT = 4096
_vocabulary: tuple[set[str], set[str]] = (set(), set())
"""Keys that passed, without and with origins: a set costs a tenth of the pattern."""


class FormatError(Refuse):
    """Bytes that do not have the form they must have; the sentence names the place, never a value."""


def encode(value: Any, *, origins: bool = False) -> bytes:
    """Return the canonical bytes of ``value`` (str, int, bool, None, list, dict with str keys).

    ``origins`` also allows origins as object keys (disclosures only).
    Raises FormatError for anything the restricted form cannot hold.
    """
    data = dump(value)
    _check_values(value, origins)
    _check_strings(value, data)
    return data


def decode(data: bytes, *, origins: bool = False) -> Any:
    """Return the value of canonical bytes.

    Refuses duplicate keys, blanks, other escapes, NaN, floats, integers from 2^53, more than 254 levels,
    other keys, strings that are not NFC, control characters. Raises FormatError, whatever the bytes are.
    """
    try:
        value = orjson.loads(data)
        same = orjson.dumps(value, option=_OPTIONS) == data
    except (TypeError, ValueError) as error:
        raise FormatError("The bytes are not JSON, hold an integer from 2^53 or are nested too deep.") from error
    if not same:
        raise FormatError("The bytes are JSON but not in canonical form (RFC 8785).")
    _check_values(value, origins)
    _check_strings(value, data)
    return value


def dump(value: Any) -> bytes:
    """RFC 8785 bytes of a value whose keys, strings and types the caller checks. Raises FormatError."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError as error:
        raise FormatError(
            "The value cannot be written as canonical JSON: an integer from 2^53, a lone surrogate, "
            "a key that is not text or a type JSON does not have. Nothing was written; correct the value."
        ) from error


def _check_values(value: Any, origins: bool) -> None:
    """Types and keys, by a list of what is left to look at, on which a string never comes."""
    known = _vocabulary[origins]
    pending = [value]
    while pending:
        item = pending.pop()
        kind = item.__class__
        if kind is dict:
            if not known.issuperset(item):
                _check_keys(item, origins)
            for member in item.values():
                if member.__class__ is not str and member is not None:
                    pending.append(member)
        elif kind is list:
            for member in item:
                if member.__class__ is not str:
                    pending.append(member)
        elif kind is not str and kind not in _SCALARS:
            raise FormatError(f"A value is of type {kind.__name__}, which canonical JSON does not hold.")


def _check_keys(item: Json, origins: bool) -> None:
    known = _vocabulary[origins]
    for key in item:
        if not (_KEY.fullmatch(key) or (origins and ORIGIN.fullmatch(key))):
            raise FormatError("An object key is not of the form [a-z][a-z0-9_]*.")
        if len(known) < _KNOWN_KEYS_LIMIT:
            known.add(key)


def _check_strings(value: Any, data: bytes) -> None:
    """NFC and control characters, first on the whole text: most documents need no look at single strings.

    A quotation mark composes with nothing, so the document is NFC exactly if every string in it is.
    """
    if not data.isascii() and not is_normalized("NFC", data.decode()):
        raise FormatError("A string is not in Unicode normal form C.")
    if b"\\" in data or b"\x7f" in data or b"\xc2" in data:
        # An escape, DEL or the lead byte of U+0080..U+00BF: only then can a control character hide here.
        _check_controls(value)


def _check_controls(value: Any) -> None:
    pending = [value]
    for item in pending:
        if type(item) is str:
            if _CONTROL.search(item):
                raise FormatError("A string holds a control character.")
        elif type(item) is dict:
            pending.extend(item.values())
        elif type(item) is list:
            pending.extend(item)


def b64url(data: bytes) -> str:
    """base64url without padding (RFC 4648 §5)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode()


def unb64url(text: str) -> bytes:
    """Bytes of strict base64url without padding.

    Raises FormatError for junk and for spare bits that are set.
    """
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise FormatError("A value is not base64url without padding.")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url(data) != text:
        raise FormatError("A base64url value has spare bits set.")
    return data


def b64(data: bytes) -> str:
    """Standard base64 with padding, as the C2SP formats write it."""
    return binascii.b2a_base64(data, newline=False).decode()


def unb64(text: str) -> bytes:
    """Bytes of strict standard base64. Raises FormatError for junk, missing padding and spare bits."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise FormatError("A value is not base64.") from error
    if b64(data) != text:  # b64decode takes "AB==", whose spare bits are set
        raise FormatError("A base64 value is not in its only form.")
    return data


def hash_of_base64(text: str) -> bytes:
    """The 32 bytes of a SHA-256 hash in standard base64. Raises FormatError."""
    data = unb64(text)
    if len(data) != 32:
        raise FormatError("A hash is not 32 bytes long.")
    return data
