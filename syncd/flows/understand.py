"""The first half of recognising 互认: what entries say becomes rows of the register.

Verdict on one entry, in this order:

1. a response of a region (``restriction.*``, ``finding.held``, ``feedback.*``) is noted as that region's answer;
2. relief and marks act from the leaf alone, only from the finding's own log; a body narrows them;
3. what cannot be read is held, put on the desk, and — unless it is itself a response — answered ``finding.held``;
4. a finding or its amendment is put into the register.

What was ordered to be erased is passed over before all of that: its order has acted already (``flows.erase``).
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.identifiers import holds_person_id
from syncd.agreement.versions import version_of
from syncd.flows.bureau import Bureau, Peer, day_of_text
from syncd.flows.honour_rows import honour_row, is_of, withdrawal_row
from syncd.flows.opening import ERASED, VERSION, Opened, is_relief
from syncd.ledger.entry import Entry, Ref
from syncd.store.honours import Honour, Withdrawal
from syncd.store.register import Finding

Json = dict[str, Any]
RESPONSES = frozenset({"restriction.imposed", "restriction.lifted", "restriction.declined", "finding.held"})
REPORTS = frozenset({"feedback.reported", "notice.served", "operator.acted", "delivery.missing", "erasure.ordered",
                     "erasure.done"})  # fmt: skip
AMENDED = "finding.amended"
MARKS = frozenset({"finding.upheld", "finding.resumed"})
UNREADABLE = "unreadable"
HONOURS = frozenset({"honour.granted", "honour.withdrawn"})
_APART = "文"  # digits before and behind it are of two numbers
_KEYED_HASH = re.compile(r"hmac-[0-9a-f]{32}")


@dataclass
class Changes:
    """What a run of entries changes in the register, and which findings must be answered anew."""

    findings: list[Finding] = field(default_factory=list)
    bodies: dict[bytes, Json] = field(default_factory=dict)
    amendments: list[tuple[bytes, bytes, int, Json, int]] = field(default_factory=list)
    relief: list[Json] = field(default_factory=list)
    held: list[Json] = field(default_factory=list)
    desk: list[Json] = field(default_factory=list)
    unreadable: list[tuple[int, Ref, str]] = field(default_factory=list)
    affected: set[bytes] = field(default_factory=set)
    honours: list[Honour] = field(default_factory=list)
    withdrawn: list[Withdrawal] = field(default_factory=list)


def natural_key(organ: str, number: str, uscc: str, decided_on: str) -> bytes:
    """The key by which a decision is known again across all logs (penalty record, natural key)."""
    return hashlib.sha256(orjson.dumps(["syncd/key/v1", organ, number, uscc, decided_on])).digest()


def relief_key(organ: str, number: str, uscc: str) -> bytes:
    """The key by which relief rows find a decision: they name no date."""
    return hashlib.sha256(orjson.dumps(["syncd/relief/v1", organ, number, uscc])).digest()


def finding_row(log: int, idx: int, leaf: bytes, identity: str, issuer: str, body: Json, version: int) -> Finding:
    """A finding's body as a row of the register; ``version`` of the agreement as its leaf names it."""
    key, subject = body["key"], body["subject"]
    return Finding(
        leaf=leaf,
        log=log,
        idx=idx,
        id=identity,
        issuer=issuer,
        uscc=subject["uscc"],
        name=subject["name"],
        natural_key=natural_key(key["organ"], key["number"], subject["uscc"], key["date"]),
        organ=key["organ"],
        number=key["number"],
        place=body["place"],
        criterion=body["criterion"],
        decided_on=body["decided_on"],
        body=orjson.dumps(body).decode(),
        amended=None,
        amended_idx=-1,
        version=version,
    )


def same_decision(row: Finding, body: Json) -> bool:
    """Whether an amendment speaks of the finding's own organisation, decision and place."""
    key, uscc = body["key"], body["subject"]["uscc"]
    known = natural_key(key["organ"], key["number"], uscc, key["date"])
    return row.natural_key == known and row.uscc == uscc and row.place == body["place"]


def changed_fields(before: Json, after: Json, within: str = "") -> list[str]:
    """Names of the fields in which two bodies differ, ``ends.publicity``; never what stands in them."""
    names = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            names += changed_fields(old, new, f"{within}{name}.")
        elif old != new:
            names.append(within + name)
    return names


def amendment_mark(log: int, idx: int, leaf: bytes, finding: bytes, day: dt.date) -> Json:
    """The suspension by an amendment that is not put in force."""
    return {"leaf": leaf, "finding": finding, "kind": AMENDED, "log": log, "idx": idx, "at_day": day.isoformat(),
            "effective_from": None, "clears": "[]"}  # fmt: skip


def names_a_person(body: Json) -> bool:
    """Whether a peer's finding carries an identity number in a text, where its own border should have stopped it."""
    said = body["subject"]["name"], body["violation"], body["legal_basis"], body["local_code"], body["key"]["number"]
    row, texts = body["source"]["row"], _APART.join(said)
    if not holds_person_id(f"{texts}{_APART}{row}"):
        return False
    return holds_person_id(texts) or not _KEYED_HASH.fullmatch(row)


def relief_row(log: int, idx: int, leaf: bytes, entry: Entry, body: Json | None) -> Json:
    """A relief or mark as a row; without a readable body it has the widest reading."""
    said = body or {}
    return {
        "leaf": leaf,
        "finding": bytes.fromhex(entry.ref.leaf) if entry.ref else b"",
        "kind": entry.kind,
        "log": log,
        "idx": idx,
        "at_day": day_of_text(entry.at).isoformat(),
        "effective_from": said.get("effective_from"),
        "clears": orjson.dumps(said.get("clears", [])).decode(),
    }


def understand(bureau: Bureau, log: int, owner: Peer, entries: Sequence[Opened]) -> Changes:
    """Sort opened entries of one log into what they change."""
    changes = Changes()
    for one in entries:
        try:
            _one(bureau, log, owner, one, changes)
        except Exception as error:  # an entry that breaks its reader is held like any other unreadable one
            _hold(bureau, log, owner, one, f"exception:{type(error).__name__}", changes)
    return changes


def _one(bureau: Bureau, log: int, owner: Peer, one: Opened, changes: Changes) -> None:
    entry = one.entry
    if one.fault == ERASED:
        return
    if entry is None:
        _hold(bureau, log, owner, one, one.fault or "not_canonical", changes)
        _broken_relief(bureau, log, owner, one, changes)
    elif (entry.kind in RESPONSES or entry.kind == "feedback.reported") and one.fault is None:  # step 1
        return  # read by the last lane, or only kept
    elif is_relief(entry.kind) or entry.kind in MARKS:  # step 2
        _relief(bureau, log, owner, one, entry, changes)
    elif entry.kind == AMENDED and one.fault is not None and entry.ref is not None:
        _hold(bureau, log, owner, one, one.fault, changes)
        suspend_until_read(log, owner, one, changes)
    elif one.fault is not None:  # step 3
        _hold(bureau, log, owner, one, one.fault, changes)
    elif entry.kind in HONOURS:
        _honour(bureau, log, owner, one, entry, changes)
    elif one.body is not None and entry.kind in ("finding.issued", AMENDED) and names_a_person(one.body):
        _hold(bureau, log, owner, one, "personal_number", changes)
        if entry.kind == AMENDED:
            suspend_until_read(log, owner, one, changes)
    elif entry.kind == "finding.issued" and one.body is not None:  # step 4
        version = version_of(entry.agreement)
        changes.findings.append(finding_row(log, one.idx, one.leaf, entry.id, owner.code, one.body, version))
        changes.bodies[one.leaf] = one.body
        changes.affected.add(one.leaf)
    elif entry.kind == AMENDED and one.body is not None and entry.ref is not None:
        finding = bytes.fromhex(entry.ref.leaf)
        if entry.ref.log == owner.origin:
            changes.amendments.append((finding, one.leaf, one.idx, one.body, version_of(entry.agreement)))
            changes.affected.add(finding)
    elif entry.kind == "objection.received" and entry.ref is not None:
        facts = {"region": owner.code, "finding": entry.ref.leaf, "entry": one.leaf.hex()}
        changes.desk.append({"kind": "objection", "mark": one.leaf.hex(), "reason": "objection", "facts": facts})


def _honour(bureau: Bureau, log: int, owner: Peer, one: Opened, entry: Entry, changes: Changes) -> None:
    """Honours act nowhere by themselves; only the log that granted one withdraws it."""
    if entry.kind == "honour.withdrawn" and entry.ref is not None and entry.ref.log == owner.origin:
        changes.withdrawn.append(withdrawal_row(log, one.leaf, entry, one.body))
    elif entry.kind == "honour.granted" and one.body is not None and is_of(one.body, owner.code):
        changes.honours.append(honour_row(log, one.idx, one.leaf, entry.id, owner.code, one.body))
    else:
        _hold(bureau, log, owner, one, "not_its_honour", changes)


def _relief(bureau: Bureau, log: int, owner: Peer, one: Opened, entry: Entry, changes: Changes) -> None:
    if entry.ref is None or not owner.speaks_for(entry.ref.log):
        _hold(bureau, log, owner, one, "not_its_finding", changes)
        return
    if one.fault is not None:
        _hold(bureau, log, owner, one, one.fault, changes)
        if entry.kind in MARKS:
            return  # adverse: what cannot be read puts nothing back
    changes.relief.append(relief_row(log, one.idx, one.leaf, entry, one.body))
    changes.affected.add(bytes.fromhex(entry.ref.leaf))


def _broken_relief(bureau: Bureau, log: int, owner: Peer, one: Opened, changes: Changes) -> None:
    """A leaf whose form is broken, but that says which finding it relieves, relieves it from today at the latest."""
    if one.relief is None or not owner.speaks_for(one.relief[1].log):
        return
    kind, ref = one.relief
    finding = bytes.fromhex(ref.leaf)
    row = {"leaf": one.leaf, "finding": finding, "kind": kind, "log": log, "idx": one.idx,
           "at_day": bureau.today().isoformat(), "effective_from": None, "clears": "[]"}  # fmt: skip
    changes.relief.append(row)
    changes.affected.add(finding)


def suspend_until_read(log: int, owner: Peer, one: Opened, changes: Changes) -> None:
    """An amendment suspends the version before it until it is recognised (LEDGER §2), in its own log only."""
    if one.entry is not None and one.entry.ref is not None and owner.speaks_for(one.entry.ref.log):
        changes.relief.append(relief_row(log, one.idx, one.leaf, one.entry, None))
        changes.affected.add(bytes.fromhex(one.entry.ref.leaf))


def _hold(bureau: Bureau, log: int, owner: Peer, one: Opened, fault: str, changes: Changes) -> None:
    reason = fault.partition(":")[0]
    agreement = one.entry.agreement if one.entry is not None else None
    changes.held.append({"log": log, "idx": one.idx, "reason": reason, "agreement": agreement})
    facts = {"log": owner.origin, "index": one.idx, "entry_kind": one.kind, "detail": fault}
    if reason == VERSION:  # one item for all that this member says under it
        changes.desk.append(_other_version(owner, agreement or ""))
    else:
        changes.desk.append({"kind": UNREADABLE, "mark": one.leaf.hex(), "reason": reason, "facts": facts})
    answerable = one.entry is not None and one.kind not in RESPONSES | REPORTS
    if answerable and one.entry is not None and owner.code != bureau.code:
        changes.unreadable.append((one.idx, Ref(owner.origin, one.entry.id, one.leaf.hex()), reason))


def _other_version(owner: Peer, tag: str) -> Json:
    sentence = (
        f"{owner.code} writes under version {version_of(tag)} of the agreement ({tag}), which is not in force here. "
        "What it says is held and countersigned, and its relief acts. Take up the text with `syncd agreement load`, "
        "sign it if this member is to; what is held is then read by itself."
    )
    facts = {"region": owner.code, "log": owner.origin, "agreement": tag, "sentence": sentence}
    return {"kind": VERSION, "mark": f"{owner.code} {tag}", "reason": "not_in_force_here", "facts": facts}
