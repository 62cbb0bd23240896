"""Rows by the batch, on SQLite and PostgreSQL alike: one statement for a whole list.

SQLite takes statements of twenty rows each: a step of its virtual machine for each row, with Python's lock let go and
taken again around it, cost as much as half the row. PostgreSQL takes COPY in its binary form for new rows, and for rows
that may be there already one INSERT over arrays. Both go past SQLAlchemy's per-row work, so only columns of the plain
types below may stand in a table that is filled this way.

On SQLite statements go past SQLAlchemy's per-statement work as well: a stage makes some twenty small ones a batch, and
preparing a result for each took longer than the database did.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)
from sqlalchemy.exc import DBAPIError

Json = dict[str, Any]

_AT_ONCE = 20
"""Rows of one INSERT on SQLite; more gain nothing, and what is left over goes row by row."""
_PG_TYPES: tuple[tuple[type[Any], str], ...] = (
    (SmallInteger, "int2"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Boolean, "bool"),
    (LargeBinary, "bytea"),
    (Float, "float8"),
    (String, "text"),
)
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


def bulk_insert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert new rows, all with the keys of the first; defaults written in Python are not applied.

    Raises IntegrityError if one of them is there already; nothing of the transaction may then be kept.
    """
    if rows:
        keys = tuple(rows[0])
        insert_tuples(conn, table, keys, [tuple([row[key] for key in keys]) for row in rows])


def insert_tuples(conn: Connection, table: Table, keys: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert new rows given as tuples in the order of ``keys``: the road of the hot tables."""
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        _insert_rows(conn, table, keys, "", rows)
        return
    names, types = _pg_columns(table, keys)
    _copy(conn, f"COPY {_quoted(table.name)} ({names}) FROM STDIN (FORMAT BINARY)", types, rows)


def bulk_upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    update: Sequence[str],
) -> None:
    """Insert rows; where ``keys`` are there already, set the columns ``update`` (none: leave the row).

    All rows have the keys of the first. Of two rows with the same ``keys`` in one call the last one wins.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    last = {tuple([row[key] for key in keys]): row for row in rows}
    upsert_tuples(conn, table, columns, [tuple([row[name] for name in columns]) for row in last.values()], keys, update)


def upsert_tuples(
    conn: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    keys: Sequence[str],
    update: Sequence[str],
) -> int:
    """As ``bulk_upsert``, for tuples in the order of ``columns`` that differ in their ``keys``.

    Returns how many rows were inserted or changed.
    """
    if not rows:
        return 0
    conflict = _conflict_sql(table, tuple(keys), tuple(update))
    if conn.dialect.name == "sqlite":
        return _insert_rows(conn, table, columns, conflict, rows)
    sql = _pg_array_insert_sql(table, columns) + conflict
    return conn.exec_driver_sql(sql, tuple([list(values) for values in zip(*rows, strict=True)])).rowcount


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


def _insert_rows(
    conn: Connection, table: Table, columns: tuple[str, ...], conflict: str, rows: Sequence[tuple[Any, ...]]
) -> int:
    """Insert into SQLite; returns how many rows were inserted or changed. ``conflict`` ends each statement."""
    whole = len(rows) - len(rows) % _AT_ONCE
    sql = _insert_sql(table, columns, conflict, _AT_ONCE)
    changed = 0
    for start in range(0, whole, _AT_ONCE):
        values = tuple(chain.from_iterable(rows[start : start + _AT_ONCE]))
        changed += execute(conn, sql, values).rowcount
    return changed + execute_many(conn, _insert_sql(table, columns, conflict, 1), rows[whole:])


@lru_cache(maxsize=256)
def _insert_sql(table: Table, columns: tuple[str, ...], conflict: str, count: int) -> str:
    """FAIL leaves the rows before a refused one, as row by row; SQLite then keeps no way back within a statement."""
    names, types = _pg_columns(table, columns)
    values = ", ".join([f"({marks(types)})"] * count)
    return f"INSERT OR FAIL INTO {_quoted(table.name)} ({names}) VALUES {values}{conflict}"


@lru_cache(maxsize=128)
def _pg_array_insert_sql(table: Table, keys: tuple[str, ...]) -> str:
    """One array for each column: a single statement and a single round trip, whatever the number of rows."""
    names, types = _pg_columns(table, keys)
    arrays = ", ".join([f"%b::{kind}[]" for kind in types])
    return f"INSERT INTO {_quoted(table.name)} ({names}) SELECT * FROM unnest({arrays})"


@lru_cache(maxsize=128)
def _conflict_sql(table: Table, keys: tuple[str, ...], update: tuple[str, ...]) -> str:
    target = ", ".join([_name(table.c[key]) for key in keys])
    changes = ", ".join([f"{_name(table.c[key])} = excluded.{_name(table.c[key])}" for key in update])
    # SQLite reads "SELECT … ON CONFLICT" as a join condition, but here it only ever sees VALUES.
    return f" ON CONFLICT ({target}) DO " + (f"UPDATE SET {changes}" if changes else "NOTHING")


@lru_cache(maxsize=128)
def _pg_columns(table: Table, keys: tuple[str, ...]) -> tuple[str, list[str]]:
    columns = [table.c[key] for key in keys]
    return ", ".join([_name(column) for column in columns]), [_pg_type(column) for column in columns]


def _pg_type(column: Column[Any]) -> str:
    for kind, name in _PG_TYPES:
        if isinstance(column.type, kind):
            return name
    raise TypeError(f"{column} has a type that cannot be filled in bulk; use text, integers, booleans or bytes.")


def _name(column: Column[Any]) -> str:
    return _quoted(column.name)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _copy(conn: Connection, sql: str, types: list[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if not conn.in_transaction():  # the driver's own cursor would begin one that nobody ends
        raise RuntimeError("Rows may be copied only within a transaction of the store.")
    driver = conn.dialect.loaded_dbapi
    try:
        cursor: Any = conn.connection.cursor()
        with cursor, cursor.copy(sql) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(sql, None, error, driver.Error, hide_parameters=True) from error
