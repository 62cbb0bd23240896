"""A lane 通道: the cursor over all files of one kind in a folder, each read once and in the order of names.

A file is known by its name and content. So one that is replaced under its name is read again, one that comes late
under an early name is not missed, and one that was only touched is not read twice.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from adapters.base import Json, SourceError
from adapters.csvtext import Line, find_encoding, read_lines

TOKENS_KEPT = 80
"""Files a cursor names one by one; earlier ones are kept as one digest, so it stays far below 4 KiB."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was looked at: ``token`` stands for name and content; no ``encoding``, nobody can read it."""

    path: Path
    stamp: tuple[int, int, int]
    token: str
    encoding: str | None


class Lane:
    """Files of one kind. ``key`` is the column that every header must have.

    The state is ``{"older": [n, digest], "done": [token, …], "at": [token, offset]}``. The first n files, by name, are
    done as long as their joint digest holds. If one of them is replaced or removed, all n are read again, which costs
    time and changes nothing: a row that did not change is known by its keyed hash, an old version by its stamp.
    """

    def __init__(self, folder: Path, pattern: str, key: str, encodings: Sequence[str]) -> None:
        self._folder, self._pattern, self._key, self._encodings = folder, pattern, key, encodings
        self._seen: dict[str, Seen] = {}
        self._open: tuple[str, int, Iterator[Line]] | None = None

    def read(self, state: Json | None, room: int) -> tuple[list[Line], Json, bool]:
        """At most ``room`` lines behind the state; the state behind them; whether more can be read now."""
        files = self._look_around()
        older, done = _known(state or {}, files)
        token, offset = (state or {}).get("at") or ("", 0)
        lines: list[Line] = []
        at: list[Any] | None = None
        for file in files:
            if file.token in done:
                continue
            start = offset if file.token == token else 0
            taken = self._take(file, start, room - len(lines))
            lines += taken
            if len(lines) >= room:  # the file may have ended here too; the next reading will see
                at = [file.token, start + len(taken)]
                break
            done.add(file.token)
        return lines, _state(older, files, done, at), at is not None

    def close(self) -> None:
        """Let go of a file read in part; the state says where to go on."""
        self._open = None

    def _look_around(self) -> list[Seen]:
        """The files now there, by name. Their content is read only where size, time or inode changed."""
        if not self._folder.is_dir():
            sentence = f"The folder {self._folder.name}/ of the source is not there; is the share mounted?"
            raise SourceError(f"{sentence} It is looked for again.", transient=True)
        files = []
        for path in sorted(self._folder.glob(self._pattern)):
            with suppress(FileNotFoundError):  # removed since the listing
                files.append(self._look(path))
        self._seen = {file.path.name: file for file in files if file.encoding}
        return files

    def _look(self, path: Path) -> Seen:
        stat = path.stat()
        stamp = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        known = self._seen.get(path.name)
        if known is not None and known.stamp == stamp:
            return known
        token = hashlib.sha256(path.name.encode("utf-8", "surrogateescape") + b"\0")
        try:
            with path.open("rb") as file:
                encoding = find_encoding(file, self._encodings)
                file.seek(0)
                while chunk := file.read(_CHUNK):
                    token.update(chunk)
        except (PermissionError, IsADirectoryError):
            encoding = None
        return Seen(path, stamp, token.hexdigest()[:12], encoding)

    def _take(self, file: Seen, start: int, room: int) -> list[Line]:
        """Up to ``room`` lines from ``start``; a file that is open goes on where its last page ended."""
        if self._open is not None and self._open[:2] == (file.token, start):
            lines = self._open[2]
        else:
            lines = islice(read_lines(file.path, file.encoding, self._key), start, None)
        self._open = None
        try:
            taken = list(islice(lines, room))
        except OSError as error:
            why = f"({type(error).__name__})"
            sentence = f"A file of {self._folder.name}/ could not be read {why}; it is read again."
            raise SourceError(sentence, transient=True) from None
        if len(taken) == room:
            self._open = (file.token, start + room, lines)
        return taken


def _known(state: Json, files: Sequence[Seen]) -> tuple[int, set[str]]:
    """How many of the first files are done as a whole, and the tokens of all that are done."""
    tokens = [file.token for file in files]
    count, digest = state.get("older") or (0, "")
    if len(tokens) < count or (count and _joint(tokens[:count]) != digest):
        count = 0
    return count, set(tokens[:count]).union(state.get("done") or ())


def _state(older: int, files: Sequence[Seen], done: set[str], at: list[Any] | None) -> Json:
    """The new state: only files still there, the first ones folded into one digest when they are many."""
    tokens = [file.token for file in files]
    kept = [token for token in tokens[older:] if token in done]
    while len(kept) > TOKENS_KEPT and tokens[older] in done:
        del kept[0]
        older += 1
    return {"older": [older, _joint(tokens[:older])] if older else None, "done": kept, "at": at}


def _joint(tokens: Iterable[str]) -> str:
    return hashlib.sha256("".join(tokens).encode()).hexdigest()[:16]
