"""A private key as the bytes of its file: bare, or wrapped 加密 with the passphrase of the settings."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from syncd.errors import NeedsPerson, Stop
from syncd.private_files import read_private

_WRAPPED = b"syncd wrapped key v1\n"


def pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    """A key that signs, as PEM; wrapped where there is a passphrase."""
    wrap = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, wrap)


def wrap(secret: bytes, passphrase: bytes | None) -> bytes:
    """A raw key as it lies in its file: as it is, or wrapped by AES-256-GCM under a key that scrypt derives."""
    if not passphrase:
        return secret
    salt, nonce = os.urandom(16), os.urandom(12)
    return _WRAPPED + salt + nonce + AESGCM(_derived(passphrase, salt)).encrypt(nonce, secret, _WRAPPED)


def is_wrapped(data: bytes) -> bool:
    """Whether a key file's bytes need a passphrase."""
    return b"ENCRYPTED" in data or data.startswith(_WRAPPED)


def unwrap(path: Path, data: bytes, passphrase: bytes | None) -> bytes:
    """The raw key of a file. Raises ``NeedsPerson`` where the passphrase is missing or another."""
    if not data.startswith(_WRAPPED):
        return data
    salt, nonce, sealed = data[len(_WRAPPED) :][:16], data[len(_WRAPPED) + 16 :][:12], data[len(_WRAPPED) + 28 :]
    try:
        return AESGCM(_derived(passphrase or b"", salt)).decrypt(nonce, sealed, _WRAPPED)
    except InvalidTag:
        raise _locked(path) from None


def _derived(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)


def _locked(path: Path) -> NeedsPerson:
    return NeedsPerson(
        f"The key file {path} is wrapped with a passphrase, and the one given is missing or another. Nothing was "
        "started; give it as SYNCD_KEYS__PASSPHRASE or by keys.passphrase_file."
    )


def read_signing_key(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """A key that signs, from its file. Raises ``NeedsPerson`` as ``unwrap`` does, ``Stop`` where it is no such key."""
    data = read_private(path)
    try:
        key = serialization.load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError):
        raise (_locked(path) if b"ENCRYPTED" in data else _no_key(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def _no_key(path: Path) -> Stop:
    return Stop(f"The key file {path} is not an Ed25519 key. Nothing was started.")
