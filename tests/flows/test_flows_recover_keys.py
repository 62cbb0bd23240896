"""A store from before a change of keys: its mirrors and its own log come back across the whole rotation."""

from collections.abc import Callable
from pathlib import Path

import pytest
from network import THREE, company, find_spare, penalty
from test_flows_keys import begin, everybody_verifies
from test_flows_recover import HOME, OTHER, THIRD, Site, everything_holds, recover, renew

from syncd.flows import seal
from syncd.flows.seal import Seal
from syncd.ledger.key_history import active


@pytest.mark.parametrize(
    ("who", "role", "away"),
    [(OTHER, "log", True), (OTHER, "log", False), (OTHER, "receipt", False), (HOME, "log", False)],
)
def test_a_store_from_before_a_rotation_is_filled_up_across_it(tmp_path: Path, who: str, role: str, away: bool) -> None:
    """``away``: what the other's new key signed last was never countersigned here, so that only its batches lead on."""
    site = Site(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    find_spare(site.net, site.folder)
    site.homes[HOME].put(penalty("101", company(1), "KS-0104", HOME))
    site.net.settle()
    old = site.copy(HOME)
    new = begin(site.net, site.folder, who, role)
    site.homes[OTHER].put(penalty("201", company(2), "JD-0104", OTHER))
    site.net.settle()
    assert active(site.net.nodes[THIRD].bureau.members[who].history(), role) == [new], "the rotation is over"
    site.net.links[OTHER, HOME].down = away
    site.homes[OTHER].put(penalty("202", company(3), "JD-0104", OTHER))
    site.homes[HOME].put(penalty("102", company(4), "KS-0104", HOME))
    site.net.settle()
    site.restore(HOME, old)
    find_spare(site.net, site.folder)
    assert not site.net.nodes[HOME].bureau.may_sign
    assert recover(site.net)["state"] == "done"
    site.net.settle()
    renew(site.net)
    site.net.settle()
    for code in THREE:
        assert active(site.net.nodes[code].bureau.members[who].history(), role) == [new], code
    everything_holds(site.net)
    everybody_verifies(site.net)
    site.net.close()


def test_a_store_from_before_a_seal_knows_it_again(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    site = Site(tmp_path, store_urls)
    site.net.settle()
    old, origin = site.copy(HOME), site.net.nodes[THIRD].bureau.origin
    Seal(site.net.nodes[HOME].bureau).run(origin, None, [], 7, lambda conn, result: None)
    site.net.settle()
    sealed, spans = site.net.nodes[HOME].bureau.sealed, site.net.nodes[HOME].bureau.members[THIRD].history()
    site.restore(HOME, old)
    bureau = site.net.nodes[HOME].bureau
    assert recover(site.net)["state"] == "done"
    assert bureau.sealed == sealed and set(bureau.members[THIRD].history()) == set(spans)
    seal.known(bureau)
    assert bureau.sealed == sealed, "the store says so too"
    site.net.close()
