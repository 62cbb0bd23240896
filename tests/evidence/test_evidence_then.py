"""A day that has passed is answered by what stood on it, whoever asks: register, check, explain and credit review."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evidence_kit import HOME, NEIGHBOUR, evidence_of
from network import ORGAN, THREE, Network, company, network, penalty, relief, version_of

from syncd.evidence.past import as_known
from syncd.evidence.then import Then
from syncd.flows.honour import Honouring
from syncd.flows.inquiry import Inquiry
from syncd.flows.review import Question, Review
from syncd.store import register

Json = dict[str, Any]
FIRST, SECOND, THIRD = (dt.date(2026, 11, day) for day in (22, 25, 28))
LEAVING = "320585"
BEFORE = FIRST - dt.timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def net(request: pytest.FixtureRequest, tmp_path: Path) -> Network:
    """Restricted on the first day; amended on the second, when another is decided; both suspended on the third."""
    urls: Callable[[str], str] = lambda code: f"sqlite:///{tmp_path}/{code}.db"  # noqa: E731
    if request.param == "postgresql":
        urls = request.getfixturevalue("postgres_urls")
    net = network(tmp_path, urls)
    row, later = penalty("101", company(1), "KS-0104", HOME), penalty("102", company(2), "KS-0104", HOME)
    for day, rows in (
        (FIRST, [row]),
        (SECOND, [replace(row, fields=row.fields | {"CF_NR_FK": "5", "CF_XDR_MC": "演示改名化工有限公司"}), later]),
        (THIRD, [relief("r1", row, "中止"), relief("r2", later, "中止")]),
    ):
        net.now = dt.datetime.combine(day, dt.time(1), dt.UTC)
        net.nodes[HOME].home.put(*rows)
        net.settle()
        if day == SECOND:
            args = {"uscc": company(3), "honour": "HN-RED", "name": "演示第3化工有限公司", "number": "诚〔2026〕1号",
                    "organ": ORGAN, "on": "2026-11-01", "published": "2026-11-05", "until": "2027-10-31", "account": 7,
                    "ground": "operator_request"}  # fmt: skip
            Honouring(net.nodes[HOME].bureau).run("honour.grant", args, lambda conn, result: None)
            net.settle()
    return net


def asked(net: Network, day: dt.date) -> tuple[Inquiry, Review]:
    """What a node is asked of a day: today's by the register, an earlier one's by the entries."""
    bureau, question = net.nodes[NEIGHBOUR].bureau, Question("tender", day)
    past = Then(evidence_of(net, NEIGHBOUR), day) if day < THIRD else None
    return Inquiry(bureau, past), Review(bureau, question, past)


def test_each_day_keeps_its_own_answer(net: Network) -> None:
    assert (standings(net, BEFORE), reviewed(net, BEFORE)) == ({}, ["clear", "clear", "clear"]), "nothing was known"
    assert (standings(net, FIRST), reviewed(net, FIRST)) == ({company(1): "restricted"}, ["restricted", *["clear"] * 2])
    both = {company(1): "restricted", company(2): "restricted"}
    assert (standings(net, SECOND), reviewed(net, SECOND)) == (both, ["restricted", "restricted", "clear"])
    assert (standings(net, THIRD), reviewed(net, THIRD)) == (dict.fromkeys(both, "clear"), ["clear"] * 3)
    for day in (FIRST, SECOND, THIRD):
        inquiry, review = asked(net, day)
        for one in inquiry.register(None, day):
            alone = inquiry.check(one["uscc"], day)
            assert [finding | {"home": None} for finding in alone["findings"]] == one["findings"], "register and check"
            assert review.one(one["uscc"])["standing"] == alone["standing"], "check and review say the same"
            assert inquiry.explain(one["uscc"], day)["standing"] == alone["standing"]
    assert not asked(net, FIRST)[0].check(company(3), FIRST)["honours"], "the honour was granted later"
    assert asked(net, SECOND)[0].check(company(3), SECOND)["honours"]
    explained_with_the_body_that_stood_then(net)
    net.close()


def standings(net: Network, day: dt.date) -> dict[str, str]:
    return {one["uscc"]: one["standing"] for one in asked(net, day)[0].register(None, day)}


def reviewed(net: Network, day: dt.date) -> list[str]:
    return [one["standing"] for one in asked(net, day)[1].many([company(n) for n in (1, 2, 3)])[1]]


def explained_with_the_body_that_stood_then(net: Network) -> None:
    told = {day: asked(net, day)[0].explain(company(1), day) for day in (FIRST, SECOND, THIRD)}
    assert [one["name"] for one in told.values()] == ["演示第101化工有限公司", *["演示改名化工有限公司"] * 2]
    changes = [[step for step in one["findings"][0]["steps"] if step["step"] == "amended"] for one in told.values()]
    assert [[step["later"] for step in steps] for steps in changes] == [[True], [False], [False]]
    assert {step["on"] for steps in changes for step in steps} == {SECOND.isoformat()}
    assert told[FIRST]["standing"] == "restricted" and not told[FIRST]["findings"][0]["suspended"]
    with net.nodes[NEIGHBOUR].bureau.store.read() as conn:
        held = register.findings_of(conn, company(1))
        [first], [now] = Then(evidence_of(net, NEIGHBOUR), FIRST).findings(conn, held), held
    assert (first.parsed()["amount"]["fine"], now.parsed()["amount"]["fine"]) == ("20000.00", "50000.00")


def test_a_finding_of_a_member_that_left_is_over_from_that_day(tmp_path: Path) -> None:
    """As known on a day: a member that is no longer named ends what its findings led to, here as in the register."""
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path}/{code}.db")
    net.nodes[LEAVING].home.put(penalty("101", company(1), "TC-A04", LEAVING))
    net.settle()
    staying = [code for code in THREE if code != LEAVING]
    net.versions = {code: [version_of(staying, 2, SECOND.isoformat())] for code in staying}
    for code in staying:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle(collect=False)
    net.now = dt.datetime.combine(THIRD, dt.time(1), dt.UTC)
    net.settle(collect=False)
    bureau = net.nodes[NEIGHBOUR].bureau
    evidence = replace(evidence_of(net, NEIGHBOUR), timeline=bureau.timeline)
    with bureau.store.read() as conn:
        said = [as_known(evidence, conn, company(1), day, THIRD)["standing"] for day in (FIRST, SECOND, THIRD)]
    assert said == ["restricted", "clear", "clear"]
    assert said == [Inquiry(bureau).check(company(1), day)["standing"] for day in (FIRST, SECOND, THIRD)]
    net.close()
