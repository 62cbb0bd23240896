"""Signed notes (签名便笺) of C2SP signed-note, and cosignatures (会签) of tlog-cosignature.

A note is a text, a blank line, and lines ``— <name> <base64(key id || signature)>``. Two key types are ours:
0x01 signs the text itself (a log's own key); 0x04 is a cosignature/v1 over the text with a time, given by the
key that countersigns (回执: all entries below this size are stored here). Lines of unknown keys, an SM2 line
among them, are kept and ignored; a line of a known key that does not verify spoils the note.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from syncd.errors import Refuse
from syncd.ledger.canonical import FormatError, b64, unb64

LOG_KEY: Final = 0x01
"""Note type of a log's key: Ed25519 over the text."""
COSIGNATURE_KEY: Final = 0x04
"""Note type of a receipt or witness key: cosignature/v1."""
NOTE_LIMIT: Final = 64 * 1024
LINES_LIMIT: Final = 100

_DASH = "— "
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_SIGNATURE_BYTES = 64


class BadSignature(Refuse):
    """A line that a known key should have made and did not make, or a note without the line it must have."""


@dataclass(frozen=True, slots=True)
class Note:
    """``text`` ends in a newline; ``lines`` are the signature lines without theirs, known or not."""

    text: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key by which lines are checked. Build it with ``parse``."""

    name: str
    kind: int
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.kind not in (LOG_KEY, COSIGNATURE_KEY) or len(self.public_key) != 32:
            raise FormatError("A note key has a name without blanks and +, type 1 or 4, and 32 bytes of Ed25519.")
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.public_key))

    @classmethod
    def parse(cls, vkey: str) -> "NoteVerifier":
        """Read ``<name>+<8 hex of the key id>+<base64(type || key)>``. Raises FormatError."""
        match = _VKEY.fullmatch(vkey)
        if match is None:
            raise FormatError("The key is not of the form name+id+base64.")
        data = unb64(match[3])
        found = cls(match[1], data[0] if data else 0, data[1:])
        if found.key_id.hex() != match[2]:
            raise FormatError("The key's id does not belong to its name and bytes; it was mistyped or altered.")
        return found

    @property
    def vkey(self) -> str:
        """The key in its text form, as it stands in member files and policies."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.kind]) + self.public_key)}"

    def made(self, line: str) -> bool:
        """Whether name and key id of ``line`` are this key's; says nothing about the signature.

        Raises FormatError.
        """
        name, key_id, _ = read_line(line)
        return name == self.name and key_id == self.key_id

    def verify(self, text: str, line: str) -> int | None:
        """Return the Unix seconds of a cosignature, None for a log's own line.

        Raises BadSignature, FormatError.
        """
        name, key_id, signature = read_line(line)
        if name != self.name or key_id != self.key_id:
            raise BadSignature("The signature line was made by another key.")
        time, message = None, text
        if self.kind == COSIGNATURE_KEY:
            time = int.from_bytes(signature[:8], "big")
            signature, message = signature[8:], _cosigned(text, time)
        try:
            if len(signature) != _SIGNATURE_BYTES or (time or 0) >= 1 << 63:
                raise InvalidSignature
            _ask_signature(self.public_key, signature, message)
        except InvalidSignature as error:
            raise BadSignature(f"A line in the name of {name} was not made by its key over this text.") from error
        return time


@lru_cache(maxsize=512)
def _ask_signature(public_key: bytes, signature: bytes, message: str) -> None:
    """Raise InvalidSignature unless it holds. What held is remembered: one line is met several times on its way."""
    _loaded(public_key).verify(signature, message.encode())


@lru_cache(maxsize=64)
def _loaded(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


class NoteSigner:
    """A private key that makes lines.

    ``kind`` is LOG_KEY or COSIGNATURE_KEY; a key never serves two roles.
    """

    __slots__ = ("_private_key", "verifier")

    def __init__(self, name: str, private_key: Ed25519PrivateKey, kind: int) -> None:
        public = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier = NoteVerifier(name, kind, public)
        self._private_key = private_key

    @property
    def name(self) -> str:
        """The key's name: the origin for a log, ``<agreement id>/<code>/receipt`` for a receipt key."""
        return self.verifier.name

    @property
    def vkey(self) -> str:
        """The public half in its text form."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """Return the line of a log's own key over ``text``."""
        if self.verifier.kind != LOG_KEY:
            raise FormatError("A receipt or witness key signs only cosignatures.")
        return self._line(self._private_key.sign(text.encode()))

    def cosign(self, checkpoint_text: str, unix_seconds: int) -> str:
        """Return the cosignature line over a checkpoint. What it covers must be stored and synced before."""
        if self.verifier.kind != COSIGNATURE_KEY:
            raise FormatError("A log's key signs only its own checkpoints.")
        message = _cosigned(checkpoint_text, unix_seconds).encode()
        return self._line(unix_seconds.to_bytes(8, "big") + self._private_key.sign(message))

    def _line(self, signature: bytes) -> str:
        return f"{_DASH}{self.verifier.name} {b64(self.verifier.key_id + signature)}"


def parse_note(data: bytes) -> Note:
    """Return text and lines, split at the last blank line.

    Raises FormatError for everything but the exact form.
    """
    text = _note_text(data)
    at = text.rfind("\n\n")
    if at < 0 or not text.endswith("\n"):
        raise FormatError("A note has no blank line before its signatures, or no newline at its end.")
    lines = tuple(text[at + 2 : -1].split("\n"))  # never splitlines: it also splits on U+2028 and U+0085
    if len(lines) > LINES_LIMIT:
        raise FormatError(f"A note has more than {LINES_LIMIT} signature lines.")
    for line in lines:
        read_line(line)
    return Note(text[: at + 1], lines)


def format_note(text: str, lines: Iterable[str]) -> bytes:
    """Return the bytes of a note of ``text`` (ends in a newline) and signature lines."""
    return "".join((text, "\n", *(f"{line}\n" for line in lines))).encode()


def verify_note(note: Note, verifier: NoteVerifier) -> int | None:
    """Check every line of ``verifier`` in ``note``; return the first one's time (None for a log's own line).

    Raises BadSignature if there is none, or one is wrong.
    """
    times = [verifier.verify(note.text, line) for line in note.lines if verifier.made(line)]
    if not times:
        raise BadSignature(f"The note carries no line of {verifier.name}.")
    return times[0]


def same_key(one: str, other: str) -> bool:
    """Whether two signature lines bear the same name and key id, whatever they sign. Raises FormatError."""
    return read_line(one)[:2] == read_line(other)[:2]


def _note_text(data: bytes) -> str:
    if len(data) > NOTE_LIMIT:
        raise FormatError(f"A note is longer than {NOTE_LIMIT} bytes.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("A note is not UTF-8.") from error
    if _CONTROL.search(text):
        raise FormatError("A note holds a control character.")
    return text


@lru_cache(maxsize=512)
def read_line(line: str) -> tuple[str, bytes, bytes]:
    """Name, key id and signature bytes of a signature line, by whatever key. Raises FormatError.

    What was read is remembered: each key of a policy asks of each line whether it is its own.
    """
    match = _LINE.fullmatch(line)
    data = unb64(match[2]) if match else b""
    if match is None or len(data) < 5:
        raise FormatError("A signature line is not of the form — name base64.")
    return match[1], data[:4], data[4:]


def _key_id(name: str, kind: int, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


def _cosigned(text: str, unix_seconds: int) -> str:
    return f"cosignature/v1\ntime {unix_seconds}\n{text}"
