"""A member's introduction 成员名片: the file ``member-<code>.toml`` that sites exchange by hand.

It holds public keys only. The fingerprint covers everything else in the file; the person who adds a
member reads it over another channel (telephone, in person), so that a file changed on its way is noticed.
"""

import tomllib
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, ClassVar, Literal

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from syncd.agreement.kinds import RegionCode
from syncd.agreement.load import AgreementError

_SCHEMA = "member/1.0"
# Certificates and nothing else: a private key pasted along must not travel.
_CERTIFICATES = r"^(-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,76}\n)+-----END CERTIFICATE-----\n)+$"
Url = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9._~:/\[\]-]+$")]
LogOrigin = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[0-9]{6}/[1-9][0-9]*$")]
VerifierKey = Annotated[str, Field(pattern=r"^[a-z0-9/-]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$")]


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member is reached and by which public keys it is known; keys are C2SP verifier keys (vkey).

    ``sm2_vkey`` is its log's second key 国密 (``syncd.ledger.sm2``), empty if it has none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)
    code: RegionCode
    url: Url
    origin: LogOrigin
    log_vkey: VerifierKey
    receipt_vkey: VerifierKey
    witness_vkey: VerifierKey
    tls_ca_pem: Annotated[str, Field(pattern=_CERTIFICATES)]
    sm2_vkey: VerifierKey | Literal[""] = ""
    fingerprint: str = ""


_ADAPTER = TypeAdapter(Member)


def fingerprint_of(member: Member) -> str:
    """SHA-256 over the file's content but the fingerprint, as sixteen groups of four hex digits."""
    content = {field.name: getattr(member, field.name) for field in fields(member)}
    content["fingerprint"] = _SCHEMA  # stands for itself: another layout gives another print
    if not member.sm2_vkey:  # a member without a second key has the print it always had
        del content["sm2_vkey"]
    digits = sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def same_fingerprint(one: str, other: str) -> bool:
    """Whether two fingerprints agree, however typed: groups, blanks, colons and case do not count."""
    ours, theirs = _digits(one).encode(), _digits(other).encode()
    return compare_digest(ours, theirs) and len(ours) == sha256().digest_size * 2


def with_fingerprint(member: Member) -> Member:
    """The same introduction with its fingerprint filled in."""
    return replace(member, fingerprint=fingerprint_of(member))


def format_member(member: Member) -> str:
    """The introduction as TOML, with its fingerprint; ``load_member`` reads it back unchanged."""
    lines = ["# Introduction of a member 成员名片: public keys only. Compare the fingerprint by telephone."]
    for name in ("code", "url", "origin", "log_vkey", "receipt_vkey", "witness_vkey"):
        lines.append(f'{name} = "{getattr(member, name)}"')
    if member.sm2_vkey:
        lines.append(f'sm2_vkey = "{member.sm2_vkey}"  # 国密')
    lines.append(f'fingerprint = "{fingerprint_of(member)}"')
    lines.append(f'tls_ca_pem = """\n{member.tls_ca_pem}"""')
    return "\n".join(lines) + "\n"


def load_member(data: bytes) -> Member:
    """Read an introduction. Raises ``AgreementError``, also where the fingerprint does not fit."""
    try:
        member = _ADAPTER.validate_json(orjson.dumps(tomllib.loads(data.decode("utf-8"))))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unusable(f"it is not valid TOML in UTF-8 ({error})") from None
    except ValidationError as error:
        named = sorted({str(part) for fault in error.errors() for part in fault["loc"]})
        raise _unusable(f"these fields are missing, unknown or malformed: {', '.join(named)}") from None
    agreement, code, _ = member.origin.split("/")
    roles = {"receipt_vkey": "receipt", "witness_vkey": "witness"}
    names = {"log_vkey": member.origin} | {field: f"{agreement}/{code}/{role}" for field, role in roles.items()}
    if member.sm2_vkey:
        names["sm2_vkey"] = member.origin
    for field, name in names.items():
        if getattr(member, field).partition("+")[0] != name:
            raise _unusable(f"the key in field {field} does not bear the name {name}")
    if code != member.code:
        raise _unusable("field origin names another code than field code")
    if not same_fingerprint(member.fingerprint, fingerprint_of(member)):
        raise _unusable("field fingerprint does not fit the content; the file was changed on its way")
    return member


def _digits(fingerprint: str) -> str:
    return "".join(fingerprint.split()).replace("-", "").replace(":", "").lower()


def _unusable(what: str) -> AgreementError:
    return AgreementError(
        f"The member's file cannot be used: {what}. Nothing was added; ask the member for its file again."
    )
