"""The node's four keys 密钥 and its certificate authority: made once by ``syncd init``, loaded at each start.

Keys are never shared between roles (LEDGER §1): ``log`` signs this bureau's log, ``receipt`` countersigns what is
stored, ``witness`` is for outsiders' logs, ``tls`` speaks HTTPS. Beside them lie the node key that wraps record keys
and the row key for keyed hashes of source rows. Files are 0600 in a 0700 folder; anything wider is refused.
"""

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from syncd.errors import NeedsPerson, Stop
from syncd.private_files import read_private as _read_private
from syncd.private_files import write_private as _write_private

ROLES = ("log", "receipt", "witness")
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


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def create(folder: Path, code: str, url: str) -> None:
    """Make all keys and the node's own CA in ``folder``; refuses where keys exist.

    Raises ``NeedsPerson`` if the folder already holds keys: overwriting them would make every signed line unprovable.
    """
    if (folder / "log.key").exists():
        raise NeedsPerson(f"{folder} already holds keys. Nothing was changed; use another folder or keep these.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _create_tls(folder, code, urlsplit(url).hostname or "127.0.0.1")
    for name in ("node", "row"):
        _write_private(folder / f"{name}.key", os.urandom(32))
    for role in reversed(ROLES):  # `log.key` last: its presence says that the set is whole
        _write_private(folder / f"{role}.key", _pem(Ed25519PrivateKey.generate()))


def _create_tls(folder: Path, code: str, host: str) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate(f"syncd CA {code}", ca_key, None, None, None)
    tls_key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([_host_name(host), x509.UniformResourceIdentifier(bureau_urn(code))])
    leaf = _certificate(f"syncd {code}", tls_key, ca, ca_key, names)
    _write_private(folder / "ca.key", _pem(ca_key))
    _write_private(folder / "tls.key", _pem(tls_key))
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.crt").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))


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
        .not_valid_after(now + _TEN_YEARS)
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


def load(folder: Path) -> Keyring:
    """Load the keys; raises ``NeedsPerson`` where there are none and ``Stop`` where others could read them."""
    if not (folder / "log.key").exists():
        raise NeedsPerson(f"{folder} holds no keys yet; run `syncd init` first.")
    signing = {role: _read_signing_key(folder / f"{role}.key") for role in ROLES}
    _read_private(folder / "tls.key")  # read by the TLS library from its file, so its mode is looked at here
    if (folder / "ca.key").exists():  # may be kept elsewhere: a running node needs it for nothing
        _read_private(folder / "ca.key")
    return Keyring(
        **signing,
        node_key=_read_private(folder / "node.key"),
        row_key=_read_private(folder / "row.key"),
        ca_file=folder / "ca.crt",
        certificate_file=folder / "tls.crt",
        tls_key_file=folder / "tls.key",
    )


def load_node_key(folder: Path) -> bytes:
    """The key that opens the vault, and no key that signs; raises as ``load`` does."""
    return _read_private(folder / "node.key")


def _read_signing_key(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(_read_private(path), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise Stop(f"The key file {path} is not an Ed25519 key. Nothing was started.")
    return key
