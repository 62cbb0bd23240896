"""A certificate authority and a server certificate for loopback, made once for this folder."""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates(NamedTuple):
    """Files: the authority, a server's certificate with its key, and an authority that signed nothing."""

    ca: Path
    server: Path
    other_ca: Path


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signing: ec.EllipticCurvePrivateKey, ca: bool
) -> bytes:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One set for all tests of this folder."""
    folder = tmp_path_factory.mktemp("certificates")
    authority, server, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "other.pem")
    made.ca.write_bytes(_certificate("Test CA", authority, "Test CA", authority, ca=True))
    made.other_ca.write_bytes(_certificate("Other CA", other, "Other CA", other, ca=True))
    made.server.write_bytes(
        _certificate("127.0.0.1", server, "Test CA", authority, ca=False)
        + server.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made
