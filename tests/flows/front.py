"""A home system that outlives its process: a front database 前置库 that acknowledges each order as it is written.

The acknowledgement is made by a trigger, in the transaction of the order itself, and only once for each counter and
state: a system that answers at once and never repeats itself is the hardest to stay in step with after a crash.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from network import facts_of, penalty, relief

from adapters.base import RawRow
from adapters.database import DatabaseAdapter

Json = dict[str, Any]
TABLES = {"penalty": "xzcf", "relief": "xyxf"}
LATER = 1_796_000_000.0  # behind every stamp of these tests
_CHANGED = "OLD.CJD_BBH <> NEW.CJD_BBH OR OLD.CJD_ZT <> NEW.CJD_ZT"
_ACK = """
  INSERT INTO cjd_hz (HZ_RDBH, HZ_CS, HZ_BBH, HZ_BM, HZ_ZT, HZ_RQ) VALUES
  (NEW.CJD_RDBH, NEW.CJD_CS, NEW.CJD_BBH, NEW.CJD_ZXBM, CASE NEW.CJD_ZT WHEN '1' THEN '已执行' ELSE '已解除' END,
   '2026-11-22');
"""


class FrontDatabase(DatabaseAdapter):
    """The adapter of the database mode, and the bureau's hand on the same file."""

    def __init__(self, file: Path, code: str) -> None:
        _make(file, facts_of(code).push)
        super().__init__(f"sqlite:///{file}", facts_of(code), clock=lambda: LATER)
        self._file = file

    def put(self, *rows: RawRow) -> None:
        """Write rows that are not there yet; the same row put again is no change."""
        with sqlite3.connect(self._file) as front:
            for row in rows:
                names, marks = ", ".join(row.fields), ", ".join("?" * len(row.fields))
                table = TABLES[row.kind]
                front.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", tuple(row.fields.values()))
        front.close()

    def ordered(self) -> dict[tuple[str, str], str]:
        """State of each order by finding and measure: 1 in force, 0 lifted."""
        return {(row[0], row[1]): row[2] for row in self._rows("SELECT CJD_RDBH, CJD_CS, CJD_ZT FROM cjd")}

    def everything(self) -> list[tuple[Any, ...]]:
        """All orders and acknowledgements as they stand, but for the number of the batch that brought them."""
        orders = self._rows("SELECT CJD_RDBH, CJD_CS, CJD_BBH, CJD_ZT, CJD_BJ, CJD_YXZ FROM cjd ORDER BY 1, 2")
        return orders + self._rows("SELECT * FROM cjd_hz ORDER BY seq")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        front = sqlite3.connect(self._file)
        try:
            return front.execute(query).fetchall()
        finally:
            front.close()


def at(folder: Path) -> Callable[[str], FrontDatabase]:
    """Each bureau's front database beside its node."""
    return lambda code: FrontDatabase(folder / code / "front.sqlite", code)


def _make(file: Path, orders: list[str]) -> None:
    row = penalty("1", "", "", "")
    columns = {"xzcf": row.fields, "xyxf": relief("1", row, "").fields}
    acks = ("HZ_RDBH", "HZ_CS", "HZ_BBH", "HZ_BM", "HZ_ZT", "HZ_RQ")
    script = [
        f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(f'{name} TEXT' for name in fields)}, PRIMARY KEY (ID));"
        for table, fields in columns.items()
    ]
    script += [
        f"CREATE TABLE IF NOT EXISTS cjd ({', '.join(orders)}, PRIMARY KEY (CJD_RDBH, CJD_CS));",
        f"CREATE TABLE IF NOT EXISTS cjd_hz (seq INTEGER PRIMARY KEY, {', '.join(acks)});",
        f"CREATE TRIGGER IF NOT EXISTS new_order AFTER INSERT ON cjd BEGIN {_ACK} END;",
        f"CREATE TRIGGER IF NOT EXISTS changed_order AFTER UPDATE ON cjd WHEN {_CHANGED} BEGIN {_ACK} END;",
    ]
    front = sqlite3.connect(file)
    front.executescript("\n".join(script))
    front.close()
