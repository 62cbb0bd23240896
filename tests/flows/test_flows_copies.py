"""A member that appends the very bytes of another's entry to its own log takes nothing from it, nor from its relief."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from network import Network, company, network, penalty, relief
from sqlalchemy import text

from syncd.flows.record import Saying, record, sign
from syncd.flows.share import drain
from syncd.ledger.entry import Entry, Ref, parse_entry
from syncd.ledger.wire import compress, decode_batch, decompress, encode_batch, encode_records
from syncd.store import append, desk, register
from syncd.store.append import Draft

DAY = dt.date(2026, 11, 22)
HOME, OTHER, THIRD = "320583", "320585", "310114"
WORDS = (
    "SELECT d.state, d.sealed, d.key_id FROM disclosures d JOIN entries e ON e.log = d.log AND e.idx = d.idx "
    "WHERE e.leaf_hash = :leaf"
)
ROW = penalty("101", company(1), "KS-0104", HOME)


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    made = network(tmp_path, store_urls)
    made.settle()
    return made


def copy_leaf(net: Network, monkeypatch: pytest.MonkeyPatch, kind: str = "finding.issued", leaf: bytes = b"") -> None:
    """OTHER appends an entry of HOME's, or the newest of a kind, to its own log, byte for byte, with its disclosure."""
    home, other = net.nodes[HOME].bureau, net.nodes[OTHER].bureau
    with home.store.read() as conn:
        rows = home.logs.read_entries(conn, home.origin, 0, 99, only=[kind])
        row = next(one for one in reversed(rows) if leaf in (b"", one.leaf_hash))
        (words,) = home.vault.open_many([row.sealed])
    said: Entry = parse_entry(row.leaf)
    later = append.next_at
    with monkeypatch.context() as patched, other.store.write() as conn:
        patched.setattr(append, "encode_entries", lambda entries: [row.leaf])
        patched.setattr(append, "next_at", lambda now, last: max(later(now, last), said.at))
        drafts = [Draft(said.id, said.kind, said.ref, said.body, words)]
        other.logs.append(conn, other.origin, drafts, other.logs.seal([words]), other.clock())
    sign(other)


def answers(net: Network) -> list[tuple[str, str, str]]:
    """How the company stands in each region, and of whose log its one finding is."""
    found = []
    for node in net.nodes.values():
        told = node.stages.inquiry.check(company(1), DAY)
        with node.bureau.store.read() as conn:
            (row,) = register.findings_of(conn, company(1))
            origins = {state.id: state.origin for state in node.bureau.logs.states(conn)}
        found.append((told["standing"], row.issuer, origins[row.log]))
    return found


def bare(body: bytes) -> bytes:
    """A batch of entries without their disclosures."""
    batch = decode_batch(decompress(body))
    records = encode_records([one._replace(disclosure=b"") for one in batch.records])
    return compress(encode_batch(batch.old, batch.proof, batch.checkpoint, batch.newest, records))


@pytest.mark.parametrize("first", ["copy", "finding", "relief"])
def test_a_copy_of_a_leaf_hides_neither_the_finding_nor_its_relief(
    net: Network, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    origin = net.nodes[HOME].bureau.origin
    net.links[HOME, THIRD].down = first != "finding"
    net.nodes[HOME].home.put(ROW)
    net.settle()
    copy_leaf(net, monkeypatch)
    net.settle()
    if first == "copy":
        (row,) = net.nodes[THIRD].stages.inquiry.check(company(1), DAY)["findings"]
        assert row["answer"] == "finding.held", "a copy alone is linked, and restricts nobody"
    if first == "relief":
        net.nodes[HOME].home.put(relief("r1", ROW, "撤销"))
        net.settle()
    net.links[HOME, THIRD].down = False
    net.settle()
    if first != "relief":
        assert answers(net) == [("restricted", HOME, origin)] * 3
        assert all(node.home.in_force(company(1)) for node in net.nodes.values())
        with net.nodes[THIRD].bureau.store.read() as conn:
            assert not [item for item in desk.listing(conn) if item.kind == "linked"]
        net.nodes[HOME].home.put(relief("r1", ROW, "撤销"))
        net.settle()
    assert answers(net) == [("clear", HOME, origin)] * 3
    assert not any(node.home.in_force(company(1)) for node in net.nodes.values())
    net.close()


def test_a_copy_of_an_amendment_does_not_take_its_suspension(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    home = net.nodes[HOME].bureau
    net.nodes[HOME].home.put(ROW)
    net.settle()
    net.links[HOME, THIRD].down = True
    with home.store.write() as conn:
        (row,) = register.findings_of(conn, company(1))
        other = {**row.parsed(), "subject": {**row.parsed()["subject"], "uscc": company(2)}}
        record(home, conn, [Saying("finding.amended", Ref(home.origin, row.id, row.leaf.hex()), other)])
    sign(home)
    copy_leaf(net, monkeypatch, "finding.amended")
    net.links[OTHER, THIRD].tamper = bare
    net.settle()
    assert net.nodes[THIRD].stages.inquiry.check(company(1), DAY)["standing"] == "restricted"
    net.links[HOME, THIRD].down = False
    net.settle()
    assert [answer[0] for answer in answers(net)] == ["clear"] * 3, "suspended until a person has looked"
    net.close()


def test_an_erasure_takes_the_words_of_a_copy_too(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    net.nodes[HOME].home.put(ROW, penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    with net.nodes[HOME].bureau.store.read() as conn:
        leaf = register.findings_of(conn, company(1))[0].leaf
    copy_leaf(net, monkeypatch, leaf=leaf)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", ROW, "撤销"))
    net.settle()
    net.nodes[HOME].stages.work._order.run(leaf.hex(), "revoked", None, False, 1001, lambda conn, result: None)
    net.settle()
    for node in net.nodes.values():
        with node.bureau.store.read() as conn:
            rows = conn.execute(text(WORDS), {"leaf": leaf}).all()
            assert [(row.state, row.sealed, row.key_id) for row in rows] == [("erased", None, None)] * 2
    net.close()


def order_erasure_of_the_copy(net: Network) -> None:
    other = net.nodes[OTHER].bureau
    with other.store.write() as conn:
        (row,) = register.findings_of(conn, company(1))
        body = {"schema": "erasure/1.0", "ground": "revoked", "order": None, "due": None}
        record(other, conn, [Saying("erasure.ordered", Ref(other.origin, row.id, row.leaf.hex()), body)])
    sign(other)


@pytest.mark.parametrize("first", ["finding", "copy", "copy and order"])
def test_nobody_orders_the_erasure_of_anothers_finding_by_a_copy_of_it(
    net: Network, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    net.links[HOME, THIRD].down = first != "finding"
    net.nodes[HOME].home.put(ROW)
    net.settle()
    copy_leaf(net, monkeypatch)
    if first == "copy":
        net.settle()
    order_erasure_of_the_copy(net)
    net.settle()
    net.links[HOME, THIRD].down = False
    net.settle()
    assert answers(net) == [("restricted", HOME, net.nodes[HOME].bureau.origin)] * 3
    net.close()


def test_an_order_by_a_copy_takes_nothing_that_is_stored_and_not_read_so_far(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, other = net.nodes[HOME].stages, net.nodes[OTHER].stages
    net.nodes[HOME].home.put(ROW)
    home.collect.step()
    for code in (OTHER, THIRD):
        drain(home.shares[code].step)
    drain(other.recognise.step)
    copy_leaf(net, monkeypatch)
    drain(other.shares[THIRD].step)
    order_erasure_of_the_copy(net)
    drain(other.shares[THIRD].step)
    net.settle()
    assert answers(net) == [("restricted", HOME, net.nodes[HOME].bureau.origin)] * 3
    net.close()
