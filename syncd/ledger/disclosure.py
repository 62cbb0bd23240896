"""Disclosures (披露件): what an entry says, stored apart from the leaf that only commits to it.

``commitment = base64url(SHA-256(JCS(["syncd/disclosure/v1", id, salt, body])))``. The disclosure itself is
the canonical ``{"body": …, "salt": …}``, 256 KiB at most; a batch's is ``{"items": [{"item": …, "salt": …} |
null …]}``, and each item has a commitment ``SHA-256(JCS(["syncd/item/v1", id, n, salt, item]))`` of its own,
so that it is opened and erased alone.

Without its salt (盐) of 32 random bytes a commitment tells nothing: erasure deletes salt and body and leaves
the tree valid. A disclosure that does not open is a matter of meaning, never of integrity: the leaf stays
countersigned.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from syncd.ledger.canonical import HASH_TEXT, FormatError, Json, b64url, decode, dump, encode
from syncd.ledger.entry import BATCH_ITEMS, MeaningError

DISCLOSURE_LIMIT: Final = 256 * 1024
"""Bytes; a larger disclosure travels as none."""
SALT_BYTES: Final = 32

_SALT_TEXT = 43  # base64url characters of 32 bytes
_HEAD = len(b'{"body":')
_TAIL = len(b',"salt":"') + _SALT_TEXT + len(b'"}')
_FIELDS = frozenset({"body", "salt"})
_ITEM_FIELDS = frozenset({"item", "salt"})


def disclose(entry_id: str, salt: bytes, body: Json) -> tuple[str, bytes]:
    """Return the commitment and the disclosure of ``body``, encoding it once. Raises FormatError."""
    return disclose_text(entry_id, salt, _body_bytes(body))


def disclose_text(entry_id: str, salt: bytes, text: bytes) -> tuple[str, bytes]:
    """``disclose`` of a body given as its canonical bytes, which the caller has from ``encode``. Raises FormatError."""
    salt_text = _salt_text(salt)
    return _commit(entry_id, salt_text, text), _wrap(text, salt_text)


def commitment(entry_id: str, salt: bytes, body: Json) -> str:
    """Return what the leaf of ``entry_id`` says about ``body``. Raises FormatError."""
    return _commit(entry_id, _salt_text(salt), _body_bytes(body))


def encode_disclosure(salt: bytes, body: Json) -> bytes:
    """Return the canonical disclosure.

    Raises FormatError for a body no reader could open, or over 256 KiB.
    """
    return _wrap(_body_bytes(body), _salt_text(salt))


def open_disclosure(entry_id: str, commitment: str, raw: bytes) -> Json:
    """Return the body that ``commitment`` in the leaf of ``entry_id`` commits to.

    Raises MeaningError: ``disclosure_too_large``, ``disclosure_not_canonical``, ``disclosure_does_not_open``.
    """
    fields = _read(raw)
    if type(fields) is not dict or fields.keys() != _FIELDS or type(fields["body"]) is not dict:
        raise MeaningError("disclosure_not_canonical")
    _check_salt(fields["salt"])
    # Canonical bytes with exactly these two keys have one layout, so the body is cut out, not written again.
    if _commit(entry_id, fields["salt"], raw[_HEAD:-_TAIL]) != commitment:
        raise MeaningError("disclosure_does_not_open")
    body: Json = fields["body"]
    return body


def peek_disclosure(entry_id: str, commitment: str, raw: bytes) -> bytes:
    """Return the bytes of the body that ``commitment`` commits to, without reading them.

    For bodies that only inform: that they are the committed bytes is proven, that they are canonical is left to whoever
    reads or audits them. Raises MeaningError as ``open_disclosure`` does.
    """
    if len(raw) > DISCLOSURE_LIMIT:
        raise MeaningError("disclosure_too_large")
    salt = raw[-_SALT_TEXT - 2 : -2]
    if raw[:_HEAD] != b'{"body":' or raw[-_TAIL:] != b',"salt":"%b"}' % salt or not salt.isascii():
        raise MeaningError("disclosure_not_canonical")
    if _commit(entry_id, salt.decode(), raw[_HEAD:-_TAIL]) != commitment:
        raise MeaningError("disclosure_does_not_open")
    return raw[_HEAD:-_TAIL]


def disclose_items(entry_id: str, items: Sequence[tuple[bytes, Json]]) -> tuple[list[str], bytes]:
    """Return the item commitments and the disclosure of a batch entry of (salt, item) pairs.

    Raises FormatError.
    """
    commitments = [item_commitment(entry_id, n, salt, item) for n, (salt, item) in enumerate(items)]
    return commitments, encode_items(items)


def item_commitment(entry_id: str, n: int, salt: bytes, item: Json) -> str:
    """Return the commitment of item ``n`` (from 0) of batch entry ``entry_id``. Raises FormatError."""
    return _commit_item(entry_id, n, _salt_text(salt), _body_bytes(item))


def encode_items(items: Sequence[tuple[bytes, Json] | None]) -> bytes:
    """Return the canonical disclosure of a batch; an erased item is None and stands as null.

    Raises FormatError.
    """
    if not 0 < len(items) <= BATCH_ITEMS:
        raise FormatError(f"A batch entry holds 1 to {BATCH_ITEMS} items.")
    rows = [None if pair is None else {"item": pair[1], "salt": _salt_text(pair[0])} for pair in items]
    return _limited(encode({"items": rows}, origins=True))


def open_items(entry_id: str, commitments: Sequence[str], raw: bytes) -> list[Json | None]:
    """Return the items of a batch entry in order, None for one that is erased.

    Raises MeaningError as ``open_disclosure`` does; one item that does not open spoils none but this
    disclosure.
    """
    fields = _read(raw)
    rows = fields.get("items") if type(fields) is dict and len(fields) == 1 else None
    if type(rows) is not list or len(rows) != len(commitments):
        raise MeaningError("disclosure_not_canonical")
    return [
        _open_item(entry_id, n, expected, row) for n, (expected, row) in enumerate(zip(commitments, rows, strict=True))
    ]


def _open_item(entry_id: str, n: int, expected: str, row: Any) -> Json | None:
    if row is None:
        return None
    if type(row) is not dict or row.keys() != _ITEM_FIELDS or type(row["item"]) is not dict:
        raise MeaningError("disclosure_not_canonical")
    _check_salt(row["salt"])
    item: Json = row["item"]
    if _commit_item(entry_id, n, row["salt"], dump(item)) != expected:
        raise MeaningError("disclosure_does_not_open")
    return item


def _read(raw: bytes) -> Any:
    if len(raw) > DISCLOSURE_LIMIT:
        raise MeaningError("disclosure_too_large")
    try:
        return decode(raw, origins=True)
    except FormatError as error:
        raise MeaningError("disclosure_not_canonical") from error


def _check_salt(text: Any) -> None:
    if type(text) is not str or not HASH_TEXT.fullmatch(text):  # a salt is as long as a hash
        raise MeaningError("disclosure_not_canonical")


def _salt_text(salt: bytes) -> str:
    if len(salt) != SALT_BYTES:
        raise FormatError(f"A salt is {len(salt)} bytes long; it must be {SALT_BYTES}.")
    return b64url(salt)


def _body_bytes(body: Json) -> bytes:
    if type(body) is not dict:
        raise FormatError("The body of a disclosure is not an object.")
    return encode(body, origins=True)


def _wrap(body: bytes, salt_text: str) -> bytes:
    return _limited(b'{"body":%b,"salt":"%b"}' % (body, salt_text.encode()))


def _limited(data: bytes) -> bytes:
    if len(data) > DISCLOSURE_LIMIT:
        raise FormatError(f"The disclosure is {len(data)} bytes long; {DISCLOSURE_LIMIT} are allowed.")
    return data


def _commit(entry_id: str, salt_text: str, body: bytes) -> str:
    message = b'["syncd/disclosure/v1","%b","%b",%b]' % (entry_id.encode(), salt_text.encode(), body)
    return b64url(sha256(message).digest())


def _commit_item(entry_id: str, n: int, salt_text: str, item: bytes) -> str:
    message = b'["syncd/item/v1","%b",%d,"%b",%b]' % (entry_id.encode(), n, salt_text.encode(), item)
    return b64url(sha256(message).digest())
