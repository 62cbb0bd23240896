"""The bureau's own people at their own system: they write rows in, and read back what it restricts.

One class for each stand-in, all with the same calls, so the story and the benchmark need not know the mode.
Nothing here goes through an adapter or a daemon: what is read back was really applied by the bureau's system.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson
import requests

from syncd.demo.formats import RELIEF_COLUMNS, SOURCE_COLUMNS, Row, stamp
from syncd.demo.orders import BOOK, read_counts, read_held
from syncd.demo.source_rows import ADMIN_TOKEN
from syncd.demo.standin_database import FRONT
from syncd.demo.standin_folder import write_csv

CHUNK = 5000
"""Rows in one request, one file or one transaction."""


class BureauSystem(ABC):
    """A bureau's own system, seen by the bureau's own people."""

    @abstractmethod
    def put_penalties(self, rows: Iterable[Row]) -> int:
        """Writes penalty rows; a row whose ``ID`` is there is replaced. ``GXSJ`` becomes now. How many."""

    @abstractmethod
    def put_relief(self, rows: Iterable[Row]) -> int:
        """The same for relief rows."""

    @abstractmethod
    def held(self, uscc: str | None, lifted: bool = False) -> list[dict[str, Any]]:
        """Orders that the system applies to an organisation (None: to all), by their CJD columns.

        ``CJD_BBH`` and ``CJD_ZT`` are integers; ``lifted`` adds those it has ended (``CJD_ZT`` 0).
        """

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """``orders``, ``in_force``, ``lifted`` and ``findings`` (with an order in force), quickly."""


class ServiceSystem(BureauSystem):
    """Over HTTPS, with the token of the bureau's own people. Raises ``requests.RequestException``."""

    def __init__(self, url: str, directory: Path, ca: Path) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca)
        self._session.headers["Authorization"] = f"Bearer {(directory / ADMIN_TOKEN).read_text().strip()}"

    def put_penalties(self, rows: Iterable[Row]) -> int:
        """``POST /admin/rows`` in chunks."""
        return sum(self._post("/admin/rows", {"penalties": chunk})["penalties"] for chunk in _chunks(rows))

    def put_relief(self, rows: Iterable[Row]) -> int:
        """``POST /admin/rows`` in chunks."""
        return sum(self._post("/admin/rows", {"relief": chunk})["relief"] for chunk in _chunks(rows))

    def remove_penalties(self, keys: Sequence[str]) -> int:
        """Lets rows vanish from the source."""
        return int(self._post("/admin/remove", {"penalties": list(keys)})["penalties"])

    def appoint_faults(self, truncate: int = 0, fail: int = 0) -> None:
        """Lets the next pages be cut short, or the next calls be answered 503."""
        self._post("/admin/faults", {"truncate": truncate, "fail": fail})

    def held(self, uscc: str | None, lifted: bool = False) -> list[dict[str, Any]]:
        """``GET /held``."""
        query = {"all": "1" if lifted else "0"} | ({"uscc": uscc} if uscc else {})
        items: list[dict[str, Any]] = self._get("/held", query)["items"]
        return items

    def counts(self) -> dict[str, int]:
        """``GET /held/counts``; adds the source's own ``penalties`` and ``relief``."""
        return self._get("/held/counts", {})

    def _post(self, path: str, value: object) -> dict[str, int]:
        reply = self._session.post(self._url + path, data=orjson.dumps(value), timeout=60)
        reply.raise_for_status()
        found: dict[str, int] = orjson.loads(reply.content)
        return found

    def _get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        reply = self._session.get(self._url + path, params=query, timeout=60)
        reply.raise_for_status()
        found: dict[str, Any] = orjson.loads(reply.content)
        return found


class _WithBook(BureauSystem):
    """A system whose order book is a file on this machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def _book(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self.directory / BOOK}?mode=ro", uri=True, timeout=30)) as book:
            yield book

    def held(self, uscc: str | None, lifted: bool = False) -> list[dict[str, Any]]:
        """Read from the system's own file."""
        with self._book() as book:
            return read_held(book, uscc, lifted)

    def counts(self) -> dict[str, int]:
        """Counted in the system's own file."""
        with self._book() as book:
            return read_counts(book)


class FolderSystem(_WithBook):
    """CSV files into ``in/``, named by the time they were written; each in the next of ``encodings``.

    ``encodings`` may be ``gb18030``, ``utf-8`` and ``utf-8-sig``: real folders hold what three programs wrote.
    """

    def __init__(self, directory: Path, rows_per_file: int = CHUNK, encodings: Sequence[str] = ("gb18030",)) -> None:
        super().__init__(directory)
        self._clock = _Clock()
        self._rows_per_file, self._encodings = rows_per_file, cycle(encodings)

    def put_penalties(self, rows: Iterable[Row]) -> int:
        """Files ``XZCF_*.csv``."""
        return self._put("XZCF", SOURCE_COLUMNS, rows)

    def put_relief(self, rows: Iterable[Row]) -> int:
        """Files ``XF_*.csv``."""
        return self._put("XF", RELIEF_COLUMNS, rows)

    def put_bytes(self, prefix: str, data: bytes) -> str:
        """A file as it is, even undecodable; returns its name."""
        name = f"{prefix}_{self._clock.next():%Y%m%d%H%M%S%f}.csv"
        part = self.directory / "in" / (name + ".part")
        part.write_bytes(data)
        part.replace(part.with_suffix(""))
        return name

    def _put(self, prefix: str, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
        count = 0
        for chunk in _chunks(rows, self._rows_per_file):
            now = self._clock.next()
            gxsj = stamp(now)
            lines = ([{**row, "GXSJ": gxsj}.get(column, "") for column in columns] for row in chunk)
            path = self.directory / "in" / f"{prefix}_{now:%Y%m%d%H%M%S%f}.csv"
            write_csv(path, columns, lines, next(self._encodings))
            count += len(chunk)
        return count


class DatabaseSystem(_WithBook):
    """Rows into the front database's ``xzcf`` and ``xyxf``, which ask for no unique key, as real ones."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._clock = _Clock()

    def put_penalties(self, rows: Iterable[Row]) -> int:
        """Into ``xzcf``, one transaction for each chunk."""
        return self._put("xzcf", SOURCE_COLUMNS, rows)

    def put_relief(self, rows: Iterable[Row]) -> int:
        """Into ``xyxf``."""
        return self._put("xyxf", RELIEF_COLUMNS, rows)

    def remove_penalties(self, keys: Sequence[str]) -> int:
        """Lets rows vanish from the source."""
        with self._front() as front:
            return max(front.executemany("DELETE FROM xzcf WHERE ID = ?", [(key,) for key in keys]).rowcount, 0)

    def _put(self, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        count = 0
        for chunk in _chunks(rows):
            gxsj = stamp(self._clock.next())
            values = [[{**row, "GXSJ": gxsj}.get(column, "") for column in columns] for row in chunk]
            with self._front() as front:
                front.executemany(f"DELETE FROM {table} WHERE ID = ?", [(row["ID"],) for row in chunk])
                front.executemany(insert, values)
            count += len(chunk)
        return count

    @contextmanager
    def _front(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the front database, which the stand-in has made."""
        path = self.directory / FRONT
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)) as front, front:
            yield front


class _Clock:
    """Times that never repeat, so that file names and stamps sort as they were written."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> datetime:
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last


def _chunks(rows: Iterable[Row], size: int = CHUNK) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk
