"""A member's introduction: read back unchanged, refused when altered, never with a private key."""

from dataclasses import fields, replace

import pytest

from syncd.agreement.load import AgreementError
from syncd.agreement.member import (
    Member,
    fingerprint_of,
    format_member,
    load_member,
    same_fingerprint,
    with_fingerprint,
)

pytestmark = pytest.mark.fast

PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n"
KEY = "0123abcd+AQIDBAUGBwgJCgsMDQ4PEA=="


@pytest.fixture
def member() -> Member:
    return with_fingerprint(
        Member(
            code="320583",
            url="https://192.0.2.7:8443",
            origin="jiakuntai-eco/320583/1",
            log_vkey=f"jiakuntai-eco/320583/1+{KEY}",
            receipt_vkey=f"jiakuntai-eco/320583/receipt+{KEY}",
            witness_vkey=f"jiakuntai-eco/320583/witness+{KEY}",
            tls_ca_pem=PEM,
        )
    )


def test_round_trip(member: Member) -> None:
    assert load_member(format_member(member).encode()) == member
    assert load_member(format_member(member).replace("\n", "\r\n").encode()) == member


def test_two_certificates_are_taken(member: Member) -> None:
    both = with_fingerprint(replace(member, tls_ca_pem=PEM + PEM))
    assert load_member(format_member(both).encode()) == both


def test_fingerprint_covers_every_other_field(member: Member) -> None:
    prints = {fingerprint_of(member)}
    for field in fields(Member):
        if field.name != "fingerprint":
            prints.add(fingerprint_of(replace(member, **{field.name: getattr(member, field.name) + "x"})))
    assert len(prints) == len(fields(Member))
    assert fingerprint_of(replace(member, fingerprint="")) == member.fingerprint


def test_fingerprints_compare_as_people_type_them(member: Member) -> None:
    typed = member.fingerprint.replace("-", " ").upper()
    assert same_fingerprint(typed, member.fingerprint)
    assert same_fingerprint(member.fingerprint.replace("-", ":"), member.fingerprint)
    assert not same_fingerprint(member.fingerprint[:-1] + "x", member.fingerprint)
    assert not same_fingerprint("", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("192.0.2.7", "192.0.2.8", "field fingerprint"),
        ("https://", "http://", "url"),
        ('code = "320583"', 'code = "320585"', "field origin names another code"),
        ("/receipt+", "/witness+", "receipt_vkey"),
        ("eco/320583/1+", "eco/320583/2+", "log_vkey"),
        ("CERTIFICATE", "PRIVATE KEY", "tls_ca_pem"),
        ('code = "320583"', 'code = "320583"\nphone = "1"', "phone"),
        ('url = "https://192.0.2.7:8443"\n', "", "url"),
        ('code = "', "code = ", "not valid TOML"),
    ],
)
def test_refused(member: Member, old: str, new: str, said: str) -> None:
    text = format_member(member)
    assert old in text
    with pytest.raises(AgreementError, match=said):
        load_member(text.replace(old, new).encode())


def test_without_a_fingerprint_it_is_refused(member: Member) -> None:
    text = format_member(member).replace(f'fingerprint = "{member.fingerprint}"\n', "")
    with pytest.raises(AgreementError, match="fingerprint"):
        load_member(text.encode())
