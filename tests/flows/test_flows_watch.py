"""The watch: split views are proven and hold findings only, lines are renewed, provisional checkpoints alarm."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from network import Network, Node, company, network, penalty, relief
from test_flows_witness import Outsider

from syncd import keyring
from syncd.errors import NeedsPerson, Retry
from syncd.flows import crosscheck
from syncd.flows.outside import Outside
from syncd.flows.status import status
from syncd.ledger.canonical import hash_of_base64
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, format_note, parse_note
from syncd.ledger.policy import cosigners, parse_policy, satisfied
from syncd.ledger.tree import verify_consistency
from syncd.ledger.witness_files import OutsideWitness
from syncd.ledger.witnessing import Held, WitnessRefusal, judge, read_submission
from syncd.peers import Answer
from syncd.store import evidence
from syncd.store.further_lines import newest_outside

Json = dict[str, Any]
HOME, OTHER, THIRD = "320583", "310114", "320585"
DAY = dt.date(2026, 11, 22)


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """Three nodes that have shared one finding, at rest."""
    made = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    made.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    made.settle()
    yield made
    made.close()


def later(net: Network, minutes: float) -> None:
    """Time passes."""
    net.now += dt.timedelta(minutes=minutes)


def alarms(node: Node, net: Network) -> dict[str, Json]:
    """The standing alarms by kind."""
    return {one["kind"]: one for one in status(node.bureau, net.clock())["alarms"]}


def lie(net: Network, folder: Path, size: int, root: bytes = b"x" * 32) -> bytes:
    """A checkpoint of HOME's log that its key signs, with another root."""
    key = NoteSigner(net.nodes[HOME].bureau.origin, keyring.load(folder / HOME / "keys").log, LOG_KEY)
    text = format_checkpoint(Checkpoint(key.name, size, root))
    return format_note(text, [key.sign(text)])


def shows(net: Network, by: str, to: str, origin: str, answers: dict[str, bytes]) -> None:
    """One node answers another's questions about a log otherwise than it should."""
    link = net.links[to, by]
    before = link.get
    link.get = lambda asked, path: (  # type: ignore[method-assign]
        Answer(200, answers[path]) if asked == origin and path in answers else before(asked, path)
    )


def test_all_views_agree_and_it_is_seen(net: Network) -> None:
    stands = status(net.nodes[OTHER].bureau, net.clock())
    assert all(peer["cross_checked"] for peer in stands["peers"]) and stands["alarms"] == []
    first = stands["peers"][0]["cross_checked"]
    later(net, 51)
    net.settle()
    assert status(net.nodes[OTHER].bureau, net.clock())["peers"][0]["cross_checked"] > first


def test_a_split_view_is_proven_and_holds_findings_never_relief(net: Network, tmp_path: Path) -> None:
    node, origin = net.nodes[OTHER], net.nodes[HOME].bureau.origin
    shows(net, THIRD, OTHER, origin, {"checkpoint": lie(net, tmp_path, 2)})
    later(net, 51)
    net.settle()
    with node.bureau.store.read() as conn:
        (one,) = evidence.listing(conn)
    assert (one.log, one.code, one.proven, one.shown_by) == (origin, "split_view", True, THIRD)
    held, shown = (parse_checkpoint(parse_note(note).text) for note in (one.held, one.shown))
    proof = [evidence_hash(step) for step in one.proof]
    with node.bureau.store.read() as conn:
        verify_consistency(shown.size, held.size, proof, node.bureau.logs.root(conn, origin, 2), held.root)
    with pytest.raises(Exception, match="not shown to extend"):
        verify_consistency(shown.size, held.size, proof, shown.root, held.root)
    assert alarms(node, net)["fork"]["facts"]["code"] == "split_view"
    row = penalty("102", company(2), "KS-0104", HOME)
    net.nodes[HOME].home.put(row, relief("r1", penalty("101", company(1), "KS-0104", HOME), "撤销"))
    net.settle()
    assert node.stages.inquiry.check(company(2), DAY)["findings"] == [], "the finding waits"
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear", "relief acts"
    assert len(net.nodes[THIRD].stages.inquiry.check(company(2), DAY)["findings"]) == 1


def test_what_nobody_signed_accuses_nobody_and_lasting_silence_alarms(net: Network) -> None:
    node, origin = net.nodes[OTHER], net.nodes[HOME].bureau.origin
    stranger = NoteSigner(origin, Ed25519PrivateKey.generate(), LOG_KEY)
    text = format_checkpoint(Checkpoint(origin, 2, b"x" * 32))
    shows(net, THIRD, OTHER, origin, {"checkpoint": format_note(text, [stranger.sign(text)])})
    for _ in range(4):
        later(net, 51)
        node.stages.watch.step()
    assert alarms(node, net)["unchecked"]["about"] == THIRD
    with node.bureau.store.read() as conn:
        assert evidence.listing(conn) == []


def test_a_log_that_shrinks_is_a_suspicion(net: Network, tmp_path: Path) -> None:
    node, origin = net.nodes[OTHER], net.nodes[HOME].bureau.origin
    with node.bureau.store.read() as conn:
        root = node.bureau.logs.root(conn, origin, 1)
    shows(net, HOME, OTHER, origin, {"checkpoint": lie(net, tmp_path, 1, root)})
    later(net, 51)
    node.stages.watch.step()
    with node.bureau.store.read() as conn:
        assert [(one.code, one.proven) for one in evidence.listing(conn)] == [("shrinking", False)]
    assert "misbehaviour" in alarms(node, net) and "fork" not in alarms(node, net)


def test_lines_are_renewed_within_the_hour_and_the_first_ones_stay(net: Network) -> None:
    node = net.nodes[HOME]
    trust = parse_policy(node.stages.serve.static(node.bureau.origin, "trust.policy").body)
    before = parse_note(node.stages.serve.static(node.bureau.origin, "checkpoint").body)
    with node.bureau.store.read() as conn:
        first = node.bureau.logs.cosignatures(conn, node.bureau.origin, parse_checkpoint(before.text).size)
    later(net, 56)
    for _ in range(2):
        node.stages.watch.step()
    after = parse_note(node.stages.serve.static(node.bureau.origin, "checkpoint").body)
    assert after.text == before.text and len(after.lines) == len(before.lines) and satisfied(trust, after)
    older, newer = cosigners(trust, before), cosigners(trust, after)
    assert older.keys() == newer.keys() and all(newer[code] - older[code] >= 3300 for code in older)
    with node.bureau.store.read() as conn:
        size = parse_checkpoint(before.text).size
        assert node.bureau.logs.cosignatures(conn, node.bureau.origin, size) == first
    net.nodes[OTHER].stages.watch.step()
    mirrored = parse_note(net.nodes[OTHER].stages.serve.static(node.bureau.origin, "checkpoint").body)
    assert cosigners(trust, mirrored) == newer, "a mirror shows the fresh lines too"


def test_a_checkpoint_that_stays_provisional_alarms_until_it_is_final(net: Network) -> None:
    node = net.nodes[HOME]
    net.links[HOME, THIRD].down = True
    node.home.put(penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    assert "provisional" not in alarms(node, net)
    later(net, 61)
    node.stages.watch.step()
    facts = alarms(node, net)["provisional"]["facts"]
    assert facts["lacking"] == [THIRD]
    net.links[HOME, THIRD].down = False
    net.settle()
    assert "provisional" not in alarms(node, net)


def test_a_member_that_answers_slowly_keeps_no_other_from_being_checked(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, asked = net.nodes[HOME], list[str]()
    slow, said = net.links[HOME, OTHER], list[Json]()
    true = slow.get
    monkeypatch.setattr(crosscheck, "CHECK_SECONDS", 0.05)

    def drip(origin: str, path: str) -> Answer:
        asked.append(path)
        time.sleep(0.06)
        return true(origin, path)

    monkeypatch.setattr(slow, "get", drip)
    node.bureau.notice = lambda event, facts: said.append({"event": event, **facts})
    before = {one["peer"]: one["cross_checked"] for one in status(node.bureau, net.clock())["peers"]}
    later(net, 51)
    node.stages.watch.step()
    after = {one["peer"]: one["cross_checked"] for one in status(node.bureau, net.clock())["peers"]}
    assert asked == ["checkpoint"], "asked once, not for every log"
    (waits,) = [one for one in said if one["event"] == "crosscheck.waits"]
    assert waits["peer"] == OTHER and "takes longer than" in waits["because"]
    assert after[OTHER] == before[OTHER] and after[THIRD] > before[THIRD]


@pytest.mark.parametrize("fails", [False, True])
def test_a_log_that_a_member_shows_slowly_or_not_at_all_keeps_no_other_log_from_being_looked_at(
    net: Network, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    node, asked = net.nodes[HOME], list[str]()
    first, *others = (one.origin for one in node.bureau.members.values())
    link = net.links[HOME, OTHER]
    true = link.get
    monkeypatch.setattr(crosscheck, "CHECK_SECONDS", 1.0)

    def get(origin: str, path: str) -> Answer:
        asked.append(origin)
        if origin == first:
            time.sleep(0.0 if fails else 1.1)
        if origin == first and fails:
            raise Retry("The link broke.")
        return true(origin, path)

    monkeypatch.setattr(link, "get", get)
    later(net, 51)
    node.stages.watch.step()
    assert asked == [first], "cut at the first"
    node.stages.watch.step()
    assert asked == [first, *others, first], "the next time begins behind it"


class Court:
    """An outside witness: small, true, and reached without a wire."""

    def __init__(self, log: NoteSigner) -> None:
        self.key = NoteSigner("court.example/w", Ed25519PrivateKey.generate(), COSIGNATURE_KEY)
        self.known = OutsideWitness("court", self.key.verifier, "https://court.example/w")
        self.logs, self.held, self.away = {log.name: [log.verifier]}, Held(), False

    def add_checkpoint(self, body: bytes) -> Answer:
        if self.away:
            raise Retry("The witness is away.")
        submitted = read_submission(body, self.logs)
        try:
            judge(submitted, self.held)
        except WitnessRefusal as refusal:
            return Answer(refusal.status, f"{refusal}\n".encode())
        self.held = Held(submitted.checkpoint.size, submitted.checkpoint.root)
        return Answer(200, f"{self.key.cosign(submitted.note.text, 1_800_000_000)}\n".encode())


def test_an_outside_witness_countersigns_and_nothing_waits_for_it(net: Network) -> None:
    node = net.nodes[HOME]
    bureau = node.bureau
    court = Court(bureau.signers.log)
    for one in net.nodes.values():
        one.bureau.outside = [court.known]
    outside = Outside(bureau, court.known, court)
    assert outside.step() is False and outside.step() is False
    trust = parse_policy(node.stages.serve.static(bureau.origin, "trust.policy").body)
    note = parse_note(node.stages.serve.static(bureau.origin, "checkpoint").body)
    assert "court" in cosigners(trust, note) and satisfied(trust, note)
    court.away = True
    node.home.put(penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    with pytest.raises(Retry):
        outside.step()
    assert alarms(node, net)["outside_witness"]["facts"]["reason"] == "away"
    assert node.stages.inquiry.check(company(2), DAY)["standing"] == "restricted", "the exchange went on"
    court.away = False
    with bureau.store.write() as conn:
        bureau.logs.set_cursor(conn, "outside:court", "0")  # as after a restored copy: the witness tells where to go on
    assert outside.step() is True and outside.step() is False
    stands = status(bureau, net.clock())
    assert stands["alarms"] == [] and stands["witnesses"][0]["size"] == stands["peers"][0]["entries"]
    later(net, 51)
    net.settle()
    mirror = net.nodes[OTHER].bureau
    with mirror.store.read() as conn:
        assert "court" in newest_outside(conn, bureau.origin), "taken up by the mirrors"
    node.home.put(penalty("103", company(3), "KS-0104", HOME))
    net.settle()
    court.known = OutsideWitness("court", Outsider().key.verifier, "")
    with pytest.raises(NeedsPerson, match="without a line"):
        Outside(bureau, court.known, court).step()


def evidence_hash(text: str) -> bytes:
    """A proof's step."""
    return hash_of_base64(text)
