"""Who is who at a node: codes decide, names suggest, a choice is remembered and reversible, nothing is merged."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from network import Network, company, network, penalty

from syncd.agreement.identity import Named, candidates
from syncd.errors import NeedsPerson, Refuse
from syncd.flows.who import Identify, who
from syncd.store import identities, register

PLACES = ("玉山", "花桥", "周市", "张浦", "巴城", "千灯", "淀山湖")
TRADES = ("电镀", "印染", "化工", "涂料", "制药", "线路板", "铸造", "造纸", "水泥", "食品", "物流")
HOME, DAY = "320583", dt.date(2026, 11, 22)
NAME, OLD, BRANCH = "昆山同名虚构化工有限公司", "昆山旧名虚构化工厂", "昆山同名虚构化工有限公司太仓分公司"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    """Four findings at one member: one name under two codes, one of them renamed, and a branch."""
    net = network(tmp_path, store_urls)
    rows = [
        penalty("1", company(1), "KS-0104", HOME, CF_XDR_MC=OLD, CF_JDRQ="2026/05/01"),
        penalty("2", company(1), "KS-0142X", HOME, CF_XDR_MC=NAME, CF_JDRQ="2026/09/01"),
        penalty("3", company(2), "KS-0142X", HOME, CF_XDR_MC=NAME, CF_JDRQ="2026/10/01"),
        penalty("4", company(3), "KS-0142X", HOME, CF_XDR_MC=BRANCH, CF_JDRQ="2026/10/01"),
    ]
    net.nodes[HOME].home.put(*rows)
    net.settle()
    return net


def standing(net: Network, n: int) -> str:
    return str(net.nodes[HOME].stages.inquiry.check(company(n), DAY)["standing"])


def job(net: Network, kind: str, **args: Any) -> Any:
    done = Identify(net.nodes[HOME].bureau).run(
        kind, {"account": 7, "ground": "operator_request", **args}, lambda conn, result: None
    )
    net.settle(collect=False)
    return done


def test_a_name_under_two_codes_restricts_only_whom_the_code_names(net: Network) -> None:
    bureau = net.nodes[HOME].bureau
    assert [standing(net, n) for n in (1, 2, 3)] == ["restricted", "clear", "clear"]
    found = who(bureau, NAME)
    assert found["organisation"] is None and found["decided_by"] is None, "a name decides nothing"
    assert {one["uscc"] for one in found["candidates"][:2]} == {company(1), company(2)}
    asked = job(net, "who.ask", text=NAME)
    assert asked["state"] == "open" and job(net, "who.ask", text=NAME)["item"] == asked["item"]
    job(net, "desk.choose", item=asked["item"], uscc=company(1))
    decided = who(bureau, NAME)
    assert decided["decided_by"] == "person" and decided["organisation"]["uscc"] == company(1)
    assert decided["decision"]["account"] == "7"
    assert job(net, "who.ask", text=NAME)["state"] == "released", "what was decided is not asked again"
    assert [standing(net, n) for n in (1, 2, 3)] == ["restricted", "clear", "clear"], "a choice restricts nobody"
    job(net, "desk.reopen", item=asked["item"])
    assert who(bureau, NAME)["organisation"] is None
    with pytest.raises(NeedsPerson, match="no decided question"):
        job(net, "desk.reopen", item=asked["item"])
    net.close()


def test_a_code_decides_and_knows_its_former_names(net: Network) -> None:
    bureau = net.nodes[HOME].bureau
    found = who(bureau, company(1))
    assert (found["decided_by"], found["organisation"]["name"]) == ("code", NAME)
    (former,) = found["organisation"]["former_names"]
    assert former == {"name": OLD, "first": "2026-05-01", "last": "2026-05-01"}
    by_code = who(bureau, company(2)[8:17])
    assert by_code["asked"] == "organisation_code" and by_code["organisation"]["uscc"] == company(2)
    number = "320583000012345"
    assert who(bureau, number)["organisation"] is None
    item = job(net, "who.ask", text=number)["item"]
    job(net, "desk.choose", item=item, uscc=company(2))
    assert who(bureau, number)["organisation"]["uscc"] == company(2)
    (linked,) = who(bureau, company(2))["organisation"]["linked_by_a_person"]
    assert (linked["kind"], linked["text"]) == ("registration", number)
    net.close()


def test_few_of_many_names_are_read_and_the_nearest_are_among_them(net: Network) -> None:
    bureau = net.nodes[HOME].bureau
    with bureau.store.write() as conn:
        (like,) = register.findings_of(conn, company(2))
        others = [
            like._replace(leaf=n.to_bytes(32), idx=10_000 + n, uscc=company(10_000 + n), natural_key=n.to_bytes(32),
                          name=f"昆山{PLACES[n % 7]}{TRADES[n % 11]}{n}号有限公司") for n in range(1, 3_001)
        ]  # fmt: skip
        register.add_findings(conn, others)
    every = [Named(one.uscc, one.name, "", "") for one in others]
    every += [Named(company(n), name, "", "") for n, name in ((1, OLD), (1, NAME), (2, NAME), (3, BRANCH))]
    with bureau.store.read() as conn:
        for asked in (
            NAME,
            OLD,
            "同名虚构化工",
            "昆山玉山电镀1234号公司",
            "昆山花桥印染有限责任公司",
            "无人叫这个名字",
        ):
            read = identities.alike(conn, asked)
            assert len(read) <= identities.NEAREST < len(every)
            best, found = candidates(asked, every), candidates(asked, read)
            assert [one.score for one in found] == [one.score for one in best], asked
            assert [one.uscc for one in found if one.score > best[-1].score] == [
                one.uscc for one in best if one.score > best[-1].score
            ], asked
    assert who(bureau, company(3))["organisation"]["may_be_branch_of"], "and a branch finds its parent among them"
    net.close()


def test_branch_and_parent_are_linked_and_never_merged(net: Network) -> None:
    bureau = net.nodes[HOME].bureau
    branch = who(bureau, company(3))["organisation"]
    assert branch["says_branch"] and {one["uscc"] for one in branch["may_be_branch_of"]} == {company(1), company(2)}
    with pytest.raises(NeedsPerson, match="says by itself"):
        job(net, "who.ask", text=company(1))
    item = job(net, "who.ask", text=company(3))["item"]
    with pytest.raises(Refuse, match="branch of itself"):
        job(net, "desk.choose", item=item, uscc=company(3))
    job(net, "desk.choose", item=item, uscc=company(1))
    assert who(bureau, company(3))["organisation"]["parent"] == company(1)
    assert who(bureau, company(1))["organisation"]["branches"] == [company(3)]
    assert [standing(net, n) for n in (1, 3)] == ["restricted", "clear"], "each answers for its own findings"
    net.close()
