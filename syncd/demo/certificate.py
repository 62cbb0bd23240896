"""A certificate for the stand-in service: its own small authority and a server certificate for this machine.

The bureau's system is no member of the exchange, so neither the node's keys nor its authority are used; the
adapter is given ``ca.pem`` as the only authority it trusts for this system.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ServiceCertificate:
    """Paths of PEM files: who signed, the server's certificate, its private key."""

    ca: Path
    cert: Path
    key: Path


def make_certificate(directory: Path) -> ServiceCertificate:
    """Writes ``ca.pem``, ``cert.pem`` and ``key.pem`` for 127.0.0.1 and localhost; kept if all are there."""
    paths = ServiceCertificate(directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    if paths.ca.exists() and paths.cert.exists() and paths.key.exists():
        return paths
    directory.mkdir(parents=True, exist_ok=True)
    authority, own = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    ca = _certificate("demo bureau authority", authority, None, authority)
    cert = _certificate("demo bureau service", own, ca, authority)
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paths.key.touch(mode=0o600)
    paths.key.write_bytes(pem)
    paths.cert.write_bytes(cert.public_bytes(Encoding.PEM))
    paths.ca.write_bytes(ca.public_bytes(Encoding.PEM))
    return paths


def _certificate(
    name: str, key: EllipticCurvePrivateKey, ca: x509.Certificate | None, signer: EllipticCurvePrivateKey
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(ca is None), critical=True)
    )
    if ca is not None:
        names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
