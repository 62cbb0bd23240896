"""When a file is whole 写完整 and may be read: a half-written one never is.

``renamed``: the bureau writes under another name and renames. ``settled``: two looks, ``settle_seconds`` apart, show
the same size and time. ``ok``: a file ``NAME.ok`` (or with ``.ok`` for its ending) is there, no older than the file.
``manifest``: ``NAME.manifest.json`` (``{"sha256": …}``) or ``NAME.sha256`` says what its content must come to.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import orjson

from adapters.base import FILE, RowFault
from adapters.folder import PART_FILE, Folder, FolderPart, Look
from adapters.modes import Files

OK, MANIFEST, SUM = ".ok", ".manifest.json", ".sha256"
BESIDE = (OK, MANIFEST, SUM, PART_FILE, ".tmp", ".filepart")
"""Endings of what stands beside files, or is being written; never read as a table."""
OVERDUE_SECONDS = 3_600.0
_HEX = re.compile(r"\b[0-9a-fA-F]{64}\b", re.ASCII)
_LARGEST = 65_536

OVERDUE = RowFault(
    FILE, "not_whole", "The file waits for its .ok or manifest for an hour; it is read as soon as that is there."
)
DIFFERENT = RowFault(
    FILE, "checksum", "The file is not what its manifest says. The source must send it again; nothing of it was read."
)


class Whole:
    """Looks at the files of one part of a folder again and again, and remembers what it saw."""

    def __init__(self, files: Files, folder: Folder, part: FolderPart, clock: Callable[[], float] = time.monotonic):
        self._files, self._folder, self._part, self._clock = files, folder, part, clock
        self._since: dict[str, tuple[tuple[int, int, int], float]] = {}

    def asks(self, look: Look, beside: Mapping[str, Look]) -> bool | RowFault:
        """Whether a file may be read now; a fault where it has waited for an hour. ``beside``: all that lies there."""
        stamp, since = self._since.get(look.name, ((), 0.0))
        if stamp != look.stamp:
            self._since[look.name] = (look.stamp, since := self._clock())
        lain = self._clock() - since
        if self._files.whole == "renamed":
            return True
        if self._files.whole == "settled":
            return lain >= self._files.settle_seconds
        if self._files.whole == "ok":
            marks = (look.name + OK, PurePosixPath(look.name).stem + OK)
            there = any(beside[mark].changed >= look.changed for mark in marks if mark in beside)
        else:
            there = any(look.name + ending in beside for ending in (MANIFEST, SUM))
        return there or (OVERDUE if lain >= OVERDUE_SECONDS else False)

    def fits(self, look: Look, sha256: str) -> bool | RowFault:
        """Whether the content is what a manifest says; a fault where it is another and nobody writes any more."""
        if self._files.whole != "manifest" or sha256 in self._said(look.name):
            return True
        _, since = self._since.get(look.name, ((), self._clock()))
        return DIFFERENT if self._clock() - since >= self._files.settle_seconds else False

    def forget(self, names: set[str]) -> None:
        """Forget files that are gone."""
        self._since = {name: seen for name, seen in self._since.items() if name in names}

    def _said(self, name: str) -> list[str]:
        said = []
        for ending in (MANIFEST, SUM):
            try:
                with self._folder.read(self._part, name + ending) as file:
                    content = file.read(_LARGEST)
                text = orjson.loads(content)["sha256"] if ending == MANIFEST else content.decode("ascii")
                said += [found.lower() for found in _HEX.findall(text)]
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return said
