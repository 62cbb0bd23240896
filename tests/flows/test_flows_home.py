"""What a home system may answer and refuse: nothing of a person gets into the ledger by it, and no relief waits."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from network import Network, Node, company, network, penalty, relief

from adapters.base import Ack, AckFault, AckPage, SourceError
from syncd.flows import restrict
from syncd.flows.opening import read_opened
from syncd.store import desk, outbox

HOME = "320583"
PERSON_NUMBER = "11010519491231002X"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def feedback(node: Node) -> list[dict[str, Any]]:
    """All items of feedback that a node has said in its own log."""
    with node.bureau.store.read() as conn:
        size = node.bureau.logs.state(conn, node.bureau.origin).size
        opened = read_opened(node.bureau, conn, node.bureau.origin, 0, size, only=frozenset({"feedback.reported"}))
    return [item for one in opened for item in one.items or ()]


def test_feedback_says_measure_and_department_in_the_words_of_the_order(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.silent = True
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    (order, *others) = node.home.orders.values()
    finding, counter = order["CJD_RDBH"], int(order["CJD_BBH"])
    node.home.silent = False
    node.home.acks = [
        Ack(finding, order["CJD_CS"], counter, "经办人张三", "applied", "2026-11-22"),
        Ack(finding, PERSON_NUMBER, counter, "经办人张三", "applied", "2026-11-22"),
    ]
    net.settle(collect=False)
    said = [(item["measure"], item["department"]) for item in feedback(node)]
    assert others and said == [(order["CJD_CS"], order["CJD_ZXBM"])]


def test_acknowledgements_that_cannot_be_read_are_shown_once_for_each_cause(net: Network) -> None:
    node = net.nodes[HOME]
    faults = [AckFault(f"HZ_1.csv:{n}", "HZ_ZT", "unknown_value") for n in (2, 3)]
    node.home.acknowledgements = lambda cursor: AckPage([], {"read": 2}, False, [] if cursor else faults)
    node.stages.restrict.acknowledgements()  # type: ignore[union-attr]
    node.stages.restrict.acknowledgements()  # type: ignore[union-attr]
    with node.bureau.store.read() as conn:
        (item,) = desk.listing(conn)
    facts = desk.facts_of(item)
    assert (item.kind, item.reason, facts["field"], facts["row"]) == (
        "quarantine", "unknown_value", "HZ_ZT", "HZ_1.csv:3"
    )  # fmt: skip


def test_an_order_that_is_refused_at_home_keeps_no_lifting_back(net: Network) -> None:
    node = net.nodes[HOME]
    row = penalty("101", company(1), "KS-0104", HOME)
    node.home.put(row)
    net.settle()
    assert node.home.in_force(company(1))
    taken = node.home.push

    def push(rows: Sequence[dict[str, Any]]) -> str:
        if any(order["CJD_ZT"] == "1" for order in rows):
            raise SourceError("The service refused an order (400).", transient=False)
        return str(taken(rows))

    node.home.push = push
    node.home.put(penalty("102", company(2), "KS-0104", HOME), relief("r1", row, "撤销"))
    net.settle()
    assert not node.home.in_force(company(1)) and not node.home.in_force(company(2))


def test_a_lifting_that_is_refused_for_ever_keeps_nothing_back(net: Network) -> None:
    node = net.nodes[HOME]
    rows = [penalty(f"10{n}", company(n), "KS-0104", HOME) for n in range(1, 6)]
    node.home.put(*rows)
    net.settle()
    taken = node.home.push

    def push(orders: Sequence[dict[str, Any]]) -> str:
        if any(order["CJD_XDR_SHXYM"] == company(3) for order in orders):
            raise SourceError("The service refused an order (400).", transient=False)
        return str(taken(orders))

    node.home.push = push
    liftings = [relief(f"r{n}", row, "撤销") for n, row in enumerate(rows)]
    node.home.put(penalty("106", company(6), "KS-0104", HOME), *liftings)
    net.settle()
    standing = {n for n in range(1, 7) if node.home.in_force(company(n))}
    assert standing == {3, 6}, "four are lifted and one is restricted; what is refused is tried again"
    node.home.push = taken
    net.settle()
    assert not node.home.in_force(company(3))


def test_a_home_system_that_took_nothing_is_told_liftings_first(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restrict, "REFUSED_AT_ONCE", 3)
    node = net.nodes[HOME]
    rows = [penalty(f"10{n}", company(n), "KS-0104", HOME) for n in range(1, 6)]
    node.home.put(*rows)
    net.settle()
    taken, told = node.home.push, list[str]()

    def refuse(orders: Sequence[dict[str, Any]]) -> str:
        raise SourceError("The token was refused (401).", transient=False)

    def push(orders: Sequence[dict[str, Any]]) -> str:
        told.extend(order["CJD_ZT"] for order in orders)
        return str(taken(orders))

    node.home.push = refuse
    more = [penalty(f"11{n}", company(10 + n), "KS-0104", HOME) for n in range(5)]
    node.home.put(*more, *[relief(f"r{n}", row, "撤销") for n, row in enumerate(rows)])
    net.settle()
    assert all(node.home.in_force(company(n)) for n in range(1, 6))
    node.home.push = push
    net.settle()
    assert set(told) == {"0", "1"} and told == sorted(told), "every lifting before any restriction"


def test_a_home_system_that_lost_its_orders_gets_them_all_again_liftings_first(net: Network) -> None:
    node = net.nodes[HOME]
    rows = [penalty(f"10{n}", company(n), "KS-0104", HOME) for n in (1, 2)]
    node.home.put(*rows)
    net.settle()
    node.home.put(relief("r1", rows[1], "修复"))
    net.settle()
    held, said, taken, told = dict(node.home.orders), feedback(node), node.home.push, list[str]()

    def push(orders: Sequence[dict[str, Any]]) -> str:
        told.extend(order["CJD_ZT"] for order in orders)
        return str(taken(orders))

    node.home.push = push
    node.home.orders.clear()
    resync = node.stages.work._resync
    assert resync.run("restrict", None, True, 1001)["deliveries"] == 2
    net.settle()
    assert not node.home.orders, "to ask is to move nothing"
    assert resync.run("restrict", None, False, 1001)["deliveries"] == 2
    net.settle()
    assert node.home.orders.keys() == held.keys()
    assert {key: order["CJD_ZT"] for key, order in node.home.orders.items()} == {
        key: order["CJD_ZT"] for key, order in held.items()
    }
    assert set(told) == {"0", "1"} and told == sorted(told)
    assert feedback(node) == said, "what the departments had said is not said again"
    with node.bureau.store.read() as conn:
        assert outbox.counts(conn) == {"acknowledged": 2}
