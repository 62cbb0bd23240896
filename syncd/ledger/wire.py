"""The body of an exchange (交换报文): a batch of records, and re-sent disclosures, under zstd.

A batch is ``old <size>``, the proof's lines, a blank line, a checkpoint note, a blank line, the sender's
newest checkpoint note, a blank line, then exactly size - old records: uint16 length and leaf, uint32 length
and disclosure (0 = none), big-endian; end of stream. Up to the first checkpoint it is a C2SP tlog-witness
``add-checkpoint`` body.

Nothing here looks into a leaf: that its bytes are whole is all a receiver needs to hold it.
"""

import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from syncd.ledger.canonical import FormatError, b64, hash_of_base64
from syncd.ledger.checkpoint import parse_checkpoint, parse_size, split_notes
from syncd.ledger.entry import LEAF_LIMIT
from syncd.ledger.notes import parse_note

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STOP_ENTRIES: Final = 512
"""Entries between two stops (停靠点) at most, and so in one batch."""
STOP_BYTES: Final = 2 * 1024 * 1024
"""Bytes of leaves and disclosures after which a stop comes; the entry that passes it still belongs."""
BATCH_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a body, compressed or not: a stop's bytes, one more entry, lengths, proof and lines fit well."""
PROOF_LIMIT: Final = 63
_LEVEL: Final = 1  # of a batch of findings or answers level 3 makes the same size, in a fifth more time
_WINDOW_LOG: Final = 23  # 8 MiB: a frame may not make the receiver reserve more
_LEAF_LENGTH = struct.Struct(">H")
_DISCLOSURE_LENGTH = struct.Struct(">I")


class TooLarge(FormatError):
    """More bytes or records than one step between stops holds; the sender must cut its batch (413)."""


class Record(NamedTuple):
    """One entry on the wire: its leaf, and its canonical disclosure or empty bytes."""

    leaf: bytes
    disclosure: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """A decoded body. ``checkpoint`` and ``newest`` are note bytes; nothing in it is verified yet."""

    old: int
    proof: list[bytes]
    checkpoint: bytes
    newest: bytes
    records: list[Record]


def encode_records(records: Iterable[Record]) -> bytes:
    """Return the records' bytes. Raises FormatError for a leaf that no receiver takes."""
    parts: list[bytes] = []
    for record in records:
        if len(record.leaf) > LEAF_LIMIT:
            raise FormatError(f"A leaf is longer than {LEAF_LIMIT} bytes.")
        parts += (
            _LEAF_LENGTH.pack(len(record.leaf)),
            record.leaf,
            _DISCLOSURE_LENGTH.pack(len(record.disclosure)),
            record.disclosure,
        )
    return b"".join(parts)


def decode_records(raw: bytes, start: int = 0) -> list[Record]:
    """Return all records from ``start`` to the end.

    Raises FormatError, TooLarge for more than 512 of them.
    """
    records: list[Record] = []
    at, end = start, len(raw)
    try:
        while at < end:
            (length,) = _LEAF_LENGTH.unpack_from(raw, at)
            middle = at + 2 + length
            (more,) = _DISCLOSURE_LENGTH.unpack_from(raw, middle)
            leaf = raw[at + 2 : middle]
            at = middle + 4 + more
            if length > LEAF_LIMIT:
                raise FormatError(f"A leaf is longer than {LEAF_LIMIT} bytes.")
            if at > end:
                raise FormatError("The records are cut off.")
            records.append(Record(leaf, raw[middle + 4 : at]))
            if len(records) > STOP_ENTRIES:
                raise TooLarge(f"There are more than {STOP_ENTRIES} records; send one step between stops.")
    except struct.error as error:
        raise FormatError("The records are cut off.") from error
    return records


def encode_batch(
    old: int, proof: Sequence[bytes], checkpoint_note: bytes, newest_note: bytes, records_bytes: bytes
) -> bytes:
    """Return the body that moves a receiver from ``old`` to the size of ``checkpoint_note``."""
    return b"".join((_head(old, proof), checkpoint_note, b"\n", newest_note, b"\n", records_bytes))


def decode_batch(raw: bytes) -> Batch:
    """Return the parts of a body.

    Raises FormatError for anything that is not exactly the form, TooLarge over limits.
    """
    if len(raw) > BATCH_LIMIT:
        raise TooLarge(f"The body is longer than {BATCH_LIMIT} bytes.")
    old, proof, at = _parse_head(raw)
    (checkpoint, newest), at = split_notes(raw, at, 2)
    size = parse_checkpoint(parse_note(checkpoint).text).size
    if size < old:
        raise FormatError(f"The checkpoint's size {size} is below the old size {old}.")
    if size - old > STOP_ENTRIES:
        raise TooLarge(f"There are more than {STOP_ENTRIES} records; send one step between stops.")
    records = decode_records(raw, at)
    if len(records) != size - old:
        raise FormatError(f"The body holds {len(records)} records where {size - old} are announced.")
    return Batch(old, proof, checkpoint, newest, records)


def encode_add_checkpoint(old: int, proof: Sequence[bytes], checkpoint_note: bytes) -> bytes:
    """Return the body of C2SP tlog-witness ``add-checkpoint``."""
    return _head(old, proof) + checkpoint_note


def decode_add_checkpoint(raw: bytes) -> tuple[int, list[bytes], bytes]:
    """Return old size, proof and checkpoint note of an ``add-checkpoint`` body. Raises FormatError."""
    old, proof, at = _parse_head(raw)
    return old, proof, raw[at:]


def encode_resend(disclosures: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return re-sent disclosures: 32-byte leaf hash, uint32 length, disclosure, repeated."""
    return b"".join([leaf + _DISCLOSURE_LENGTH.pack(len(disclosure)) + disclosure for leaf, disclosure in disclosures])


def decode_resend(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Return (leaf hash, disclosure) pairs. Raises FormatError, TooLarge over the body's limit."""
    if len(raw) > BATCH_LIMIT:
        raise TooLarge(f"The body is longer than {BATCH_LIMIT} bytes.")
    found, at = [], 0
    while at < len(raw):
        if at + 36 > len(raw):
            raise FormatError("The disclosures are cut off.")
        (length,) = _DISCLOSURE_LENGTH.unpack_from(raw, at + 32)
        end = at + 36 + length
        if end > len(raw):
            raise FormatError("The disclosures are cut off.")
        found.append((raw[at : at + 32], raw[at + 36 : end]))
        at = end
    return found


def compress(data: bytes) -> bytes:
    """One zstd frame (RFC 8878)."""
    return zstd.compress(data, _LEVEL)


def decompress(data: bytes, limit: int = BATCH_LIMIT) -> bytes:
    """Return the content of exactly one zstd frame.

    Raises TooLarge as soon as ``limit`` bytes are passed, whatever the frame's header says; FormatError for
    anything else: no frame, a cut one, bytes after it, a window over 8 MiB.
    """
    options = {int(zstd.DecompressionParameter.window_log_max): _WINDOW_LOG}
    try:
        stream = zstd.ZstdDecompressor(options=options)
        content: bytes = stream.decompress(data, limit + 1)
    except zstd.ZstdError as error:
        raise FormatError("The body is not a zstd frame this node reads.") from error
    if len(content) > limit:
        raise TooLarge(f"The body holds more than {limit} bytes.")
    if not stream.eof or stream.unused_data:
        raise FormatError("The body is cut off, or bytes follow its end.")
    return content


def _head(old: int, proof: Sequence[bytes]) -> bytes:
    return "".join((f"old {old}\n", *(f"{b64(step)}\n" for step in proof), "\n")).encode()


def _parse_head(raw: bytes) -> tuple[int, list[bytes], int]:
    """Old size, proof and the position after the blank line."""
    end = raw.find(b"\n\n", 0, 4096)
    if end < 0 or not raw.startswith(b"old "):
        raise FormatError("The body does not begin with the line old <size>, the proof and a blank line.")
    try:
        first, *steps = raw[4:end].decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("The body's first lines are not ASCII.") from error
    if len(steps) > PROOF_LIMIT:
        raise FormatError(f"A proof has more than {PROOF_LIMIT} hashes.")
    return parse_size(first), [hash_of_base64(step) for step in steps], end + 2
