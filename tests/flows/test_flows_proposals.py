"""Proposals: a rule derives, a person of the determining bureau decides, and what loses its ground is off at once."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from network import Network, company, network, penalty, relief
from test_flows_road import entries, standings

from adapters.facts import parse_facts
from adapters.source import Source
from syncd.errors import NeedsPerson
from syncd.store import desk

HOME, OTHER = "320583", "310114"
Json = dict[str, Any]


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def items(net: Network, code: str, kind: str, state: str | None = "open") -> list[Json]:
    """Items of a kind on a bureau's desk, with their facts."""
    with net.nodes[code].bureau.store.read() as conn:
        rows = [row for row in desk.listing(conn, state) if row.kind == kind]
    return [{"id": row.id, "state": row.state, "reason": row.reason, **orjson.loads(row.facts)} for row in rows]


def decide(net: Network, code: str, item: int, release: bool = True, account: int = 1001) -> Json:
    result: Json = net.nodes[code].stages.work._decide.run(item, release, account, "desk_decision")
    return result


def twice(net: Network, first: str = "2026/03/02", second: str = "2026/11/02") -> tuple[Any, Any]:
    """Two penalties of one company for one violation, the first in another place."""
    one = penalty("101", company(1), "JD-HB-00", OTHER, CF_JDRQ=first)
    two = penalty("102", company(1), "KS-0100", HOME, CF_JDRQ=second)
    net.nodes[OTHER].home.put(one)
    net.settle()
    net.nodes[HOME].home.put(two)
    net.settle()
    return one, two


def test_two_penalties_in_two_places_are_proposed_where_the_second_was_decided(net: Network) -> None:
    twice(net)
    assert items(net, OTHER, "proposed") == items(net, "320585", "proposed") == []
    [item] = items(net, HOME, "proposed")
    assert (item["rule"], item["criterion"], item["status"]) == ("EP-03", "EP-03", "candidate")
    assert [(one["place"], one["decided_on"]) for one in item["records"]] == [
        (OTHER, "2026-03-02"),
        (HOME, "2026-11-02"),
    ]
    assert standings(net, company(1)) == ["clear"] * 3, "a proposal restricts nobody"


def test_confirmed_it_restricts_everywhere_and_the_finding_says_by_what(net: Network) -> None:
    twice(net)
    [item] = items(net, HOME, "proposed")
    assert decide(net, HOME, item["id"])["state"] == "released"
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    for node in net.nodes.values():
        found = node.stages.inquiry.check(company(1), dt.date(2026, 11, 22))["findings"]
        assert sorted(one["criterion"] or "" for one in found) == ["", "EP-03"]
    sizes = [entries(node) for node in net.nodes.values()]
    collect = net.nodes[HOME].stages.collect
    assert collect is not None
    with net.nodes[HOME].bureau.store.write() as conn:
        collect.read_again(conn)
    net.settle()
    assert [entries(node) for node in net.nodes.values()] == sizes, "the row read again says nothing new"


def test_a_ground_that_goes_while_it_is_stopped_stops_it_as_well(net: Network) -> None:
    one, two = twice(net)
    decide(net, HOME, items(net, HOME, "proposed")[0]["id"])
    net.nodes[HOME].home.put(relief("r1", two, "中止"))
    net.settle()
    net.nodes[OTHER].home.put(relief("r2", one, "撤销"))
    net.settle()
    net.nodes[HOME].home.put(relief("r3", two, "恢复"))
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3, "nobody has said that it stands without that record"
    [gone] = items(net, HOME, "grounds_gone")
    decide(net, HOME, gone["id"])
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3


def test_refused_it_stays_a_plain_record(net: Network) -> None:
    twice(net)
    [item] = items(net, HOME, "proposed")
    decide(net, HOME, item["id"], release=False)
    collect = net.nodes[HOME].stages.collect
    assert collect is not None
    with net.nodes[HOME].bureau.store.write() as conn:
        collect.read_again(conn)
    net.settle()
    assert items(net, HOME, "proposed") == []
    assert standings(net, company(1)) == ["clear"] * 3


@pytest.mark.parametrize(
    ("first", "second", "proposed"),
    [("2025/11/02", "2026/11/02", 1), ("2025/11/01", "2026/11/02", 0), ("2026/11/02", "2026/11/02", 1)],
)
def test_within_one_year_is_up_to_the_same_day(net: Network, first: str, second: str, proposed: int) -> None:
    twice(net, first, second)
    assert len(items(net, HOME, "proposed")) == proposed


def test_another_violation_company_or_a_relieved_record_does_not_count(net: Network) -> None:
    one = penalty("101", company(1), "KS-0100", HOME, CF_JDRQ="2026/03/02")
    net.nodes[HOME].home.put(one, relief("r1", one, "修复"))
    net.settle()
    net.nodes[HOME].home.put(
        penalty("102", company(1), "KS-0100", HOME),
        penalty("103", company(1), "KS-0100", HOME, CF_WFXW="未按规定公开信息"),
        penalty("104", company(2), "KS-0100", HOME),
    )
    net.settle()
    assert items(net, HOME, "proposed") == []


def test_a_record_relieved_after_confirmation_takes_the_finding_off_at_once(net: Network) -> None:
    first, _ = twice(net)
    decide(net, HOME, items(net, HOME, "proposed")[0]["id"])
    net.settle()
    net.nodes[OTHER].home.put(relief("r1", first, "撤销"))
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3
    [item] = items(net, HOME, "grounds_gone")
    assert len(item["records"]) == 1
    decide(net, HOME, item["id"])
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3, "a person has looked and resumed it"


def test_a_record_relieved_before_confirmation_cannot_be_confirmed(net: Network) -> None:
    first, _ = twice(net)
    [item] = items(net, HOME, "proposed")
    net.nodes[OTHER].home.put(relief("r1", first, "撤销"))
    net.settle()
    with pytest.raises(NeedsPerson, match="cannot be confirmed"):
        decide(net, HOME, item["id"])
    assert items(net, HOME, "proposed") != []


def test_a_row_that_changes_after_confirmation_is_looked_at_anew(net: Network) -> None:
    first, second = twice(net)
    decide(net, HOME, items(net, HOME, "proposed")[0]["id"])
    net.settle()
    changed = dict(second.fields) | {"CF_NR_FK": "3", "GXSJ": "2026-11-21 08:00:00.000000"}
    net.nodes[HOME].home.put(replace(second, fields=changed))
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3
    assert len(items(net, HOME, "proposed")) == 1
    net.nodes[OTHER].home.put(relief("r1", first, "撤销"))
    net.settle()
    assert items(net, HOME, "grounds_gone") == [], "what was amended rests on nothing any more"


def test_a_condition_proposes_and_the_text_of_the_violation_decides_which(net: Network) -> None:
    net.nodes[HOME].home.put(
        penalty("101", company(1), "KS-0120", HOME, CF_WFXW="建设项目未批先建"),
        penalty("102", company(2), "KS-0120", HOME, CF_WFXW="未按规定公开环评信息"),
    )
    net.settle()
    [item] = items(net, HOME, "proposed")
    assert (item["uscc"], item["rule"], item["criterion"]) == (company(1), "KS-D-01", "EP-10")
    decide(net, HOME, item["id"])
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    assert standings(net, company(2)) == ["clear"] * 3


def test_without_a_demonstration_candidates_propose_nothing(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, store_urls, allow_candidates=False)
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0120", HOME, CF_WFXW="建设项目未批先建"))
    net.settle()
    assert items(net, HOME, "proposed") == []


FACTS = """
served = "SDRQ"
perform_by = "LXQX"
performed = "LXQK"
related = "GLWH"
review = "FYZT"
"""
PERFORMANCE = '\n[performance]\ndone = ["已履行"]\nundone = ["未履行"]\n'


def with_performance(net: Network) -> None:
    """The home bureau's source gets the columns of performance and of the related decision."""
    node = net.nodes[HOME]
    text = (Path(__file__).parents[2] / "config/sources/taicang.toml").read_text("utf-8")
    text = text.replace("320585", HOME).replace('review = "FYZT"\n', FACTS) + PERFORMANCE
    assert node.stages.collect is not None
    node.stages.collect._source = Source(node.home, parse_facts(text.encode()), bytes(32))


def overdue(key: str, n: int, **changes: str) -> Any:
    """A penalty served in May that is unperformed: 60 days and six months are over in November."""
    given = {"CF_JDRQ": "2026/05/06", "GSRQ": "2026-05-08", "SDRQ": "2026-05-20", "LXQX": "2026-06-04",
             "LXQK": "未履行"}  # fmt: skip
    return penalty(key, company(n), "KS-0100", HOME, **given | changes)


def test_an_unperformed_decision_is_proposed_when_the_third_clock_has_run_out(net: Network) -> None:
    with_performance(net)
    net.nodes[HOME].home.put(
        overdue("101", 1),
        overdue("102", 2, LXQK="已履行"),
        overdue("103", 3, SDRQ="2026-06-20"),
        overdue("104", 4, LXQK=""),
        overdue("105", 5, SDRQ=""),
    )
    net.settle()
    [item] = items(net, HOME, "proposed")
    assert (item["uscc"], item["rule"]) == (company(1), "EP-02")
    # 60 days end on Sunday 2026-07-19; a term whose last day is none of work ends on the next that is.
    assert item["clocks"] == {"performance": "2026-06-04", "reconsideration": "2026-07-20", "lawsuit": "2026-11-20"}
    net.now = dt.datetime(2026, 12, 21, 1, 0, tzinfo=dt.UTC)
    net.settle()
    assert {one["uscc"] for one in items(net, HOME, "proposed")} == {company(1)}, "Sunday's term ends on Monday"
    net.now = dt.datetime(2026, 12, 22, 1, 0, tzinfo=dt.UTC)
    net.settle()
    assert {one["uscc"] for one in items(net, HOME, "proposed")} == {company(1), company(3)}


def test_a_decision_that_is_performed_in_the_end_leaves_the_desk(net: Network) -> None:
    with_performance(net)
    net.nodes[HOME].home.put(overdue("101", 1))
    net.settle()
    assert len(items(net, HOME, "proposed")) == 1
    net.nodes[HOME].home.put(overdue("101", 1, LXQK="已履行", GXSJ="2026-11-21 08:00:00.000000"))
    net.settle()
    assert items(net, HOME, "proposed") == []


def test_an_agency_whose_fault_made_its_client_penalised_is_linked_to_that_penalty(net: Network) -> None:
    with_performance(net)
    client = penalty("101", company(1), "JD-HB-00", OTHER)
    net.nodes[OTHER].home.put(client)
    net.settle()
    # A code of the agency's type that determines nothing by itself.
    codes = dict(net.nodes[HOME].bureau.agreement.regions[HOME].local_codes)
    codes["KS-0200"] = replace(codes["KS-0100"], code="KS-0200", subject_type="MONITORING_AGENCY")
    for node in net.nodes.values():
        agreement = node.bureau.agreement
        region = replace(agreement.regions[HOME], local_codes=codes)
        node.bureau.agreement = replace(agreement, regions={**agreement.regions, HOME: region})
    net.nodes[HOME].home.put(
        penalty("102", company(2), "KS-0200", HOME, GLWH=client.fields["CF_WSH"]),
        penalty("103", company(3), "KS-0200", HOME, GLWH="环罚〔2026〕999号"),
    )
    net.settle()
    [item] = items(net, HOME, "proposed")
    assert (item["uscc"], item["rule"]) == (company(2), "ES-03")
    assert [one["place"] for one in item["records"]] == [HOME, OTHER]
    decide(net, HOME, item["id"])
    net.settle()
    assert standings(net, company(2)) == ["restricted"] * 3
    assert standings(net, company(1)) == ["clear"] * 3
