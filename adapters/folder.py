"""A bureau's folder 文件夹, wherever it lies: list, read and rename files, and put one that is never seen half-written.

Its parts are ``in`` (penalties and relief), ``ack`` (acknowledgements), ``out`` (orders) and ``done`` (files that were
read). Nothing else of a file system is asked for, so a folder on a server is the same four methods (``sftp``).
"""

import os
import stat
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from adapters.base import SourceError

FolderPart = Literal["in", "ack", "out", "done"]
PART_FILE = ".part"


@dataclass(frozen=True, slots=True)
class Look:
    """A file as a listing shows it: size in bytes, time of change in nanoseconds, and its number on its disk."""

    name: str
    size: int
    changed: int
    regular: bool
    number: int = 0

    @property
    def stamp(self) -> tuple[int, int, int]:
        """Another stamp means that the file was written again."""
        return self.size, self.changed, self.number


class Folder(ABC):
    """Every method but ``list`` raises ``OSError`` where the file or the right is not there."""

    @abstractmethod
    def list(self, part: FolderPart) -> list[Look]:
        """What lies in a part, in any order. Raises ``Missing`` where the part is not there, else ``SourceError``."""

    @abstractmethod
    def read(self, part: FolderPart, name: str) -> IO[bytes]:
        """A file from its beginning."""

    @abstractmethod
    def rename(self, part: FolderPart, name: str, to: FolderPart, new: str) -> None:
        """Move a file within the folder."""

    @abstractmethod
    def put(self, part: FolderPart, name: str, content: bytes) -> None:
        """Write a file whole or not at all: under a ``.part`` name, then renamed."""

    def close(self) -> None:  # noqa: B027 - a folder on this machine holds nothing open
        """Let go of connections."""


class Missing(SourceError):
    """A part of the folder is not there; any other reason why it cannot be listed is a plain ``SourceError``."""


def missing(part: FolderPart) -> Missing:
    """What is said of a part that is not there."""
    sentence = f"The folder {part}/ of the source is not there; is the share mounted? It is looked for again."
    return Missing(sentence, transient=True)


class LocalFolder(Folder):
    """A folder on this machine, or a share mounted here."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self, part: FolderPart) -> list[Look]:
        """As promised; a file that was removed since is left out."""
        looks = []
        try:
            with os.scandir(self._root / part) as entries:
                for entry in entries:
                    try:
                        seen = entry.stat()
                    except FileNotFoundError:
                        continue
                    regular = stat.S_ISREG(seen.st_mode)
                    looks.append(Look(entry.name, seen.st_size, seen.st_mtime_ns, regular, seen.st_ino))
        except (FileNotFoundError, NotADirectoryError):
            raise missing(part) from None
        except OSError as error:
            sentence = f"The folder {part}/ of the source cannot be listed ({type(error).__name__}); it is tried again."
            raise SourceError(sentence, transient=True) from None
        return looks

    def read(self, part: FolderPart, name: str) -> IO[bytes]:
        """As promised."""
        return (self._root / part / name).open("rb")

    def rename(self, part: FolderPart, name: str, to: FolderPart, new: str) -> None:
        """As promised."""
        (self._root / to).mkdir(exist_ok=True)
        (self._root / part / name).rename(self._root / to / new)

    def put(self, part: FolderPart, name: str, content: bytes) -> None:
        """As promised: synced, renamed, the folder synced.

        A crash before the renaming leaves a ``.part`` file that nobody reads; the same is then put once more.
        """
        folder = self._root / part
        if part == "done":
            folder.mkdir(exist_ok=True)
        half = folder / (name + PART_FILE)
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(folder / name)
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)
