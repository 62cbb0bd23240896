"""Honours on the road: granted in one log, known in all, suspended by a severe finding, back by repair, withdrawn."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from network import ORGAN, Network, company, network, penalty, relief

from syncd.errors import NeedsPerson, Refuse
from syncd.flows.honour import Honouring
from syncd.flows.review import Question, Review

HOME, OTHER, DAY = "320583", "310114", dt.date(2026, 11, 22)


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def grant(net: Network, code: str = OTHER, **changes: Any) -> str:
    args = {"uscc": company(1), "honour": "HN-RED", "name": "演示第1化工有限公司", "number": "诚〔2026〕1号",
            "organ": ORGAN, "on": "2026-11-01", "published": "2026-11-05", "until": "2027-10-31", "account": 7,
            "ground": "operator_request", **changes}  # fmt: skip
    done = Honouring(net.nodes[code].bureau).run("honour.grant", args, lambda conn, result: None)
    net.settle(collect=False)
    return str(done["entry"])


def states(net: Network, code: str = HOME) -> list[tuple[str, set[str]]]:
    """Each honour in force at a node, with the states of its incentives."""
    honours = net.nodes[code].stages.inquiry.check(company(1), DAY)["honours"]
    return [(one["honour"], {offer["state"] for offer in one["incentives"]}) for one in honours]


def test_an_honour_travels_and_a_severe_finding_suspends_it_until_repair(net: Network) -> None:
    entry = grant(net)
    assert [states(net, code) for code in net.nodes] == [[("HN-RED", {"offered"})]] * 3
    answer = net.nodes[HOME].stages.inquiry.check(company(1), DAY)
    assert answer["standing"] == "clear" and not answer["findings"] and answer["name"], "an honour restricts nobody"
    assert not any(node.home.orders for node in net.nodes.values()), "and is no order"
    row = penalty("1", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    assert [states(net, code) for code in net.nodes] == [[("HN-RED", {"suspended"})]] * 3
    explained = net.nodes[OTHER].stages.inquiry.explain(company(1), DAY)
    assert explained["honours"][0]["suspended_by"] == [explained["findings"][0]["finding"]]
    permit = Review(net.nodes[HOME].bureau, Question("permit", DAY)).one(company(1))
    assert {(one["id"], one["state"]) for one in permit["incentives"]} == {
        ("IN-GREEN", "suspended"), ("IN-PAPERS", "suspended")}  # fmt: skip
    net.nodes[HOME].home.put(relief("r1", row, "修复"))
    net.settle()
    assert states(net) == [("HN-RED", {"offered"})], "repair brings it back by itself"
    with pytest.raises(NeedsPerson, match="no such honour of this bureau"):
        withdraw(net, HOME, entry)
    withdraw(net, OTHER, entry)
    assert [states(net, code) for code in net.nodes] == [[]] * 3
    net.close()


def withdraw(net: Network, code: str, entry: str) -> None:
    args = {"entry": entry, "from": None, "account": 7, "ground": "operator_request"}
    Honouring(net.nodes[code].bureau).run("honour.withdraw", args, lambda conn, result: None)
    net.settle(collect=False)


def test_what_is_no_honour_is_refused_and_nothing_is_written(net: Network) -> None:
    def size() -> int:
        with net.nodes[OTHER].bureau.store.read() as conn:
            return net.nodes[OTHER].bureau.logs.state(conn, net.nodes[OTHER].bureau.origin).size

    before = size()
    for changes, error, said in (
        ({"honour": "HN-XX"}, NeedsPerson, "no such honour"),
        ({"until": "2026-10-01"}, Refuse, "ends"),
        ({"published": "2026-12-01"}, Refuse, "not published yet"),
        ({"uscc": "92320583MB00000190"}, Refuse, "subject"),
        ({"number": ""}, Refuse, "key.number"),
        ({"name": "11010519491231002X"}, Refuse, "person"),
        ({"name": "演示公司110105-19491231-002X"}, Refuse, "person"),
    ):
        with pytest.raises(error, match=said):
            grant(net, **changes)
    assert size() == before
    net.close()


def test_reading_the_logs_again_changes_nothing(net: Network) -> None:
    entry = grant(net)
    withdraw(net, OTHER, entry)
    node = net.nodes[HOME]
    with node.bureau.store.write() as conn:
        for origin in node.bureau.origins:
            node.bureau.logs.set_cursor(conn, f"recognise:{origin}", "0")
    net.settle(collect=False)
    assert states(net) == []
    net.close()
