"""Appending to the own log: the tree is RFC 6962's at every listed size, stops fall where they must, bytes stay."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from store_kit import NOON, OWN, PEER, TAG, adopt, append, draft, drafts, later, leaves_of, root_of

from syncd.errors import Stop
from syncd.ledger.canonical import FormatError
from syncd.ledger.entry import Ref, encode_entry, parse_entry
from syncd.ledger.tree import leaf_hash
from syncd.ledger.wire import STOP_BYTES
from syncd.store import tables
from syncd.store.append import Draft, cut
from syncd.store.logs import Logs
from syncd.store.state import advance


def listed(logs: Logs, origin: str = OWN) -> list[tuple[int, bytes, bool]]:
    """Size, root and whether it is a stop, of every listed size."""
    with logs.store.read() as conn:
        return [(row.size, row.root, row.stop) for row in logs.unsigned(conn, origin)]


@pytest.mark.parametrize(("batch", "count"), [(1, 70), (256, 1100), (2048, 4196)])
def test_every_listed_root_is_the_definitions(logs: Logs, batch: int, count: int) -> None:
    adopt(logs)
    ends = [*range(batch, count, batch), count]
    start = 0
    for end in ends:
        assert [one.index for one in append(logs, drafts(end - start))] == list(range(start, end))
        start = end
    leaves = leaves_of(logs)
    assert len(leaves) == count
    sizes = listed(logs)
    assert {size for size, _, _ in sizes} >= set(ends)
    for size, root, _ in sizes:
        assert root == root_of(leaves[:size])
    with logs.store.read() as conn:
        assert logs.root(conn, OWN, count) == sizes[-1][1]
        tiled = conn.execute(select(func.sum(func.length(tables.tiles.c.hashes)))).scalar_one()
    assert tiled == 32 * (count + count // 256 + count // 256**2)


def test_the_stored_bytes_are_the_leaf(logs: Logs) -> None:
    adopt(logs)
    finding = draft()
    ref = Ref(PEER, draft().id, "ab" * 32)
    about = draft("relief.disputed", ref)
    first, second = append(logs, [finding, about])
    with logs.store.read() as conn:
        one, two = logs.read_entries(conn, OWN, 0, 10)
    entry = parse_entry(two.leaf)
    assert encode_entry(entry) == two.leaf
    assert (entry.id, entry.kind, entry.agreement, entry.ref, entry.body) == (
        about.id,
        about.kind,
        TAG,
        ref,
        about.body,
    )
    assert (two.index, two.origin, two.kind, two.at) == (second.index, OWN, "relief.disputed", second.at)
    assert (two.ref_id, two.ref) == (bytes.fromhex(ref.id.replace("-", "")), bytes.fromhex(ref.leaf))
    assert (one.ref_id, one.ref) == (None, None)
    assert one.leaf_hash == leaf_hash(one.leaf) == first.leaf_hash


def test_a_disclosure_is_sealed_wherever_it_lies(logs: Logs, tmp_path: os.PathLike[str]) -> None:
    adopt(logs)
    secret = b'{"body":{"name":"a name that must not be seen"}}'
    append(logs, [draft(disclosure=secret), *drafts(3)])
    with logs.store.read() as conn:
        held = conn.execute(select(tables.disclosures.c.sealed)).scalars().all()
        assert logs.read_wire(conn, OWN, 0, 1)[0].disclosure == secret
    assert all(b"must not be seen" not in sealed for sealed in held)
    files = [entry.path for entry in os.scandir(tmp_path) if entry.is_file()]
    assert files
    for path in files:
        with open(path, "rb") as file:
            assert b"must not be seen" not in file.read(), path


def test_a_stop_falls_after_512_entries_across_batches(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(1))  # the first of a log is a stop: there was none before
    append(logs, drafts(250), later(1))
    append(logs, drafts(1100), later(2))
    assert [(size, stop) for size, _, stop in listed(logs)] == [
        (1, True), (251, False), (513, True), (1025, True), (1351, True),
    ]  # fmt: skip
    with logs.store.read() as conn:
        held = logs.state(conn, OWN)
    assert (held.size, held.stop, held.target, held.settled) == (1351, 1351, 1351, 1351)


def test_batches_of_some_hundred_travel_whole(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(1))
    for n in range(1, 4):
        append(logs, drafts(500), later(n))
    assert [(size, stop) for size, _, stop in listed(logs)] == [(1, True), (501, True), (1001, True), (1501, True)]


def test_a_stop_falls_after_two_mebibytes(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(1))
    big = b"x" * (200 * 1024)
    append(logs, [draft(disclosure=big) for _ in range(5)], later(1))
    append(logs, [draft(disclosure=big) for _ in range(20)], later(2))
    stops = [size for size, _, stop in listed(logs) if stop]
    assert stops == [1, 12, 23]  # eleven of 200 KiB pass 2 MiB; the one that passes it still belongs


def test_a_stop_falls_after_sixty_seconds_while_there_is_news(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(2))
    append(logs, drafts(1), later(59.9))
    append(logs, drafts(1), later(60))
    append(logs, drafts(1), later(61))
    assert [(size, stop) for size, _, stop in listed(logs)] == [(2, True), (3, False), (4, True), (5, False)]
    with logs.store.write() as conn:
        assert not logs.close_stop(conn, OWN, later(119))
        assert logs.close_stop(conn, OWN, later(120))
        assert not logs.close_stop(conn, OWN, later(500))  # nothing came since
    assert listed(logs)[-1][::2] == (5, True)


def test_time_never_goes_back_within_a_log(logs: Logs) -> None:
    adopt(logs)
    times = [append(logs, drafts(2), later(seconds))[0].at for seconds in (10, 5, 7, 11)]
    assert times == [f"2026-11-22T04:00:{second}.000Z" for second in (10, 10, 10, 11)]
    assert [parse_entry(leaf).at for leaf in leaves_of(logs)] == [time for time in times for _ in range(2)]


def test_a_size_has_one_root_for_ever(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(3))
    with logs.store.read() as conn:
        held = logs.state(conn, OWN)
    with pytest.raises(Stop, match="only once"), logs.store.write() as conn:
        # A store brought back to an older state by hand: the log would be continued a second time from there.
        advance(conn, held, held._replace(size=2))
        logs.append(conn, OWN, [draft(disclosure=None)], [None], NOON)


def test_of_two_writers_the_second_stops(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(3))
    with logs.store.read() as conn:
        stale = logs.state(conn, OWN)
    append(logs, drafts(1))
    with pytest.raises(Stop, match="Another process"), logs.store.write() as conn:
        advance(conn, stale, stale._replace(size=5))


def test_what_fails_leaves_the_log_as_it_was(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(300))
    sealed = logs.seal([one.disclosure for one in drafts(300)])
    with pytest.raises(ValueError, match="on purpose"), logs.store.write() as conn:
        logs.append(conn, OWN, drafts(300), sealed, NOON)
        raise ValueError("on purpose")
    too_large = Draft(draft().id, "agreement.adopted", None, {"text": "x" * 17_000})
    with pytest.raises(FormatError, match="16384"), logs.store.write() as conn:
        logs.append(conn, OWN, [draft(disclosure=None), too_large], [None, None], NOON)
    append(logs, drafts(5))
    leaves = leaves_of(logs)
    assert len(leaves) == 305
    assert listed(logs)[-1][1] == root_of(leaves)


def test_only_an_own_log_under_an_agreement_is_written(logs: Logs) -> None:
    with logs.store.write() as conn:
        logs.ensure(conn, PEER, "310114", False)
        logs.ensure(conn, OWN, "320583", True)
    for origin in (PEER, OWN):
        with pytest.raises(Stop, match="Nothing was appended"):
            append(logs, drafts(1), origin=origin)
    with pytest.raises(Stop, match="holds no log"):
        append(logs, drafts(1), origin="jiakuntai-eco/320583/2")
    adopt(logs)
    with pytest.raises(ValueError, match="needs that disclosure sealed"), logs.store.write() as conn:
        logs.append(conn, OWN, drafts(1), [None], NOON)
    assert append(logs, []) == []
    assert len(append(logs, drafts(1))) == 1


def test_a_log_has_one_owner_and_takes_a_new_agreement(logs: Logs) -> None:
    adopt(logs)
    with logs.store.write() as conn:
        assert logs.ensure(conn, OWN, "320583", True).agreement == TAG
        assert logs.ensure(conn, OWN, "320583", True, TAG.replace("@1", "@2")).agreement == TAG.replace("@1", "@2")
        logs.ensure(conn, PEER, "310114", False)
    with pytest.raises(Stop, match="stored as that of 320583"), logs.store.write() as conn:
        logs.ensure(conn, OWN, "310114", False)
    with logs.store.read() as conn:
        assert [(state.origin, state.own) for state in logs.states(conn)] == [(OWN, True), (PEER, False)]
        assert logs.find(conn, "jiakuntai-eco/320583/2") is None


@given(
    since=st.integers(0, 511),
    held=st.integers(0, STOP_BYTES - 1),
    weights=st.lists(st.integers(1, 300_000), min_size=1, max_size=80),
    due=st.booleans(),
)
def test_a_cut_keeps_every_draft_and_passes_no_limit(since: int, held: int, weights: list[int], due: bool) -> None:
    pieces = cut(since, held, weights, due)
    assert [piece.start for piece in pieces] == [0] + [piece.end for piece in pieces[:-1]]
    assert pieces[-1].end == len(weights)
    behind = len(weights) - pieces[-1].start + (since if len(pieces) == 1 else 0)
    assert pieces[-1].stop or not (due or behind >= 256)
    for piece in pieces:
        inside = weights[piece.start : piece.end]
        assert since + len(inside) <= 512
        assert held + sum(inside[:-1]) < STOP_BYTES
        assert piece.stop or piece is pieces[-1]
        since, held = 0, 0
