"""A node that starts without ``allow_candidates``: what it judged as a demonstration acts nowhere any more."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from network import Network, Node, company, network, penalty, relief
from test_flows_road import DAY, HOME, standings

from syncd.flows.review import Question, Review
from syncd.flows.startup import establish
from syncd.store import outbox


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def start(node: Node, candidates: bool) -> None:
    """Start again with or without the setting; what has ended or was put off is queued, as at every start."""
    node.bureau.allow_candidates = candidates
    establish(node.bureau)
    with node.bureau.store.write() as conn:
        outbox.changed_by(conn, node.bureau.today().isoformat())


def deliver(node: Node) -> None:
    """Only ``restrict`` has its turn."""
    assert node.stages.restrict is not None
    for _ in range(9):
        if not node.stages.restrict.step():
            return
    raise AssertionError("it does not come to rest")


def judged(net: Network, **changes: str) -> Node:
    """HOME has judged a finding; its order waits."""
    node = net.nodes[HOME]
    assert node.stages.collect is not None
    node.home.put(penalty("101", company(1), "KS-0104", HOME, **changes))
    node.stages.collect.step()
    node.stages.recognise.step()
    return node


def test_what_waits_is_not_delivered_once_candidates_take_no_effect(net: Network) -> None:
    node = judged(net)
    start(node, candidates=False)
    deliver(node)
    assert node.home.orders == {} and node.home.pushes == 0
    with node.bureau.store.read() as conn:
        assert outbox.counts(conn) == {"pending": 1}
    net.settle()
    assert not node.home.in_force(company(1)) and standings(net, company(1))[1] == "clear"


def test_it_goes_home_where_candidates_take_effect_again(net: Network) -> None:
    node = judged(net)
    start(node, candidates=False)
    deliver(node)
    start(node, candidates=True)
    deliver(node)
    assert node.home.in_force(company(1))


def test_nothing_of_it_is_shown_as_in_force_from_the_start_on(net: Network) -> None:
    judged(net)
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    for node in net.nodes.values():
        start(node, candidates=False)
    assert standings(net, company(1)) == ["clear"] * 3
    home = net.nodes[HOME]
    assert home.stages.inquiry.check(company(1), DAY, "310114")["standing"] == "clear"
    assert Review(home.bureau, Question("tender", DAY)).one(company(1))["standing"] != "restricted"


def test_liftings_and_what_has_ended_go_home_all_the_same(net: Network) -> None:
    node = judged(net, CF_GSJZQ="2026-12-01")
    row = penalty("102", company(2), "KS-0104", HOME)
    node.home.put(row)
    net.settle()
    assert node.home.in_force(company(1)) and node.home.in_force(company(2))
    node.home.put(relief("r1", row, "撤销"))
    assert node.stages.collect is not None
    node.stages.collect.step()
    node.stages.recognise.step()
    net.now = dt.datetime(2026, 12, 1, 16, 1, tzinfo=dt.UTC)
    start(node, candidates=False)
    deliver(node)
    assert not node.home.in_force(company(1)) and not node.home.in_force(company(2))
