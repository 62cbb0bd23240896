"""Entries about honours 守信荣誉 as rows of the register: what was granted, and from which day it was withdrawn."""

import hashlib
from typing import Any

import orjson

from schemas.identifiers import holds_person_id
from syncd.flows.bureau import day_of_text
from syncd.ledger.entry import Entry
from syncd.store.honours import Honour, Withdrawal

Json = dict[str, Any]


def honour_row(log: int, idx: int, leaf: bytes, identity: str, issuer: str, body: Json) -> Honour:
    """An honour's body as a row of the register."""
    subject = body["subject"]
    return Honour(leaf, log, idx, identity, issuer, subject["uscc"], subject["name"], body["honour"],
                  body["key"]["number"], body["granted_on"], body["until"])  # fmt: skip


def honour_key(uscc: str, honour: str, number: str) -> bytes:
    """The key by which an honour that was erased is known again."""
    return hashlib.sha256(orjson.dumps(["syncd/honour/v1", uscc, honour, number])).digest()


def withdrawal_row(log: int, leaf: bytes, entry: Entry, body: Json | None) -> Withdrawal:
    """A withdrawal, from the day its body names, else from the day it was said."""
    said = (body or {}).get("effective_from")
    honour = bytes.fromhex(entry.ref.leaf) if entry.ref is not None else b""
    return Withdrawal(honour, log, leaf, said or day_of_text(entry.at).isoformat())


def is_of(body: Json, place: str) -> bool:
    """Whether an honour is this bureau's own to grant, and names no person by number."""
    return bool(body["place"] == place and not holds_person_id(body["subject"]["name"]))
