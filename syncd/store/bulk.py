"""Rows by the batch, on SQLite and PostgreSQL alike: one statement for a whole list.

SQLite takes statements of twenty rows each: a step of its virtual machine for each row, with Python's lock let go and
taken again around it, cost as much as half the row. PostgreSQL takes COPY in its binary form for new rows, and for rows
that may be there already one INSERT over arrays. Both go past SQLAlchemy's per-row work, so only columns of the plain
types below may stand in a table that is filled this way.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

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

from syncd.store.statement import execute, execute_many, marks

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
    where: str = "",
) -> int:
    """As ``bulk_upsert``, for tuples in the order of ``columns`` that differ in their ``keys``.

    ``where``: a condition on the row that is there and on ``excluded``; where it does not hold the row is left.
    Returns how many rows were inserted or changed: all of them, if all were new.
    """
    if not rows:
        return 0
    conflict = _conflict_sql(table, tuple(keys), tuple(update)) + (where and f" WHERE {where}")
    if conn.dialect.name == "sqlite":
        return _insert_rows(conn, table, columns, conflict, rows)
    sql = _pg_array_insert_sql(table, columns) + conflict
    return conn.exec_driver_sql(sql, tuple([list(values) for values in zip(*rows, strict=True)])).rowcount


def _insert_rows(
    conn: Connection, table: Table, columns: tuple[str, ...], conflict: str, rows: Sequence[tuple[Any, ...]]
) -> int:
    """Insert into SQLite; returns how many rows were inserted or changed. ``conflict`` ends each statement.

    Only where one of twenty was there already they go row by row: a statement that may change some of its rows has
    SQLite write each page beside first, to undo it alone, and that was more than all it wrote to its log.
    """
    whole = len(rows) - len(rows) % _AT_ONCE
    skip = conflict and f"{conflict.partition(' DO ')[0]} DO NOTHING"
    one, many = _insert_sql(table, columns, conflict, 1), _insert_sql(table, columns, skip, _AT_ONCE)
    changed = 0
    for start in range(0, whole, _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        added = execute(conn, many, tuple(chain.from_iterable(some))).rowcount
        changed += added if added == _AT_ONCE or skip == conflict else execute_many(conn, one, some)
    return changed + execute_many(conn, one, rows[whole:])


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
