"""Bytes of the store or the vault that no longer open: that entry is held and told, and holds back nothing else."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from network import Network, Node, company, network, penalty, relief

from syncd.errors import Stop
from syncd.flows import recognise
from syncd.flows.share import drain
from syncd.flows.status import status
from syncd.ledger.wire import decode_batch, decompress
from syncd.store import desk, erased, register
from syncd.store.statement import execute

DAY = dt.date(2026, 11, 22)
HOME, OTHER, THIRD = "320583", "320585", "310114"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def damage(node: Node, origin: str, kind: str) -> bytes:
    """Flip one bit in the newest sealed disclosure of a kind; returns the sealed bytes as they are now."""
    with node.bureau.store.read() as conn:
        size = node.bureau.logs.state(conn, origin).size
        row = node.bureau.logs.read_entries(conn, origin, 0, size, only=[kind])[-1]
    assert row.sealed is not None
    data = bytes([row.sealed.data[0] ^ 1]) + row.sealed.data[1:]
    with node.bureau.store.write() as conn:
        execute(conn, "UPDATE disclosures SET sealed = ? WHERE log = ? AND idx = ?", (data, row.log, row.index))
    node.bureau.logs._recent.drop(origin)
    return data


def items(node: Node) -> list[tuple[str, str]]:
    """Open items of the desk: kind and reason."""
    with node.bureau.store.read() as conn:
        return sorted((row.kind, row.reason) for row in desk.listing(conn))


def alarms(net: Network, code: str) -> list[tuple[str, str]]:
    """Alarms that stand at a node."""
    return [(one["kind"], one["about"]) for one in status(net.nodes[code].bureau, net.clock())["alarms"]]


def stands(net: Network, code: str, uscc: str) -> str:
    """How an organisation stands in a region."""
    return str(net.nodes[code].stages.inquiry.check(uscc, DAY)["standing"])


def test_a_damaged_disclosure_holds_back_nothing_and_is_mended_by_its_owner(net: Network) -> None:
    home, other, third = (net.nodes[code] for code in (HOME, OTHER, THIRD))
    row, origin = penalty("900", company(9), "TC-A04", OTHER), home.bureau.origin
    other.home.put(row)
    net.settle()
    assert third.home.in_force(company(9))
    home.home.put(penalty("1", company(1), "KS-0104", HOME), penalty("2", company(2), "KS-0104", HOME))
    home.stages.collect.step()
    drain(home.stages.shares[THIRD].step)
    damage(third, origin, "finding.issued")
    other.home.put(relief("r1", row, "撤销"))
    net.settle()
    assert stands(net, THIRD, company(9)) == "clear" and not third.home.in_force(company(9))
    assert sorted([stands(net, THIRD, company(n)) for n in (1, 2)]) == ["clear", "restricted"]
    assert ("unreadable", "store_damaged") in items(third) and alarms(net, THIRD) == [("store_damaged", origin)]
    assert ("unreadable_at_peer", "store_damaged") in items(home)
    home.stages.work._resync.run("share", THIRD, False, 1001)
    net.settle()
    third.stages.recognise.reconsider()
    net.settle()
    assert [stands(net, THIRD, company(n)) for n in (1, 2)] == ["restricted"] * 2
    assert alarms(net, THIRD) == [] and not [one for one in items(third) if one[0] == "unreadable"]
    net.close()


def test_what_was_answered_before_it_was_damaged_here_stays_answered(net: Network) -> None:
    home, third = net.nodes[HOME], net.nodes[THIRD]
    row = penalty("1", company(1), "KS-0104", HOME)
    home.home.put(row)
    net.settle()
    damage(third, home.bureau.origin, "finding.issued")
    third.stages.work._resync.run("recognise", HOME, False, 1001)
    net.settle()
    assert ("unreadable", "store_damaged") in items(third) and third.home.in_force(company(1))
    for node in net.nodes.values():
        with node.bureau.store.read() as conn:
            (finding,) = register.findings_of(conn, company(1))
            told = register.responses_of(conn, {finding.leaf}, THIRD)[finding.leaf][THIRD]
        assert (told.kind, told.counter) == ("restriction.imposed", 1)
    home.home.put(relief("r1", row, "撤销"))
    net.settle()
    assert stands(net, THIRD, company(1)) == "clear" and not third.home.in_force(company(1))
    home.stages.work._resync.run("share", THIRD, False, 1001)
    net.settle()
    third.stages.recognise.reconsider()
    assert not [one for one in items(third) if one[0] == "unreadable"]
    net.close()


def test_what_does_not_open_here_is_not_sent_and_relief_goes_out_all_the_same(net: Network) -> None:
    home, link = net.nodes[HOME], net.links[HOME, THIRD]
    row = penalty("1", company(1), "KS-0104", HOME)
    home.home.put(penalty("2", company(2), "KS-0104", HOME), row)
    net.settle()
    link.down = True
    home.home.put(penalty("3", company(3), "KS-0104", HOME))
    net.settle()
    data = damage(home, home.bureau.origin, "finding.issued")
    home.home.put(relief("r1", row, "撤销"))
    net.settle()
    link.down, sent = False, len(link.posted)
    net.settle()
    records = [one for body in link.posted[sent:] for one in decode_batch(decompress(body)).records]
    assert not any(data in one.disclosure or one.disclosure in data for one in records if one.disclosure)
    assert stands(net, THIRD, company(1)) == "clear", "its relief came behind the damaged entry"
    assert ("unreadable", "no_disclosure") in items(net.nodes[THIRD])
    assert ("unreadable_at_peer", "no_disclosure") in items(home)
    net.close()


def test_a_damaged_batch_does_not_hold_back_an_erasure(net: Network) -> None:
    home, third = net.nodes[HOME], net.nodes[THIRD]
    home.home.put(penalty("1", company(1), "KS-0104", HOME))
    net.settle()
    damage(third, net.nodes[OTHER].bureau.origin, "feedback.reported")
    with home.bureau.store.read() as conn:
        leaf = register.findings_of(conn, company(1))[0].leaf.hex()
    home.stages.work._order.run(leaf, "repaired", None, True, 1, lambda code, retry: None)
    net.settle()
    assert not any(node.stages.inquiry.check(company(1), DAY)["findings"] for node in net.nodes.values())
    assert [one.state for one in _orders(third)] == ["closed"]
    net.close()


def _orders(node: Node) -> list[erased.Order]:
    with node.bureau.store.read() as conn:
        return erased.orders(conn)


def test_a_log_that_stops_the_stage_stops_no_other_logs_relief(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    other, third, origin = net.nodes[OTHER], net.nodes[THIRD], net.nodes[HOME].bureau.origin
    row, read = penalty("900", company(9), "TC-A04", OTHER), recognise.read_opened
    other.home.put(row)
    net.settle()

    def stopping(bureau: object, conn: object, log: str, *more: object, **only: object) -> object:
        if log == origin:
            raise Stop("The store is damaged here.")
        return read(bureau, conn, log, *more, **only)  # type: ignore[arg-type]

    net.nodes[HOME].home.put(penalty("1", company(1), "KS-0104", HOME))
    net.nodes[HOME].stages.collect.step()
    drain(net.nodes[HOME].stages.shares[THIRD].step)
    other.home.put(relief("r1", row, "撤销"))
    other.stages.collect.step()
    drain(other.stages.shares[THIRD].step)
    monkeypatch.setattr(recognise, "read_opened", stopping)
    with pytest.raises(Stop, match="damaged here"):
        drain(third.stages.recognise.step)
    assert stands(net, THIRD, company(9)) == "clear"
    net.close()


def test_a_damaged_ring_of_keys_is_no_erasure(net: Network, tmp_path: Path) -> None:
    home, third, origin = net.nodes[HOME], net.nodes[THIRD], net.nodes[HOME].bureau.origin
    home.home.put(penalty("1", company(1), "KS-0104", HOME))
    home.stages.collect.step()
    drain(home.stages.shares[THIRD].step)
    with third.bureau.store.read() as conn:
        row = third.bureau.logs.read_entries(conn, origin, 0, 99, only=["finding.issued"])[0]
    assert row.sealed is not None
    with sqlite3.connect(tmp_path / THIRD / "record-keys.db") as db:
        db.execute("UPDATE key_rings SET wrapped = zeroblob(60) WHERE id = ?", (row.sealed.key_id[:14],))
    third.bureau.vault._rings.clear()
    third.bureau.logs._recent.drop(origin)
    net.settle()
    assert ("unreadable", "store_damaged") in items(third)
    assert third.bureau.vault.missing([row.sealed.key_id]) == {row.sealed.key_id}, "so that fsck names it"
    net.close()
