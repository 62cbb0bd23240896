"""Signed statements 证明 about what this node was asked and what it answered, to be verified later and offline.

A key of its own signs them (ADR 9): the log key signs the log, the receipt key only what is stored, and neither may say
anything else. Its certificate comes from the node's own authority, which every member holds with the member file; it
allows signing documents (RFC 9336) and no connection. A statement is JSON ``{statement, certificate, signature}``; the
signature is ECDSA P-256 with SHA-256 over the JCS list ``["syncd/statement/v1", statement]``.

Verdict, in this order (``verify``):

1. the file has these three fields and the statement names its bureau and its time;
2. the certificate was issued by that bureau's authority, names that bureau, and allows what it is used for;
3. the statement's time lies within the certificate's days;
4. the signature is right.
"""

import base64
import binascii
import datetime as dt
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from syncd.errors import NeedsPerson, Refuse, Stop
from syncd.private_files import read_private, write_private

Json = dict[str, Any]
KEY, CERTIFICATE = "statement.key", "statement.crt"
_DOMAIN = "syncd/statement/v1"
_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
_TEN_YEARS = dt.timedelta(days=3650)
_FIELDS = {"statement", "certificate", "signature"}


def bureau_urn(code: str) -> str:
    """The name in the certificate: not the one that a connection carries (LEDGER §6), so it opens none."""
    return f"urn:syncd:statements:{code}"


def create_key(folder: Path, code: str, passphrase: bytes | None = None) -> None:
    """Make the statement key, wrapped where there is a passphrase, and have the node's authority certify it.

    The certificate comes first and the key last, whose presence says that both are whole. Raises ``NeedsPerson`` where
    the authority's key is kept elsewhere.
    """
    if not (folder / "ca.key").exists():
        raise NeedsPerson(
            f"There is no {KEY} yet, and the authority's key ca.key, which must certify it, is not in {folder}. "
            "Nothing was signed. Put it there for one run of this command, and take it away again."
        )
    authority = serialization.load_pem_private_key(read_private(folder / "ca.key"), password=None)
    if not isinstance(authority, ec.EllipticCurvePrivateKey):
        raise Stop(f"The key file {folder / 'ca.key'} is not the authority's. Nothing was signed.")
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    certificate = _certificate(code, key, issuer, authority)
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    write_private(folder / KEY, _pem(key, passphrase))


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> bytes:
    wrap = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, wrap)


def protect(folder: Path, passphrase: bytes, before: bytes | None = None) -> list[str]:
    """Wrap the statement key, if there is one; returns its file's name, replaced whole."""
    if not (folder / KEY).exists():
        return []
    fresh = folder / f"{KEY}.new"
    fresh.unlink(missing_ok=True)
    write_private(fresh, _pem(_key(folder, before), passphrase))
    fresh.replace(folder / KEY)
    return [KEY]


def _key(folder: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    data = read_private(folder / KEY)
    try:
        key = serialization.load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError):
        raise NeedsPerson(
            f"The key file {folder / KEY} cannot be opened: it is wrapped with a passphrase, and the one given is "
            "missing or another. Nothing was signed; give it as SYNCD_KEYS__PASSPHRASE or by keys.passphrase_file."
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Stop(f"The key file {folder / KEY} is not the statement key. Nothing was signed.")
    return key


def _certificate(
    code: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate, authority: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(bureau_urn(code))])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"syncd statements {code}")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(min(now + _TEN_YEARS, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([_DOCUMENT_SIGNING]), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )


def sign(folder: Path, code: str, statement: Json, passphrase: bytes | None = None) -> bytes:
    """Sign a statement, which must name its ``bureau`` and its time ``at``; makes the key at its first use."""
    if not (folder / KEY).exists():
        create_key(folder, code, passphrase)
    key = _key(folder, passphrase)
    signed = {
        "statement": statement,
        "certificate": (folder / CERTIFICATE).read_text("ascii"),
        "signature": base64.b64encode(key.sign(_signed_bytes(statement), ec.ECDSA(hashes.SHA256()))).decode(),
    }
    return orjson.dumps(signed, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def bureau_of(data: bytes) -> str:
    """The bureau that a statement says it is of; nothing is verified. Raises ``Refuse`` if it is no statement."""
    return str(_read(data)["statement"]["bureau"])


def verify(data: bytes, authority_pem: str) -> Json:
    """The statement, if it was signed for its bureau under this authority; raises ``Refuse`` with what is wrong."""
    signed = _read(data)  # step 1
    statement = signed["statement"]
    try:
        certificate = x509.load_pem_x509_certificate(signed["certificate"].encode())
        authority = x509.load_pem_x509_certificate(authority_pem.encode())
        certificate.verify_directly_issued_by(authority)  # step 2
        _ask_use(certificate, statement["bureau"])
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        raise _untrue("its certificate was not issued by that bureau's authority for statements") from None
    if not certificate.not_valid_before_utc <= _time(statement) <= certificate.not_valid_after_utc:  # step 3
        raise _untrue("its time does not lie within its certificate's days")
    key = certificate.public_key()
    try:
        signature = base64.b64decode(signed["signature"], validate=True)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise _untrue("its key is of another kind")
        key.verify(signature, _signed_bytes(statement), ec.ECDSA(hashes.SHA256()))  # step 4
    except (InvalidSignature, binascii.Error, ValueError):
        raise _untrue("its signature is wrong, so it was changed after it was signed") from None
    return dict(statement)


def _ask_use(certificate: x509.Certificate, code: str) -> None:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    named = names.get_values_for_type(x509.UniformResourceIdentifier)
    if named != [bureau_urn(code)] or list(uses) != [_DOCUMENT_SIGNING]:
        raise ValueError("for another use")


def _read(data: bytes) -> Json:
    try:
        signed = orjson.loads(data)
        texts = [signed["certificate"], signed["signature"], signed["statement"]["bureau"]]
        whole = signed.keys() == _FIELDS and all(isinstance(text, str) for text in texts)
        _time(signed["statement"])
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise Refuse("This is no signed statement of this program; nothing of it can be relied on.")
    return dict(signed)


def _time(statement: Json) -> dt.datetime:
    moment = dt.datetime.fromisoformat(statement["at"])
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _signed_bytes(statement: Json) -> bytes:
    return orjson.dumps([_DOMAIN, statement], option=orjson.OPT_SORT_KEYS)


def _untrue(why: str) -> Refuse:
    return Refuse(f"The statement cannot be relied on: {why}. Ask the bureau for it again.")
