"""All members' lines reach every mirror: at each stop, at the newest size, after an absence, and without an echo."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from network import THREE, Network, company, network, penalty

from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import parse_note, verify_note
from syncd.ledger.wire import compress, decode_batch, decompress, encode_batch, encode_records

HOME, OTHER, THIRD = "320583", "310114", "320585"
DAY = dt.date(2026, 11, 22)


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Iterator[Network]:
    """Three nodes, at rest."""
    made = network(tmp_path, store_urls)
    made.settle()
    yield made
    made.close()


def lines(net: Network, code: str, origin: str) -> dict[int, set[str]]:
    """Whose lines a node holds under the stops of a log and under its newest size."""
    node, owner = net.nodes[code], next(one for one in net.nodes.values() if one.bureau.origin == origin)
    with owner.bureau.store.read() as conn:
        size = owner.bureau.logs.state(conn, origin).size
        found = [owner.bureau.logs.checkpoint(conn, origin, n) for n in range(1, size + 1)]
        listed = [one.size for one in found if one is not None and (one.stop or one.size == size)]
    with node.bureau.store.read() as conn:
        return {n: {one.member for one in node.bureau.logs.cosignatures(conn, origin, n)} for n in listed}


def all_lines_everywhere(net: Network) -> None:
    for owner in net.nodes.values():
        for code in net.nodes:
            for size, members in lines(net, code, owner.bureau.origin).items():
                assert members == set(THREE), f"{code} lacks lines of {owner.bureau.origin} at {size}"


def test_every_mirror_holds_every_members_line(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    all_lines_everywhere(net)
    for node in net.nodes.values():
        steps = node.stages.inquiry.explain(company(1), DAY)["findings"][0]["steps"]
        for step in steps:
            if "entry" in step:
                assert step["entry"]["receipts"].keys() == set(THREE)


def test_at_rest_nobody_sends_any_more(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    posted = [len(link.posted) for link in net.links.values()]
    net.settle()
    assert [len(link.posted) for link in net.links.values()] == posted


def test_each_stop_is_told_after_an_absence(net: Network) -> None:
    for link in (net.links[HOME, THIRD], net.links[OTHER, THIRD]):
        link.down = True
    for n in range(3):
        net.nodes[HOME].home.put(penalty(str(101 + n), company(n), "KS-0104", HOME))
        net.settle()
        net.now += dt.timedelta(minutes=2)
        for node in net.nodes.values():
            with node.bureau.store.write() as conn:
                node.bureau.logs.close_stop(conn, node.bureau.origin, net.clock())
    origin = net.nodes[HOME].bureau.origin
    assert not any(THIRD in members for size, members in lines(net, OTHER, origin).items() if size > 1)
    for link in (net.links[HOME, THIRD], net.links[OTHER, THIRD]):
        link.down = False
    net.settle()
    assert len(lines(net, OTHER, origin)) >= 3
    all_lines_everywhere(net)


def test_a_line_that_does_not_verify_is_left_out(net: Network) -> None:
    def spoil(body: bytes) -> bytes:
        """The newest checkpoint with every receipt line's last characters changed."""
        batch = decode_batch(decompress(body))
        note = parse_note(batch.newest)
        bad = [line[:-8] + "AAAAAAA=" if "/receipt " in line else line for line in note.lines]
        data = "".join([note.text, "\n", *(f"{line}\n" for line in bad)]).encode()
        return compress(encode_batch(batch.old, batch.proof, data, data, encode_records(batch.records)))

    link = net.links[HOME, OTHER]
    link.tamper = spoil
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    origin = net.nodes[HOME].bureau.origin
    held = lines(net, OTHER, origin)
    assert held[max(held)] == {OTHER}
    with net.nodes[OTHER].bureau.store.read() as conn:
        newest = net.nodes[OTHER].bureau.logs.newest(conn, origin)
    assert newest is not None and newest.note is not None
    note = parse_note(newest.note)
    verify_note(note, net.nodes[HOME].bureau.members[HOME].log)
    assert parse_checkpoint(note.text).size == newest.size
