"""Keys that change while everything goes on: both lines, then one; mirrors, policies and a restored peer follow."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from network import THREE, Network, company, find_spare, network, penalty

from syncd import keyring
from syncd.errors import NeedsPerson, Stop
from syncd.flows.keys import Rotate
from syncd.flows.startup import establish
from syncd.ledger.key_history import ROLES, active
from syncd.ledger.notes import NoteSigner, parse_note
from syncd.ledger.policy import lacking, parse_policy, satisfied

HOME, OTHER, THIRD = "320583", "310114", "320585"
DAY = dt.date(2026, 11, 22)


def names(net: Network, code: str) -> dict[str, str]:
    """What the keys of a member are called."""
    own = net.nodes[code].bureau.members[code]
    return {"log": own.log.name, "receipt": own.receipt.name}


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """Three nodes that have shared one finding, at rest; each finds its keys in its folder."""
    made = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    find_spare(made, tmp_path)
    made.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    made.settle()
    yield made
    made.close()


def begin(net: Network, folder: Path, code: str, role: str) -> str:
    """Begin a rotation."""
    _, private = keyring.add_signing_key(folder / code / "keys", role)
    vkey = NoteSigner(names(net, code)[role], private, ROLES[role]).vkey
    Rotate(net.nodes[code].bureau).run(role, vkey, 7, lambda conn, result: None)
    return vkey


def newest(net: Network, at: str, of: str) -> tuple[bytes, bytes]:
    """The newest checkpoint of a member's log as a node serves it, and that node's trust policy."""
    serve, origin = net.nodes[at].stages.serve, net.nodes[of].bureau.origin
    return serve.static(origin, "checkpoint").body, serve.static(origin, "trust.policy").body


def everybody_verifies(net: Network) -> None:
    for at in THREE:
        for of in THREE:
            note, trust = newest(net, at, of)
            policy, read = parse_policy(trust), parse_note(note)
            assert satisfied(policy, read), (at, of, lacking(policy, read))


@pytest.mark.parametrize("role", ROLES)
def test_a_rotation_never_stops_the_exchange(net: Network, tmp_path: Path, role: str) -> None:
    home = net.nodes[HOME].bureau
    old = home.members[HOME].log.vkey if role == "log" else home.members[HOME].receipt.vkey
    net.links[HOME, THIRD].down = net.links[THIRD, HOME].down = True
    new = begin(net, tmp_path, HOME, role)
    net.nodes[HOME].home.put(penalty("102", company(2), "KS-0104", HOME))
    net.nodes[OTHER].home.put(penalty("103", company(3), "JD-0104", OTHER))
    net.settle()
    keys = [one.vkey for one in home.signing(role)]
    assert keys == [old, new], "both sign while a member has not countersigned"
    note = parse_note(newest(net, HOME, HOME)[0])
    assert sum(line.startswith(f"— {names(net, HOME)[role]} ") for line in note.lines) == 2
    assert net.nodes[OTHER].stages.inquiry.check(company(2), DAY)["standing"] == "restricted"
    with pytest.raises(NeedsPerson, match="under way"):
        begin(net, tmp_path, HOME, role)
    net.links[HOME, THIRD].down = net.links[THIRD, HOME].down = False
    net.settle()
    assert [one.vkey for one in home.signing(role)] == [new], "the old one is retired by itself"
    for node in net.nodes.values():
        assert active(node.bureau.members[HOME].history(), role) == [new]
    net.nodes[HOME].home.put(penalty("104", company(4), "KS-0104", HOME))
    net.settle()
    lines = parse_note(newest(net, HOME, HOME)[0]).lines
    assert sum(line.startswith(f"— {names(net, HOME)[role]} ") for line in lines) == 1
    for at in THREE:
        assert net.nodes[at].stages.inquiry.check(company(4), DAY)["standing"] == "restricted"
    everybody_verifies(net)
    fresh = net.nodes[OTHER].bureau
    fresh.members[HOME].spans.clear()
    establish(fresh)
    assert active(fresh.members[HOME].history(), role) == [new], "a restart knows the history"


def test_a_key_file_that_is_gone_stops_the_signing(net: Network, tmp_path: Path) -> None:
    begin(net, tmp_path, HOME, "log")
    net.settle()
    (tmp_path / HOME / "keys/log.2.key").unlink()
    bureau = net.nodes[HOME].bureau
    bureau._found = {}
    with pytest.raises(Stop, match="log key that signs is not in"):
        bureau.signing("log")
