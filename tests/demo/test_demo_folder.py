"""The stand-in folder: a real process and real files, as the exchange and the bureau's people write them."""

import csv
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from demo_processes import order, running, until

from syncd.demo.formats import ORDER_COLUMNS, SOURCE_COLUMNS
from syncd.demo.standin_folder import write_csv
from syncd.demo.writers import FolderSystem

FAST = ("--poll-ms", "20")


def push(directory: Path, name: str, orders: Sequence[dict[str, str]]) -> None:
    lines = ([one[column] for column in ORDER_COLUMNS] for one in orders)
    write_csv(directory / "out" / name, ORDER_COLUMNS, lines, "utf-8-sig")


def acks(directory: Path) -> list[dict[str, str]]:
    found = []
    for path in sorted((directory / "ack").glob("HZ_*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += list(csv.DictReader(file))
    return found


def test_order_files_are_applied_and_answered(tmp_path: Path) -> None:
    bureau = FolderSystem(tmp_path)
    with running("folder", tmp_path, *FAST) as standin:
        push(tmp_path, "CJ_1_1.csv", [order(1), order(1, "SF-01")])
        (tmp_path / "out" / "CJ_1_2.csv.part").write_text("half a file")
        until(3, lambda: len(acks(tmp_path)) == 2)
        push(tmp_path, "CJ_1_2.csv", [order(1, counter=2, state="0"), order(1, "SF-01", counter=2, state="0")])
        until(3, lambda: len(acks(tmp_path)) == 4)
        push(tmp_path, "CJ_1_3.csv", [order(1)])
        push(tmp_path, "CJ_1_4.csv", [order(2)])
        until(3, lambda: bureau.counts()["findings"] == 1)
        code, seconds, said = standin.stop()
    assert (code, said) == (0, "") and seconds < 1
    assert [(a["HZ_CS"], a["HZ_BBH"], a["HZ_ZT"]) for a in acks(tmp_path)] == [
        ("MA-01", "1", "已执行"),
        ("SF-01", "1", "已执行"),
        ("MA-01", "2", "已解除"),
        ("SF-01", "2", "已解除"),
        ("MA-01", "1", "已执行"),
    ]
    assert bureau.counts() == {"orders": 3, "in_force": 1, "lifted": 2, "findings": 1}
    assert [o["CJD_RDBH"][-1] for o in bureau.held("91310114MA0000015X")] == ["2"]


def test_files_that_came_while_it_was_down_are_taken_and_old_ones_are_not_taken_again(tmp_path: Path) -> None:
    with running("folder", tmp_path, *FAST, "--silent") as standin:
        push(tmp_path, "CJ_1.csv", [order(1)])
        until(3, lambda: FolderSystem(tmp_path).counts()["orders"] == 1)
        standin.stop(signal.SIGKILL)
    assert acks(tmp_path) == []
    push(tmp_path, "CJ_2.csv", [order(2), order(3)])
    with running("folder", tmp_path, *FAST):
        until(3, lambda: len(acks(tmp_path)) == 3)
        push(tmp_path, "CJ_3.csv", [order(4)])
        until(3, lambda: len(acks(tmp_path)) == 4)


@pytest.mark.parametrize("data", [b"\xff\xfe not utf-8", b"CJD_RDBH,CJD_CS\r\na,b\r\n", b""])
def test_an_unreadable_order_file_is_named_and_the_next_one_is_taken(tmp_path: Path, data: bytes) -> None:
    with running("folder", tmp_path, *FAST) as standin:
        (tmp_path / "out" / "CJ_1.csv").write_bytes(data)
        push(tmp_path, "CJ_2.csv", [order(1)])
        until(3, lambda: len(acks(tmp_path)) == 1)
        said = standin.stop()[2]
    assert said.count("CJ_1.csv: orders cannot be read") == 1


def test_many_orders_in_one_file_are_taken_quickly(tmp_path: Path) -> None:
    bureau = FolderSystem(tmp_path)
    with running("folder", tmp_path, *FAST):
        push(tmp_path, "CJ_1.csv", [order(n, f"MA-{m:02d}") for n in range(2000) for m in range(5)])
        until(5, lambda: bureau.counts()["orders"] == 10_000)
        until(5, lambda: len(acks(tmp_path)) == 10_000)


def test_rows_are_written_in_the_asked_encoding_in_files_that_sort_by_time(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    bureau = FolderSystem(tmp_path, 5000, ("gb18030", "gb18030", "utf-8", "utf-8-sig"))
    rows = [{"ID": f"K{n}", "CF_XDR_MC": "㛃山（虚构）\n厂,一", "BZ": '"'} for n in range(5001)]
    assert bureau.put_penalties(rows) == 5001
    assert bureau.put_penalties(rows[:1]) == 1
    assert bureau.put_relief([{"ID": "X", "XF_ZT": "修复"}]) == 1
    names = sorted(path.name for path in (tmp_path / "in").iterdir())
    assert [name.split("_")[0] for name in names] == ["XF", "XZCF", "XZCF", "XZCF"]
    for name, encoding, count in zip(names[1:], ["gb18030", "gb18030", "utf-8"], [5000, 1, 1], strict=True):
        with (tmp_path / "in" / name).open(encoding=encoding, newline="") as file:
            found = list(csv.DictReader(file))
        assert (tuple(found[0]), len(found)) == (SOURCE_COLUMNS, count)
        assert found[0]["CF_XDR_MC"] == "㛃山（虚构）\n厂,一" and found[0]["GXSJ"].startswith("20")
    assert (tmp_path / "in" / names[0]).read_bytes().startswith(b"\xef\xbb\xbfID,CF_WSH")
    assert bureau.put_bytes("XZCF", b"\xff\xff") > names[-1]
