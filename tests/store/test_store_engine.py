"""The engine's promise on both databases: one writer, whole or nothing, readers of one moment, one daemon."""

import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, InterfaceError

from syncd.errors import NeedsPerson, Retry, Stop
from syncd.store import (
    alarm_tables,
    erasure_tables,
    honour_tables,
    key_tables,
    proposal_tables,
    register_tables,
    review_tables,
    schema,
    source_tables,
    tables,
    version_tables,
    witness_tables,
)
from syncd.store.bulk import bulk_insert
from syncd.store.cursors import get_cursor, set_cursor
from syncd.store.engine import WIPED, Store
from syncd.store.statement import execute

ROOT = Path(__file__).parents[2]


def test_a_write_is_kept_whole_or_not_at_all(store: Store) -> None:
    with store.write() as conn:
        set_cursor(conn, "a", "1")
    with pytest.raises(ValueError, match="on purpose"), store.write() as conn:
        set_cursor(conn, "a", "2")
        set_cursor(conn, "b", "2")
        raise ValueError("on purpose")
    with store.read() as conn:
        assert get_cursor(conn, "a") == "1"
        assert get_cursor(conn, "b") is None


def test_a_reader_sees_one_moment_and_waits_for_nobody(store: Store) -> None:
    with store.write() as conn:
        set_cursor(conn, "a", "1")
    with store.read() as before:
        assert get_cursor(before, "a") == "1"
        with store.write() as conn:
            set_cursor(conn, "a", "2")
            with store.read() as during:
                assert get_cursor(during, "a") == "1"
        assert get_cursor(before, "a") == "1"
    with store.read() as after:
        assert get_cursor(after, "a") == "2"


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)read-?only"), store.read() as conn:
        set_cursor(conn, "a", "1")
    with store.read() as conn:
        assert get_cursor(conn, "a") is None


def test_a_second_write_within_a_write_is_refused_at_once(store: Store) -> None:
    with store.write(), pytest.raises(RuntimeError, match="open in this thread"), store.write():
        pass
    with store.write() as conn:
        set_cursor(conn, "a", "1")


def test_writers_take_turns_within_a_process_and_between_two(store: Store, store_url: str) -> None:
    other = Store.open(store_url)
    with store.write() as conn:
        set_cursor(conn, "count", "0")

    def count(opened: Store) -> None:
        for _ in range(25):
            with opened.write() as conn:
                set_cursor(conn, "count", str(int(get_cursor(conn, "count") or 0) + 1))

    threads = [threading.Thread(target=count, args=(one,)) for one in (store, store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        assert get_cursor(conn, "count") == "75"
    other.close()


def test_a_commit_is_synced_to_the_disk(store: Store) -> None:
    with store.write() as conn:
        if store.dialect == "sqlite":
            assert conn.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
            assert conn.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert conn.execute(text("PRAGMA foreign_keys")).scalar() == 1
        else:
            assert conn.execute(text("SHOW synchronous_commit")).scalar() != "off"


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)  # SQLite has no setting from outside
def test_a_session_that_would_not_sync_is_corrected(store_url: str) -> None:
    careless = Store.open(store_url.replace("search_path", "synchronous_commit%3Doff+-csearch_path"))
    with careless.write() as conn:
        assert conn.execute(text("SHOW synchronous_commit")).scalar() == "on"
    careless.close()


def test_a_row_that_may_stand_once_stops_the_node_and_names_no_value(store: Store) -> None:
    row = {"name": "secret-name", "value": "1"}
    with store.write() as conn:
        bulk_insert(conn, tables.cursors, [row])
    with pytest.raises(Stop, match="only once") as caught, store.write() as conn:
        set_cursor(conn, "b", "1")
        bulk_insert(conn, tables.cursors, [row])
    assert "secret-name" not in str(caught.value)
    with store.read() as conn:
        assert get_cursor(conn, "b") is None


def test_migrations_make_what_the_code_describes(store: Store) -> None:
    rooms = (alarm_tables, erasure_tables, honour_tables, key_tables, proposal_tables, register_tables, review_tables,
             source_tables, tables, version_tables, witness_tables)  # fmt: skip
    assert {room.metadata for room in rooms} == {tables.metadata}
    with store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), tables.metadata) == []


def test_each_migration_is_named_after_its_revision() -> None:
    scripts = list(ScriptDirectory(schema.MIGRATIONS).walk_revisions())
    assert schema.revisions() == [script.revision for script in reversed(scripts)]
    assert [script.down_revision for script in reversed(scripts)] == [None, *schema.revisions()[:-1]]


def test_a_wrong_statement_is_not_tried_again(store: Store) -> None:
    with pytest.raises(DatabaseError), store.read() as conn:
        execute(conn, "SELECT * FROM no_such_table")


def test_a_connection_that_has_gone_away_is_tried_again(store: Store) -> None:
    with pytest.raises(Retry, match="tried again"), store.read():
        raise InterfaceError("SELECT 1", None, RuntimeError("the connection is closed"))
    with store.read() as conn:
        assert get_cursor(conn, "a") is None


def test_an_upgrade_is_done_once_and_a_newer_store_is_refused(store: Store, store_url: str) -> None:
    store.upgrade()
    with store.write() as conn:
        execute(conn, "UPDATE alembic_version SET version_num = ?", ("9999",))
    with pytest.raises(Stop, match="newer version"):
        Store.open(store_url).upgrade()


def test_a_second_daemon_is_refused_until_the_first_is_gone(store: Store, store_url: str) -> None:
    other = Store.open(store_url)
    with store.single_instance() as held:
        assert held()
        with pytest.raises(Stop, match="Another daemon"), other.single_instance():
            pass
    with other.single_instance() as held:
        assert held()
    other.close()


def test_the_lock_dies_with_its_process(store: Store, store_url: str) -> None:
    code = (
        "import sys, time; from syncd.store.engine import Store\n"
        "with Store.open(sys.argv[1]).single_instance(): print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, store_url], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(Stop, match="Another daemon"), store.single_instance():
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert _taken_within(store, 5)


def _taken_within(store: Store, seconds: float) -> bool:
    """PostgreSQL needs a moment to see that the connection's process is gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with store.single_instance() as held:
                return held()
        except Stop:
            time.sleep(0.02)
    return False


def test_a_lock_that_was_lost_is_noticed(store: Store, store_url: str, tmp_path: Path) -> None:
    with store.single_instance() as held:
        if store.dialect == "sqlite":
            (tmp_path / "store.db.lock").unlink()
        else:
            with store.write() as conn:
                execute(
                    conn,
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
                    "objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = "
                    "hashtextextended('syncd/daemon/' || current_schema(), 0)",
                )
        assert not held()


def test_an_unusable_address_is_a_sentence(tmp_path: Path) -> None:
    for url in ("sqlite://", "sqlite:///:memory:", "mysql://somewhere/else", "no address"):
        with pytest.raises(NeedsPerson, match="Nothing was opened"):
            Store.open(url)
    with pytest.raises(NeedsPerson, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/missing/store.db")


def test_the_file_is_the_owners_alone_and_a_damaged_one_stops(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store.open(f"sqlite:///{path}")
    store.upgrade()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(Stop, match="damaged"):
        Store.open(f"sqlite:///{path}").upgrade()


def test_every_table_that_an_erasure_deletes_from_is_vacuumed() -> None:
    source = (ROOT / "syncd/store/forget.py").read_text("utf-8")
    named = re.findall(r"\b(\w+)\.delete\(\)|DELETE FROM (\w+)|\"UPDATE (\w+) SET", source)
    written = {name for names in named for name in names if name}
    assert written == set(WIPED) and len(written) > 12
