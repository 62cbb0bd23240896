"""The node's four keys 密钥 and its certificate authority: made once by ``syncd init``, loaded at each start.

Keys are never shared between roles (LEDGER §1): ``log`` signs this bureau's log, ``receipt`` countersigns what is
stored, ``witness`` is for outsiders' logs, ``tls`` speaks HTTPS. Beside them lie the node key that wraps record keys
and the row key for keyed hashes of source rows. Files are 0600 in a 0700 folder; anything wider is refused.
"""

import datetime as dt
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from syncd.errors import NeedsPerson, Stop
from syncd.private_files import read_private as _read_private
from syncd.private_files import write_private as _write_private

ROLES = ("log", "receipt", "witness")
_WRAPPED = b"syncd wrapped key v1\n"
_NUMBERED = re.compile(r"\.[1-9][0-9]{0,3}\.key$", re.ASCII)
_TEN_YEARS = dt.timedelta(days=3650)


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


def bureau_urn(code: str) -> str:
    """The name a bureau carries in its certificate (LEDGER §6)."""
    return f"urn:syncd:bureau:{code}"


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    wrap = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, wrap)


def create(folder: Path, code: str, url: str, passphrase: bytes | None = None) -> None:
    """Make all keys and the node's own CA in ``folder``, wrapped with ``passphrase`` if there is one.

    Raises ``NeedsPerson`` if the folder already holds keys: overwriting them would make every signed line unprovable.
    """
    if (folder / "log.key").exists():
        raise NeedsPerson(f"{folder} already holds keys. Nothing was changed; use another folder or keep these.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _create_tls(folder, code, urlsplit(url).hostname or "127.0.0.1")
    for name in ("node", "row"):
        _write_private(folder / f"{name}.key", wrap(os.urandom(32), passphrase))
    for role in reversed(ROLES):  # `log.key` last: its presence says that the set is whole
        _write_private(folder / f"{role}.key", _pem(Ed25519PrivateKey.generate(), passphrase))


def _create_tls(folder: Path, code: str, host: str) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate(f"syncd CA {code}", ca_key, None, None, None)
    tls_key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate(f"syncd {code}", tls_key, ca, ca_key, _names(code, host))
    _write_private(folder / "ca.key", _pem(ca_key))
    _write_private(folder / "tls.key", _pem(tls_key))
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.crt").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))


def tls_files(folder: Path) -> tuple[Path, Path]:
    """The TLS certificate in use and its key: the newest whose certificate is there."""
    numbers = [int(path.name.split(".")[1]) for path in folder.glob("tls.*.crt") if path.name.split(".")[1].isdigit()]
    name = f"tls.{max(numbers)}" if numbers else "tls"
    return folder / f"{name}.crt", folder / f"{name}.key"


def renew_tls(folder: Path, code: str, url: str) -> Path:
    """Make the next TLS key and certificate by the node's own CA; returns the certificate's file.

    The key is written first, so that a crash leaves the pair in use. Raises ``NeedsPerson`` without the CA or its key.
    """
    ca_key = _ca_key(folder)
    ca = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    if ca.not_valid_after_utc <= dt.datetime.now(dt.UTC):
        raise NeedsPerson("The node's certificate authority has ended. Nothing was changed; `syncd keys rotate ca`.")
    key = ec.generate_private_key(ec.SECP256R1())
    names = _names(code, urlsplit(url).hostname or "127.0.0.1")
    leaf = _certificate(f"syncd {code}", key, ca, ca_key, names)
    numbers = [int(path.name.split(".")[1]) for path in folder.glob("tls.*.key") if _NUMBERED.search(path.name)]
    name = f"tls.{max(numbers, default=1) + 1}"
    _write_private(folder / f"{name}.key", _pem(key))
    return _put(folder / f"{name}.crt", leaf)


def renew_ca(folder: Path, code: str) -> str:
    """Issue the CA's own certificate anew by the same key, so that who holds the old one trusts what either has issued.

    Returns it as PEM text, for the member file. Raises ``NeedsPerson`` where the CA's key is kept elsewhere.
    """
    return _put(folder / "ca.crt", _certificate(f"syncd CA {code}", _ca_key(folder), None, None, None)).read_text()


def _ca_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    if not (folder / "ca.key").exists():
        raise NeedsPerson(f"{folder / 'ca.key'} is not there. Nothing was changed; put it back, with mode 0600.")
    key = serialization.load_pem_private_key(_read_private(folder / "ca.key"), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Stop(f"The key file {folder / 'ca.key'} is not a certificate authority's. Nothing was changed.")
    return key


def _names(code: str, host: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_host_name(host), x509.UniformResourceIdentifier(bureau_urn(code))])


def _put(path: Path, certificate: x509.Certificate) -> Path:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return fresh.replace(path)


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
    names: x509.SubjectAlternativeName | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    until = min(now + _TEN_YEARS, issuer.not_valid_after_utc) if issuer else now + _TEN_YEARS
    authority = issuer is None
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    signing = issuer_key or key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if names is not None:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    return builder.sign(signing, hashes.SHA256())


def load(folder: Path, passphrase: bytes | None = None) -> Keyring:
    """Load the keys; raises ``NeedsPerson`` where there are none and ``Stop`` where others could read them.

    ``NeedsPerson`` as well where they are wrapped and the passphrase is missing or another.
    """
    if not (folder / "log.key").exists():
        raise NeedsPerson(f"{folder} holds no keys yet; run `syncd init` first.")
    signing = {role: _read_signing_key(folder / f"{role}.key", passphrase) for role in ROLES}
    certificate, tls_key = tls_files(folder)
    _read_private(tls_key)  # read by the TLS library from its file, so its mode is looked at here
    if (folder / "ca.key").exists():  # may be kept elsewhere: a running node needs it for nothing
        _read_private(folder / "ca.key")
    return Keyring(
        **signing,
        node_key=unwrap(folder / "node.key", _read_private(folder / "node.key"), passphrase),
        row_key=unwrap(folder / "row.key", _read_private(folder / "row.key"), passphrase),
        ca_file=folder / "ca.crt",
        certificate_file=certificate,
        tls_key_file=tls_key,
    )


def load_node_key(folder: Path, passphrase: bytes | None = None) -> bytes:
    """The key that opens the vault, and no key that signs; raises as ``load`` does."""
    return unwrap(folder / "node.key", _read_private(folder / "node.key"), passphrase)


def signing_files(folder: Path, role: str) -> list[Path]:
    """The files of a role's keys, oldest first: ``log.key``, ``log.2.key`` and so on."""
    numbered = {
        int(path.name.split(".")[1]): path for path in folder.glob(f"{role}.*.key") if _NUMBERED.search(path.name)
    }
    return [folder / f"{role}.key", *(numbered[number] for number in sorted(numbered))]


def signing_keys(folder: Path, role: str, passphrase: bytes | None = None) -> list[tuple[Path, Ed25519PrivateKey]]:
    """A role's private keys with their files, oldest first; raises as ``load`` does."""
    return [(path, _read_signing_key(path, passphrase)) for path in signing_files(folder, role)]


def add_signing_key(folder: Path, role: str, passphrase: bytes | None = None) -> tuple[Path, Ed25519PrivateKey]:
    """Make a role's next key, in a file of its own; the ones before it stay."""
    number = max((int(path.name.split(".")[1]) for path in signing_files(folder, role)[1:]), default=1) + 1
    key, path = Ed25519PrivateKey.generate(), folder / f"{role}.{number}.key"
    _write_private(path, _pem(key, passphrase))
    return path, key


def protect(folder: Path, passphrase: bytes, before: bytes | None = None) -> list[str]:
    """Wrap the keys that sign, SM2's among them, node and row key; returns the files, each replaced whole.

    The TLS library reads its key itself, and the authority's is needed by no running node: those stay as they are.
    """
    done = []
    for path in (path for role in ROLES for path in signing_files(folder, role)):
        _replace(path, _pem(_read_signing_key(path, before), passphrase))
        done.append(path.name)
    others = [folder / name for name in ("node.key", "row.key", "sm2.key")]
    for path in (path for path in others if path.exists()):
        _replace(path, wrap(unwrap(path, _read_private(path), before), passphrase))
        done.append(path.name)
    return done


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    _write_private(fresh, data)
    os.replace(fresh, path)


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


def _read_signing_key(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    data = _read_private(path)
    try:
        key = serialization.load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError):
        raise (_locked(path) if b"ENCRYPTED" in data else _no_key(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def _no_key(path: Path) -> Stop:
    return Stop(f"The key file {path} is not an Ed25519 key. Nothing was started.")
