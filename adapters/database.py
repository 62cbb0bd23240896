"""Database mode 数据库对接 (GB/T 39443-2020, 5.6): a front database 前置库 behind any SQLAlchemy URL.

Rows are read in the order of (time of change, row key); those that share a time stand in one order, and a page may
end between them. Rows that are committed late, or appear within a time already passed, are met by the window over
what was read last (``window``). Rows that vanished show when the stages have all of them read again.

A row without a stamp that takes part in the order (``tables``) is met by no cursor. Such rows are read by their key,
all of them with every pull, relief first: no row waits for its stamp. A row without a key has no name; it is shown as
a fault until it is mended.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, create_engine, make_url, not_, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchTableError, SQLAlchemyError

from adapters.acks import read_acks
from adapters.base import PAGE_ROWS, AckPage, Adapter, Json, Page, RawRow, RowFault, RowKind, SourceError
from adapters.facts import SourceFacts
from adapters.orders import upsert
from adapters.tables import SKEW_SECONDS, Ordered, Tables, named, raw_rows, text_of
from adapters.window import Place, Window

ACKS_LIMIT = 1_000
UNDATED_ROWS, UNNAMED_ROWS = 500, 100
BUSY_SECONDS = 10
BY_KEY: tuple[RowKind, ...] = ("relief", "penalty")
"""The order in which rows without a time are read: relief first."""
WAITS = {
    "sqlite": {"timeout": BUSY_SECONDS},
    "mysql": {"connect_timeout": BUSY_SECONDS, "read_timeout": 60, "write_timeout": 60},
    "mariadb": {"connect_timeout": BUSY_SECONDS, "read_timeout": 60, "write_timeout": 60},
    "postgresql": {"connect_timeout": BUSY_SECONDS},
}
REFUSED = {1044, 1045, 1142, 1143}
"""Codes of MySQL and MariaDB for an account without the right."""


class DatabaseAdapter(Adapter):
    """Tables of penalties, relief, orders and acknowledgements; their names stand on the facts page.

    Reading asks for no more than SELECT; writing touches the orders' table alone, through ``orders_url`` where the
    reading account may not write. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self, url: str, facts: SourceFacts, orders_url: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        assert facts.database is not None
        self._facts, self._names, self._clock = facts, facts.database, clock
        self._engine = _engine(url)
        self._orders = _engine(orders_url) if orders_url else self._engine
        self._tables, self._orders_table = Tables(facts), Tables(facts)

    def pull(self, cursor: Json | None) -> Page:
        """Penalties to the end, then relief in what room is left: before its finding it has nothing to do."""
        state = cursor or {}
        within = bool(state.get("within"))
        rows: list[RawRow] = []
        with self._connection(self._engine, "read") as conn:
            penalty, more = self._changed(conn, "penalty", state.get("penalty"), within, rows)
            relief, beside = state.get("relief"), state.get("beside")
            if not more:
                relief, more = self._changed(conn, "relief", relief, within, rows)
            if not more:
                beside, more = self._undated(conn, beside, rows)
            if not more:
                rows += self._unnamed(conn)
        following = {"penalty": penalty, "relief": relief, "beside": beside, "within": more}
        return Page(rows, following, more)

    def push(self, rows: Sequence[Json]) -> str:
        """Bring the orders' table to these rows in one transaction: all of them are there, or none is."""
        if rows:
            with self._connection(self._orders, "write orders into") as conn:
                upsert(conn, self._orders_table.get(conn, self._names.orders), rows)
        return ""

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """Acknowledgements behind a running number; one that is committed late under an earlier number is met too."""
        name = self._names.acknowledgements
        window = Window(cursor or None, self._clock(), self._names.late_seconds + SKEW_SECONDS)
        with self._connection(self._engine, "read acknowledgements of") as conn:
            acks = Ordered(self._tables.get(conn, name), self._names.number, None, self._facts)
            self._look_back(conn, acks, window)
            query = select(acks.table).where(acks.behind(window.reached)).order_by(*acks.order()).limit(ACKS_LIMIT)
            if window.until is not None:
                query = query.where(acks.up_to(window.until))
            names = [column.key for column in acks.table.columns]
            found = [dict(zip(names, map(text_of, row), strict=True)) for row in conn.execute(query)]
        numbers = [fields[self._names.number] for fields in found]
        lines = [(f"{name}:{number}", fields) for number, fields in zip(numbers, found, strict=True)]
        rows, faults = read_acks(lines, self._facts)
        window.take([Place(number, "") for number in numbers])
        full = len(found) == ACKS_LIMIT or window.pass_on()
        return AckPage(rows, window.state(full), full, faults)

    def close(self) -> None:
        """Close the pools of connections."""
        self._engine.dispose()
        self._orders.dispose()

    def _changed(
        self, conn: Connection, kind: RowKind, state: Json | None, within: bool, rows: list[RawRow]
    ) -> tuple[Json | None, bool]:
        """Put rows behind the state into ``rows``; the state behind them, and whether there are more.

        A kind that was read to its end waits for the round to end.
        """
        window = Window(state, self._clock(), self._names.late_seconds + SKEW_SECONDS)
        if within and state and not window.within:
            return state, False
        ordered = self._ordered(conn, kind)
        self._look_back(conn, ordered, window)
        full, stamp = False, self._facts.columns.updated
        while not full:
            fresh = self._after(conn, kind, ordered, window, PAGE_ROWS - len(rows))
            if full := len(rows) + len(fresh) == PAGE_ROWS:
                fresh = _whole_groups(fresh, lambda row: (row.fields[stamp], row.key.casefold()))
            rows += fresh
            window.take([Place(row.fields[stamp], row.key) for row in fresh])
            if not full and not window.pass_on():
                break
        return window.state(full), full

    def _after(self, conn: Connection, kind: RowKind, ordered: Ordered, window: Window, room: int) -> list[RawRow]:
        """Rows of the window's part behind the place reached."""
        query = select(ordered.table).where(
            ordered.dated(self._clock()), self._named(ordered), ordered.behind(window.reached)
        )
        if window.until is not None:
            query = query.where(ordered.up_to(window.until))
        found = conn.execute(query.order_by(*ordered.order()).limit(room)).all()
        return raw_rows(kind, ordered.table, self._facts.columns.row, found)

    def _look_back(self, conn: Connection, ordered: Ordered, window: Window) -> None:
        """At the start of a round: whether the stretch read last is as it was."""
        if window.within or window.reached is None:
            return
        query = select(*ordered.order()).where(ordered.behind(window.start), ordered.up_to(window.reached))
        if ordered.key is not None:
            query = query.where(ordered.dated(self._clock()), named(ordered.key))
        window.look_back(Place(text_of(row[0]), text_of(row[1]) if len(row) > 1 else "") for row in conn.execute(query))

    def _undated(self, conn: Connection, at: Json | None, rows: list[RawRow]) -> tuple[Json | None, bool]:
        """Put rows without a time into ``rows``, by key behind ``{"kind", "id"}``, which is None before and behind all.

        They are read again with every pull, since nothing else shows that one of them was changed.
        """
        for kind in BY_KEY[BY_KEY.index(at["kind"]) :] if at else BY_KEY:
            ordered = self._ordered(conn, kind)
            by_key = Ordered(ordered.table, self._facts.columns.row, None, self._facts)
            after = Place(at["id"], "") if at and at["kind"] == kind else None
            query = select(ordered.table).where(
                ordered.undated(self._clock()), self._named(ordered), by_key.behind(after)
            )
            found = conn.execute(query.order_by(*by_key.order()).limit(UNDATED_ROWS)).all()
            taken = raw_rows(kind, ordered.table, self._facts.columns.row, found)
            if len(taken) == UNDATED_ROWS:
                rows += _whole_groups(taken, lambda row: row.key.casefold())
                return {"kind": kind, "id": rows[-1].key}, True
            rows += taken
        return None, False

    def _unnamed(self, conn: Connection) -> list[RawRow]:
        """Some of the rows without a key that can name them: shown as faults until they are mended."""
        rows: list[RawRow] = []
        sentence = "The row's key is empty or longer than 200 characters; the source must give it one."
        for kind in BY_KEY:
            ordered = self._ordered(conn, kind)
            assert ordered.key is not None
            query = select(ordered.table).where(ordered.key.is_(None) | not_(named(ordered.key))).limit(UNNAMED_ROWS)
            rows += raw_rows(kind, ordered.table, self._facts.columns.row, conn.execute(query).all())
        for row in rows:
            row.fault = RowFault(self._facts.columns.row, "missing", sentence)
        return rows

    def _ordered(self, conn: Connection, kind: RowKind) -> Ordered:
        """The table of a kind of row, by its time of change and its key."""
        name = self._names.penalties if kind == "penalty" else self._names.relief
        return Ordered(self._tables.get(conn, name), self._facts.columns.updated, self._facts.columns.row, self._facts)

    @contextmanager
    def _connection(self, engine: Engine, doing: str) -> Iterator[Connection]:
        """One transaction; what the database says comes out as a sentence, without its text: it quotes rows."""
        path = engine.url.database
        if engine.dialect.name == "sqlite" and not (path and Path(path).is_file()):
            raise SourceError("The front database file is not there; it is looked for again.", transient=True)
        try:
            with engine.begin() as conn:
                yield conn
        except NoSuchTableError as error:
            sentence = f"The front database has no table {error}; it must be made, or the grants given."
            raise SourceError(sentence, transient=False) from None
        except KeyError as error:
            self._forget()
            sentence = f"A table of the front database has no column {error}; a person must look."
            raise SourceError(sentence, transient=False) from None
        except SQLAlchemyError as error:
            self._forget()
            raise _narrowed(error, doing) from None

    def _forget(self) -> None:
        self._tables.forget()
        self._orders_table.forget()

    @staticmethod
    def _named(ordered: Ordered) -> ColumnElement[bool]:
        assert ordered.key is not None
        return named(ordered.key)


def _narrowed(error: SQLAlchemyError, doing: str) -> SourceError:
    """What the database said, by the class or number of its error alone."""
    cause = getattr(error, "orig", None) or error
    code = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    named = f"{type(cause).__name__}{f' {code}' if code else ''}"
    if code in REFUSED or getattr(cause, "sqlstate", None) in ("42501", "28000", "28P01"):
        sentence = f"The front database refused the node's account ({named}); nothing was kept of this step."
        return SourceError(f"{sentence} `syncd adapter ddl` shows the grants it needs.", transient=False)
    sentence = f"The node could not {doing} the front database ({named}); nothing was kept of this step."
    return SourceError(sentence, transient=isinstance(error, DBAPIError))


def _engine(url: str) -> Engine:
    try:
        waits = WAITS.get(make_url(url).get_backend_name(), {})
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=waits)
    except (ArgumentError, ImportError):
        sentence = "The front database's URL is not one SQLAlchemy can open (or its driver is not installed)."
        raise SourceError(sentence, transient=False) from None


def _whole_groups(rows: list[RawRow], place: Callable[[RawRow], object]) -> list[RawRow]:
    """The page without its last place in the order, which may go on behind the page: a key need not be unique."""
    last, end = place(rows[-1]), len(rows)
    while end and place(rows[end - 1]) == last:
        end -= 1
    return rows[:end] or rows
