"""A member that signs what it should not, and orders of events that once went wrong: each stays harmless."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from network import Network, Node, company, network, penalty, relief

from syncd.flows.record import Saying, record, sign
from syncd.flows.startup import establish
from syncd.ledger.entry import Ref
from syncd.store import desk

DAY = dt.date(2026, 11, 22)
HOME, OTHER, THIRD = "320583", "320585", "310114"
NO_RELIEF = {"schema": "relief/1.0", "ground": "x", "by": "320585", "document": None, "received_on": None,
             "effective_from": None, "clears": []}  # fmt: skip


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")


def standings(net: Network, uscc: str, day: dt.date = DAY) -> list[str]:
    """How an organisation stands in each region, in order."""
    return [node.stages.inquiry.check(uscc, day)["standing"] for node in net.nodes.values()]


def on_desk(node: Node) -> dict[str, int]:
    """Open items by kind."""
    with node.bureau.store.read() as conn:
        return desk.counts(conn)


def say(net: Network, code: str, kind: str, ref: Ref | None, body: dict[str, Any]) -> None:
    """A member appends and signs an entry that its own stages would not write."""
    bureau = net.nodes[code].bureau
    with bureau.store.write() as conn:
        record(bureau, conn, [Saying(kind, ref, body)])
    sign(bureau)


def ref_of(net: Network, uscc: str, log: str) -> tuple[Ref, dict[str, Any]]:
    """A ref to an organisation's finding that claims to stand in ``log``, and the finding's body."""
    from syncd.store import register

    with net.nodes[HOME].bureau.store.read() as conn:
        row = register.findings_of(conn, uscc)[0]
    return Ref(log, row.id, row.leaf.hex()), row.parsed()


@pytest.mark.parametrize("kind", ["relief.revoked", "relief.suspended", "relief.unheard_of", "finding.amended"])
def test_nobody_relieves_or_amends_another_members_finding(net: Network, kind: str) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    ref, finding = ref_of(net, company(1), net.nodes[OTHER].bureau.origin)
    body = {**finding, "violation": "另一事由"} if kind == "finding.amended" else NO_RELIEF
    bureau = net.nodes[OTHER].bureau
    with bureau.store.write() as conn:
        public = {"schema": "x/1.0"} if kind == "relief.unheard_of" else None
        said = Saying(kind, ref, None, public=None) if public else Saying(kind, ref, body)
        record(bureau, conn, [said])
    sign(bureau)
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3
    assert all(node.home.in_force(company(1)) for node in net.nodes.values())


def test_an_amendment_may_not_change_the_organisation(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    ref, finding = ref_of(net, company(1), net.nodes[HOME].bureau.origin)
    other = {**finding, "subject": {**finding["subject"], "uscc": company(2), "name": "乙演示有限公司"}}
    say(net, HOME, "finding.amended", ref, other)
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3, "suspended until a person has looked"
    assert standings(net, company(2)) == ["clear"] * 3
    assert all(on_desk(node)["unreadable"] == 1 for node in net.nodes.values())
    for node in net.nodes.values():
        assert node.stages.recognise.reconsider() == 0, "held again for the same reason"
    net.settle()
    assert all(on_desk(node)["unreadable"] == 1 for node in net.nodes.values()), "and still asked about"
    assert standings(net, company(1)) == ["clear"] * 3
    assert "乙演示" not in net.nodes[THIRD].stages.inquiry.check(company(1), DAY)["name"]


def test_a_poison_finding_stops_nothing_else(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    _, finding = ref_of(net, company(1), net.nodes[HOME].bureau.origin)
    poison = {**finding, "decided_on": "9998-05-05", "key": {**finding["key"], "number": "毒1号", "date": "9998-05-05"},
              "ends": {"publicity": None, "query": None, "measures": None}}  # fmt: skip
    say(net, HOME, "finding.issued", None, poison)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", row, "撤销"))
    net.settle()
    answers = {finding["number"]: finding["answer"] for finding in
               net.nodes[THIRD].stages.inquiry.check(company(1), DAY)["findings"]}  # fmt: skip
    assert answers["环罚〔2026〕101号"] == "restriction.lifted"


@pytest.mark.parametrize("number", ["身份证11010519491231002X", "110105-19491231-002X", "110105491231002"])
@pytest.mark.parametrize("field", ["violation", "local_code", "row", "number"])
def test_a_peers_finding_with_an_identity_number_is_held(net: Network, field: str, number: str) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    _, finding = ref_of(net, company(1), net.nodes[HOME].bureau.origin)
    named = {**finding, "key": {**finding["key"], "number": number if field == "number" else "人1号"}}
    if field != "number":
        named |= {"source": {**finding["source"], "row": number}} if field == "row" else {field: number}
    say(net, HOME, "finding.issued", None, named)
    net.settle()
    assert len(net.nodes[THIRD].stages.inquiry.check(company(1), DAY)["findings"]) == 1
    assert on_desk(net.nodes[THIRD])["unreadable"] == 1
    net.nodes[THIRD].stages.recognise.reconsider()
    assert on_desk(net.nodes[THIRD])["unreadable"] == 1, "and it is still asked about"


def test_catching_up_never_imposes_what_is_already_relieved(net: Network) -> None:
    net.links[HOME, THIRD].down = True
    rows = [penalty(str(1000 + n), company(n), "KS-0104", HOME) for n in range(700)]
    net.nodes[HOME].home.put(*rows)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", rows[0], "撤销"))
    net.settle()
    net.links[HOME, THIRD].down = False
    while net.nodes[HOME].stages.shares[THIRD].step():
        pass  # everything arrives before anything is recognised
    net.settle(collect=False)
    third = net.nodes[THIRD]
    found = third.stages.inquiry.check(company(0), DAY)["findings"][0]
    assert found["answer"] == "restriction.declined"
    assert not any(order["CJD_XDR_SHXYM"] == company(0) for order in third.home.orders.values())


def test_recognising_again_answers_an_unreadable_entry_only_once(net: Network) -> None:
    say(net, HOME, "operator.acted", None, {"schema": "operator/1.0", "act": "x", "stage": None, "peer": None,
        "from": None, "to": None, "account": 1, "ground": "x"})  # fmt: skip
    bureau = net.nodes[HOME].bureau
    with bureau.store.write() as conn:
        record(bureau, conn, [Saying("weather.reported", None, public={"schema": "weather/1.0"})])
    sign(bureau)
    net.settle()
    with net.nodes[THIRD].bureau.store.read() as conn:
        before = net.nodes[THIRD].bureau.logs.state(conn, net.nodes[THIRD].bureau.origin).size
    net.nodes[THIRD].stages.work._resync.run("recognise", None, False, 1)
    net.settle()
    with net.nodes[THIRD].bureau.store.read() as conn:
        after = net.nodes[THIRD].bureau.logs.state(conn, net.nodes[THIRD].bureau.origin).size
    assert after == before + 1, "the operator's act alone"


def test_one_relief_row_relieves_every_date_of_its_number(net: Network) -> None:
    first = penalty("101", company(1), "KS-0104", HOME)
    second = penalty("201", company(1), "KS-0104", HOME, CF_WSH=first.fields["CF_WSH"], CF_JDRQ="2026/11/03")
    net.nodes[HOME].home.put(first, second)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", first, "撤销"))
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3


def test_suspended_and_resumed_in_one_page_is_on(net: Network) -> None:
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", row, "中止"), relief("r2", row, "恢复"))
    net.settle()
    assert standings(net, company(1)) == ["restricted"] * 3


def test_a_twin_repaired_from_a_later_day_stops_both_on_that_day(net: Network) -> None:
    rows = {code: penalty("101", company(1), local, code) for code, local in ((HOME, "KS-0104"), (OTHER, "TC-A04"))}
    net.nodes[HOME].home.put(rows[HOME])
    net.settle()
    net.nodes[OTHER].home.put(rows[OTHER], relief("r1", rows[OTHER], "修复", XF_RQ="2026-11-24"))
    net.settle()
    net.now = dt.datetime(2026, 11, 24, 16, 1, tzinfo=dt.UTC)
    for node in net.nodes.values():
        node.stages.recognise.day_change()
    net.settle(collect=False)
    assert not any(node.home.in_force(company(1)) for node in net.nodes.values())
    assert all(on_desk(node).get("twin_relieved") for node in net.nodes.values()), "a person can decide"


def test_candidates_end_with_the_demonstration(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    for node in net.nodes.values():
        node.bureau.allow_candidates = False
        establish(node.bureau)
    net.settle()
    assert standings(net, company(1)) == ["clear"] * 3
    assert not any(node.home.in_force(company(1)) for node in net.nodes.values())


def test_a_second_review_opens_the_desk_again(net: Network) -> None:
    node = net.nodes[HOME]
    for day, review in (("05", ""), ("06", "复议中"), ("07", ""), ("08", "复议中")):
        stamp = f"2026-11-{day} 08:00:00.000000"
        node.home.put(penalty("101", company(1), "KS-0104", HOME, FYZT=review, GXSJ=stamp))
        net.settle()
        with node.bureau.store.read() as conn:
            items = [item.id for item in desk.listing(conn) if item.kind == "under_review"]
        if day == "07":
            node.stages.work._decide.run(items[0], True, 1001, "operator_request")
            net.settle()
    assert on_desk(node) == {"under_review": 1}
    assert standings(net, company(1)) == ["clear"] * 3
