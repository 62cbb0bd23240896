"""A lane 通道: the cursor over all files of one kind in a folder, each read once and in the order of names.

A file is known by its name and content. So one that is replaced under its name is read again, one that comes late
under an early name is not missed, and one that was only touched is not read twice. Where files are moved once they were
read, ``done/`` belongs to the lane: a file keeps its place in the order, and all of it can be read again.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from adapters.base import FILE, Json, RowFault, SourceError
from adapters.csvtext import Layout
from adapters.done import Done, Seen
from adapters.folder import Folder, FolderPart, Look, Missing
from adapters.heading import Line
from adapters.modes import Files
from adapters.tablefile import read_table
from adapters.whole import BESIDE, Whole

TOKENS_KEPT = 80
"""Files a cursor names one by one; earlier ones are kept as one digest, so it stays far below 4 KiB."""

_CHUNK = 1 << 20
_MOVED = re.compile(r"(.*)~([0-9a-f]{12})(\.[^.]*)", re.DOTALL)
_UNREADABLE = RowFault(
    FILE, "no_access", "The node may not read the file, or it is no file. The source must put it there again."
)


class Lane:
    """Files of one kind; ``begun`` names those whose reading began with the last ``read``.

    The state is ``{"older": [n, digest], "done": [token, …], "at": [token, offset]}``. The first n files, by name, are
    done as long as their joint digest holds. If one of them is replaced or removed, all n are read again, which costs
    time and changes nothing: a row that did not change is known by its keyed hash, an old version by its stamp.
    """

    def __init__(
        self, folder: Folder, part: FolderPart, pattern: str, files: Files, layout: Layout, tidy: bool
    ) -> None:
        self._folder, self._part, self._pattern, self._layout = folder, part, pattern, layout
        self._whole = Whole(files, folder, part)
        self._moved = files.done == "moved"
        self._done = Done(folder, part) if self._moved and tidy else None
        self._seen: dict[tuple[FolderPart, str], Seen] = {}
        self._open: tuple[str, int, Iterator[Line]] | None = None
        self.begun: list[str] = []

    def read(self, state: Json | None, room: int) -> tuple[list[Line], Json, bool]:
        """At most ``room`` lines behind the state; the state behind them; whether more can be read now."""
        files = self._look_around()
        older, done = _known(state or {}, files)
        if self._done is not None:
            files = self._done.tidied(files, done)
        token, offset = (state or {}).get("at") or ("", 0)
        lines: list[Line] = []
        self.begun = []
        at: list[Any] | None = None
        for file in files:
            if file.token in done:
                continue
            start = offset if file.token == token else 0
            if not start:
                self.begun.append(file.name)
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
        """The files now there that may be read, by name. Content is read only where size, time or number changed."""
        beside = {look.name: look for look in self._folder.list(self._part)}
        files = [seen for look in beside.values() if self._is_ours(look.name) and (seen := self._look(look, beside))]
        if self._moved:
            files += self._looked_back()
        self._whole.forget(set(beside))
        self._seen = {(file.part, file.look.name): file for file in files}
        return sorted(files, key=lambda file: (file.name, file.part != "done", file.look.changed, file.token))

    def _is_ours(self, name: str) -> bool:
        return fnmatchcase(name, self._pattern) and not name.endswith(BESIDE) and not name.startswith((".", "~$"))

    def _look(self, look: Look, beside: dict[str, Look]) -> Seen | None:
        """A file as it is now; None while it is not whole."""
        known = self._seen.get((self._part, look.name))
        if known is not None and known.look.stamp == look.stamp and known.fault is None:
            return known
        asked = self._whole.asks(look, beside)
        if isinstance(asked, RowFault):
            return self._faulty(look, asked)
        if not asked:
            return None
        try:
            sha256 = self._sum(look)
        except FileNotFoundError:  # removed since the listing
            return None
        except (PermissionError, IsADirectoryError):
            return self._faulty(look, _UNREADABLE)
        except OSError as error:
            raise self._unread(self._part, error) from None
        fits = self._whole.fits(look, sha256)
        if isinstance(fits, RowFault):
            return self._faulty(look, fits)
        token = _short(look.name.encode("utf-8", "surrogateescape") + b"\0" + sha256.encode())
        return Seen(look.name, self._part, look, token, sha256) if fits else None

    def _sum(self, look: Look) -> str:
        if not look.regular:
            raise IsADirectoryError
        total = hashlib.sha256()
        with self._folder.read(self._part, look.name) as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
        return total.hexdigest()

    @staticmethod
    def _unread(part: FolderPart, error: OSError) -> SourceError:
        return SourceError(f"A file of {part}/ could not be read ({type(error).__name__}); it is read again.", True)

    def _faulty(self, look: Look, fault: RowFault) -> Seen:
        """A file that is shown as a fault, once for each time it is written."""
        token = _short(repr((look.name, look.stamp, fault.reason)).encode())
        return Seen(look.name, self._part, look, token, fault=fault)

    def _looked_back(self) -> Iterator[Seen]:
        """Files that were moved: their names hold their token.

        Where ``done/`` is there and cannot be listed, nothing is read: its rows would seem to have vanished.
        """
        try:
            looks = self._folder.list("done")
        except Missing:
            return  # nothing was moved yet
        for look in looks:
            if (parts := _MOVED.fullmatch(look.name)) and self._is_ours(parts[1] + parts[3]):
                yield Seen(parts[1] + parts[3], "done", look, parts[2])

    def _take(self, file: Seen, start: int, room: int) -> list[Line]:
        """Up to ``room`` lines from ``start``; a file that is open goes on where its last page ended."""
        if file.fault is not None:
            return [Line(file.name, {}, file.fault)][start : start + room]
        if self._open is not None and self._open[:2] == (file.token, start):
            lines = self._open[2]
        else:
            opened = lambda: self._folder.read(file.part, file.look.name)  # noqa: E731
            lines = islice(read_table(file.name, opened, self._layout), start, None)
        self._open = None
        try:
            taken = list(islice(lines, room))
        except OSError as error:
            raise self._unread(file.part, error) from None
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


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
