"""A node whose store comes back from an old copy: it signs nothing, relief acts, and it fetches its entries back."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import verified
from network import THREE, HomeSystem, Network, company, found, opened, penalty, relief
from sqlalchemy import select

from syncd.errors import NeedsPerson, Retry, Stop
from syncd.flows.record import Saying, record
from syncd.flows.startup import establish
from syncd.store import desk, jobs
from syncd.store.bulk import bulk_insert
from syncd.store.engine import Store
from syncd.store.register_tables import metadata

Json = dict[str, Any]
HOME, OTHER, THIRD = "320583", "310114", "320585"
DAY = dt.date(2026, 11, 22)
Copy = dict[str, list[Json]]


class Home(HomeSystem):
    """A home system that tells what it was ordered."""

    def ordered(self) -> dict[tuple[str, str], str]:
        """Each order's newest state."""
        return {key: row["CJD_ZT"] for key, row in self.orders.items()}


class Site:
    """Three nodes in a folder, with home systems that stay while the nodes are closed and opened again."""

    def __init__(self, folder: Path, urls: Callable[[str], str]) -> None:
        self.folder, self.urls = folder, urls
        self.homes = {code: Home() for code in THREE}
        self.now = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
        found(folder)
        self.net = self.open()

    def open(self) -> Network:
        """Open the nodes and start them as their daemons do, one after another, all in reach of each other."""
        self.net = opened(self.folder, self.urls, home=self.homes.__getitem__)
        self.net.now = self.now = self.now + dt.timedelta(minutes=1)
        for node in self.net.nodes.values():
            establish(node.bureau, node.stages.custody.ask)
        return self.net

    def close(self) -> None:
        """All daemons stop."""
        self.now = self.net.now
        self.net.close()

    def copy(self, code: str) -> Copy:
        """A backup of a node's database."""
        with self.net.nodes[code].bureau.store.read() as conn:
            return {table.name: [dict(zip(table.c.keys(), row, strict=True)) for row in conn.execute(select(table))]
                    for table in metadata.sorted_tables}  # fmt: skip

    def restore(self, code: str, copy: Copy) -> None:
        """All daemons stop, one database is put back as it was, all start again."""
        self.close()
        store = Store.open(self.urls(code))
        with store.write() as conn:
            for table in reversed(metadata.sorted_tables):
                conn.execute(table.delete())
            for table in metadata.sorted_tables:
                bulk_insert(conn, table, copy[table.name])
        store.close()
        self.open()


@pytest.fixture
def site(tmp_path: Path, store_urls: Callable[[str], str]) -> Iterator[Site]:
    """Three nodes at rest that have recognised one finding."""
    made = Site(tmp_path, store_urls)
    made.homes[HOME].put(penalty("101", company(1), "KS-0104", HOME))
    made.net.settle()
    yield made
    made.net.close()


def recover(net: Network, *without: str) -> Json:
    """``syncd ledger recover`` at the bureau whose store is old."""
    node = net.nodes[HOME]
    with node.bureau.store.write() as conn:
        args = {"without": list(without), "account": 1001}
        number = jobs.ask(conn, "recover", args, "1001", node.bureau.now_text())
    node.stages.work.step()
    with node.bureau.store.read() as conn:
        row = jobs.one(conn, number)
    assert row is not None
    return {"state": row.state, "result": row.result}


def everything_holds(net: Network) -> None:
    verified.trees(net)
    verified.mirrors(net)
    for node in net.nodes.values():
        verified.findings(node)
        verified.answers(node)
        verified.home(node)


def size(net: Network, code: str, origin: str) -> int:
    with net.nodes[code].bureau.store.read() as conn:
        return net.nodes[code].bureau.logs.state(conn, origin).size


def test_an_old_store_fetches_its_entries_back(site: Site) -> None:
    old, row = site.copy(HOME), penalty("102", company(2), "KS-0104", HOME)
    site.homes[HOME].put(row)
    site.homes[OTHER].put(penalty("201", company(3), "JD-HB-04", OTHER))
    site.net.settle()
    site.homes[HOME].put(relief("r2", row, "修复完成"))
    site.net.settle()
    origin = site.net.nodes[HOME].bureau.origin
    before = {code: size(site.net, HOME, site.net.nodes[code].bureau.origin) for code in THREE}
    orders = site.homes[HOME].ordered()
    site.restore(HOME, old)
    bureau = site.net.nodes[HOME].bureau
    assert not bureau.may_sign and bureau.doubt
    assert size(site.net, HOME, origin) < before[HOME]
    with pytest.raises(Stop), bureau.store.write() as conn:
        record(bureau, conn, [Saying("operator.acted", None, {})])
    with pytest.raises(NeedsPerson, match="recover"):
        site.net.nodes[HOME].stages.custody.step()
    assert recover(site.net)["state"] == "done"
    assert bureau.may_sign and not bureau.doubt
    assert {code: size(site.net, HOME, site.net.nodes[code].bureau.origin) for code in THREE} == {
        **before, HOME: before[HOME] + 1
    }, "all is back, and that somebody did it is the only new entry"  # fmt: skip
    site.net.settle()
    renew(site.net)
    site.net.settle()
    everything_holds(site.net)
    assert size(site.net, HOME, origin) == before[HOME] + 1, "nothing is said twice, though the source was read again"
    assert site.homes[HOME].ordered() == orders
    with bureau.store.read() as conn:
        assert "custody" not in desk.counts(conn)


def renew(net: Network) -> None:
    """An hour later every owner asks for fresh lines, and meets a peer that has forgotten some of its own."""
    for node in net.nodes.values():
        with node.bureau.store.write() as conn:
            for code in net.nodes:
                node.bureau.logs.set_cursor(conn, f"lines:{code}", "0")


def test_relief_acts_and_goes_home_while_nothing_may_be_signed(site: Site) -> None:
    old, row = site.copy(HOME), penalty("201", company(3), "JD-HB-04", OTHER)
    site.homes[OTHER].put(row)
    site.net.settle()
    site.restore(HOME, old)
    net = site.net
    assert not net.nodes[HOME].bureau.may_sign
    assert company(3) not in {one["uscc"] for one in net.nodes[HOME].stages.inquiry.register(None, DAY)}
    net.settle()
    first = site.homes[HOME].rows[0]
    site.homes[OTHER].put(relief("r3", row, "撤销"))
    net.settle()
    assert site.homes[OTHER].in_force(company(3)) == set()
    posted = net.links[OTHER, HOME].posted
    assert posted, "the peer goes on sending, and what it sends is stored"
    other = net.nodes[OTHER].bureau.origin
    assert size(net, HOME, other) == size(net, OTHER, other)
    assert site.homes[HOME].in_force(company(1)), "what was in force stays so"
    assert first.fields["CF_WSH"]
    recover(net)
    net.settle()
    assert net.nodes[HOME].stages.inquiry.check(company(3), DAY)["standing"] == "clear"
    assert site.homes[HOME].in_force(company(3)) == set()


def test_what_it_had_imposed_is_lifted_in_doubt_and_said_later(site: Site) -> None:
    row = penalty("201", company(3), "JD-HB-04", OTHER)
    site.homes[OTHER].put(row)
    site.net.settle()
    assert site.homes[HOME].in_force(company(3))
    old = site.copy(HOME)
    site.homes[HOME].put(penalty("102", company(2), "KS-0104", HOME))
    site.net.settle()
    site.restore(HOME, old)
    site.homes[OTHER].put(relief("r3", row, "撤销"))
    site.net.settle()
    node = site.net.nodes[HOME]
    assert not node.bureau.may_sign
    assert site.homes[HOME].in_force(company(3)) == set(), "lifted at home"
    assert node.stages.inquiry.check(company(3), DAY)["findings"][0]["answer"] == "restriction.imposed"
    assert recover(site.net)["state"] == "done"
    site.net.settle()
    assert node.stages.inquiry.check(company(3), DAY)["findings"][0]["answer"] == "restriction.lifted"
    verified.answers(node)


def test_a_silent_member_is_waited_for_or_answered_for(site: Site) -> None:
    site.close()
    (site.folder / HOME / "signed-sizes").unlink()
    site.net = opened(site.folder, site.urls, home=site.homes.__getitem__)
    site.net.links[HOME, THIRD].down = True
    node = site.net.nodes[HOME]
    establish(node.bureau, node.stages.custody.ask)
    assert node.bureau.doubt == "sizes_missing"
    with pytest.raises(Retry, match=THIRD):
        node.stages.custody.step()
    assert recover(site.net)["state"] == "failed"
    assert recover(site.net, THIRD)["state"] == "done"
    assert (site.folder / HOME / "signed-sizes").exists() and node.bureau.may_sign
    site.net.links[HOME, THIRD].down = False
    site.net.settle()
    everything_holds(site.net)


def test_all_members_that_tell_end_the_doubt_by_themselves(site: Site) -> None:
    site.close()
    (site.folder / HOME / "signed-sizes").write_bytes(b"scribbled over")
    site.open()
    node = site.net.nodes[HOME]
    assert not node.bureau.may_sign
    assert node.stages.custody.step() is False
    assert node.bureau.may_sign
    assert (site.folder / HOME / "signed-sizes.damaged").exists()
    site.net.settle()
    everything_holds(site.net)


def test_a_lost_tail_that_was_signed_cannot_be_continued(site: Site) -> None:
    old = site.copy(HOME)
    for code in (OTHER, THIRD):
        site.net.links[HOME, code].down = True
    site.homes[HOME].put(penalty("102", company(2), "KS-0104", HOME))
    site.net.settle()
    site.restore(HOME, old)
    assert site.net.nodes[HOME].bureau.doubt == "store_older"
    told = recover(site.net)
    assert told["state"] == "failed" and "sealed" in told["result"]
    assert not site.net.nodes[HOME].bureau.may_sign


def test_another_database_is_a_reason_to_ask(site: Site) -> None:
    node = site.net.nodes[HOME]
    with node.bureau.store.write() as conn:
        node.bureau.logs.set_cursor(conn, "cluster", "00000009/1")
    establish(node.bureau, dict)
    assert node.bureau.doubt == "database_moved" and not node.bureau.may_sign
    node.stages.custody.step()
    assert node.bureau.may_sign
    site.net.settle()
    everything_holds(site.net)
