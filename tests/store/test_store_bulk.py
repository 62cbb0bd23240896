"""Rows by the batch: the same on both databases, whether they are new, there already, or some of each."""

import os
from pathlib import Path

import pytest
from sqlalchemy import func, select

from syncd.store import tables
from syncd.store.bulk import bulk_insert, bulk_upsert, insert_tuples, upsert_tuples
from syncd.store.cursors import get_cursor
from syncd.store.engine import Store
from syncd.store.statement import execute

CURSOR = ("name", "value")


def test_rows_by_the_batch_are_the_same_on_both(store: Store) -> None:
    rows = [
        {"log": 1, "idx": n, "key_id": None, "sealed": bytes([0, n, 255]) if n % 2 else None, "state": "present"}
        for n in range(200)
    ]
    with store.write() as conn:
        bulk_insert(conn, tables.disclosures, [])
        bulk_insert(conn, tables.disclosures, rows[:100])
        changed = [{**row, "sealed": b"new", "state": "erased"} for row in rows[50:]]
        bulk_upsert(conn, tables.disclosures, changed, ("log", "idx"), ("sealed",))
        bulk_upsert(conn, tables.disclosures, [{**rows[0], "sealed": b"lost"}], ("log", "idx"), ())
    with store.read() as conn:
        held = conn.execute(select(tables.disclosures).order_by(tables.disclosures.c.idx)).all()
    assert [tuple(row) for row in held[:50]] == [tuple(row.values()) for row in rows[:50]]
    assert {(row.sealed, row.state) for row in held[50:100]} == {(b"new", "present")}
    assert {(row.sealed, row.state) for row in held[100:]} == {(b"new", "erased")}
    assert len(held) == 200


def test_of_two_rows_with_one_key_the_last_wins(store: Store) -> None:
    rows = [{"name": "a", "value": "first"}, {"name": "b", "value": "b"}, {"name": "a", "value": "last"}]
    with store.write() as conn:
        bulk_upsert(conn, tables.cursors, rows, ("name",), ("value",))
    with store.read() as conn:
        assert (get_cursor(conn, "a"), get_cursor(conn, "b")) == ("last", "b")


@pytest.mark.parametrize(("update", "changed"), [(("value",), 45), ((), 42)], ids=["changed", "left"])
def test_what_was_there_among_many_new_rows_is_changed_or_left(
    store: Store, update: tuple[str, ...], changed: int
) -> None:
    there = [(f"{n:02}", "old") for n in (3, 25, 44)]  # in a whole statement, in the next, and in the rest
    with store.write() as conn:
        insert_tuples(conn, tables.cursors, CURSOR, there)
        rows = [(f"{n:02}", "new") for n in range(45)]
        assert upsert_tuples(conn, tables.cursors, CURSOR, rows, ("name",), update) == changed
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(tables.cursors)).scalar() == 45
        assert [get_cursor(conn, name) for name, _ in there] == ["new" if update else "old"] * 3
        assert get_cursor(conn, "24") == "new"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc only")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_new_rows_that_might_have_been_there_are_not_written_beside_first(store: Store) -> None:
    """SQLite keeps pages in a temporary file while a statement may have to be undone alone."""
    with store.write() as conn:
        for _ in range(20):
            rows = [(os.urandom(8).hex(), "x" * 500) for _ in range(200)]
            upsert_tuples(conn, tables.cursors, CURSOR, rows, ("name",), ("value",))
        assert _temporary_files() == []
        sql = "UPDATE cursors SET name = name || '-', value = value || '-'"
        execute(conn, sql)  # such a statement, to show that the file would be seen
        assert _temporary_files() != []


def _temporary_files() -> list[str]:
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    return [found for one in links if one.is_symlink() and "etilqs" in (found := os.readlink(one))]
