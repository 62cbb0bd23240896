"""Database mode 数据库对接 (GB/T 39443-2020, 5.6): a front database 前置库 behind any SQLAlchemy URL.

Rows are read in the order of (time of change, row key), so rows that share a time stand in one order and a
page may end between them. A row can still appear *within* a time already passed, where the clock is coarse:
so the cursor counts the rows read of its last time, and when there are more it reads that time again. Rows
committed late under an earlier time are found by the full comparison, which reads from the beginning.

A row whose time of change has none of the usual shapes of a time is met by no such cursor: text of any kind would
sort behind all times and hide what comes. Such rows are read by their key, all of them with every pull, relief first:
no row waits for its stamp. A row without a key has no name; it is shown as a fault until it is mended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    cast,
    create_engine,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchTableError, SQLAlchemyError

from adapters.acks import read_acks
from adapters.base import PAGE_ROWS, AckPage, Adapter, Json, Page, RawRow, RowKind, SourceError
from adapters.facts import SourceFacts
from adapters.orders import upsert
from adapters.times import FOLDS, SHAPES

ACKS_LIMIT = 1_000
UNNAMED_ROWS = 100
BY_KEY: tuple[RowKind, ...] = ("relief", "penalty")
"""The order in which rows without a time are read: relief first."""

BUSY_SECONDS = 10
_TEXT_ONLY = {str}


class DatabaseAdapter(Adapter):
    """Tables of penalties, relief, orders and acknowledgements; their names stand on the facts page.

    Reading asks for no more than SELECT; writing touches the orders' table alone.
    """

    def __init__(self, url: str, facts: SourceFacts) -> None:
        assert facts.database is not None
        self._facts, self._names = facts, facts.database
        self._engine = _engine(url)
        self._tables: dict[str, Table] = {}

    def pull(self, cursor: Json | None) -> Page:
        """Penalties to the end, then relief in what room is left: before its finding it has nothing to do."""
        state = cursor or {}
        with self._connection("read") as conn:
            rows, penalty, more = self._changed(conn, "penalty", state.get("penalty"), PAGE_ROWS)
            relief = state.get("relief")
            if not more:
                relieving, relief, more = self._changed(conn, "relief", relief, PAGE_ROWS - len(rows))
                rows += relieving
            beside = state.get("beside")
            if not more:
                undated, beside, more = self._undated(conn, beside)
                rows += undated
            if not more:
                rows += self._unnamed(conn)
        return Page(rows, {"penalty": penalty, "relief": relief, "beside": beside}, more)

    def push(self, rows: Sequence[Json]) -> None:
        """Bring the orders' table to these rows in one transaction: all of them are there, or none is."""
        if rows:
            with self._connection("write orders into") as conn:
                upsert(conn, self._table(conn, self._names.orders), rows)

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """Acknowledgements behind a running number ``seq``."""
        after = (cursor or {}).get("after", 0)
        with self._connection("read acknowledgements of") as conn:
            table = self._table(conn, self._names.acknowledgements)
            query = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(ACKS_LIMIT)
            found = [_texts(row) for row in conn.execute(query).mappings()]
        rows, faults = read_acks(
            ((f"{self._names.acknowledgements}:{fields['seq']}", fields) for fields in found), self._facts
        )
        last = int(found[-1]["seq"]) if found else after
        return AckPage(rows, {"after": last}, len(found) == ACKS_LIMIT, faults)

    def close(self) -> None:
        """Close the pool of connections."""
        self._engine.dispose()

    def _changed(
        self, conn: Connection, kind: RowKind, state: Json | None, room: int
    ) -> tuple[list[RawRow], Json | None, bool]:
        """Rows behind ``{"at": time, "id": key, "n": rows read of that time}``, and the state behind them."""
        table, stamp, key = self._ordered(conn, kind)
        query = select(table).where(not_(_undated(stamp)), key.is_not(None)).order_by(stamp, key).limit(room)
        at, last, count = (state["at"], state["id"], state["n"]) if state else ("", "", 0)
        if state:
            passed = conn.execute(select(func.count()).where(stamp == at, key <= last)).scalar_one()
            last, count = (last, passed) if passed <= count else ("", 0)
            query = query.where(stamp >= at, or_(stamp > at, key > last))
        rows = self._raw(kind, table, conn.execute(query).all())
        full = len(rows) == room
        if full:
            rows = _whole_groups(rows, lambda row: (row.fields[stamp.name], row.key))
        if not rows:
            return [], {"at": at, "id": last, "n": count} if state else None, False
        stamps = [row.fields[stamp.name] for row in rows]
        count = stamps.count(stamps[-1]) + (count if stamps[-1] == at else 0)
        return rows, {"at": stamps[-1], "id": rows[-1].key, "n": count}, full

    def _undated(self, conn: Connection, at: Json | None) -> tuple[list[RawRow], Json | None, bool]:
        """Rows without a readable time, by key behind ``{"kind": kind, "id": key}``; None before and behind all.

        They are read again with every pull, since nothing else shows that one of them was changed.
        """
        rows: list[RawRow] = []
        for kind in BY_KEY[BY_KEY.index(at["kind"]) :] if at else BY_KEY:
            table, stamp, key = self._ordered(conn, kind)
            query = select(table).where(_undated(stamp), key.is_not(None)).order_by(key).limit(PAGE_ROWS)
            if at and at["kind"] == kind:
                query = query.where(key > at["id"])
            found = self._raw(kind, table, conn.execute(query).all())
            if len(found) == PAGE_ROWS:
                found = _whole_groups(found, lambda row: row.key)
                return rows + found, {"kind": kind, "id": found[-1].key}, True
            rows += found
        return rows, None, False

    def _unnamed(self, conn: Connection) -> list[RawRow]:
        """Some of the rows without a key, which no cursor can meet: shown as faults until they are mended."""
        rows: list[RawRow] = []
        for kind in BY_KEY:
            table, _, key = self._ordered(conn, kind)
            query = select(table).where(key.is_(None)).limit(UNNAMED_ROWS)
            rows += self._raw(kind, table, conn.execute(query).all())
        return rows

    def _ordered(self, conn: Connection, kind: RowKind) -> tuple[Table, Any, Any]:
        """The table of a kind of row, its time of change and its key."""
        table = self._table(conn, self._names.penalties if kind == "penalty" else self._names.relief)
        return table, table.c[self._facts.columns.updated], table.c[self._facts.columns.row]

    def _raw(self, kind: RowKind, table: Table, found: Sequence[Any]) -> list[RawRow]:
        names, key = [column.name for column in table.columns], self._facts.columns.row
        rows = []
        for values in found:
            fields = dict(zip(names, values, strict=True))
            if set(map(type, values)) != _TEXT_ONLY:
                fields = {name: _text(value) for name, value in fields.items()}
            rows.append(RawRow(kind, fields[key], fields, table.name))
        return rows

    def _table(self, conn: Connection, name: str) -> Table:
        """A table as it is in the source, looked up once; so new columns are seen, and named by the border."""
        if name not in self._tables:
            self._tables[name] = Table(name, MetaData(), autoload_with=conn)
        return self._tables[name]

    @contextmanager
    def _connection(self, doing: str) -> Iterator[Connection]:
        """One transaction; what the database says comes out as a sentence, without its text: it quotes rows."""
        path = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and not (path and Path(path).is_file()):
            raise SourceError("The front database file is not there; it is looked for again.", transient=True)
        try:
            with self._engine.begin() as conn:
                yield conn
        except NoSuchTableError as error:
            sentence = f"The front database has no table {error}; it must be made, or the grants given."
            raise SourceError(sentence, transient=False) from None
        except KeyError as error:
            self._tables.clear()
            sentence = f"A table of the front database has no column {error}; a person must look."
            raise SourceError(sentence, transient=False) from None
        except SQLAlchemyError as error:
            self._tables.clear()
            code = type(getattr(error, "orig", None) or error).__name__
            sentence = f"The node could not {doing} the front database ({code}); nothing was kept of this step."
            raise SourceError(sentence, transient=isinstance(error, DBAPIError)) from None


def _engine(url: str) -> Engine:
    try:
        wait = {"timeout": BUSY_SECONDS} if url.startswith("sqlite") else {}
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=wait)
    except (ArgumentError, ImportError):
        sentence = "The front database's URL is not one SQLAlchemy can open (or its driver is not installed)."
        raise SourceError(sentence, transient=False) from None


def _whole_groups(rows: list[RawRow], place: Callable[[RawRow], object]) -> list[RawRow]:
    """The page without its last place in the order, which may go on behind the page: a key need not be unique."""
    last, end = place(rows[-1]), len(rows)
    while end and place(rows[end - 1]) == last:
        end -= 1
    return rows[:end] or rows


def _undated(stamp: ColumnElement[Any]) -> ColumnElement[bool]:
    """No time of a usual shape. Folded in the database: a cursor never sees what is no time."""
    shape: ColumnElement[Any] = func.trim(cast(stamp, Text))
    for old, new in FOLDS:
        shape = func.replace(shape, old, new)
    return or_(stamp.is_(None), shape.not_in(sorted(SHAPES)))


def _text(value: Any) -> str:
    return value if type(value) is str else "" if value is None else str(value)


def _texts(row: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): _text(value) for name, value in row.items()}
