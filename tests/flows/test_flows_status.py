"""What ``status`` and ``explain`` say of nodes that work together, on both databases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from network import THREE, Network, company, network, penalty, relief

from syncd.flows.status import status

Json = dict[str, Any]
HOME, PEER = "320583", "310114"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    """Three nodes in one process."""
    return network(tmp_path, store_urls)


def of(net: Network, code: str) -> Json:
    """A node's status now."""
    return status(net.nodes[code].bureau, net.clock())


def test_all_is_countersigned_understood_and_acknowledged(net: Network) -> None:
    net.nodes[HOME].home.put(*[penalty(str(100 + n), company(n), "KS-0104", HOME) for n in range(3)])
    net.settle()
    for code in THREE:
        stands = of(net, code)
        assert stands["deliveries"] == {"pending": 0, "delivered": 0, "acknowledged": 3}
        for peer in stands["peers"]:
            assert peer["entries"] == peer["signed"] == peer["countersigned"] > 0 == peer["behind"]
            assert peer["held_of_theirs"] == peer["their_target"] > 0 and peer["last_contact"] is not None
        for stage in stands["stages"]:
            assert stage["error"] is None
            if stage["stage"] == "recognise":
                assert stage["cursor"] == stage["of"] == stage["relief"] > 0
            if stage["stage"] in ("restrict", "acknowledgements"):
                assert (stage["cursor"], stage["of"]) == (3, 3)
    (source,) = of(net, HOME)["sources"]
    assert source["rows"]["issued"] == 3 and 0 <= source["lag_seconds"] < 60


def test_a_peer_away_and_a_home_system_down_are_seen(net: Network) -> None:
    net.settle()
    net.links[HOME, PEER].down = True
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.nodes["320585"].home.down = True
    net.settle()
    peers = {peer["peer"]: peer for peer in of(net, HOME)["peers"]}
    assert peers[PEER]["behind"] > 0 == peers["320585"]["behind"]
    assert of(net, "320585")["deliveries"]["pending"] == 1
    stages = {one["stage"]: (one["cursor"], one["of"]) for one in of(net, "320585")["stages"]}
    assert stages["restrict"] == (0, 1) and stages["acknowledgements"] == (0, 0)
    assert of(net, HOME)["deliveries"]["pending"] == 0


def test_delivered_without_acknowledgement_is_seen(net: Network) -> None:
    net.nodes[HOME].home.silent = True
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    assert of(net, HOME)["deliveries"] == {"pending": 0, "delivered": 1, "acknowledged": 0}
    (finding,) = net.nodes[HOME].stages.inquiry.check(company(1), net.nodes[HOME].bureau.today())["findings"]
    assert finding["home"] == "delivered"


def test_the_number_under_which_orders_were_taken_is_kept_and_shown(net: Network) -> None:
    net.nodes[HOME].home.number = "受理2026-7"
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    (finding,) = net.nodes[HOME].stages.inquiry.explain(company(1), net.nodes[HOME].bureau.today())["findings"]
    assert finding["order_receipt"]["number"] == "受理2026-7"
    net.nodes[HOME].home.number = "受理2026-8"
    net.nodes[HOME].home.put(relief("201", row, "修复"))
    net.settle()
    (finding,) = net.nodes[HOME].stages.inquiry.explain(company(1), net.nodes[HOME].bureau.today())["findings"]
    assert finding["order_receipt"]["number"] == "受理2026-8"


def test_explain_names_every_answer_and_its_receipts(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", row, "修复"))
    net.settle()
    answer = net.nodes[PEER].stages.inquiry.explain(company(1), net.nodes[PEER].bureau.today())
    steps = answer["findings"][0]["steps"]
    assert answer["standing"] == "clear" and answer["until"] is None
    assert {step["region"] for step in steps if step["step"] == "answer"} == set(THREE)
    assert {step["kind"] for step in steps if step["step"] == "relief"} == {"relief.repaired"}
    assert set(steps[0]["entry"]["receipts"]) >= {HOME, PEER}
    measures = [step for step in steps if step["step"] == "measure"]
    assert measures and all(step["name_zh"] for step in measures)


def test_the_end_is_that_of_what_restricts(net: Network) -> None:
    """Advice that runs longer does not lengthen a restriction; a demonstration says so in every answer."""
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    for node in net.nodes.values():
        answer = node.stages.inquiry.check(company(1), node.bureau.today())
        acting = [one for finding in answer["findings"] for one in finding["measures"]]
        assert answer["until"] == max(one["to"] for one in acting if one["kind"] != "advisory")
        assert answer["demonstration"]
        node.bureau.allow_candidates = False
        assert node.stages.inquiry.check(company(1), node.bureau.today())["demonstration"], "its record says so"
