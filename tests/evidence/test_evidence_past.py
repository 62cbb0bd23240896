"""In force on D as known on K, from the entries: the register's answer for today, and the past as it was known."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from evidence_kit import HOME, NEIGHBOUR, evidence_of
from network import THREE, Network, company, network, penalty, relief, version_of

from syncd.errors import NeedsPerson
from syncd.evidence.past import as_known
from syncd.evidence.then import Then
from syncd.flows.inquiry import Inquiry
from syncd.flows.rejudge import Rejudge
from syncd.store import desk

Json = dict[str, Any]
FIRST, SECOND, THIRD = (dt.date(2026, 11, day) for day in (22, 25, 28))


def at(net: Network, day: dt.date) -> None:
    net.now = dt.datetime.combine(day, dt.time(9), dt.UTC)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Restricted on the first day, revoked on the third; a second company repaired on the second day."""
    folder = tmp_path_factory.mktemp("past")
    net = network(folder, lambda code: f"sqlite:///{folder}/{code}.db")
    rows = [penalty(str(100 + n), company(n), "KS-0104", HOME) for n in (1, 2)]
    net.nodes[HOME].home.put(*rows)
    net.settle()
    at(net, SECOND)
    net.nodes[HOME].home.put(relief("r2", rows[1], "修复", XF_RQ="2026-11-25"))
    net.settle()
    at(net, THIRD)
    net.nodes[HOME].home.put(relief("r1", rows[0], "撤销", XF_RQ="2026-11-28"))
    net.settle()
    return net


def standing(net: Network, code: str, n: int, day: dt.date, known: dt.date, region: str | None = None) -> str:
    evidence = evidence_of(net, code)
    with evidence.logs.store.read() as conn:
        found: str = as_known(evidence, conn, company(n), day, known, region)["standing"]
    return found


@pytest.mark.parametrize("code", THREE)
def test_the_past_stands_as_it_was_known(net: Network, code: str) -> None:
    assert standing(net, code, 1, FIRST, FIRST) == "restricted"
    assert standing(net, code, 1, SECOND, SECOND) == "restricted"
    assert standing(net, code, 1, FIRST, THIRD) == "clear", "revoked from the beginning, once that is known"
    assert standing(net, code, 1, THIRD, SECOND) == "restricted", "nobody knew yet"
    assert standing(net, code, 2, FIRST, THIRD) == "restricted", "repaired from its date only"
    assert standing(net, code, 2, SECOND, THIRD) == "clear"
    assert standing(net, code, 1, FIRST, FIRST - dt.timedelta(days=1)) == "clear", "nothing had been received"


@pytest.mark.parametrize("code", THREE)
def test_for_today_it_is_what_the_register_says(net: Network, code: str) -> None:
    for n in (1, 2, 3):
        for day in (FIRST, SECOND, THIRD, dt.date(2028, 12, 1)):
            said = net.nodes[code].stages.inquiry.check(company(n), day)["standing"]
            assert standing(net, code, n, day, THIRD) == said


def test_another_region_is_asked_by_its_own_lines(net: Network) -> None:
    assert standing(net, HOME, 1, FIRST, SECOND, NEIGHBOUR) == "restricted"
    with pytest.raises(NeedsPerson, match="is no member"):
        standing(net, HOME, 1, FIRST, SECOND, "999999")


RULE = 'criterion = "EP-04"\nmode = "automatic"\nmonths = {}\nmeasures = ["MA-04", "{}"'
CHANGED = ("regions/310114.toml", RULE.format(24, "SF-01"), RULE.format(12, "MA-08"))


def explained(net: Network, n: int, day: dt.date) -> Json:
    bureau = net.nodes[NEIGHBOUR].bureau
    whole: Json = Inquiry(bureau, Then(evidence_of(net, NEIGHBOUR), day)).explain(company(n), day)
    assert (
        Inquiry(bureau, Then(evidence_of(net, NEIGHBOUR), day)).check(company(n), day)["standing"] == whole["standing"]
    )
    return whole


def steps(answer: Json, *kinds: str) -> list[Json]:
    """Steps of the first finding, without their numbers."""
    found = [step for step in answer["findings"][0]["steps"] if step["step"] in kinds]
    return [{name: value for name, value in step.items() if name != "n"} for step in found]


def test_a_past_day_is_explained_by_what_stood_on_it(tmp_path: Path) -> None:
    """Judged anew under version 2 on the second day, suspended on the third: each day keeps its own answer."""
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path}/{code}.db")
    net.versions = {code: [version_of(THREE, 2, SECOND.isoformat(), CHANGED)] for code in THREE}
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    then = explained(net, 1, FIRST)
    assert steps(then, "rule")[0]["months"] == 24 and "SF-01" in steps(then, "conclusion")[0]["measures"]
    at(net, SECOND)
    for code in THREE:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle(collect=False)
    node = net.nodes[NEIGHBOUR]
    Rejudge(node.bureau).propose(2, 1001, "operator_request")
    with node.bureau.store.read() as conn:
        [item] = [one.id for one in desk.listing(conn) if one.kind == "rejudge"]
    node.stages.work._decide.run(item, True, 1001, "operator_request")
    net.settle(collect=False)
    at(net, THIRD)
    net.nodes[HOME].home.put(relief("r1", row, "中止"))
    net.settle()
    again, second, third = (explained(net, 1, day) for day in (FIRST, SECOND, THIRD))
    for kind in ("rule", "measure", "released", "conclusion"):
        assert steps(again, kind) == steps(then, kind), "the same answer as on that day"
    assert again["standing"] == "restricted" and [one["later"] for one in steps(again, "relief")] == [True]
    assert steps(second, "rule")[0]["months"] == 12 and "MA-08" in steps(second, "conclusion")[0]["measures"]
    assert [one["kind"] for one in steps(second, "released")] == ["version-2"]
    assert third["standing"] == "clear" and steps(third, "conclusion")[0]["measures"] == []
    [waited] = steps(explained(net, 1, FIRST - dt.timedelta(days=1)), "conclusion")
    assert "has not answered it yet" in waited["en"]
    assert "has not answered it yet" in said_before_the_repair(tmp_path / "repaired")


def said_before_the_repair(folder: Path) -> str:
    """A decision repaired on the third day, and asked about on a day before anybody had answered it."""
    folder.mkdir()
    net = network(folder, lambda code: f"sqlite:///{folder}/{code}.db")
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    at(net, THIRD)
    net.nodes[HOME].home.put(relief("r1", row, "修复", XF_RQ=THIRD.isoformat()))
    net.settle()
    said: str = steps(explained(net, 1, FIRST - dt.timedelta(days=1)), "conclusion")[0]["en"]
    return said
