"""A bureau's folder on an SFTP server (``ssh`` makes the connection).

A connection that was lost is made once more for the step at hand; every step may be repeated.
"""

import io
import stat
import threading
from collections.abc import Callable
from typing import IO, Any, TypeVar

from paramiko import SFTPAttributes, SFTPClient, SFTPFile, SSHClient, SSHException

from adapters.base import SourceError
from adapters.folder import PART_FILE, Folder, FolderPart, Look, missing
from adapters.ssh import SftpPlace, connected

BUFFER = 256 * 1024
T = TypeVar("T")


class SftpFolder(Folder):
    """The folder behind one connection, which pull and push share."""

    def __init__(self, place: SftpPlace) -> None:
        self._place, self._lock = place, threading.RLock()
        self._ssh: SSHClient | None = None
        self._sftp: SFTPClient | None = None

    def list(self, part: FolderPart) -> list[Look]:
        """As promised."""
        try:
            found = self._do(lambda sftp: sftp.listdir_attr(self._path(part)))
        except FileNotFoundError:
            raise missing(part) from None
        except OSError as error:
            raise _lost(error) from None
        return [_look(one) for one in found]

    def read(self, part: FolderPart, name: str) -> IO[bytes]:
        """As promised; read ahead, so that a slow line is used well."""

        def opened(sftp: SFTPClient) -> SFTPFile:
            file = sftp.open(self._path(part, name), "rb", BUFFER)
            file.prefetch(file.stat().st_size or 0, max_concurrent_requests=64)
            return file

        return io.BufferedReader(_Remote(self._do(opened)), BUFFER)

    def rename(self, part: FolderPart, name: str, to: FolderPart, new: str) -> None:
        """As promised."""
        self._ready(to)
        self._do(lambda sftp: sftp.posix_rename(self._path(part, name), self._path(to, new)))

    def put(self, part: FolderPart, name: str, content: bytes) -> None:
        """As promised; the size is asked for before the file is renamed."""
        half, whole = self._path(part, name + PART_FILE), self._path(part, name)
        if part == "done":
            self._ready(part)
        self._do(lambda sftp: sftp.putfo(io.BytesIO(content), half, len(content), confirm=True))
        self._do(lambda sftp: sftp.posix_rename(half, whole))

    def close(self) -> None:
        """Close the connection; the next step makes another."""
        with self._lock:
            if self._ssh is not None:
                self._ssh.close()
            self._ssh = self._sftp = None

    def _path(self, part: FolderPart, name: str = "") -> str:
        return "/".join([self._place.path.rstrip("/"), part, *([name] if name else [])])

    def _ready(self, part: FolderPart) -> None:
        try:
            self._do(lambda sftp: sftp.stat(self._path(part)))
        except FileNotFoundError:
            self._do(lambda sftp: sftp.mkdir(self._path(part)))

    def _do(self, step: Callable[[SFTPClient], T]) -> T:
        """One step; once more with a fresh connection where the held one was lost. A refusal of the server stays."""
        with self._lock:
            for sftp in (self._sftp, None):
                try:
                    return step(sftp or self._connected())
                except (SSHException, EOFError, OSError) as error:
                    if isinstance(error, OSError) and self._alive():
                        raise
                    self.close()
                    last = error
                    if sftp is None:
                        break
            raise _lost(last) from None

    def _alive(self) -> bool:
        transport = self._ssh.get_transport() if self._ssh is not None else None
        return transport is not None and transport.is_active()

    def _connected(self) -> SFTPClient:
        self._ssh, self._sftp = connected(self._place)
        return self._sftp


class _Remote(io.RawIOBase):
    """A file of the server for Python's readers; what goes wrong on the way is an ``OSError``."""

    def __init__(self, file: SFTPFile) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._file.read(len(buffer))
        except (SSHException, EOFError) as error:
            raise ConnectionError(type(error).__name__) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _look(one: SFTPAttributes) -> Look:
    changed = int((one.st_mtime or 0) * 1_000_000_000)
    return Look(one.filename, one.st_size or 0, changed, stat.S_ISREG(one.st_mode or 0))


def _lost(error: Exception) -> SourceError:
    sentence = f"The connection to the SFTP server was lost ({type(error).__name__}); nothing was kept of this step."
    return SourceError(f"{sentence} It is tried again.", transient=True)
