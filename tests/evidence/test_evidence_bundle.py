"""Proof bundles: what is proven, that any altered byte is seen, and that the step and the record are named."""

import datetime as dt
import random
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evidence_kit import HOME, NEIGHBOUR, company, evidence_of, origin_of, story
from network import Network

from schemas.registry import check_body
from syncd.errors import NeedsPerson
from syncd.evidence.books import Evidence
from syncd.evidence.prove import prove
from syncd.ledger.bundle import Bundle, BundleRecord, format_bundle, parse_bundle
from syncd.ledger.canonical import FormatError
from syncd.ledger.policy import parse_policy
from syncd.ledger.proof import parse_proof, verify_proof
from syncd.ledger.steps import Verdict
from syncd.ledger.tree import leaf_hash
from syncd.ledger.verdict import verify_bundle

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    folder = tmp_path_factory.mktemp("story")
    return story(folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}")


@pytest.fixture(scope="module")
def evidence(net: Network) -> Evidence:
    return evidence_of(net)


def test_a_bundle_that_no_verifier_would_take_is_not_made(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = prove(evidence, company(2), NOW).bundle
    for limit, value in (("BUNDLE_LIMIT", len(format_bundle(bundle)) - 1), ("RECORDS_LIMIT", len(bundle.records) - 1)):
        with monkeypatch.context() as patched:
            patched.setattr(f"syncd.ledger.bundle.{limit}", value)
            with pytest.raises(FormatError, match=r"Nothing was written.*one by one.*syncd ledger export"):
                format_bundle(bundle)


@pytest.fixture(scope="module")
def repaired(evidence: Evidence) -> bytes:
    """The file about the repaired finding."""
    return format_bundle(prove(evidence, company(2), NOW).bundle)


def judged(evidence: Evidence, data: bytes) -> Verdict:
    """The verdict on a file."""
    return verify_bundle(parse_bundle(data), parse_policy(evidence.trust), check_body)


def kinds(verdict: Verdict) -> list[tuple[str, str]]:
    """Code of the log and kind, in order."""
    return [(one.place.split("/")[1], one.entry.kind) for one in verdict.records if one.entry is not None]


def faults(verdict: Verdict) -> list[tuple[int, int, str]]:
    """Step, record and code of each fault."""
    return [(step.number, fault.record, fault.code) for step in verdict.steps for fault in step.faults]


def test_the_whole_chain_is_proven_from_one_node(evidence: Evidence, repaired: bytes) -> None:
    verdict = judged(evidence, repaired)
    assert verdict.ok and len(verdict.steps) == 9
    found = kinds(verdict)
    assert found[0] == (HOME, "finding.issued") and (HOME, "relief.repaired") in found
    for code in ("310114", "320583", "320585"):
        mine = [kind for log, kind in found if log == code and kind not in ("finding.issued", "relief.repaired")]
        assert mine == ["restriction.imposed", "feedback.reported", "restriction.lifted", "feedback.reported"]
    assert all(set(one.lines) == {"310114", "320583", "320585"} and not one.lacking for one in verdict.records)
    assert verdict.records[0].body is not None and verdict.records[0].body["subject"]["uscc"] == company(2)


def test_other_companies_feedback_stays_out(evidence: Evidence, repaired: bytes) -> None:
    batches = [one for one in judged(evidence, repaired).records if one.entry and one.entry.kind == "feedback.reported"]
    leaves = {one.hash.hex() for one in judged(evidence, repaired).records}
    for one in batches:
        assert {item["about"] for item in one.items if item} <= leaves and None in one.items


def test_what_is_named_in_any_way_leads_to_the_same_chain(evidence: Evidence, net: Network, repaired: bytes) -> None:
    first = judged(evidence, repaired).records[0]
    assert first.entry is not None
    lifted = next(one for one in judged(evidence, repaired).records if one.entry and one.entry.kind.endswith("lifted"))
    assert lifted.entry is not None
    names = [first.hash.hex(), first.entry.id, first.place, f"{HOME}:{first.index}", lifted.place, lifted.hash.hex()]
    for name in names:
        made = prove(evidence, name, NOW).bundle
        assert [one.leaf for one in made.records] == [one.leaf for one in parse_bundle(repaired).records]
    alone = prove(evidence, f"{NEIGHBOUR}:0", NOW).bundle
    assert kinds(judged(evidence, format_bundle(alone))) == [(NEIGHBOUR, "agreement.adopted")]
    assert prove(evidence_of(net, NEIGHBOUR), company(2), NOW).bundle.records[0].leaf == first.record.leaf


@pytest.mark.parametrize("name", ["91320583MA0000999X", "f" * 64, f"{HOME}:9999", "nonsense", "999999:1"])
def test_what_is_not_held_is_not_proven(evidence: Evidence, name: str) -> None:
    with pytest.raises(NeedsPerson):
        prove(evidence, name, NOW)


def test_each_proof_is_one_that_other_verifiers_read(evidence: Evidence, repaired: bytes) -> None:
    policy = parse_policy(evidence.trust)
    for record in parse_bundle(repaired).records:
        proof = parse_proof(record.proof)
        assert verify_proof(proof, leaf_hash(record.leaf), policy).size > proof.index


def test_a_flipped_byte_anywhere_is_seen(evidence: Evidence, repaired: bytes) -> None:
    """All bytes but the two lines in which the maker speaks for itself; a sample, with every line in it."""
    start = repaired.index(b"\n\n")
    places = set(random.Random(7).sample(range(start, len(repaired)), 300))
    places |= {at for at in range(start, len(repaired)) if repaired[at : at + 1] == b"\n" and at % 3 == 0}
    for at in sorted(places):
        for bit in (1, 0x20) if at % 5 == 0 else (1,):
            wrong = repaired[:at] + bytes([repaired[at] ^ bit]) + repaired[at + 1 :]
            try:
                verdict = judged(evidence, wrong)
            except FormatError:
                continue
            assert not verdict.ok, (at, bit, repaired[at - 20 : at + 20])


def altered(data: bytes, number: int, **changes: Any) -> bytes:
    """The file with one record changed; not every change can be written by us, so its parts are put together here."""
    bundle = parse_bundle(data)
    records = list(bundle.records)
    records[number - 1] = replace(records[number - 1], **changes)
    return format_bundle(Bundle(bundle.about, bundle.made, records, bundle.known))


def number_of(evidence: Evidence, data: bytes, kind: str) -> int:
    """The first record of a kind."""
    return next(one.number for one in judged(evidence, data).records if one.entry and one.entry.kind == kind)


def test_the_step_and_the_record_are_named(evidence: Evidence, repaired: bytes) -> None:
    record = parse_bundle(repaired).records[0]
    lifted = number_of(evidence, repaired, "restriction.lifted")
    proof = record.proof.decode()
    lines = proof.splitlines(keepends=True)
    salt = record.disclosure.replace(b'"salt":"', b'"salt":"x', 1)
    other = parse_bundle(repaired).records[1]
    cases: Sequence[tuple[dict[str, Any], tuple[int, str]]] = (
        ({"proof": proof.replace("index ", "index 0").encode()}, (1, "malformed")),
        ({"proof": "".join(line for line in lines if not line.startswith(f"— {origin(evidence)} ")).encode()},
         (2, "not_signed")),
        ({"proof": proof.replace("320583/1\n", "320583/7\n").encode()}, (2, "unknown_log")),
        ({"proof": "".join(lines[:-1]).encode()}, (3, "not_final")),
        ({"proof": proof.replace("index 2\n", "index 3\n").encode()}, (5, "not_included")),
        ({"leaf": record.leaf.replace(b"finding.issued", b"finding.amende")}, (5, "not_included")),
        ({"disclosure": record.disclosure.replace(b"20000.00", b"90000.00")}, (7, "disclosure_does_not_open")),
        ({"disclosure": salt}, (7, "disclosure_not_canonical")),
        ({"disclosure": other.disclosure}, (7, "disclosure_does_not_open")),
        ({"state": "erased", "disclosure": b""}, (9, "no_erasure_entry")),
        ({"state": "absent", "disclosure": b""}, (9, "missing")),
        ({"state": "none", "disclosure": b""}, (7, "state_does_not_fit")),
    )  # fmt: skip
    for changes, (step, code) in cases:
        found = faults(judged(evidence, altered(repaired, 1, **changes)))
        assert found[0] == (step, 1, code), (changes, found)
    bundle = parse_bundle(repaired)
    without = Bundle(bundle.about, bundle.made, bundle.records[1:])
    assert (8, lifted - 1, "not_in_bundle") in faults(judged(evidence, format_bundle(without)))


def origin(evidence: Evidence) -> str:
    """The node's own log."""
    with evidence.logs.store.read() as conn:
        return evidence.logs.states(conn)[0].origin


def test_withheld_is_told_and_is_no_fault(evidence: Evidence, repaired: bytes) -> None:
    verdict = judged(evidence, altered(repaired, 1, state="withheld", disclosure=b""))
    assert verdict.ok and any(note.record == 1 and note.code == "withheld" for note in verdict.steps[6].notes)


def test_two_roots_at_one_size_are_a_fork(evidence: Evidence, net: Network, repaired: bytes) -> None:
    from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
    from syncd.ledger.notes import format_note
    from syncd.ledger.proof import TlogProof, format_proof

    proof = parse_proof(parse_bundle(repaired).records[0].proof)
    text = format_checkpoint(Checkpoint(origin_of(net, HOME), 17, bytes(32)))
    signers = [node.bureau.signers for node in net.nodes.values()]
    lines = [net.nodes[HOME].bureau.signers.log.sign(text), *[one.receipt.cosign(text, 1) for one in signers]]
    forged = format_proof(TlogProof(proof.index, proof.hashes, format_note(text, lines)))
    number = number_of(evidence, repaired, "relief.repaired")
    assert faults(judged(evidence, altered(repaired, number, proof=forged)))[0] == (4, number, "fork")


def test_a_bundle_of_a_later_version_says_so(repaired: bytes) -> None:
    with pytest.raises(FormatError, match="newer one"):
        parse_bundle(repaired.replace(b"v1", b"v2", 1))
    for wrong in (b"", b"syncd-bundle v1", b"other\n", b"syncd-bundle v1\nabout x\nmade y\n"):
        with pytest.raises(FormatError):
            parse_bundle(wrong)


def test_a_leaf_that_is_no_text_is_carried_too() -> None:
    record = BundleRecord(b"\xff\n{}", "none", b"", b"c2sp.org/tlog-proof@v1\nindex 0\n\nx\n")
    made = "2026-11-22T01:00:00.000Z"
    data = format_bundle(Bundle("x", made, [record]))
    assert parse_bundle(data).records == [record] and b64encode(record.leaf) in data
    hidden = data.replace(b"leaf64\n" + b64encode(record.leaf), b"leaf64\n" + b64encode(b"{}"))
    with pytest.raises(FormatError, match="only spelling"):
        parse_bundle(hidden)


def test_what_is_not_final_is_proven_as_far_as_it_is(tmp_path: Path, store_urls_sqlite: Callable[[str], str]) -> None:
    from network import network, penalty

    net = network(tmp_path, store_urls_sqlite)
    for link in net.links.values():
        link.down = True
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    evidence = evidence_of(net)
    made = prove(evidence, company(1), NOW)
    assert made.used[0].lacking == ["310114", "320585"] and not made.unsigned
    found = faults(judged(evidence, format_bundle(made.bundle)))
    assert {code for _, _, code in found} == {"not_final"} and {step for step, _, _ in found} == {3}


@pytest.fixture
def store_urls_sqlite(tmp_path: Path) -> Callable[[str], str]:
    return lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}"
