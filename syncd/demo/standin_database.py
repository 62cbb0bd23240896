"""A stand-in bureau system of the database mode 数据库对接 (GB/T 39443-2020, 5.6): a front database 前置库.

``front.sqlite`` has the bureau's rows (``xzcf`` penalties, ``xyxf`` relief), takes orders in ``cjd`` and
answers in ``cjd_hz``. Behind it the system keeps its state in ``book.sqlite``. New orders are those behind the
last row number read; a trigger notes in ``cjd_bd`` those that were changed in place.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from syncd.demo.formats import ACK_COLUMNS, ORDER_COLUMNS, RELIEF_COLUMNS, SOURCE_COLUMNS
from syncd.demo.orders import KEPT, OrderBook, open_sqlite
from syncd.demo.standin import Acknowledging, Stopping, arguments, complain, say_ready, watch

FRONT = "front.sqlite"
CHUNK = 2000
"""Orders taken and acknowledgements written in one transaction."""


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {'INTEGER' if name.endswith('_BBH') else 'TEXT'}" for name in names)


_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS xzcf ({_columns(SOURCE_COLUMNS)});
CREATE INDEX IF NOT EXISTS xzcf_news ON xzcf (GXSJ, ID);
CREATE INDEX IF NOT EXISTS xzcf_key ON xzcf (ID);
CREATE TABLE IF NOT EXISTS xyxf ({_columns(RELIEF_COLUMNS)});
CREATE INDEX IF NOT EXISTS xyxf_news ON xyxf (GXSJ, ID);
CREATE INDEX IF NOT EXISTS xyxf_key ON xyxf (ID);
CREATE TABLE IF NOT EXISTS cjd ({_columns(ORDER_COLUMNS)}, PRIMARY KEY (CJD_RDBH, CJD_CS));
CREATE TABLE IF NOT EXISTS cjd_bd (seq INTEGER PRIMARY KEY AUTOINCREMENT, line INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS cjd_changed AFTER UPDATE ON cjd BEGIN
  INSERT INTO cjd_bd (line) VALUES (NEW.rowid);
END;
CREATE TABLE IF NOT EXISTS cjd_hz (seq INTEGER PRIMARY KEY AUTOINCREMENT, {_columns(ACK_COLUMNS)});
"""


def create_front(directory: Path) -> sqlite3.Connection:
    """The front database with its tables, made if it is not there; the caller closes the connection."""
    directory.mkdir(parents=True, exist_ok=True)
    front = open_sqlite(directory / FRONT)
    front.executescript(_SCHEMA)
    return front


class DatabaseStandin:
    """Takes orders from ``cjd``, answers into ``cjd_hz``."""

    def __init__(self, directory: Path, acks: Acknowledging) -> None:
        self.front = create_front(directory)
        self.book = OrderBook(directory)
        self._acks = acks
        self._version = -1

    def step(self, stop: Callable[[], bool]) -> None:
        """Applies what was written since last time, then acknowledges what has not been yet, when it is time."""
        version = int(self.front.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            while not stop() and (self._take_new() or self._take_changed()):
                pass
            self._version = version
        more = self._acks.due()
        while more and not stop():
            more = self._acknowledge()

    def _take_new(self) -> bool:
        """One chunk of new rows; a crash between the two steps applies it again, which changes nothing."""
        seen = self.book.mark("seen")
        news = self.front.execute(
            f"SELECT rowid, {', '.join(KEPT)} FROM cjd WHERE rowid > ? ORDER BY rowid LIMIT ?", (seen, CHUNK)
        ).fetchall()
        if news:
            self._apply(news)
            self.book.set_mark("seen", news[-1][0])
        return bool(news)

    def _take_changed(self) -> bool:
        """One chunk of rows changed in place; noted until they are in the book."""
        columns = ", ".join(f"cjd.{column}" for column in KEPT)
        news = self.front.execute(
            f"SELECT cjd_bd.seq, {columns} FROM cjd_bd JOIN cjd ON cjd.rowid = cjd_bd.line ORDER BY cjd_bd.seq LIMIT ?",
            (CHUNK,),
        ).fetchall()
        if news:
            self._apply(news)
            self.front.execute("DELETE FROM cjd_bd WHERE seq <= ?", (news[-1][0],))
        return bool(news)

    def _apply(self, news: list[tuple[Any, ...]]) -> None:
        """An order that cannot be read is named and left out; it keeps back none of the others."""
        try:
            self.book.apply([line[1:] for line in news])
        except (TypeError, ValueError, sqlite3.IntegrityError) as error:
            if len(news) == 1:
                complain(f"An order in cjd cannot be read and was left out: {error}")
            else:
                for line in news:
                    self._apply([line])

    def _acknowledge(self) -> bool:
        acks, number, more = self.book.acknowledgements(self.book.mark("told"), CHUNK)
        if acks:
            self.front.execute("BEGIN IMMEDIATE")
            self.front.executemany(f"INSERT INTO cjd_hz ({', '.join(ACK_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)", acks)
            self.front.execute("COMMIT")
            self.book.set_mark("told", number)
        return more


def main() -> int:
    """Runs until told to stop."""
    options = arguments("database", __doc__ or "", watches=True).parse_args()
    stopping = Stopping(options.with_parent)
    system = DatabaseStandin(options.dir, Acknowledging(options))
    say_ready("database", front=str(options.dir / FRONT))
    watch(system.step, stopping, options.poll_ms)
    system.front.close()
    system.book.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
