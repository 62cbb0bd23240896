"""A connection to an SFTP server: one pinned server key, one account, and nothing of this machine's own SSH set-up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko import PKey, SFTPClient, SSHClient, SSHException

from adapters.base import SourceError

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0


@dataclass(frozen=True)
class SftpPlace:
    """Where a folder lies, and how the node shows who it is; ``password`` is the account's, or that of the key."""

    host: str
    port: int
    user: str
    path: str
    known_hosts: Path
    key_file: Path | None = None
    password: Callable[[], str] | None = field(default=None, repr=False)

    @classmethod
    def parse(
        cls, url: str, known_hosts: Path, key_file: Path | None, password: Callable[[], str] | None
    ) -> "SftpPlace":
        """Read ``sftp://user@host:port/folder``. Raises ``SourceError``; a password does not belong there."""
        parts = urlsplit(url)
        try:
            port = parts.port or 22
        except ValueError:
            port = 0
        if parts.scheme != "sftp" or not parts.hostname or not parts.username or parts.password or not port:
            sentence = "The folder's URL must be sftp://user@host:port/folder, without a password."
            raise SourceError(sentence, transient=False)
        path = unquote(parts.path).rstrip("/") or "/"
        return cls(parts.hostname, port, unquote(parts.username), path, known_hosts, key_file, password)


class _UnknownKey(SSHException):
    """The server showed a key that is not pinned."""


class _Pinned(paramiko.RejectPolicy):
    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> NoReturn:
        raise _UnknownKey


def connected(place: SftpPlace) -> tuple[SSHClient, SFTPClient]:
    """A fresh connection. Raises ``SourceError``: a key that is not pinned and an account refused are for a person."""
    ssh = SSHClient()
    ssh.set_missing_host_key_policy(_Pinned())
    try:
        ssh.load_host_keys(str(place.known_hosts))
        password = place.password() if place.password else None
        ssh.connect(
            place.host, place.port, place.user,
            key_filename=str(place.key_file) if place.key_file else None,
            password=None if place.key_file else password, passphrase=password if place.key_file else None,
            allow_agent=False, look_for_keys=False,
            timeout=CONNECT_SECONDS, banner_timeout=CONNECT_SECONDS, auth_timeout=CONNECT_SECONDS,
        )  # fmt: skip
        sftp = ssh.open_sftp()
    except (SSHException, EOFError, OSError) as error:
        ssh.close()
        raise _unreached(error) from None
    channel = sftp.get_channel()
    if channel is not None:
        channel.settimeout(ANSWER_SECONDS)
    return ssh, sftp


def _unreached(error: Exception) -> SourceError:
    if isinstance(error, _UnknownKey | paramiko.BadHostKeyException):
        sentence = "The SFTP server's key is not the pinned one (source.known_hosts); nothing was sent or read."
        return SourceError(f"{sentence} Compare it with the server's people before it is changed.", transient=False)
    if isinstance(error, paramiko.AuthenticationException):
        return SourceError("The SFTP server refused the node's account; give it a valid key or password.", False)
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return SourceError("A file of source.known_hosts or source.key_file cannot be read.", transient=False)
    return SourceError(f"The SFTP server could not be reached ({type(error).__name__}); it is tried again.", True)
