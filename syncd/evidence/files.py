"""Files of evidence: written whole or not at all, and a trust policy read with its fingerprint."""

import os
from pathlib import Path

from syncd.errors import NeedsPerson
from syncd.ledger.canonical import FormatError
from syncd.ledger.policy import Policy, parse_policy
from syncd.ledger.trust import fingerprint


def write_whole(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file beside its place, sync it and put it there in one step; a crash leaves the old one.

    ``private``: readable by its owner only, for what discloses something.
    """
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600 if private else 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def read_policy(path: Path) -> tuple[Policy, str]:
    """A trust policy and its fingerprint. Raises NeedsPerson for a file that is none."""
    try:
        data = path.read_bytes()
        return parse_policy(data), fingerprint(data)
    except OSError as error:
        raise NeedsPerson(f"The policy {path} cannot be read ({error.strerror}). Nothing was verified.") from None
    except FormatError as error:
        raise NeedsPerson(f"The policy {path} cannot be used. {error} Nothing was verified.") from None
