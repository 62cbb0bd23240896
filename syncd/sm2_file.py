"""The file of a log's SM2 key 国密密钥: ``keys/sm2.key``, made by ``syncd init --sm2``, in the form of RFC 5915 as PEM.

OpenSSL and GmSSL read it too. It holds one layout only: the curve by its name (GM/T 0006: 1.2.156.10197.1.301) and the
public point, so that its bytes are cut out, not parsed.
"""

import base64
from pathlib import Path

from syncd import keyring
from syncd.agreement.member import Member
from syncd.errors import NeedsPerson, Stop
from syncd.ledger.sm2 import Sm2Signer, new_key
from syncd.private_files import read_private, write_private
from syncd.settings import Settings

NAME = "sm2.key"
_BEFORE = bytes.fromhex("30770201010420")
_BETWEEN = bytes.fromhex("a00a06082a811ccf5501822da144034200")
_FIRST, _LAST = "-----BEGIN EC PRIVATE KEY-----", "-----END EC PRIVATE KEY-----"


def create(folder: Path, passphrase: bytes | None = None) -> None:
    """Make a new key in the folder of keys, 0600, wrapped if asked. Raises ``NeedsPerson`` without the extra ``gm``."""
    private, public = new_key()
    text = base64.b64encode(_BEFORE + private + _BETWEEN + public).decode()
    lines = [_FIRST, *[text[at : at + 64] for at in range(0, len(text), 64)], _LAST, ""]
    write_private(folder / NAME, keyring.wrap("\n".join(lines).encode(), passphrase))


def load(folder: Path, origin: str, passphrase: bytes | None = None) -> Sm2Signer:
    """The signer of a log. Raises ``Stop`` for a file that is missing, open to others or no SM2 key.

    ``NeedsPerson`` where it is wrapped and the passphrase is missing or another.
    """
    path = folder / NAME
    lines = keyring.unwrap(path, read_private(path), passphrase).decode("ascii", "replace").split("\n")
    try:
        data = base64.b64decode("".join(lines[1:-2]), validate=True)
    except ValueError:
        data = b""
    private, public = data[len(_BEFORE) :][:32], data[len(_BEFORE) + 32 + len(_BETWEEN) :]
    if (lines[0], *lines[-2:]) != (_FIRST, _LAST, "") or data != _BEFORE + private + _BETWEEN + public:
        raise Stop(f"The key file {path} is not an SM2 key as syncd writes it. Nothing was started.")
    return Sm2Signer(origin, private, public)


def vkey(folder: Path, origin: str, passphrase: bytes | None = None) -> str:
    """The public key as it stands in the member file; empty where the node has none. Raises as ``load``."""
    return load(folder, origin, passphrase).verifier.vkey if (folder / NAME).exists() else ""


def signer(settings: Settings, own: Member) -> Sm2Signer:
    """The signer of a node. Raises as ``load``, and ``NeedsPerson`` if its member file names another key, or none."""
    found = load(settings.data / "keys", own.origin, settings.passphrase)
    if found.verifier.vkey != own.sm2_vkey:
        raise NeedsPerson("The node's own member file does not carry its SM2 key. Nothing was started.")
    return found
