"""The node's keys 密钥 as they lie in their folder: made once by ``syncd init``, loaded at each start, added to."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncd.errors import NeedsPerson
from syncd.keyring.authority import NUMBERED, create_tls, tls_files
from syncd.keyring.wrapping import pem, read_signing_key, unwrap, wrap
from syncd.private_files import read_private, write_private

ROLES = ("log", "receipt", "witness")
_BACKUP = "Put it back from the backup of the keys"
_OTHERWISE = {
    "log": "; where there is none, `syncd keys seal` with this log ends it, and makes the key of the next",
    "tls": ", or make another pair: `syncd keys rotate tls`",
}


@dataclass(frozen=True)
class Keyring:
    """The private keys of one node, in memory, and where the TLS files lie."""

    log: Ed25519PrivateKey
    receipt: Ed25519PrivateKey
    witness: Ed25519PrivateKey
    node_key: bytes
    row_key: bytes
    ca_file: Path
    certificate_file: Path
    tls_key_file: Path


def create(folder: Path, code: str, url: str, passphrase: bytes | None = None) -> None:
    """Make all keys and the node's own CA in ``folder``, wrapped with ``passphrase`` if there is one.

    Raises ``NeedsPerson`` if the folder already holds keys: overwriting them would make every signed line unprovable.
    """
    if (folder / "log.key").exists():
        raise NeedsPerson(f"{folder} already holds keys. Nothing was changed; use another folder or keep these.")
    if left := sorted(one.name for one in folder.glob("*.key")):
        raise NeedsPerson(
            f"{folder} holds {', '.join(left)} and no log.key, which is made last: an earlier `syncd init` was "
            "interrupted, and nothing has used these. Nothing was changed; remove that folder and begin again. If the "
            "node has worked before, put log.key back from its backup instead."
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    create_tls(folder, code, urlsplit(url).hostname or "127.0.0.1")
    for name in ("node", "row"):
        write_private(folder / f"{name}.key", wrap(os.urandom(32), passphrase))
    for role in reversed(ROLES):  # `log.key` last: its presence says that the set is whole
        write_private(folder / f"{role}.key", pem(Ed25519PrivateKey.generate(), passphrase))


def load(folder: Path, passphrase: bytes | None = None) -> Keyring:
    """Load the keys; raises ``NeedsPerson`` as ``ask_whole`` does, and ``Stop`` where others could read them.

    ``NeedsPerson`` as well where they are wrapped and the passphrase is missing or another. Of the log's keys and of
    those for receipts the oldest that is there is loaded; ``signing_keys`` gives all.
    """
    ask_whole(folder)
    signing = {role: signing_keys(folder, role, passphrase)[0][1] for role in ROLES}
    certificate, tls_key = tls_files(folder)
    read_private(tls_key)  # read by the TLS library from its file, so its mode is looked at here
    if (folder / "ca.key").exists():  # may be kept elsewhere: a running node needs it for nothing
        read_private(folder / "ca.key")
    return Keyring(
        **signing,
        node_key=unwrap(folder / "node.key", read_private(folder / "node.key"), passphrase),
        row_key=unwrap(folder / "row.key", read_private(folder / "row.key"), passphrase),
        ca_file=folder / "ca.crt",
        certificate_file=certificate,
        tls_key_file=tls_key,
    )


def ask_whole(folder: Path) -> None:
    """Raises ``NeedsPerson`` where there are no keys, or one is gone: which, and what to do about it. Reads none."""
    files = {role: signing_files(folder, role) for role in ROLES}
    files |= {name: [folder / f"{name}.key"] for name in ("node", "row")} | {"tls": [tls_files(folder)[1]]}
    lost = [name for name, several in files.items() if not any(file.exists() for file in several)]
    if len(lost) == len(files):
        raise NeedsPerson(f"{folder} holds no keys yet; run `syncd init` first.")
    if lost:
        raise _lost(folder, lost[0])


def _lost(folder: Path, name: str) -> NeedsPerson:
    return NeedsPerson(
        f"The key file {folder / name}.key is gone, while others are there. Nothing was started. "
        f"{_BACKUP}{_OTHERWISE.get(name, '; nothing else can take its place')}."
    )


def load_node_key(folder: Path, passphrase: bytes | None = None) -> bytes:
    """The key that opens the vault, and no key that signs; raises as ``load`` does."""
    return unwrap(folder / "node.key", read_private(folder / "node.key"), passphrase)


def signing_files(folder: Path, role: str) -> list[Path]:
    """The files of a role's keys that are there, oldest first: ``log.key``, ``log.2.key`` and so on."""
    numbered = {
        int(path.name.split(".")[1]): path for path in folder.glob(f"{role}.*.key") if NUMBERED.search(path.name)
    }
    first = folder / f"{role}.key"
    return [*([first] if first.exists() else []), *(numbered[number] for number in sorted(numbered))]


def signing_keys(folder: Path, role: str, passphrase: bytes | None = None) -> list[tuple[Path, Ed25519PrivateKey]]:
    """A role's private keys with their files, oldest first; raises as ``load`` does."""
    files = signing_files(folder, role)
    if not files:
        raise _lost(folder, role)
    return [(path, read_signing_key(path, passphrase)) for path in files]


def add_signing_key(folder: Path, role: str, passphrase: bytes | None = None) -> tuple[Path, Ed25519PrivateKey]:
    """Make a role's next key, in a file of its own; the ones before it stay."""
    names = [path.name for path in signing_files(folder, role)]
    number = max((int(name.split(".")[1]) for name in names if NUMBERED.search(name)), default=1) + 1
    key, path = Ed25519PrivateKey.generate(), folder / f"{role}.{number}.key"
    write_private(path, pem(key, passphrase))
    return path, key


def protect(folder: Path, passphrase: bytes, before: bytes | None = None) -> list[str]:
    """Wrap the keys that sign, SM2's among them, node and row key; returns the files, each replaced whole.

    The TLS library reads its key itself, and the authority's is needed by no running node: those stay as they are.
    """
    done = []
    for path in (path for role in ROLES for path in signing_files(folder, role)):
        _replace(path, pem(read_signing_key(path, before), passphrase))
        done.append(path.name)
    others = [folder / name for name in ("node.key", "row.key", "sm2.key")]
    for path in (path for path in others if path.exists()):
        _replace(path, wrap(unwrap(path, read_private(path), before), passphrase))
        done.append(path.name)
    return done


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    write_private(fresh, data)
    os.replace(fresh, path)
