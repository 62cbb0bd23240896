"""Mirrored logs: stored whole once proven, whatever they mean; what is owed can come later, what is erased never."""

import pytest
from sqlalchemy import update
from store_kit import NOON, OWN, PEER, Author, adopt, append, draft, drafts, follow, leaves_of, root_of

from syncd.errors import Retry, Stop
from syncd.ledger.accept import Accepted, IntegrityError
from syncd.store import tables
from syncd.store.logs import Logs
from syncd.store.mirror import interpret
from syncd.store.state import settle


@pytest.fixture
def author(logs: Logs) -> Author:
    """A peer with 600 entries, whose log is followed here."""
    peer = Author()
    for n in range(600):
        peer.say(disclosure=b'{"n":%d}' % n)
    follow(logs, peer)
    return peer


def test_a_log_is_mirrored_byte_for_byte(logs: Logs, author: Author) -> None:
    for old, size in ((0, 1), (1, 300), (300, 512), (512, 600)):
        author.send(logs, old, size)
    with logs.store.read() as conn:
        assert logs.read_wire(conn, PEER, 0, 600) == author.records
        assert logs.state(conn, PEER).size == 600
        for size in (1, 300, 512, 600):
            row = logs.checkpoint(conn, PEER, size)
            assert row is not None
            assert (row.root, row.note) == (root_of(leaves_of(logs, PEER)[:size]), author.note(size))
            assert logs.root(conn, PEER, size) == row.root
        assert logs.checkpoint(conn, PEER, 2) is None
        assert logs.unsigned(conn, PEER) == []


def test_what_is_not_understood_is_held_and_later_entries_go_on(logs: Logs) -> None:
    peer = Author()
    follow(logs, peer)
    poison = [b"", b"\xff\xfe", b'{"v":1}', b"[" * 9000, b'{"v":1,"v":1}']
    for leaf in poison:
        peer.write(leaf, b"whatever came with it")
    ref = peer.say()
    peer.say("relief.unheard_of", ref)
    peer.say("relief.revoked", ref)
    peer.send(logs, 0, len(peer.records))
    with logs.store.read() as conn:
        held = logs.read_entries(conn, PEER, 0, 100)
        assert logs.read_wire(conn, PEER, 0, 100) == peer.records
    assert [row.kind for row in held[: len(poison)]] == [None] * len(poison)
    assert [row.id for row in held[: len(poison)]] == [None] * len(poison)
    assert [row.kind for row in held[len(poison) :]] == ["finding.issued", "relief.unheard_of", "relief.revoked"]
    assert [row.ref for row in held[-2:]] == [bytes.fromhex(ref.leaf)] * 2


def test_interpreting_never_raises() -> None:
    assert interpret([b"", b"[" * 100_000, b"\x00" * 16_000, b"null", b"1e400"]) == [None] * 5


def test_disclosures_are_present_absent_or_none(logs: Logs) -> None:
    peer = Author()
    follow(logs, peer)
    peer.say(disclosure=b"{}")
    peer.say(disclosure=b"")
    peer.write(b"poison")
    peer.send(logs, 0, 3)
    with logs.store.read() as conn:
        assert [row.disclosure for row in logs.read_entries(conn, PEER, 0, 3)] == ["present", "absent", None]


def test_a_batch_that_was_overtaken_is_tried_again(logs: Logs, author: Author) -> None:
    batch = author.batch(0, 300)
    accepted = author.accepted(logs, batch)
    sealed = logs.seal([record.disclosure for record in batch.records])
    author.send(logs, 0, 10)
    with pytest.raises(Retry, match="has grown to 10"), logs.store.write() as conn:
        logs.store_accepted(conn, PEER, accepted, batch.records, sealed, batch.checkpoint, NOON)
    assert len(leaves_of(logs, PEER)) == 10
    with pytest.raises(IntegrityError, match="10 entries are held"):
        author.accepted(logs, batch)


def test_a_second_root_of_a_size_stops(logs: Logs, author: Author) -> None:
    author.send(logs, 0, 10)
    forged = Accepted(10, b"\x00" * 32, [], {}, 10, b"\x00" * 32)
    with pytest.raises(Stop, match="another root at size 10"), logs.store.write() as conn:
        logs.store_accepted(conn, PEER, forged, [], [], b"note", NOON)


def test_nobody_else_writes_the_own_log(logs: Logs) -> None:
    adopt(logs)
    peer = Author(OWN)
    peer.say()
    batch = peer.batch(0, 1)
    accepted = peer.accepted(logs, batch)
    with pytest.raises(Stop, match="own log"), logs.store.write() as conn:
        logs.store_accepted(conn, OWN, accepted, batch.records, [None], batch.checkpoint, NOON)


def test_an_empty_batch_changes_nothing_but_the_target(logs: Logs, author: Author) -> None:
    author.send(logs, 0, 300, newest=300)
    author.send(logs, 300, 300, newest=600)
    with logs.store.read() as conn:
        held = logs.state(conn, PEER)
    assert (held.size, held.settled, held.target) == (300, 300, 600)


def test_catching_up_settles_only_at_the_target(logs: Logs, author: Author) -> None:
    steps = [(0, 100, 550), (100, 400, 580), (400, 550, 590), (550, 580, 600), (580, 590, 600), (590, 600, 600)]
    seen = []
    for old, size, newest in steps:
        author.send(logs, old, size, newest)
        with logs.store.read() as conn:
            held = logs.state(conn, PEER)
        seen.append((held.settled, held.target))
    assert seen == [(0, 550), (0, 550), (550, 590), (550, 590), (590, 600), (600, 600)]


def test_a_log_that_is_up_to_date_settles_at_once() -> None:
    assert settle(0, 0, 5, 5) == (5, 5)
    assert settle(5, 5, 5, 9) == (9, 5)
    assert settle(9, 5, 7, 20) == (9, 5)
    assert settle(9, 5, 12, 20) == (20, 9)
    assert settle(20, 9, 20, 20) == (20, 20)


def test_late_disclosures_are_attached_but_never_an_erased_one(logs: Logs) -> None:
    peer = Author()
    follow(logs, peer)
    for _ in range(4):
        peer.say(disclosure=b"")
    peer.send(logs, 0, 4)
    late = logs.seal([b"one", b"two", b"beyond the end"])
    assert all(late)
    with logs.store.write() as conn:
        erased = tables.disclosures.c.idx == 1
        conn.execute(update(tables.disclosures).where(erased).values(state="erased"))
        items = [(n, item) for n, item in zip((0, 1, 9), late, strict=True) if item]
        assert logs.attach_disclosures(conn, PEER, items) == [0]
        assert logs.attach_disclosures(conn, PEER, []) == []
    with logs.store.read() as conn:
        held = logs.read_entries(conn, PEER, 0, 9)
        assert [row.disclosure for row in held] == ["present", "erased", "absent", "absent"]
        assert [record.disclosure for record in logs.read_wire(conn, PEER, 0, 4)] == [b"one", b"", b"", b""]


def test_own_and_mirrored_logs_stand_side_by_side(logs: Logs, author: Author) -> None:
    adopt(logs)
    append(logs, drafts(20))
    author.send(logs, 0, 300)
    append(logs, [draft() for _ in range(20)])
    with logs.store.read() as conn:
        assert logs.root(conn, OWN, 40) == root_of(leaves_of(logs))
        assert logs.root(conn, PEER, 300) == root_of([record.leaf for record in author.records[:300]])
