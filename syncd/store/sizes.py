"""The signed sizes (已签规模): what this node has put its name to, in a file outside the database.

Before a signature or countersignature leaves, ``{origin, size, root}`` is synced to this file, for every log
this node signs or countersigns. If the database comes back older than that (a restored backup, a lost disk),
the start-up comparison sees it, and the node does not sign a second history.

The file grows by one line a record, each with its own checksum; opening it keeps the newest line of each log
and replaces the file in one step. A line torn at the end by a crash has no newline and belongs to a signature that
never left, so it is dropped. A line with its newline was written whole, and is damage wherever it stands if its
checksum is another: then nothing is signed until every member has told what it last countersigned.
"""

import os
import re
import threading
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from syncd.errors import NeedsPerson, Stop

_HEADER: Final = b"syncd signed sizes v1\n"
_LINE = re.compile(rb"([^\s]+) (0|[1-9][0-9]{0,15}) ([0-9a-f]{64}) ([0-9a-f]{16})", re.ASCII)
_EMPTY_ROOT = sha256(b"").digest()
_LINES_KEPT = 10_000


class SignedSize(NamedTuple):
    """The largest size of a log that this node has signed or countersigned, and the root it signed there."""

    origin: str
    size: int
    root: bytes


class SignedSizes:
    """The file, open for recording. Usable from several threads; one process only (the daemon's lock sees to it)."""

    def __init__(self, path: Path) -> None:
        """Read the file at ``path``. Raises Stop if it is missing or damaged."""
        self._path = path
        self._lock = threading.Lock()
        self._broken = False
        self._newest = _read(path)
        self._file, self._lines = _replace(path, self._newest.values()), 0

    @classmethod
    def create(cls, path: Path, origins: Iterable[str] = ()) -> "SignedSizes":
        """Make the file with each of ``origins`` at size 0. Raises NeedsPerson if it exists."""
        if path.exists():
            raise NeedsPerson(
                f"There is a file of signed sizes at {path} already, and it was left as it is. "
                "It belongs to keys that have signed: keep both, or choose another folder."
            )
        os.close(_replace(path, [SignedSize(origin, 0, _EMPTY_ROOT) for origin in origins]))
        return cls(path)

    @classmethod
    def anew(cls, path: Path) -> "SignedSizes":
        """Make the file where it is missing; a damaged one is kept beside it."""
        if path.exists():
            os.replace(path, path.with_name(path.name + ".damaged"))
        return cls.create(path)

    def get(self, origin: str) -> SignedSize | None:
        """The newest signed size of a log, or None if this node never signed it."""
        return self._newest.get(origin)

    def all(self) -> list[SignedSize]:
        """The newest signed size of every log."""
        return list(self._newest.values())

    def record(self, origin: str, size: int, root: bytes) -> None:
        """Sync one size to disk; only then may the signature leave. Raises as ``record_many``."""
        self.record_many([SignedSize(origin, size, root)])

    def record_many(self, signed: Sequence[SignedSize]) -> None:
        """Sync several sizes with one write, in their order; what is recorded already costs nothing.

        Raises Stop, and records none of them, if a size goes down, a size has another root, or the disk
        fails.
        """
        with self._lock:
            if self._broken:
                raise self._not_written("an earlier write failed")
            newest = dict(self._newest)
            fresh = [item for item in signed if _admit(newest, item)]
            if fresh:
                self._append(fresh)
                self._newest = newest

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _append(self, fresh: Sequence[SignedSize]) -> None:
        data = b"".join([_line(item) for item in fresh])
        try:
            if self._lines > _LINES_KEPT:
                os.close(self._file)
                self._file, self._lines = _replace(self._path, self._newest.values()), 0
            if os.write(self._file, data) != len(data):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as error:
            # After a failed sync nobody knows what is on the disk, so no later line may stand behind this
            # one.
            self._broken = True
            raise self._not_written(error.strerror or str(error)) from error
        self._lines += len(fresh)

    def _not_written(self, reason: str) -> Stop:
        return Stop(
            f"The file of signed sizes {self._path} could not be written ({reason}). The signature did not "
            "leave. Look at the disk, then start again."
        )


def _admit(newest: dict[str, SignedSize], item: SignedSize) -> bool:
    """Put ``item`` into ``newest``; False if it stands there. Raises Stop for a size going down or a second root."""
    known = newest.get(item.origin)
    if known is not None and (item.size < known.size or (item.size == known.size and item.root != known.root)):
        raise Stop(
            f"This node was about to sign {item.origin} at size {item.size}, but it has signed size "
            f"{known.size} before, and the two exclude each other. Nothing was signed. The database is "
            "older than the signatures, or it was altered: restore it, and fetch the missing entries back "
            "from the peers."
        )
    newest[item.origin] = item
    return item != known


def _read(path: Path) -> dict[str, SignedSize]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise Stop(
            f"The file of signed sizes {path} is missing, so this node cannot know what it has signed. "
            "Nothing is signed without it. Put it back, or ask every member for the size it last "
            "countersigned."
        ) from error
    if not data.startswith(_HEADER):
        raise _damaged(path, 1)
    *lines, tail = data[len(_HEADER) :].split(b"\n")
    newest: dict[str, SignedSize] = {}
    for number, line in enumerate(lines, 2):
        item = _parse(line)
        if item is None:
            raise _damaged(path, number)
        _admit(newest, item)
    whole = _LINE.match(tail)
    if whole is not None and whole.end() < len(tail) and _parse(whole[0]) is not None:
        raise _damaged(path, len(lines) + 2)  # a whole line, and another byte in the place of its newline
    return newest


def held_in(path: Path) -> list[SignedSize]:
    """What a file says, read beside whoever writes it. Raises Stop if it is missing or damaged."""
    return list(_read(path).values())


def _parse(line: bytes) -> SignedSize | None:
    match = _LINE.fullmatch(line)
    if match is None or _checksum(line[:-17]) != match[4]:
        return None
    return SignedSize(match[1].decode(), int(match[2]), bytes.fromhex(match[3].decode()))


def _line(item: SignedSize) -> bytes:
    content = f"{item.origin} {item.size} {item.root.hex()}".encode()
    return content + b" " + _checksum(content) + b"\n"


def _checksum(content: bytes) -> bytes:
    return sha256(content).hexdigest()[:16].encode()


def _replace(path: Path, items: Iterable[SignedSize]) -> int:
    """Write a new file beside the old one, sync it, and put it in its place: one of them is always whole.

    Returns the new file's handle, open for writing at its end.
    """
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, _HEADER + b"".join([_line(item) for item in items]))
        os.fsync(handle)
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError:
        os.close(handle)
        raise
    return handle


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that a file just made or renamed in it is still there after a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(path: Path, line: int) -> Stop:
    return Stop(
        f"The file of signed sizes {path} is damaged at line {line}: it does not have the checksum it was written "
        "with. Nothing is signed without the file. Put its newest whole copy back; or start the node, which then "
        "asks every member for the size it last countersigned, and keeps this file beside a new one."
    )
