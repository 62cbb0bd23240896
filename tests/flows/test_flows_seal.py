"""A stolen key seals its log: nothing more is taken of it, its successor goes on, and relieves what it had issued."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from network import THREE, Network, Node, company, found, opened, penalty, relief

from syncd import keyring
from syncd.errors import NeedsPerson
from syncd.flows.bureau import Peer
from syncd.flows.erasures import listed
from syncd.flows.order_erasure import OrderErasure
from syncd.flows.seal import Seal
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import LOG_KEY, NoteSigner, format_note, parse_note
from syncd.ledger.policy import parse_policy, satisfied
from syncd.ledger.wire import compress, encode_batch, encode_records
from syncd.store import desk, evidence, register

HOME, OTHER, THIRD = "320583", "310114", "320585"
OLD, NEW = "jiakuntai-eco/320583/1", "jiakuntai-eco/320583/2"
DAY = dt.date(2026, 11, 22)


class Site:
    """Three nodes in a folder that are stopped and started; the home systems stay."""

    def __init__(self, folder: Path, urls: Callable[[str], str] | None = None) -> None:
        self.folder, self.homes = folder, {}
        self.urls = urls or (lambda code: f"sqlite:///{folder / code / 'syncd.db'}")
        found(folder)
        self.net = self.open()

    def open(self, successor: bool = False) -> Network:
        """Open the nodes; with ``successor`` all hold HOME's new member file."""
        net = opened(self.folder, self.urls, home=self.home)
        if successor:
            for node in net.nodes.values():
                self.introduce(node)
        net.establish()
        return net

    def home(self, code: str):  # type: ignore[no-untyped-def]
        from network import HomeSystem

        return self.homes.setdefault(code, HomeSystem())

    def key(self) -> NoteSigner:
        """The successor's log key."""
        files = keyring.signing_keys(self.folder / HOME / "keys", "log")
        return NoteSigner(NEW, files[1][1], LOG_KEY)

    def introduce(self, node: Node) -> None:
        """What a start with the new member file makes of a node."""
        before = node.bureau.members[HOME]
        node.bureau.members[HOME] = Peer(HOME, NEW, self.key().verifier, before.receipt)
        if node.bureau.code == HOME:
            node.bureau.signers = replace(node.bureau.signers, log=self.key())

    def named(self) -> dict[str, str]:
        """The successor as its member file names it."""
        receipt = self.net.nodes[OTHER].bureau.members[HOME].receipt.vkey
        return {"origin": NEW, "log": self.key().vkey, "receipt": receipt}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One finding of HOME is known to all."""
    made = Site(tmp_path)
    made.net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    made.net.settle()
    yield made
    made.net.close()


def seal(node: Node, successor: dict[str, str] | None, keys: list[str]) -> None:
    """Seal HOME's first log at a node."""
    Seal(node.bureau).run(OLD, successor, keys, 7, lambda conn, result: None)


def stolen(site: Site) -> bytes:
    """What a thief sends with the stolen key: one more entry behind all that was signed."""
    bureau = site.net.nodes[OTHER].bureau
    with bureau.store.read() as conn:
        size = bureau.logs.state(conn, OLD).size
    key = NoteSigner(OLD, keyring.load(site.folder / HOME / "keys").log, LOG_KEY)
    text = format_checkpoint(Checkpoint(OLD, size + 1, b"x" * 32))
    note = format_note(text, [key.sign(text)])
    from syncd.ledger.wire import Record

    return compress(encode_batch(size, [], note, note, encode_records([Record(b"{}", b"")])))


def test_a_sealed_log_takes_nothing_more_and_its_successor_relieves(site: Site) -> None:
    old = site.net.nodes[HOME].bureau.members[HOME].log.vkey
    keyring.add_signing_key(site.folder / HOME / "keys", "log")
    with pytest.raises(NeedsPerson, match="No member"):
        Seal(site.net.nodes[OTHER].bureau).run("another/999999/1", None, [], 7, lambda conn, result: None)
    for code in (OTHER, THIRD):
        seal(site.net.nodes[code], site.named(), [old])
    node = site.net.nodes[OTHER]
    assert node.stages.receive.entries(OLD, stolen(site), HOME).status == 403
    with node.bureau.store.read() as conn:
        assert [one.code for one in evidence.listing(conn)] == ["beyond_seal"]
    with pytest.raises(NeedsPerson, match="sealed here already"):
        seal(node, site.named(), [old])
    site.net.close()

    site.net = site.open(successor=True)
    home = site.net.nodes[HOME]
    assert home.bureau.origin == NEW and home.bureau.may_sign
    seal(home, site.named(), [old])
    row = penalty("101", company(1), "KS-0104", HOME)
    home.home.put(penalty("102", company(2), "KS-0104", HOME), relief("r1", row, "撤销"))
    site.net.settle()
    for code in THREE:
        inquiry = site.net.nodes[code].stages.inquiry
        assert inquiry.check(company(2), DAY)["standing"] == "restricted", code
        assert inquiry.check(company(1), DAY)["standing"] == "clear", "the successor has relieved it"
        assert site.net.nodes[code].home.in_force(company(1)) == set()
        steps = inquiry.explain(company(1), DAY)["findings"][0]["steps"]
        (said,) = [step for step in steps if step["step"] == "relief"]
        assert said["entry"]["log"] == NEW
    assert site.net.nodes[THIRD].stages.receive.entries(OLD, stolen(site), HOME).status == 403
    the_successor_erases(site.net)


def the_successor_erases(net: Network) -> None:
    """What the sealed log had issued is erased everywhere, by the bureau's own order."""
    home = net.nodes[HOME].bureau
    with home.store.read() as conn:
        (finding,) = register.findings_of(conn, company(1))
        index = home.logs.by_leaf(conn, OLD, [finding.leaf])[0].index
    order = OrderErasure(home)
    result = order.run(f"{OLD}:{index}", "revoked", "KS-2026-0007", False, 7)
    assert (result["finding"], result["log"]) == (finding.leaf.hex(), NEW)
    with pytest.raises(NeedsPerson, match=f"already, by {NEW}:{result['index']}"):
        order.run(finding.leaf.hex(), "revoked", "KS-2026-0007", False, 7)
    net.settle()
    for code in THREE:
        node = net.nodes[code]
        assert node.stages.inquiry.check(company(1), DAY)["findings"] == [], code
        with node.bureau.store.read() as conn:
            told = listed(node.bureau, conn, DAY)
            assert [(one["waiting_for"], one["here"]) for one in told] == [([], "closed")], code
            rows = node.bureau.logs.read_entries(conn, OLD, index, index + 1)
        assert node.bureau.vault.open_many([row.sealed for row in rows]) == [None], code


def test_the_policy_knows_where_the_old_key_ends(site: Site) -> None:
    node = site.net.nodes[OTHER]
    before = parse_note(node.stages.serve.static(OLD, "checkpoint").body)
    old = node.bureau.members[HOME].log.vkey
    keyring.add_signing_key(site.folder / HOME / "keys", "log")
    seal(node, site.named(), [old])
    policy = parse_policy(node.stages.serve.static(OLD, "trust.policy").body)
    end = policy.sealed[OLD]
    assert satisfied(policy, before) and end.successor == NEW
    thief = NoteSigner(OLD, keyring.load(site.folder / HOME / "keys").log, LOG_KEY)
    text = format_checkpoint(Checkpoint(OLD, end.size + 1, b"x" * 32))
    assert not satisfied(policy, parse_note(format_note(text, [thief.sign(text), *before.lines[1:]])))
    site.net.close()
    site.net = site.open(successor=True)
    site.net.nodes[OTHER].home.put(penalty("103", company(3), "JD-0104", OTHER))
    site.net.settle()
    assert parse_policy(site.net.nodes[OTHER].stages.serve.static(NEW, "trust.policy").body).sealed == policy.sealed


def test_a_log_without_successor_ends(site: Site) -> None:
    node = site.net.nodes[OTHER]
    seal(node, None, [])
    assert node.bureau.sealed[OLD].successor is None
    keyring.add_signing_key(site.folder / HOME / "keys", "log")
    seal(node, site.named(), [])
    assert node.bureau.sealed[OLD].successor == NEW, "a successor may be named later"


def succeeded(site: Site) -> Network:
    """The key was stolen: every member has sealed the log, and the successor goes on."""
    old = site.net.nodes[HOME].bureau.members[HOME].log.vkey
    keyring.add_signing_key(site.folder / HOME / "keys", "log")
    for code in (OTHER, THIRD):
        seal(site.net.nodes[code], site.named(), [old])
    site.net.close()
    site.net = site.open(successor=True)
    seal(site.net.nodes[HOME], site.named(), [old])
    site.net.settle()
    return site.net


def test_relief_that_one_member_had_not_got_is_said_again_by_the_successor(site: Site) -> None:
    home, rows = site.net.nodes[HOME].home, {n: penalty(str(n), company(n), "KS-0104", HOME) for n in (2, 3)}
    home.put(*rows.values())
    site.net.settle()
    site.net.links[HOME, THIRD].down = True
    home.put(relief("r1", rows[2], "撤销"), relief("r2", rows[3], "异议"))
    site.net.settle()
    home.put(relief("r3", rows[3], "维持"))
    site.net.settle()
    assert site.net.nodes[THIRD].home.in_force(company(2))
    net = succeeded(site)
    third = net.nodes[THIRD]
    assert third.stages.inquiry.check(company(2), DAY)["standing"] == "clear" and not third.home.in_force(company(2))
    found = third.stages.inquiry.check(company(3), DAY)
    assert found["standing"] == "restricted" and not found["findings"][0]["disputed"], "what was cleared stays so"


def of(net: Network, code: str, n: int) -> list[tuple[str, str]]:
    """What a member says of a company's findings now: the log each stands in, and what follows."""
    node = net.nodes[code]
    with node.bureau.store.read() as conn:
        logs = {state.id: state.origin for state in node.bureau.logs.states(conn)}
        found = register.findings_of(conn, company(n))
        answers = register.responses_of(conn, [one.leaf for one in found], code)
    return [(logs[one.log], answers[one.leaf][code].kind) for one in found]


def test_a_row_that_changes_after_a_seal_is_revoked_there_and_issued_anew(site: Site) -> None:
    home = site.net.nodes[HOME].home
    rows = {key: penalty(key, company(n), "KS-0104", HOME) for n, key in enumerate(("101", "102", "103", "104"), 1)}
    home.put(*rows.values(), relief("r2", rows["102"], "修复"), relief("r3", rows["103"], "异议"))
    home.put(relief("r4", rows["104"], "撤销"))
    site.net.settle()
    net = succeeded(site)
    assert [of(net, code, 1) for code in (OTHER, THIRD)] == [[(OLD, "restriction.imposed")]] * 2
    states = {n: net.nodes[OTHER].stages.inquiry.check(company(n), DAY)["standing"] for n in (1, 2, 3, 4)}
    assert (states[1], states[2], states[4]) == ("restricted", "clear", "clear")
    changed = [
        penalty(key, company(n), "KS-0104", HOME, CF_NR_FK="3", GXSJ="2026-11-22 08:00:00.000000")
        for n, key in enumerate(rows, 1)
    ]
    home.put(*changed)
    net.settle()
    for code in (OTHER, THIRD):
        node = net.nodes[code]
        assert of(net, code, 1) == [(OLD, "restriction.lifted"), (NEW, "restriction.imposed")]
        assert {n: node.stages.inquiry.check(company(n), DAY)["standing"] for n in states} == states
        assert of(net, code, 4) == [(OLD, of(net, code, 4)[0][1])], "what was revoked is not issued anew"
        assert node.home.in_force(company(1)) and not node.home.in_force(company(2))
        with node.bureau.store.read() as conn:
            assert not [one for one in desk.listing(conn) if one.kind == "unreadable"]
    with net.nodes[HOME].bureau.store.read() as conn:
        size = net.nodes[HOME].bureau.logs.state(conn, NEW).size
    with net.nodes[HOME].bureau.store.write() as conn:
        net.nodes[HOME].stages.collect.read_again(conn)
    net.settle()
    with net.nodes[HOME].bureau.store.read() as conn:
        assert net.nodes[HOME].bureau.logs.state(conn, NEW).size == size, "nothing is said twice"
