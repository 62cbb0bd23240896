"""A log with a second signature by SM2, from its owner through a mirror into bundle, export and audit, and without the
extra that checks it."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from evidence_kit import HOME, NEIGHBOUR, THREE, carry_lines, company, evidence_of, origin_of
from network import Network, network, penalty

from schemas.registry import check_body
from syncd.evidence.audit import Report, audit
from syncd.evidence.export import export
from syncd.evidence.files import read_policy
from syncd.evidence.folder import FolderLog, trust_file
from syncd.evidence.node_log import logs_of
from syncd.evidence.prove import prove
from syncd.evidence.report import as_json, as_markdown
from syncd.ledger.bundle import format_bundle, parse_bundle
from syncd.ledger.canonical import b64
from syncd.ledger.policy import parse_policy
from syncd.ledger.sm2 import Sm2Signer, new_key
from syncd.ledger.steps import Verdict
from syncd.ledger.verdict import verify_bundle
from syncd.store.checkpoints import full_note

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Three nodes; one of them signs by SM2 too, from its second checkpoint on."""
    folder = tmp_path_factory.mktemp("sm2")
    made = network(folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}")
    second = Sm2Signer(origin_of(made, HOME), *new_key())
    for code, node in made.nodes.items():
        bureau = node.bureau
        bureau.members = {**bureau.members, HOME: replace(bureau.members[HOME], sm2=second.verifier)}
        if code == HOME:
            bureau.signers = replace(bureau.signers, sm2=second)
    made.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    made.settle()
    carry_lines(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def exported(net: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export by another member than the one that signs so."""
    folder = tmp_path_factory.mktemp("sm2-export")
    origins = [origin_of(net, code) for code in THREE]
    export(evidence_of(net, NEIGHBOUR), folder, origins, provisional=False, told=lambda what, more: None)
    return folder


def line_in(note: bytes, net: Network) -> str:
    """The SM2 line of a note."""
    key = net.nodes[HOME].bureau.members[HOME].sm2
    (found,) = [line for line in note.decode().split("\n")[4:-1] if key is not None and key.made(line)]
    return found


def spoilt(note: bytes, net: Network) -> bytes:
    """The note with one bit of its SM2 signature changed."""
    line = line_in(note, net)
    data = bytearray(base64.b64decode(line.split(" ")[2]))
    data[-1] ^= 1
    return note.replace(line.split(" ")[2].encode(), b64(bytes(data)).encode())


def proven(net: Network) -> bytes:
    """A bundle about the company, made by another member."""
    return format_bundle(prove(evidence_of(net, NEIGHBOUR), company(1), datetime(2026, 11, 22, tzinfo=UTC)).bundle)


def judged(net: Network, bundle: bytes) -> Verdict:
    """The verdict by the members' policy."""
    return verify_bundle(parse_bundle(bundle), parse_policy(evidence_of(net).trust), check_body)


def of_folder(folder: Path) -> Report:
    """The audit of an export."""
    trust, print_of = read_policy(trust_file(folder))
    logs = [FolderLog(folder, origin) for origin in sorted(log.name for log in trust.logs)]
    return audit(logs, trust, print_of, 3, lambda what, more: None)


def test_the_line_travels_with_the_note_into_every_mirror(net: Network) -> None:
    origin = origin_of(net, HOME)
    for node in net.nodes.values():
        with node.bureau.store.read() as conn:
            newest = node.bureau.logs.newest(conn, origin)
            note = full_note(conn, origin, newest.size if newest is not None else 0) or b""
        assert note.count(b"\n") == 3 + 1 + 5, "its own line, the SM2 line, three members'"
        assert line_in(note, net)


def test_a_bundle_says_whether_the_line_verifies(net: Network) -> None:
    bundle = proven(net)
    verdict = judged(net, bundle)
    assert verdict.ok
    said = [(one.place.split(":")[0], one.code) for one in verdict.steps[1].notes]
    assert said == [(origin_of(net, HOME), "sm2_signed")], "once for the log, and nothing of logs without such a key"
    note = bytes(parse_bundle(bundle).records[0].proof)
    wrong = judged(net, bundle.replace(note[note.index(b"jiakuntai") :], spoilt(note[note.index(b"jiakuntai") :], net)))
    assert not wrong.ok and {fault.code for fault in wrong.steps[1].faults} == {"bad_signature"}


def test_an_audit_counts_the_lines_and_names_a_wrong_one(net: Network, exported: Path) -> None:
    evidence, origin = evidence_of(net), origin_of(net, HOME)
    with evidence.logs.store.read() as conn:
        live = audit(
            logs_of(evidence, conn, whole=True), evidence.policy, evidence.fingerprint, 5, lambda what, more: None
        )
    for report in (live, of_folder(exported)):
        (log,) = [one for one in report.logs if one.origin == origin]
        assert report.ok and log.sm2["sm2_signed"] == log.checkpoints - 1 and log.sm2["sm2_missing"] == 1
        assert all(not one.sm2 for one in report.logs if one is not log)
    assert "SM2" in as_markdown(as_json(live)).decode()
    path = exported / "public" / origin / "checkpoint"
    whole = path.read_bytes()
    path.write_bytes(spoilt(whole, net))
    for level in (1, 3):
        trust, print_of = read_policy(trust_file(exported))
        spoilt_report = audit([FolderLog(exported, origin)], trust, print_of, level, lambda what, more: None)
        named = [(fault.place, fault.code) for found in spoilt_report.logs[0].faults.values() for fault in found]
        assert (f"{origin}/checkpoint", "bad_sm2_signature") in named
    path.write_bytes(whole)


def test_a_policy_from_before_the_key_finds_nothing_wrong(net: Network, exported: Path) -> None:
    trust = b"".join(line for line in trust_file(exported).read_bytes().splitlines(True) if b": sm2" not in line)
    policy = parse_policy(trust)
    logs = [FolderLog(exported, log.name) for log in policy.logs]
    report = audit(logs, policy, "", 3, lambda what, more: None)
    assert report.ok and not any(log.sm2 for log in report.logs)
    assert verify_bundle(parse_bundle(proven(net)), policy, check_body).ok


def test_without_the_extra_a_line_is_said_to_be_not_checked(net: Network, exported: Path, tmp_path: Path) -> None:
    (tmp_path / "proof.bundle").write_bytes(proven(net))
    without = "import sys; sys.modules['gmssl_pyx'] = None; from syncd.cli.main import main; main()"
    for arguments, said in (
        (["ledger", "verify", tmp_path / "proof.bundle", "--lang", "en"], "not checked"),
        (["ledger", "audit", exported, "--level", "2"], "not checked"),
    ):
        arguments += ["--policy", trust_file(exported)]
        command = [sys.executable, "-c", without, *map(str, arguments)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        ran = subprocess.run(command, env=env, capture_output=True, timeout=90, check=False)
        assert ran.returncode == 0 and said in ran.stdout.decode(), (ran.stdout, ran.stderr)
