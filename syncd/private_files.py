"""Files of private keys 私钥文件: for their owner only, never written over another one."""

import os
from pathlib import Path

from syncd.errors import NeedsPerson, Stop


def write_private(path: Path, data: bytes) -> None:
    """Write a new file with mode 0600 and sync it; raises ``FileExistsError`` where there is one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_private(path: Path) -> bytes:
    """The bytes of a private file. Raises ``Stop`` where it is missing or could be read by others.

    ``NeedsPerson`` where this account may not read it.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except PermissionError as error:
        raise NeedsPerson(
            f"The key file {path} cannot be read ({error.strerror}). Nothing was started; act as the node's account."
        ) from None
    except OSError as error:
        raise Stop(f"The key file {path} cannot be read ({error.strerror}). Nothing was started.") from None
    if mode & 0o077:
        raise Stop(f"The key file {path} can be read by others. Nothing was started; run chmod 600 on it.")
    return data
