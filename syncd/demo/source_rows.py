"""The source rows of the stand-in service: what a bureau's own system holds and serves in pages.

Each kind (``penalties``, ``relief``) is one table of ready JSON rows, ordered by (``GXSJ``, ``ID``): when the
row was written or changed, then its key. A cursor ``GXSJ|ID`` says where the reader stands.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from syncd.demo.formats import Row, stamp
from syncd.demo.orders import open_sqlite

ADMIN_TOKEN = "admin.token"
"""File with the token of the bureau's own people, beside the rows."""
KINDS = ("penalties", "relief")
_TICK = timedelta(microseconds=1)


class SourceRows:
    """Rows in one SQLite file; putting a row with a key that is there replaces it and makes it new again."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.db = open_sqlite(directory / "source.sqlite")
        for kind in KINDS:
            self.db.execute(
                f"CREATE TABLE IF NOT EXISTS {kind} (id TEXT PRIMARY KEY, gxsj TEXT NOT NULL, row BLOB NOT NULL)"
            )
            self.db.execute(f"CREATE INDEX IF NOT EXISTS {kind}_news ON {kind} (gxsj, id)")
        self._last = datetime.min.replace(tzinfo=UTC)

    def put(self, kind: str, rows: Iterable[Row]) -> int:
        """Inserts or replaces rows in one transaction, stamping ``GXSJ`` with now; returns how many.

        The stamp never repeats one of an earlier call, so a reader that has passed it misses nothing.
        Raises ``KeyError`` for a row without ``ID``; nothing is kept then.
        """
        self._last = max(datetime.now(UTC), self._last + _TICK)
        gxsj = stamp(self._last)
        values = [(row["ID"], gxsj, orjson.dumps({**row, "GXSJ": gxsj})) for row in rows]
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            f"INSERT INTO {kind} VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET gxsj = excluded.gxsj, row = excluded.row",
            values,
        )
        self.db.execute("COMMIT")
        return len(values)

    def remove(self, kind: str, keys: Iterable[str]) -> int:
        """Lets rows vanish, as a source may; returns how many were there."""
        gone = [(key,) for key in keys]
        self.db.execute("BEGIN IMMEDIATE")
        count = self.db.executemany(f"DELETE FROM {kind} WHERE id = ?", gone).rowcount
        self.db.execute("COMMIT")
        return max(count, 0)

    def page(self, kind: str, after: str, limit: int) -> tuple[list[bytes], str, bool]:
        """At most ``limit`` rows (JSON bytes) behind the cursor, the next cursor, and whether more wait."""
        gxsj, _, key = after.partition("|")
        rows = self.db.execute(
            f"SELECT gxsj, id, row FROM {kind} WHERE (gxsj, id) > (?, ?) ORDER BY gxsj, id LIMIT ?",
            (gxsj, key, limit + 1),
        ).fetchall()
        more = len(rows) > limit
        rows = rows[:limit]
        return [row[2] for row in rows], f"{rows[-1][0]}|{rows[-1][1]}" if rows else after, more

    def count(self, kind: str) -> int:
        """How many rows of a kind the source holds."""
        return int(self.db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0])

    def close(self) -> None:
        """Closes the file."""
        self.db.close()
