"""Reading: the exact bytes in order, entries by what they are about, and tiles that prove what they hold."""

import pytest
from sqlalchemy import delete
from store_kit import OWN, PEER, Author, adopt, append, draft, drafts, follow, later, root_of

from syncd.errors import Stop
from syncd.ledger.entry import Ref
from syncd.ledger.tree import (
    consistency_proof,
    inclusion_proof,
    root_from_tiles,
    verify_consistency,
    verify_inclusion,
)
from syncd.store import tables
from syncd.store.append import Appended, Draft
from syncd.store.logs import Logs


def named(appended: Appended, origin: str = OWN) -> Ref:
    """The ref that names an appended entry."""
    return Ref(origin, appended.id, appended.leaf_hash.hex())


def test_records_come_back_in_order_and_cut_to_the_range(logs: Logs) -> None:
    adopt(logs)
    batch = drafts(20)
    append(logs, batch)
    with logs.store.read() as conn:
        assert [r.disclosure for r in logs.read_wire(conn, OWN, 3, 7)] == [d.disclosure for d in batch[3:7]]
        assert len(logs.read_records(conn, OWN, 15, 99)) == 5
        assert logs.read_records(conn, OWN, 20, 30) == []
        assert logs.read_entries(conn, "no/such/log", 0, 5) == []


def test_a_draft_without_disclosure_has_none(logs: Logs) -> None:
    adopt(logs)
    append(logs, [Draft(draft().id, "agreement.adopted", None, {"version": 1}), draft()])
    with logs.store.read() as conn:
        assert [row.disclosure for row in logs.read_entries(conn, OWN, 0, 2)] == [None, "present"]
        assert logs.read_wire(conn, OWN, 0, 1)[0].disclosure == b""


def test_entries_are_found_by_their_ref_and_by_what_they_are_about(logs: Logs) -> None:
    adopt(logs)
    peer = Author()
    follow(logs, peer)
    findings = [peer.say() for _ in range(5)]
    peer.say("relief.suspended", findings[1])
    peer.send(logs, 0, 6)
    answers = append(logs, [draft("restriction.imposed", ref) for ref in findings[:3]], later(1))
    stranger = Ref(PEER, findings[0].id, "00" * 32)  # the id of one entry with the leaf of none
    with logs.store.read() as conn:
        found = logs.entries_of(conn, [*findings[3:], named(answers[0]), stranger])
        about = logs.entries_about(conn, [*findings, stranger])
        assert logs.entries_of(conn, []) == logs.entries_about(conn, []) == []
    assert sorted((row.origin, row.index) for row in found) == [(PEER, 3), (PEER, 4), (OWN, 0)]
    assert sorted((row.origin, row.index, row.kind) for row in about) == [
        (PEER, 5, "relief.suspended"),
        *((OWN, n, "restriction.imposed") for n in range(3)),
    ]


def test_more_refs_than_one_statement_takes(logs: Logs) -> None:
    adopt(logs)
    findings = append(logs, drafts(1200))
    with logs.store.read() as conn:
        found = logs.entries_of(conn, [named(one) for one in findings])
    assert [row.index for row in found] == list(range(1200))


def test_entries_are_found_by_leaf_in_the_tiles(logs: Logs) -> None:
    adopt(logs)
    batch = append(logs, drafts(700))
    wanted = [batch[n].leaf_hash for n in (0, 255, 256, 699)]
    with logs.store.read() as conn:
        found = logs.by_leaf(conn, OWN, [*wanted, b"\x01" * 32])
        assert [row.index for row in found] == [699, 256, 255, 0]
        assert logs.by_leaf(conn, OWN, []) == []
        assert logs.by_leaf(conn, PEER, wanted) == []


def test_tiles_prove_what_is_held(logs: Logs) -> None:
    adopt(logs)
    for count in (1, 255, 1, 300, 143):
        append(logs, drafts(count))
    with logs.store.read() as conn:
        leaves = [leaf for leaf, _ in logs.read_records(conn, OWN, 0, 700)]
        hashes = [row.leaf_hash for row in logs.read_entries(conn, OWN, 0, 700)]
        read = logs.tile_reader(conn, OWN)
        for size in (1, 255, 256, 257, 512, 700):
            root = root_of(leaves[:size])
            assert logs.root(conn, OWN, size) == root_from_tiles(size, read) == root
            for index in {0, size // 2, size - 1}:
                verify_inclusion(index, size, hashes[index], inclusion_proof(index, size, read), root)
            verify_consistency(size, 700, consistency_proof(size, 700, read), root, root_of(leaves))
        assert logs.tile(conn, OWN, 0, 2, 256) == b"".join(hashes[512:])
        assert logs.tile(conn, OWN, 0, 2, 5) == b"".join(hashes[512:517])
        assert logs.tile(conn, OWN, 0, 3, 1) == b""
        assert logs.root(conn, OWN, 0) == root_of([])


def test_a_missing_tile_stops(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(300))
    with logs.store.write() as conn:
        conn.execute(delete(tables.tiles).where(tables.tiles.c.level == 0, tables.tiles.c.n == 1))
    with pytest.raises(Stop, match="tile 1 of level 0"), logs.store.read() as conn:
        logs.root(conn, OWN, 300)
    with pytest.raises(Stop, match="tile 1 of level 0"):
        append(logs, drafts(1))
