"""Listed sizes, notes, members' lines and cursors."""

import pytest
from store_kit import OWN, adopt, append, drafts, later

from syncd.errors import Stop
from syncd.store.logs import Logs


def sign(logs: Logs, *sizes: int) -> None:
    """Put a note under these listed sizes."""
    with logs.store.write() as conn:
        for size in sizes:
            logs.set_note(conn, OWN, size, b"note of %d" % size)


def test_commit_then_sign_then_offer(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(1))
    append(logs, drafts(600), later(1))
    append(logs, drafts(10), later(2))
    with logs.store.read() as conn:
        assert [row.size for row in logs.unsigned(conn, OWN)] == [1, 513, 601, 611]
        assert logs.next_listed(conn, OWN, 0) is None
        assert logs.newest(conn, OWN) is None
    sign(logs, 1, 513, 601)
    with logs.store.read() as conn:
        assert [row.size for row in logs.unsigned(conn, OWN)] == [611]
        newest = logs.newest(conn, OWN)
        assert newest is not None
        assert (newest.size, newest.stop, newest.note) == (601, False, b"note of 601")


def test_a_batch_ends_on_a_listed_size_and_crosses_no_stop(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(1))
    for n, count in enumerate((100, 100, 500, 20), 1):
        append(logs, drafts(count), later(n))
    with logs.store.read() as conn:
        assert [(row.size, row.stop) for row in logs.unsigned(conn, OWN)] == [
            (1, True), (101, False), (201, False), (513, True), (701, False), (721, False),
        ]  # fmt: skip
    sign(logs, 1, 101)
    with logs.store.read() as conn:
        assert [logs.next_listed(conn, OWN, old) for old in (0, 1, 50, 101)] == [1, 101, 101, None]
    sign(logs, 201, 513, 701)
    with logs.store.read() as conn:
        ends = [logs.next_listed(conn, OWN, old) for old in (0, 1, 50, 101, 300, 513, 600, 701)]
    assert ends == [1, 513, 513, 513, 513, 701, 701, None]


def test_a_note_is_set_once(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(5))
    sign(logs, 5)
    sign(logs, 5)
    for size, note in ((5, b"another"), (4, b"note of 4")):
        with pytest.raises(Stop, match="waits for this signature"), logs.store.write() as conn:
            logs.set_note(conn, OWN, size, note)


def test_the_first_line_of_each_member_is_kept(logs: Logs) -> None:
    adopt(logs)
    append(logs, drafts(5))
    append(logs, drafts(5))
    with logs.store.write() as conn:
        assert logs.add_cosignature(conn, OWN, 5, "310114", "— first", 1_795_000_000, later(0))
        assert not logs.add_cosignature(conn, OWN, 5, "310114", "— later", 1_795_009_999, later(9))
        assert logs.add_cosignature(conn, OWN, 10, "310114", "— ten", 1_795_000_001, later(1))
        assert logs.add_cosignature(conn, OWN, 5, "320585", "— other", 1_795_000_002, later(2))
    with logs.store.read() as conn:
        lines = logs.cosignatures(conn, OWN, 5)
        assert [(one.member, one.line, one.timestamp) for one in lines] == [
            ("310114", "— first", 1_795_000_000),
            ("320585", "— other", 1_795_000_002),
        ]
        assert lines[0].at == "2026-11-22T04:00:00.000Z"
        assert [logs.countersigned(conn, OWN, code) for code in ("310114", "320585", "320583")] == [10, 5, 0]
        assert logs.countersigned_by_all(conn, OWN) == {"310114": 10, "320585": 5}


def test_cursors_move_with_the_transaction(logs: Logs) -> None:
    with logs.store.write() as conn:
        assert logs.get_cursor(conn, "recognise") is None
        logs.set_cursor(conn, "recognise", "12")
        logs.set_cursor(conn, "recognise", "7")
    with logs.store.read() as conn:
        assert logs.get_cursor(conn, "recognise") == "7"
