"""Files that were read 已处理 are moved to ``done/`` with a record of their checksum.

A file is moved when the cursor comes back that says it is done, so after what was read of it is stored. Its new name
holds the token by which the lane knows it. The record is put first: a crash between the two moves the file again.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import orjson

from adapters.base import RowFault, SourceError
from adapters.folder import Folder, FolderPart, Look
from adapters.whole import MANIFEST, OK, SUM


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was looked at: ``token`` stands for name and content; with a fault it is not read."""

    name: str
    part: FolderPart
    look: Look
    token: str
    sha256: str = ""
    fault: RowFault | None = None


class Done:
    """Moves files of one part; a file that cannot be moved stays, and is not read twice for that."""

    def __init__(self, folder: Folder, part: FolderPart) -> None:
        self._folder, self._part = folder, part
        self._stuck: set[str] = set()

    def tidied(self, files: Sequence[Seen], done: set[str]) -> list[Seen]:
        """The files as they lie after those that are done were moved; the order stays.

        They are listed once more right before: one that was written again since it was looked at is another file, which
        under its old token nobody would read.
        """
        over = {file.token for file in files if file.part != "done" and file.fault is None and file.token in done}
        over -= self._stuck
        now = {look.name: look.stamp for look in self._folder.list(self._part)} if over else {}
        return [self._moved(file) if _lies(file, over, now) else file for file in files]

    def _moved(self, file: Seen) -> Seen:
        path = PurePosixPath(file.name)
        name = f"{path.stem}~{file.token}{path.suffix}"
        record = {"file": file.name, "moved_to": name, "bytes": file.look.size, "sha256": file.sha256,
                  "moved_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}  # fmt: skip
        try:
            self._folder.put("done", f"{name}.json", orjson.dumps(record, option=orjson.OPT_INDENT_2))
            self._folder.rename(self._part, file.name, "done", name)
        except (OSError, SourceError):
            self._stuck.add(file.token)
            return file
        for beside in {file.name + OK, path.stem + OK, file.name + MANIFEST, file.name + SUM}:
            with suppress(OSError, SourceError):
                self._folder.rename(self._part, beside, "done", f"{name}{beside[len(path.stem) :]}")
        return replace(file, part="done", look=replace(file.look, name=name))


def _lies(file: Seen, over: set[str], now: dict[str, tuple[int, int, int]]) -> bool:
    """Whether a file that is done lies there as it was looked at."""
    return file.part != "done" and file.token in over and now.get(file.look.name) == file.look.stamp
