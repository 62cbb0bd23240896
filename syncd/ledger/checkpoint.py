"""Checkpoints (检查点): origin, size and root of a log in exactly three lines (C2SP tlog-checkpoint).

Members' logs refuse extension lines, so a checkpoint note can be read forward, and several can follow one
another.
"""

import re
from dataclasses import dataclass

from syncd.ledger.canonical import FormatError, b64, hash_of_base64
from syncd.ledger.notes import LINES_LIMIT, NOTE_LIMIT

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)  # int() alone takes '1_000', ' 7 ' and '٣'
_SIZE_LIMIT = 1 << 53
_ORIGIN = re.compile("[^\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one log: ``size`` entries whose RFC 6962 root is ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the three lines, each with its newline: the text that is signed."""
    if len(checkpoint.root) != 32 or not 0 <= checkpoint.size < _SIZE_LIMIT or not _ORIGIN.fullmatch(checkpoint.origin):
        raise FormatError("A checkpoint needs an origin, a size below 2^53 and a root of 32 bytes.")
    return f"{checkpoint.origin}\n{checkpoint.size}\n{b64(checkpoint.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the content of exactly three lines. Raises FormatError, for an extension line as well."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not _ORIGIN.fullmatch(lines[0]):
        raise FormatError("A checkpoint is exactly three lines: origin, size, root; extension lines are refused.")
    return Checkpoint(lines[0], parse_size(lines[1]), hash_of_base64(lines[2]))


def parse_size(text: str) -> int:
    """A log size in its only decimal form, below 2^53. Raises FormatError."""
    if not _SIZE.fullmatch(text) or int(text) >= _SIZE_LIMIT:
        raise FormatError("A size is not a decimal number in its only form, or not below 2^53.")
    return int(text)


def split_notes(data: bytes, start: int, count: int) -> tuple[list[bytes], int]:
    """Cut ``count`` checkpoint notes, each followed by a blank line, out of ``data`` from ``start`` on.

    Return the notes (without that blank line) and the position after it. Raises FormatError. A single note's
    text ends at its *last* blank line; here the three-line text makes its first blank line the right one.
    """
    notes = []
    for _ in range(count):
        end = _note_end(data, start)
        notes.append(data[start:end])
        start = end + 1
    return notes, start


def _note_end(data: bytes, start: int) -> int:
    """Position just after a note's last signature line, which a blank line follows."""
    at, lines = start, 0
    while True:
        stop = data.find(b"\n", at, start + NOTE_LIMIT)
        if stop < 0:
            raise FormatError("A checkpoint is cut off or too long.")
        blank = stop == at
        if blank and lines > 4:
            return at
        if blank != (lines == 3) or lines > LINES_LIMIT + 4:
            raise FormatError("A checkpoint is not three lines, a blank line and its signatures.")
        at, lines = stop + 1, lines + 1
