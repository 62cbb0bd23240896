"""Scratch space of an audit 审计草稿: facts of all logs in a temporary file, so that memory stays the same at any size.

Sorting millions of entries by what they are about is left to SQLite; the file is gone when the audit ends.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import orjson

from syncd.ledger.audited import Fact
from syncd.ledger.pairing import gone

_BATCH = 4096
_COLUMNS = "about, origin, idx, kind, at, leaf, id, ref, state, body, version"


class Scratch:
    """The facts of one audit; a context manager."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="syncd-audit-")
        self._db = sqlite3.connect(Path(self._folder.name) / "facts.db", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32000", "temp_store = FILE"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(f"CREATE TABLE facts ({_COLUMNS})")
        self._waiting: list[tuple[Any, ...]] = []
        self._indexed = False

    def __enter__(self) -> "Scratch":
        self._db.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    def keep(self, facts: Sequence[Fact]) -> None:
        """Take the facts of one bundle."""
        self._waiting += [
            (*fact[:9], None if fact.body is None else orjson.dumps(fact.body), fact.version) for fact in facts
        ]
        if len(self._waiting) >= _BATCH:
            self._flush()

    def by_subject(self) -> Iterator[list[Fact]]:
        """All facts, those about one leaf together."""
        self._flush()
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM facts ORDER BY about, origin, idx")
        for _, group in groupby(rows, key=lambda row: row[0]):
            yield [_fact(row) for row in group]

    def twice(self) -> Iterator[tuple[str, int, str]]:
        """Ids that stand more than once in a log: its origin, the later index, the id."""
        self._flush()
        sql = "SELECT origin, max(idx), id FROM facts GROUP BY origin, id HAVING count(*) > 1"
        yield from self._db.execute(sql)

    def missing(self) -> Iterator[Fact]:
        """The entries whose disclosure is not there; one by one, for a log may have lost very many."""
        self._flush()
        sql = f"SELECT {_COLUMNS} FROM facts WHERE state IN ('erased', 'absent')"
        if self._db.execute(f"{sql} LIMIT 1").fetchone() is None:
            return
        self._index()
        rows = self._db.execute(sql)
        yield from (fact for fact in map(_fact, rows) if gone(fact))

    def take_orders(self, counts: Callable[[Fact], bool]) -> bool:
        """Write down what the orders of erasure that count are about, to be asked for; whether there are any."""
        self._flush()
        self._db.execute("CREATE TABLE ordered (about BLOB PRIMARY KEY) WITHOUT ROWID")
        orders = map(_fact, self._db.execute(f"SELECT {_COLUMNS} FROM facts WHERE kind = 'erasure.ordered'"))
        found = ((one.about,) for one in orders if counts(one))
        return self._db.executemany("INSERT OR IGNORE INTO ordered VALUES (?)", found).rowcount > 0

    def ordered(self, leaf: bytes) -> bool:
        """Whether an order that counts is about the entry with this leaf."""
        return self._db.execute("SELECT 1 FROM ordered WHERE about = ?", (leaf,)).fetchone() is not None

    def about(self, leaf: bytes) -> bytes | None:
        """What the entry with this leaf is about, None if it is not held."""
        self._index()
        row = self._db.execute("SELECT about FROM facts WHERE leaf = ?", (leaf,)).fetchone()
        return None if row is None else row[0]

    def _index(self) -> None:
        """Let leaves be found; made before anything is read row by row, for a table in use takes no new index."""
        self._flush()
        if not self._indexed:
            self._db.execute("CREATE INDEX by_leaf ON facts (leaf)")
            self._indexed = True

    def _flush(self) -> None:
        if self._waiting:
            self._db.executemany(f"INSERT INTO facts VALUES ({', '.join('?' * 11)})", self._waiting)
            self._waiting.clear()


def _fact(row: tuple[Any, ...]) -> Fact:
    return Fact._make((*row[:9], None if row[9] is None else orjson.loads(row[9]), row[10]))
