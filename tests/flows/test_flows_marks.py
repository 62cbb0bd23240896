"""A mark is removed by what caused it: a finding that two things have suspended is off until both are over."""

from collections.abc import Callable
from pathlib import Path

import pytest
from network import THREE, Network, Node, RawRow, company, network, penalty, relief
from test_flows_damage import damage
from test_flows_road import HOME, standings
from test_flows_seal import Site, succeeded

from syncd.flows.marks import standing
from syncd.flows.replay import replay
from syncd.store import desk, register
from syncd.store.register_tables import relief_events

ON, OFF = ["restricted"] * 3, ["clear"] * 3


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


@pytest.fixture
def site(tmp_path: Path, store_urls: Callable[[str], str]) -> Site:
    return Site(tmp_path, store_urls)


def row(n: int = 1, hour: int = 0, **changes: str) -> RawRow:
    """The one penalty row, as it stands at an hour of the day."""
    return penalty("101", company(n), "KS-0104", HOME, GXSJ=f"2026-11-22 {hour:02}:00:00.000000", **changes)


def put(net: Network, *rows: RawRow) -> None:
    net.nodes[HOME].home.put(*rows)
    net.settle()


def open_items(node: Node) -> dict[str, int]:
    """The desk's open items: kind and number."""
    with node.bureau.store.read() as conn:
        return {item.kind: item.id for item in desk.listing(conn)}


def decide(net: Network, kind: str, release: bool = True) -> str:
    """What a person decides about the one open item of this kind."""
    node = net.nodes[HOME]
    done = str(node.stages.work._decide.run(open_items(node)[kind], release, 1001, "desk_decision")["done"])
    net.settle()
    return done


def marks(net: Network, n: int = 1) -> int:
    """How many marks stand on a company's newest finding, as HOME's register has it."""
    with net.nodes[HOME].bureau.store.read() as conn:
        finding = register.findings_of(conn, company(n))[-1]
        return len(standing(finding, register.relief_of(conn, [finding.leaf]).get(finding.leaf, ())))


def stopped_and_reviewed(net: Network) -> None:
    """A court stops the decision, and then it comes under review, which ends at the source."""
    put(net, row())
    put(net, relief("r1", row(), "中止"))
    put(net, row(hour=8, FYZT="复议中"))
    put(net, row(hour=9))
    assert standings(net, company(1)) == OFF


def test_a_review_that_is_over_leaves_a_stop_that_stands(net: Network) -> None:
    stopped_and_reviewed(net)
    assert "stays suspended" in decide(net, "under_review")
    assert standings(net, company(1)) == OFF and marks(net) == 1
    put(net, relief("r2", row(), "恢复"))
    assert standings(net, company(1)) == ON


def test_a_stop_that_is_over_leaves_a_review_that_is_open(net: Network) -> None:
    stopped_and_reviewed(net)
    put(net, relief("r2", row(), "恢复"))
    assert standings(net, company(1)) == OFF, "nobody has said that the review is over"
    assert "was resumed" in decide(net, "under_review")
    assert standings(net, company(1)) == ON


def test_a_review_that_is_over_restricts_no_company_that_may_be_the_wrong_one(net: Network) -> None:
    put(net, row())
    put(net, row(hour=8, FYZT="复议中"))
    put(net, row(2, hour=9))
    decide(net, "under_review")
    assert standings(net, company(1)) == OFF and "identity_changed" in open_items(net.nodes[HOME])
    put(net, row(hour=10))  # it was a slip
    assert standings(net, company(1)) == OFF
    decide(net, "under_review")
    assert standings(net, company(1)) == ON and marks(net) == 0


@pytest.mark.parametrize("in_one_page", [False, True])
def test_a_resumed_row_waits_for_who_asks_which_company_it_is(net: Network, in_one_page: bool) -> None:
    put(net, row())
    put(net, relief("r1", row(), "中止"))
    if in_one_page:
        put(net, row(2, hour=8), relief("r2", row(), "恢复"))
    else:
        put(net, row(2, hour=8))
        put(net, relief("r2", row(), "恢复"))
    assert standings(net, company(1)) == OFF and standings(net, company(2)) == OFF and marks(net) == 1
    decide(net, "identity_changed", release=False)
    assert standings(net, company(1)) == OFF, "a refusal leaves it as it is"
    put(net, relief("r3", row(), "恢复"))
    assert standings(net, company(1)) == ON, "nobody is asked any more, so the source's word counts"


def test_a_dispute_is_over_where_it_was_said(net: Network) -> None:
    put(net, row())
    put(net, row(hour=8, CF_ZT="2"), relief("r1", row(), "异议"))
    assert marks(net) == 2
    put(net, relief("r2", row(), "维持"))
    assert marks(net) == 1, "the row still says so"
    put(net, row(hour=9, CF_ZT="0"))
    assert marks(net) == 0


@pytest.mark.parametrize("ended_by", ["a review that is over", "a relief row"])
def test_a_stop_that_cannot_be_read_is_ended_by_who_is_asked_about_it(net: Network, ended_by: str) -> None:
    home = net.nodes[HOME]
    put(net, row())
    put(net, relief("r1", row(), "中止"))
    damage(home, home.bureau.origin, "relief.suspended")
    if ended_by == "a relief row":
        put(net, relief("r2", row(), "恢复"))
    else:
        put(net, row(hour=8, FYZT="复议中"))
        put(net, row(hour=9))
        assert "stays suspended" in decide(net, "under_review")
    assert standings(net, company(1)) == OFF and marks(net) == 1
    decide(net, "mark_unreadable", release=False)
    assert standings(net, company(1)) == OFF
    put(net, relief("r3", row(), "恢复"))
    assert standings(net, company(1)) == OFF, "asked anew"
    assert "was resumed" in decide(net, "mark_unreadable")
    assert standings(net, company(1)) == ON and "mark_unreadable" not in open_items(home)


def test_a_register_made_again_from_its_log_still_knows_who_stopped_it(net: Network) -> None:
    stopped_and_reviewed(net)
    bureau = net.nodes[HOME].bureau
    with bureau.store.write() as conn:
        assert conn.execute(relief_events.delete()).rowcount == 2
        own = bureau.logs.state(conn, bureau.origin)
        replay(bureau, conn, conn, own, 0, own.size)
    decide(net, "under_review")
    assert standings(net, company(1)) == OFF and marks(net) == 1


def test_a_stop_that_cannot_be_read_stays_one_after_a_seal(site: Site) -> None:
    put(site.net, row())
    put(site.net, relief("r1", row(), "中止"))
    damage(site.net.nodes[HOME], site.net.nodes[HOME].bureau.origin, "relief.suspended")
    net = succeeded(site)
    put(net, row(hour=9, CF_NR_FK="3"))
    assert standings(net, company(1)) == OFF and list(open_items(net.nodes[HOME])) == ["mark_unreadable"]
    put(net, row(hour=10, CF_NR_FK="3", FYZT="复议中"))
    put(net, row(hour=11, CF_NR_FK="3"))
    decide(net, "under_review")
    assert standings(net, company(1)) == OFF
    decide(net, "mark_unreadable")
    assert standings(net, company(1)) == ON
    net.close()


@pytest.mark.parametrize("reviewed", [False, True])
def test_what_is_issued_anew_after_a_seal_is_suspended_for_the_same_reasons(site: Site, reviewed: bool) -> None:
    put(site.net, row())
    put(site.net, relief("r1", row(), "中止"))
    if reviewed:
        put(site.net, row(hour=8, FYZT="复议中"))
    net = succeeded(site)
    put(net, row(hour=9, CF_NR_FK="3"))
    assert standings(net, company(1)) == OFF and marks(net) == 1 + reviewed
    assert ("under_review" in open_items(net.nodes[HOME])) == reviewed, "a person is asked only for what he may resume"
    if reviewed:
        decide(net, "under_review")
        assert standings(net, company(1)) == OFF and marks(net) == 1
    put(net, relief("r2", row(), "恢复"))
    assert standings(net, company(1)) == ON
    net.close()


def test_a_stop_that_a_successor_had_to_say_again_ends_as_it_would_have(site: Site) -> None:
    put(site.net, row())
    site.net.links[HOME, THREE[0]].down = True
    put(site.net, relief("r1", row(), "中止"))
    net = succeeded(site)
    assert standings(net, company(1)) == OFF and marks(net) == 2
    put(net, relief("r2", row(), "恢复"))
    assert standings(net, company(1)) == ON
    net.close()
