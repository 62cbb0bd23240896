"""The order book 惩戒台账 of a stand-in bureau system: which restrictions it applies now.

An order is known by (finding, measure) and has a counter. The rule is the receiving side's promise to the
exchange: a lower counter is ignored, and at equal counters *lifted* wins, so orders may come twice and in
any sequence. Every order taken gets the next number; the acknowledgements 回执 are simply the book read in
that sequence, so an acknowledgement can be late or told twice, but cannot get lost.

One row holds all orders of one finding: finding codes are random, and an index entry for each of half a
dozen measures took three times as long.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from syncd.demo.formats import local_today

BOOK = "book.sqlite"
ABOUT: tuple[str, ...] = (
    "CJD_RDBH",
    "CJD_XDR_SHXYM",
    "CJD_XDR_MC",
    "CJD_SY",
    "CJD_GZ",
    "CJD_WSH",
    "CJD_BJ",
    "CJD_YS",
)
"""What all orders of one finding share."""
EACH: tuple[str, ...] = ("CJD_CS", "CJD_BBH", "CJD_ZT", "CJD_XZ", "CJD_ZXBM", "CJD_YXQ", "CJD_YXZ")
"""What is each order's own."""
KEPT: tuple[str, ...] = (*ABOUT, *EACH)
"""What the stand-in keeps of an order; enough to read back what is restricted, until when and why."""

TOTALS = ("in_force", "lifted", "findings")
"""Marks of the book that are counted with each batch, so that asking how much it holds reads no order."""

kept_of = itemgetter(*KEPT)
Order = Sequence[Any]
Ack = tuple[str, str, int, str, str, str]

_SUBJECT, _SPLIT = 1, len(ABOUT)
_MEASURE, _COUNTER, _STATE, _DEPARTMENT = 0, 1, 2, 4
_NUMBER, _DAY = len(EACH), len(EACH) + 1
_IN_FORCE, _ABOUT = 3, 5
_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
  seq INTEGER PRIMARY KEY, finding TEXT NOT NULL UNIQUE, subject TEXT NOT NULL,
  in_force INTEGER NOT NULL, lifted INTEGER NOT NULL, about BLOB NOT NULL, orders BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS held_subject ON held (subject);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  orders INTEGER NOT NULL, fault TEXT) WITHOUT ROWID;
"""
_PUT = """
INSERT INTO held (seq, finding, subject, in_force, lifted, about, orders) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (finding) DO UPDATE SET seq = excluded.seq, subject = excluded.subject,
  in_force = excluded.in_force, lifted = excluded.lifted, about = excluded.about, orders = excluded.orders
"""


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection as every stand-in uses it: WAL, each statement a transaction unless one is begun.

    ``synchronous=OFF``: a killed stand-in loses nothing; only a power cut could, and the stand-ins are not
    the system under test. Their syncs would only take time away from it.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    return connection


class OrderBook:
    """The orders a bureau system applies, kept in one SQLite file; one process writes, any may read."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.db = open_sqlite(directory / BOOK)
        self.db.executescript(_SCHEMA)
        self._seq, *self._totals = self.db.execute(
            "SELECT coalesce(max(seq), 0), coalesce(sum(in_force), 0), coalesce(sum(lifted), 0), "
            "coalesce(sum(in_force > 0), 0) FROM held"
        ).fetchone()
        self.db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", zip(TOTALS, self._totals, strict=True))

    def apply(self, orders: Iterable[Order]) -> int:
        """Takes orders (values in the sequence of ``KEPT``) in one transaction; returns how many came.

        Raises ``ValueError`` for a counter or state that is no number; nothing of the batch is kept then.
        """
        day, seq, came, totals = local_today().isoformat(), self._seq, 0, self._totals
        groups: dict[str, list[Order]] = {}
        for order in orders:
            came += 1
            groups.setdefault(order[0], []).append(order)
        self.db.execute("BEGIN IMMEDIATE")
        try:
            known = self._known(list(groups))
            rows = []
            for finding, group in groups.items():
                raw, *before = known.get(finding, (None, 0, 0))
                held, last = _merge(raw, group, seq + 1, day)
                if last is not None:
                    seq += 1
                    rows.append(_row(seq, last, held))
                    totals = _changed(totals, *before, *rows[-1][_IN_FORCE:_ABOUT])
            self.db.executemany(_PUT, rows)
            self.db.executemany("UPDATE meta SET value = ? WHERE name = ?", zip(totals, TOTALS, strict=True))
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self._seq, self._totals = seq, totals
        return came

    def _known(self, findings: list[str]) -> dict[str, tuple[bytes, int, int]]:
        """What the book has of these findings, and how much is in force and lifted: one query for 5,000 of them."""
        known: dict[str, tuple[bytes, int, int]] = {}
        for start in range(0, len(findings), 5000):
            part = findings[start : start + 5000]
            marks = ",".join("?" * len(part))
            query = f"SELECT finding, orders, in_force, lifted FROM held WHERE finding IN ({marks})"
            known |= {finding: (raw, *counts) for finding, raw, *counts in self.db.execute(query, part)}
        return known

    def acknowledgements(self, after: int, limit: int) -> tuple[list[Ack], int, bool]:
        """Acknowledgements of what came after number ``after``: HZ values, the new number, more or not.

        A finding's acknowledgements stay in one page; ``limit`` is exceeded only if one finding alone does.
        """
        told: list[Ack] = []
        start = after
        for seq, finding, raw in self.db.execute(
            "SELECT seq, finding, orders FROM held WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit + 1)
        ):
            new = list(_acks(finding, orjson.loads(raw).values(), start))
            if told and len(told) + len(new) > limit:
                return told, after, True
            told += new
            after = seq
        return told, after, False

    def mark(self, name: str) -> int:
        """A place where the system stands, such as ``told``: up to which number it has acknowledged; 0 at first."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def set_mark(self, name: str, number: int) -> None:
        """The step up to ``number`` is done; a crash just before does it twice, which is never less."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, number))

    def close(self) -> None:
        """Closes the file; everything applied is in it."""
        self.db.close()


def _merge(raw: bytes | None, group: list[Order], seq: int, day: str) -> tuple[dict[str, list[Any]], Order | None]:
    """All orders of one finding after these came, and the last that was taken (None: the book has newer ones)."""
    held: dict[str, list[Any]] = orjson.loads(raw) if raw else {}
    last = None
    for order in group:
        measure, counter, state, *rest = order[_SPLIT:]
        counter, state = int(counter), int(state)
        old = held.get(measure)
        if old is None or (counter, -state) >= (old[_COUNTER], -old[_STATE]):
            held[measure] = [measure, counter, state, *rest, seq, day]
            last = order
    return held, last


def _row(seq: int, order: Order, held: dict[str, list[Any]]) -> tuple[Any, ...]:
    in_force = sum(entry[_STATE] for entry in held.values())
    about = orjson.dumps(order[:_SPLIT])
    return seq, order[0], order[_SUBJECT], in_force, len(held) - in_force, about, orjson.dumps(held)


def _changed(totals: list[int], on: int, off: int, now_on: int, now_off: int) -> list[int]:
    """The totals once of a finding's orders so many are in force and lifted that were not before."""
    in_force, lifted, findings = totals
    return [in_force + now_on - on, lifted + now_off - off, findings + (now_on > 0) - (on > 0)]


def _acks(finding: str, entries: Iterable[list[Any]], after: int) -> Iterator[Ack]:
    """Only the orders that came after this number: the finding's other orders have been told already."""
    for e in entries:
        if e[_NUMBER] > after:
            state = "已执行" if e[_STATE] else "已解除"
            yield finding, e[_MEASURE], e[_COUNTER], e[_DEPARTMENT], state, e[_DAY]


def read_held(db: sqlite3.Connection, uscc: str | None, lifted: bool) -> list[dict[str, Any]]:
    """Orders held for one organisation, or for all if ``uscc`` is None; ``lifted`` adds those already ended.

    Each is a dict of the ``KEPT`` columns and ``HZ_RQ``, the day it was taken; sorted by finding and measure.
    """
    query = "SELECT about, orders FROM held" + (" WHERE subject = ?" if uscc is not None else "")
    found = []
    for about, orders in db.execute(query + " ORDER BY finding", () if uscc is None else (uscc,)):
        for _, entry in sorted(orjson.loads(orders).items()):
            if lifted or entry[_STATE]:
                values = (*orjson.loads(about), *entry[:_NUMBER], entry[_DAY])
                found.append(dict(zip((*KEPT, "HZ_RQ"), values, strict=True)))
    return found


def read_counts(db: sqlite3.Connection) -> dict[str, int]:
    """How much the book holds: orders, those in force, those lifted, and findings with one in force."""
    kept = dict(db.execute("SELECT name, value FROM meta").fetchall())
    in_force, lifted, findings = (int(kept[name]) for name in TOTALS)
    return {"orders": in_force + lifted, "in_force": in_force, "lifted": lifted, "findings": findings}
