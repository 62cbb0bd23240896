"""What the desk decides of a finding whose log was sealed since: never two that act, and relief goes on.

A proposal is confirmed, a finding is judged anew, a row has become another decision or was under review.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from network import THREE, Network, company, penalty, relief, version_of
from test_flows_seal import DAY, HOME, NEW, OLD, OTHER, THIRD, Site, of, succeeded

from syncd.errors import NeedsPerson
from syncd.flows.rejudge import Rejudge
from syncd.store import desk, register

Json = dict[str, Any]
LATER = "2026-11-22 08:00:00.000000"
RENAMED = ("regions/320583.toml", 'code = "KS-0104"\ncriterion = "EP-04"', 'code = "KS-0104"\ncriterion = "EP-05"')


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Three nodes that know nothing so far."""
    made = Site(tmp_path)
    yield made
    made.net.close()


@pytest.fixture
def on_both(tmp_path: Path, store_urls: Callable[[str], str]) -> Iterator[Site]:
    """The same, on each database."""
    made = Site(tmp_path, store_urls)
    yield made
    made.net.close()


def items(net: Network, kind: str) -> list[Json]:
    """Open items of a kind on HOME's desk, with their facts."""
    with net.nodes[HOME].bureau.store.read() as conn:
        rows = [row for row in desk.listing(conn) if row.kind == kind]
    return [{"id": row.id, "mark": row.mark, **orjson.loads(row.facts)} for row in rows]


def decide(net: Network, item: int, release: bool = True) -> None:
    net.nodes[HOME].stages.work._decide.run(item, release, 1001, "desk_decision")
    net.settle()


def acting(net: Network, n: int) -> list[list[str]]:
    """For each member the logs of a company's findings that restrict it there: never more than one."""
    return [[log for log, kind in of(net, code, n) if kind == "restriction.imposed"] for code in THREE]


def standing(net: Network, n: int) -> set[str]:
    return {str(net.nodes[code].stages.inquiry.check(company(n), DAY)["standing"]) for code in THREE}


def read_again(net: Network) -> None:
    """A full reading of HOME's source says nothing new."""
    node = net.nodes[HOME]
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        size = node.bureau.logs.state(conn, NEW).size
        node.stages.collect.read_again(conn)
    net.settle()
    with node.bureau.store.read() as conn:
        assert node.bureau.logs.state(conn, NEW).size == size


def test_a_proposal_is_confirmed_after_the_seal(on_both: Site) -> None:
    site = on_both
    first = penalty("101", company(1), "KS-0100", HOME, CF_JDRQ="2026/03/02")
    second = penalty("102", company(1), "KS-0100", HOME)
    site.net.nodes[HOME].home.put(first)
    site.net.settle()
    site.net.nodes[HOME].home.put(second, relief("r1", second, "异议"))
    site.net.settle()
    net = succeeded(site)
    [item] = items(net, "proposed")
    decide(net, item["id"])
    assert acting(net, 1) == [[NEW]] * 3 and standing(net, 1) == {"restricted"}
    found = net.nodes[OTHER].stages.inquiry.check(company(1), DAY)["findings"]
    assert [one["disputed"] for one in found if one["criterion"] == "EP-03"] == [True], "the mark stands on the new one"
    assert items(net, "proposed") == []
    read_again(net)
    net.nodes[HOME].home.put(relief("r2", first, "撤销"))  # a record on which it rests
    net.settle()
    assert acting(net, 1) == [[]] * 3 and standing(net, 1) == {"clear"}
    [gone] = items(net, "grounds_gone")
    net.nodes[HOME].home.put(relief("r3", second, "撤销"))
    net.settle()
    decide(net, gone["id"])
    assert acting(net, 1) == [[]] * 3, "what was revoked is not put on again"


def test_a_row_that_changes_first_takes_its_proposal_along(site: Site) -> None:
    home = site.net.nodes[HOME].home
    home.put(penalty("101", company(1), "KS-0100", HOME, CF_JDRQ="2026/03/02"))
    site.net.settle()
    home.put(penalty("102", company(1), "KS-0100", HOME))
    site.net.settle()
    net = succeeded(site)
    [before] = items(net, "proposed")
    home.put(penalty("102", company(1), "KS-0100", HOME, CF_NR_FK="3", GXSJ=LATER))
    net.settle()
    [after] = items(net, "proposed")
    assert after["mark"] != before["mark"]
    decide(net, after["id"])
    home.put(penalty("101", company(1), "KS-0100", HOME, CF_JDRQ="2026/03/02", CF_NR_FK="3", GXSJ=LATER))
    net.settle()
    assert acting(net, 1) == [[NEW]] * 3, "it rests on the record as it was issued anew"
    assert items(net, "grounds_gone") == []


def test_a_finding_is_judged_anew_after_the_seal(site: Site) -> None:
    row, other = (penalty(str(n), company(n), "KS-0104", HOME) for n in (1, 2))
    site.net.nodes[HOME].home.put(row, other)
    site.net.settle()
    net = succeeded(site)
    net.versions = {code: [version_of(THREE, 2, "2026-11-01", RENAMED)] for code in THREE}
    net.settle()
    for code in THREE:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle()
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {2}
    assert Rejudge(net.nodes[HOME].bureau).propose(2, 1001, "operator_request")["proposed"] == 2
    by_company = {one["uscc"]: one["id"] for one in items(net, "rejudge")}
    net.nodes[HOME].home.put(relief("r1", other, "撤销"))
    net.settle()
    with pytest.raises(NeedsPerson, match="ended for good"):
        decide(net, by_company[company(2)])
    decide(net, by_company[company(1)])
    for code in (OTHER, THIRD):
        with net.nodes[code].bureau.store.read() as conn:
            assert [one.criterion for one in register.findings_of(conn, company(1))] == ["EP-04", "EP-05"], code
    assert all(len(one) <= 1 and OLD not in one for one in acting(net, 1))
    read_again(net)
    net.nodes[HOME].home.put(relief("r2", row, "修复"))
    net.settle()
    assert standing(net, 1) == {"clear"}


def test_a_row_that_became_another_decision_is_replaced_after_the_seal(site: Site) -> None:
    home = site.net.nodes[HOME].home
    home.put(penalty("101", company(1), "KS-0104", HOME))
    site.net.settle()
    net = succeeded(site)
    home.put(penalty("101", company(1), "KS-0104", HOME, CF_JDRQ="2026/11/03", GXSJ=LATER))
    net.settle()
    assert standing(net, 1) == {"clear"} and acting(net, 1) == [[]] * 3
    [item] = items(net, "identity_changed")
    decide(net, item["id"])
    assert acting(net, 1) == [[NEW]] * 3 and standing(net, 1) == {"restricted"}
    read_again(net)


@pytest.mark.parametrize("resumed_first", [True, False])
def test_a_finding_under_review_is_resumed_after_the_seal(site: Site, resumed_first: bool) -> None:
    home = site.net.nodes[HOME].home
    home.put(penalty("101", company(1), "KS-0104", HOME))
    site.net.settle()
    net = succeeded(site)
    home.put(penalty("101", company(1), "KS-0104", HOME, FYZT="复议中", GXSJ="2026-11-22 07:00:00.000000"))
    net.settle()
    assert acting(net, 1) == [[]] * 3
    [item] = items(net, "under_review")
    over = penalty("101", company(1), "KS-0104", HOME, CF_NR_FK="3", GXSJ=LATER)
    if resumed_first:
        home.put(over)
        net.nodes[HOME].stages.work._decide.run(item["id"], True, 1001, "desk_decision")
        net.settle()
    else:
        home.put(over)
        net.settle()
        assert acting(net, 1) == [[]] * 3, "changed, it is suspended as before"
        [item] = items(net, "under_review")
        decide(net, item["id"])
    assert acting(net, 1) == [[NEW]] * 3 and standing(net, 1) == {"restricted"}
    assert items(net, "under_review") == []
    read_again(net)
