"""One statement past SQLAlchemy's per-statement work, spelled alike for SQLite and PostgreSQL.

A stage makes some twenty small statements a batch, and preparing a result for each took longer than the database did.
On PostgreSQL they go through SQLAlchemy as the driver takes them.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_T = TypeVar("_T")


class Found:
    """What a statement found, or what it changed: rows as plain tuples, read once and within the transaction."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        """How many rows a statement changed."""
        return int(self._cursor.rowcount)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def fetchall(self) -> list[Any]:
        """All rows."""
        return list(self._cursor.fetchall())

    def scalars(self) -> Iterator[Any]:
        """The first value of each row."""
        return (row[0] for row in self._cursor)

    def one_or_none(self) -> Any:
        """The only row, or None. Raises ValueError if there are several."""
        rows = self._cursor.fetchmany(2)
        if len(rows) > 1:
            raise ValueError("A statement that finds one row at most has found several.")
        return rows[0] if rows else None

    def scalar_one_or_none(self) -> Any:
        """The value of the only row, or None. Raises ValueError if there are several."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The value of the only row. Raises ValueError if there is none, or several."""
        row = self.one_or_none()
        if row is None:
            raise ValueError("A statement that finds one row has found none.")
        return row[0]


def execute(conn: Connection, sql: str, values: tuple[Any, ...] = ()) -> Found:
    """Run ``sql`` as the driver takes it, with ``?`` for each value on both databases (no other ``?`` or ``%``)."""
    if conn.dialect.name != "sqlite":
        result = conn.exec_driver_sql(_spelled(sql), values)
        return Found(result.cursor if result.returns_rows else result)
    try:
        return Found(_driver(conn).execute(sql, values))
    except sqlite3.Error as error:
        raise _as_reported(sql, error) from error


def fetch(conn: Connection, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of ``sql``, spelled as for ``execute``: for reading by the thousand."""
    return execute(conn, sql, values).fetchall()


def execute_many(conn: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Run ``sql``, spelled as for ``execute``, for each of ``rows``; returns how many rows were changed."""
    if not rows:
        return 0
    if conn.dialect.name != "sqlite":
        return conn.exec_driver_sql(_spelled(sql), list(rows)).rowcount
    try:
        return _driver(conn).executemany(sql, rows).rowcount
    except sqlite3.Error as error:
        raise _as_reported(sql, error) from error


def _driver(conn: Connection) -> sqlite3.Connection:
    """The driver's own connection, within the transaction that ``conn`` has begun."""
    connection: Any = conn.connection.dbapi_connection
    driver: sqlite3.Connection = connection
    return driver


def _as_reported(sql: str, error: sqlite3.Error) -> BaseException:
    """The driver's error as SQLAlchemy tells it, without the values, which may be anything."""
    return DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True)


def chunks(values: Iterable[_T], size: int = 500) -> Iterator[list[_T]]:
    """Parts of ``values``, each short enough for an IN list on every database."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def marks(values: Iterable[Any]) -> str:
    """``?, ?, ?``: one mark for each value, for an IN list."""
    return ", ".join(["?" for _ in values])


def among(conn: Connection, column: str, values: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The condition that ``column`` is one of ``values`` (1 to 512), and what ``execute`` is given for it.

    On SQLite the last value is repeated up to a power of two: each length is another statement, which is prepared anew
    and kept by the driver, 80 KB at 500 values.
    """
    if conn.dialect.name != "sqlite":
        return f"{column} = ANY(?)", (list(values),)
    length = 1 << (len(values) - 1).bit_length()
    return f"{column} IN ({_marks(length)})", (*values, *[values[-1]] * (length - len(values)))


@lru_cache(maxsize=64)
def _marks(count: int) -> str:
    return marks(range(count))


@lru_cache(maxsize=512)
def _spelled(sql: str) -> str:
    """As PostgreSQL's driver wants it."""
    return sql.replace("?", "%s")
