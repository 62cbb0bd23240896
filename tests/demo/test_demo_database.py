"""The stand-in front database: a real process and a real SQLite file that both sides write."""

import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from demo_processes import order, running, until

from syncd.demo.formats import ORDER_COLUMNS
from syncd.demo.writers import DatabaseSystem

FAST = ("--poll-ms", "20")
UPSERT = f"""
INSERT INTO cjd ({", ".join(ORDER_COLUMNS)}) VALUES ({", ".join("?" * len(ORDER_COLUMNS))})
ON CONFLICT (CJD_RDBH, CJD_CS) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in ORDER_COLUMNS)}
"""


def push(directory: Path, orders: Sequence[dict[str, str]], statement: str = UPSERT) -> None:
    with closing(sqlite3.connect(directory / "front.sqlite", timeout=30)) as front, front:
        front.executemany(statement, [[one[column] for column in ORDER_COLUMNS] for one in orders])


def ask(directory: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(directory / "front.sqlite", timeout=30)) as front:
        return front.execute(query).fetchall()


def acks(directory: Path) -> list[tuple[object, ...]]:
    return ask(directory, "SELECT HZ_RDBH, HZ_CS, HZ_BBH, HZ_ZT FROM cjd_hz ORDER BY seq")


def test_orders_written_by_upsert_or_by_replacement_are_applied_and_answered(tmp_path: Path) -> None:
    bureau = DatabaseSystem(tmp_path)
    replace = UPSERT.split("ON CONFLICT")[0].replace("INSERT INTO", "INSERT OR REPLACE INTO")
    with running("database", tmp_path, *FAST) as standin:
        push(tmp_path, [order(1), order(2)])
        until(3, lambda: len(acks(tmp_path)) == 2)
        push(tmp_path, [order(1, counter=2, state="0")])
        until(3, lambda: len(acks(tmp_path)) == 3)
        push(tmp_path, [order(2, counter=10, state="0")], replace)
        until(3, lambda: len(acks(tmp_path)) == 4)
        assert bureau.held("91310114MA0000015X") == []
        assert {o["CJD_BBH"] for o in bureau.held(None, lifted=True)} == {2, 10}
        code, seconds, said = standin.stop()
    assert (code, said) == (0, "") and seconds < 1
    assert acks(tmp_path) == [
        (f"{1:064x}", "MA-01", 1, "已执行"),
        (f"{2:064x}", "MA-01", 1, "已执行"),
        (f"{1:064x}", "MA-01", 2, "已解除"),
        (f"{2:064x}", "MA-01", 10, "已解除"),
    ]
    assert ask(tmp_path, "SELECT count(*) FROM cjd_bd") == [(0,)]


def test_orders_that_came_while_it_was_down_are_taken(tmp_path: Path) -> None:
    with running("database", tmp_path, *FAST, "--silent") as standin:
        push(tmp_path, [order(1)])
        until(3, lambda: DatabaseSystem(tmp_path).counts()["orders"] == 1)
        standin.stop(signal.SIGKILL)
    push(tmp_path, [order(2)])
    assert acks(tmp_path) == []
    with running("database", tmp_path, *FAST):
        until(3, lambda: len(acks(tmp_path)) == 2)


def test_an_order_that_cannot_be_read_is_named_and_keeps_back_no_other(tmp_path: Path) -> None:
    with running("database", tmp_path, *FAST) as standin:
        push(tmp_path, [order(1), order(2) | {"CJD_ZT": "?"}, order(3)])
        until(3, lambda: len(acks(tmp_path)) == 2)
        assert standin.stop()[2].count("cannot be read") == 1


def test_many_orders_are_taken_quickly(tmp_path: Path) -> None:
    with running("database", tmp_path, *FAST):
        push(tmp_path, [order(n, f"MA-{m:02d}") for n in range(2000) for m in range(5)])
        until(5, lambda: DatabaseSystem(tmp_path).counts()["orders"] == 10_000)
        until(5, lambda: ask(tmp_path, "SELECT count(*) FROM cjd_hz") == [(10_000,)])


def test_rows_are_written_replaced_and_removed(tmp_path: Path) -> None:
    bureau = DatabaseSystem(tmp_path)
    with running("database", tmp_path):
        assert bureau.put_penalties({"ID": f"T{n % 3}", "CF_XDR_MC": f"虚构{n}厂"} for n in range(4)) == 4
        assert ask(tmp_path, "SELECT count(*), count(DISTINCT ID), count(DISTINCT GXSJ) FROM xzcf") == [(4, 3, 1)]
        bureau.put_penalties([{"ID": "T0", "CF_XDR_MC": "改名虚构厂"}])
        assert ask(tmp_path, "SELECT CF_XDR_MC FROM xzcf ORDER BY GXSJ DESC, ID LIMIT 1") == [("改名虚构厂",)]
        assert bureau.remove_penalties(["T0", "T1"]) == 2
        assert ask(tmp_path, "SELECT ID, CF_WSH FROM xzcf") == [("T2", "")]
        assert bureau.put_relief([{"ID": "X", "XF_ZT": "修复"}]) == 1
        assert ask(tmp_path, "SELECT ID, XF_ZT FROM xyxf") == [("X", "修复")]
