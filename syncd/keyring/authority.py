"""The node's own certificate authority, and the TLS certificates 证书 that it issues: made, renewed, found."""

import datetime as dt
import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from syncd.errors import NeedsPerson, Stop
from syncd.keyring.wrapping import pem
from syncd.private_files import read_private, write_private

NUMBERED = re.compile(r"\.[1-9][0-9]{0,3}\.key$", re.ASCII)
"""The end of the name of a key that followed another: ``log.2.key``, ``tls.3.key``."""
_TEN_YEARS = dt.timedelta(days=3650)


def bureau_urn(code: str) -> str:
    """The name a bureau carries in its certificate (LEDGER §6)."""
    return f"urn:syncd:bureau:{code}"


def create_tls(folder: Path, code: str, host: str) -> None:
    """Make the authority and the first TLS certificate, for this host, with their keys."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = certificate(f"syncd CA {code}", ca_key, None, None, None)
    tls_key = ec.generate_private_key(ec.SECP256R1())
    leaf = certificate(f"syncd {code}", tls_key, ca, ca_key, _names(code, host))
    write_private(folder / "ca.key", pem(ca_key))
    write_private(folder / "tls.key", pem(tls_key))
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
    leaf = certificate(f"syncd {code}", key, ca, ca_key, names)
    numbers = [int(path.name.split(".")[1]) for path in folder.glob("tls.*.key") if NUMBERED.search(path.name)]
    name = f"tls.{max(numbers, default=1) + 1}"
    write_private(folder / f"{name}.key", pem(key))
    return _put(folder / f"{name}.crt", leaf)


def renew_ca(folder: Path, code: str) -> str:
    """Issue the CA's own certificate anew by the same key, so that who holds the old one trusts what either has issued.

    Returns it as PEM text, for the member file. Raises ``NeedsPerson`` where the CA's key is kept elsewhere.
    """
    return _put(folder / "ca.crt", certificate(f"syncd CA {code}", _ca_key(folder), None, None, None)).read_text()


def _ca_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    if not (folder / "ca.key").exists():
        raise NeedsPerson(f"{folder / 'ca.key'} is not there. Nothing was changed; put it back, with mode 0600.")
    key = serialization.load_pem_private_key(read_private(folder / "ca.key"), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Stop(f"The key file {folder / 'ca.key'} is not a certificate authority's. Nothing was changed.")
    return key


def _names(code: str, host: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([host_name(host), x509.UniformResourceIdentifier(bureau_urn(code))])


def _put(path: Path, certificate: x509.Certificate) -> Path:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return fresh.replace(path)


def host_name(host: str) -> x509.GeneralName:
    """A host as a certificate names it: by address or by name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
    names: x509.SubjectAlternativeName | None,
) -> x509.Certificate:
    """Sign a certificate for ``key``: an authority's own without an issuer, else one to serve and to ask by."""
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
