"""The one road: a finding made in one region restricts in all, and its relief lifts in all, on both databases."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from network import THREE, Network, Node, company, network, penalty, relief

DAY = dt.date(2026, 11, 22)
HOME = "320583"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def standings(net: Network, uscc: str, day: dt.date = DAY) -> list[str]:
    """How an organisation stands in each region, in order."""
    return [node.stages.inquiry.check(uscc, day)["standing"] for node in net.nodes.values()]


def entries(node: Node) -> int:
    """The size of a node's own log."""
    with node.bureau.store.read() as conn:
        return node.bureau.logs.state(conn, node.bureau.origin).size


def test_a_finding_restricts_in_all_three_and_repair_clears_in_all_three(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    assert all(node.home.in_force(company(1)) for node in net.nodes.values())
    net.nodes[HOME].home.put(relief("r1", row, "修复"))
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3
    assert not any(node.home.in_force(company(1)) for node in net.nodes.values())


def test_each_region_applies_its_own_mapping(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    applied = [node.home.in_force(company(1)) for node in net.nodes.values()]
    for code, measures in zip(THREE, applied, strict=True):
        assert measures == set(net.nodes[code].bureau.agreement.regions[code].rules["EP-04"].measures)
    assert applied[0] != applied[1]


def test_settling_again_appends_nothing(net: Network) -> None:
    net.nodes[HOME].home.put(*[penalty(str(100 + n), company(n), "KS-0104", HOME) for n in range(5)])
    net.settle()
    sizes = [entries(node) for node in net.nodes.values()]
    for node in net.nodes.values():
        with node.bureau.store.write() as conn:
            for origin in node.bureau.origins:
                node.bureau.logs.set_cursor(conn, f"recognise:{origin}", "0")
                node.bureau.logs.set_cursor(conn, f"relief:{origin}", "0")
        assert node.stages.collect is not None
        with node.bureau.store.write() as conn:
            node.stages.collect.read_again(conn)
    net.settle()
    assert [entries(node) for node in net.nodes.values()] == sizes


def test_one_repaired_finding_leaves_the_other_in_force(net: Network) -> None:
    first, second = penalty("101", company(1), "KS-0104", HOME), penalty("102", company(1), "KS-0105", HOME)
    net.nodes[HOME].home.put(first, second)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", first, "修复"))
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    found = net.nodes["310114"].stages.inquiry.check(company(1), DAY)["findings"]
    assert sorted(bool(finding["measures"]) for finding in found) == [False, True]


def test_a_dispute_is_a_mark_and_nothing_more(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row, relief("r1", row, "异议"))
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    for node in net.nodes.values():
        assert {order["CJD_BJ"] for order in node.home.orders.values()} == {"异议"}
        assert node.stages.inquiry.check(company(1), DAY)["findings"][0]["disputed"]
    net.nodes[HOME].home.put(relief("r2", row, "维持"))
    net.settle()
    for node in net.nodes.values():
        assert {order["CJD_BJ"] for order in node.home.orders.values()} == {""}


def test_suspended_is_off_and_resumed_is_on_again(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", row, "中止"))
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3
    net.nodes[HOME].home.put(relief("r2", row, "恢复"))
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    assert all(node.home.in_force(company(1)) for node in net.nodes.values())


def test_revoked_is_gone_on_every_day_repaired_only_from_its_date(net: Network) -> None:
    repaired, revoked = penalty("101", company(1), "KS-0104", HOME), penalty("102", company(2), "KS-0104", HOME)
    net.nodes[HOME].home.put(repaired, revoked)
    net.settle()
    net.now += dt.timedelta(days=10)
    day = {"XF_RQ": "2026-12-01"}
    net.nodes[HOME].home.put(relief("r1", repaired, "修复", **day), relief("r2", revoked, "撤销", **day))
    net.settle()
    assert standings(net, company(1), dt.date(2026, 11, 25)) == ["restricted"] * 3
    assert standings(net, company(1), dt.date(2026, 12, 2)) == ["clear"] * 3
    assert standings(net, company(2), dt.date(2026, 11, 25)) == ["clear"] * 3


def test_expiry_needs_no_entry_and_goes_home_at_midnight(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    sizes = [entries(node) for node in net.nodes.values()]
    late = dt.date(2028, 11, 3)  # the publicity ends on 2028-11-02
    assert standings(net, company(1), late) == ["clear"] * 3
    net.now = dt.datetime(2028, 11, 2, 16, 1, tzinfo=dt.UTC)
    from syncd.store import outbox

    for node in net.nodes.values():
        with node.bureau.store.write() as conn:
            assert outbox.changed_by(conn, node.bureau.today().isoformat()) == 1
    net.settle(collect=False)
    assert not any(node.home.in_force(company(1)) for node in net.nodes.values())
    grown = [entries(node) - size for node, size in zip(net.nodes.values(), sizes, strict=True)]
    assert all(growth <= 1 for growth in grown), "only the acknowledgements' batch entry follows"


def test_without_candidates_all_is_shared_and_nothing_imposed(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, store_urls, allow_candidates=False)
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME), penalty("102", company(2), "KS-0101", HOME))
    net.settle()
    for node in net.nodes.values():
        assert not node.home.orders
        candidate = node.stages.inquiry.check(company(1), DAY)
        assert candidate["standing"] == "clear" and candidate["findings"][0]["reason"] == "candidate"
        confirmed = node.stages.inquiry.check(company(2), DAY)
        assert confirmed["standing"] == "clear" and confirmed["findings"][0]["reason"] == "nothing_in_force"
        assert {detail["reason"] for detail in confirmed["findings"][0]["details"]} >= {"candidate"}
        with node.bureau.store.read() as conn:
            assert min(node.bureau.logs.countersigned_by_all(conn, node.bureau.origin).values()) == entries(node)


def test_an_amended_row_replaces_what_follows(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0105", HOME))
    net.settle()
    for node in net.nodes.values():
        rules = node.bureau.agreement.regions[node.bureau.code].rules
        assert node.home.in_force(company(1)) == set(rules["EP-05"].measures)
    kinds = kinds_of(net.nodes[HOME])
    assert kinds.count("finding.issued") == 1 and kinds.count("finding.amended") == 1


def kinds_of(node: Node) -> list[str | None]:
    """Kinds of a node's own log, in order."""
    with node.bureau.store.read() as conn:
        size = node.bureau.logs.state(conn, node.bureau.origin).size
        return [row.kind for row in node.bureau.logs.read_entries(conn, node.bureau.origin, 0, size)]


@pytest.mark.parametrize("count", [2, 5])
def test_the_number_of_members_is_data(tmp_path: Path, store_urls: Callable[[str], str], count: int) -> None:
    codes = ("320583", "310114", "320505", "320506", "320507")[:count]
    net = network(tmp_path, store_urls, codes)
    rows = [penalty(f"1{n}", company(n), "KS-0104", HOME) for n in range(3)]
    net.nodes[HOME].home.put(*rows)
    net.settle()
    for n in range(3):
        assert standings(net, company(n)) == ["restricted"] * count
    net.nodes[HOME].home.put(relief("r1", rows[0], "撤销"))
    net.settle()
    assert standings(net, company(0)) == ["clear"] * count
    assert standings(net, company(1)) == ["restricted"] * count
