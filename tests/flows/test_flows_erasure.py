"""Erasure: everything said about a finding goes everywhere, and no road brings it back; the ledger shows the order."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from network import THREE, Network, company, network, penalty, relief
from sqlalchemy import select

from adapters.base import RawRow
from syncd.flows.erasures import late, listed
from syncd.store import alarms, desk, jobs, register
from syncd.store.register_tables import metadata

Json = dict[str, Any]
HOME, OTHER, THIRD = "320583", "310114", "320585"
DAY = dt.date(2026, 11, 22)
ROW = penalty("101", company(1), "KS-0104", HOME, CF_XDR_MC="昆山待删化工有限公司", CF_WSH="昆环罚决〔2026〕删号")
KEPT = penalty("102", company(2), "KS-0104", HOME)
RELIEF = relief("r1", ROW, "撤销")
TRACES = (company(1), "昆山待删化工有限公司", "昆环罚决〔2026〕删号")


def begun(folder: Path, urls: Callable[[str], str]) -> Network:
    """Three nodes at rest; two findings stand everywhere."""
    made = network(folder, urls)
    made.nodes[HOME].home.put(ROW, KEPT)
    made.settle()
    return made


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """The same, on SQLite."""
    made = begun(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    yield made
    made.close()


def ask(net: Network, kind: str, **args: Any) -> Json:
    """A command at the bureau whose finding it is."""
    node = net.nodes[HOME]
    with node.bureau.store.write() as conn:
        number = jobs.ask(conn, kind, {**args, "account": 1001}, "1001", node.bureau.now_text())
    node.stages.work.step()
    with node.bureau.store.read() as conn:
        row = jobs.one(conn, number)
    assert row is not None
    return {"state": row.state, "result": row.result}


def leaf_of(net: Network, uscc: str) -> bytes:
    with net.nodes[HOME].bureau.store.read() as conn:
        return register.findings_of(conn, uscc)[0].leaf


def order(net: Network, leaf: bytes, *, revoke: bool = False) -> Json:
    return ask(net, "erase", finding=leaf.hex(), ground="revoked", number="KS-2026-0007", revoke=revoke)


def erase(net: Network) -> bytes:
    """The finding is relieved at its source, then ordered to be erased; everybody does so."""
    leaf = leaf_of(net, company(1))
    net.nodes[HOME].home.put(RELIEF)
    net.settle()
    assert order(net, leaf)["state"] == "done"
    net.settle()
    return leaf


def traces(net: Network) -> dict[str, list[str]]:
    """Where a row of a store still names the organisation or the decision."""
    found: dict[str, list[str]] = {}
    for code, node in net.nodes.items():
        with node.bureau.store.read() as conn:
            for table in metadata.sorted_tables:
                for row in conn.execute(select(table)):
                    if any(word in str(value) for value in row for word in TRACES):
                        found.setdefault(code, []).append(table.name)
    return found


def texts(net: Network) -> list[bytes]:
    """Every disclosure that any node can still open."""
    found = list[bytes]()
    for node in net.nodes.values():
        with node.bureau.store.read() as conn:
            for state in node.bureau.logs.states(conn):
                found += [one.disclosure for one in node.bureau.logs.read_wire(conn, state.origin, 0, state.size)]
    return found


def forgotten(net: Network, leaf: bytes) -> None:
    """Nothing of it is held, read or served anywhere, and what stands beside it is."""
    assert traces(net) == {}
    told = b"".join(texts(net)).decode()
    assert not any(word in told for word in TRACES) and company(2) in told
    for node in net.nodes.values():
        assert node.stages.inquiry.check(company(1), DAY)["findings"] == []
        assert node.stages.inquiry.check(company(2), DAY)["standing"] == "restricted"
        with node.bureau.store.read() as conn:
            assert register.findings_by_leaf(conn, [leaf]) == {}


def shown(net: Network, code: str = HOME) -> Json:
    node = net.nodes[code]
    with node.bureau.store.read() as conn:
        return listed(node.bureau, conn, DAY)[0]


def test_every_holder_erases_and_answers(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = begun(tmp_path, store_urls)
    try:
        all_erase(net)
    finally:
        net.close()


def all_erase(net: Network) -> None:
    leaf = leaf_of(net, company(1))
    assert all(node.home.in_force(company(1)) for node in net.nodes.values())
    refused = order(net, leaf)
    assert refused["state"] == "failed" and "--revoke" in refused["result"], "what stands is not erased unawares"
    assert erase(net) == leaf
    forgotten(net, leaf)
    for code, node in net.nodes.items():
        assert node.home.in_force(company(1)) == set()
        told = [row for (finding, _), row in node.home.orders.items() if finding == leaf.hex()]
        assert told and {(row["CJD_ZT"], row["CJD_BJ"]) for row in told} == {("0", "删除")}, (
            "lifted and to be forgotten"
        )
        assert shown(net, code)["waiting_for"] == [] and shown(net, code)["here"] == "closed"
    assert shown(net)["ground"] == "revoked" and shown(net)["number"] == "KS-2026-0007"
    assert shown(net)["due"] == "2026-11-25", "three working days"
    assert order(net, leaf)["state"] == "failed", "it is ordered once"


def test_a_standing_finding_is_revoked_and_lifted_with_it(net: Network) -> None:
    leaf = leaf_of(net, company(1))
    assert order(net, leaf, revoke=True)["state"] == "done"
    net.settle(collect=False)
    forgotten(net, leaf)
    assert all(node.home.in_force(company(1)) == set() for node in net.nodes.values())


def test_the_lifting_goes_home_before_the_register_forgets(net: Network) -> None:
    leaf = leaf_of(net, company(1))
    net.nodes[THIRD].home.down = True
    order(net, leaf, revoke=True)
    net.settle(collect=False)
    assert net.nodes[THIRD].home.in_force(company(1))
    assert shown(net)["waiting_for"] == [THIRD] and shown(net, THIRD)["here"] == "cleared"
    for code, owing in ((HOME, {THIRD}), (THIRD, {THIRD}), (OTHER, set[str]())):
        node = net.nodes[code]
        with node.bureau.store.read() as conn:
            found = late(node.bureau, conn, DAY + dt.timedelta(days=4))
        assert {who for one in found.values() for who in one["waiting_for"]} == owing
    net.now += dt.timedelta(days=4)
    net.settle(collect=False)
    with net.nodes[HOME].bureau.store.read() as conn:
        assert [one.facts["waiting_for"] for one in alarms.standing(conn) if one.kind == "erasure_late"] == [[THIRD]]
    net.nodes[THIRD].home.down = False
    net.settle(collect=False)
    forgotten(net, leaf)
    assert net.nodes[THIRD].home.in_force(company(1)) == set()
    assert shown(net)["late"] == [THIRD]
    with net.nodes[HOME].bureau.store.read() as conn:
        assert not [one for one in alarms.standing(conn) if one.kind == "erasure_late"]


def test_its_row_and_a_full_resync_go_to_the_desk(net: Network) -> None:
    leaf = erase(net)
    again = RawRow("penalty", "909", {**ROW.fields, "ID": "909"}, "test:909")
    net.nodes[HOME].home.put(again, RELIEF)
    net.settle()
    assert ask(net, "resync", stage="collect", peer=None, dry_run=False)["state"] == "done"
    net.settle()
    forgotten(net, leaf)
    with net.nodes[HOME].bureau.store.read() as conn:
        marks = {item.mark for item in desk.listing(conn) if item.kind == "erased"}
        assert len(marks) == 2 and all(mark.endswith(("/101", "/909")) for mark in marks), marks
        assert "relief_waiting" not in desk.counts(conn)


def test_reading_every_log_again_brings_nothing_back(net: Network) -> None:
    leaf = erase(net)
    for stage in ("recognise", "share", "restrict"):
        ask(net, "resync", stage=stage, peer=None, dry_run=False)
    net.settle()
    for node in net.nodes.values():
        assert node.stages.recognise.reconsider() == 0
        with node.bureau.store.read() as conn:
            assert "unreadable" not in desk.counts(conn)
    forgotten(net, leaf)


def test_a_peer_that_was_away_gets_leaves_without_words(net: Network) -> None:
    net.links[HOME, THIRD].down = True
    late_row = penalty("103", company(3), "KS-0104", HOME)
    net.nodes[HOME].home.put(late_row)
    net.settle()
    leaf = leaf_of(net, company(3))
    net.nodes[HOME].home.put(relief("r3", late_row, "撤销"))
    net.settle()
    assert order(net, leaf)["state"] == "done"
    net.settle()
    net.links[HOME, THIRD].down = False
    net.settle()
    node = net.nodes[THIRD]
    assert node.stages.inquiry.check(company(3), DAY)["findings"] == []
    assert company(3).encode() not in b"".join(texts(net))
    assert shown(net)["waiting_for"] == []
    with node.bureau.store.read() as conn:
        assert "unreadable" not in desk.counts(conn)


def test_only_the_bureau_whose_finding_it_is_orders_its_erasure(net: Network) -> None:
    node = net.nodes[OTHER]
    with net.nodes[OTHER].bureau.store.read() as conn:
        theirs = register.findings_of(conn, company(1))[0]
    with node.bureau.store.write() as conn:
        args = {"finding": theirs.leaf.hex(), "ground": "revoked", "number": None, "revoke": True, "account": 1}
        number = jobs.ask(conn, "erase", args, "1", node.bureau.now_text())
    node.stages.work.step()
    with node.bureau.store.read() as conn:
        row = jobs.one(conn, number)
    assert row is not None and row.state == "failed" and "own log" in row.result
    assert set(THREE) == set(net.nodes)
