"""Database mode 数据库对接 (GB/T 39443-2020, 5.6): a front database 前置库 behind any SQLAlchemy URL.

Rows are read in the order of (time of change, row key); those that share a time stand in one order, and a page may
end between them. Rows that are committed late, or appear within a time already passed, are met by the window over
what was read last (``window``). Rows that vanished show when the stages have all of them read again. Rows that have
no place in the order are read by their key (``bykey``).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, select

from adapters.acks import read_acks
from adapters.base import AckPage, Adapter, Json, Page, RawRow, RowKind
from adapters.bykey import BY_KEY, undated_rows, unnamed_rows, whole_groups
from adapters.engines import connection, open_engine
from adapters.facts import SourceFacts
from adapters.orders import upsert
from adapters.rounds import AGAIN, Rounds
from adapters.sparing import Sparing
from adapters.tables import SKEW_SECONDS, Ordered, Tables, raw_rows, text_of, with_key
from adapters.window import Place, Window

ACKS_LIMIT = 1_000


class DatabaseAdapter(Adapter):
    """Tables of penalties, relief, orders and acknowledgements; their names stand on the facts page.

    Reading asks for no more than SELECT; writing touches the orders' table alone, through ``orders_url`` where the
    reading account may not write. ``clock`` gives seconds since the epoch.
    """

    again = AGAIN

    def __init__(
        self, url: str, facts: SourceFacts, orders_url: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        assert facts.database is not None
        self._facts, self._names, self._clock = facts, facts.database, clock
        self._engine = open_engine(url)
        self._orders = open_engine(orders_url) if orders_url else self._engine
        self._tables, self._orders_table = Tables(facts), Tables(facts)
        self._rounds = Rounds(self._changed)
        self._sparing, self._sparing_acks = Sparing(clock), Sparing(clock)

    def pull(self, cursor: Json | None) -> Page:
        """Penalties and relief, each to its end (``rounds``), and behind both the rows that no cursor meets."""
        state = cursor or {}
        self._sparing.begin(state)
        beside = state.get("beside")
        rows, following, more = self._rounds.page(state)
        if not (more or self._sparing.brief):
            with self._connection(self._engine, "read") as conn:
                beside, more = undated_rows(conn, self._ordered, self._facts, self._clock(), beside, rows)
                if not more:
                    rows += unnamed_rows(conn, self._ordered, self._facts)
        if more and beside is not None:
            following["done"] = list(BY_KEY)
        following["beside"] = beside
        self._sparing.end(following, more)
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
        self._sparing_acks.begin(cursor or {})
        window = Window(cursor or None, self._clock(), self._names.late_seconds + SKEW_SECONDS)
        with self._connection(self._engine, "read acknowledgements of") as conn:
            acks = self._tables.ordered(conn, name, self._names.number, None)
            if not self._sparing_acks.brief:
                self._look_back(conn, acks, window)
            names = [column.key for column in acks.table.columns]
            lines = conn.execute(*_behind(acks, window, ACKS_LIMIT, None))
            found = [dict(zip(names, map(text_of, line), strict=True)) for line in lines]
        numbers = [fields[self._names.number] for fields in found]
        named = [(f"{name}:{number}", fields) for number, fields in zip(numbers, found, strict=True)]
        rows, faults = read_acks(named, self._facts)
        window.take([Place(number, "") for number in numbers])
        full = len(found) == ACKS_LIMIT or window.pass_on()
        following = window.state(full)
        self._sparing_acks.end(following, full)
        return AckPage(rows, following, full, faults)

    def close(self) -> None:
        """Close the pools of connections."""
        self._engine.dispose()
        self._orders.dispose()

    def _changed(self, kind: RowKind, state: Json | None, room: int) -> tuple[list[RawRow], Json | None, bool]:
        """At most ``room`` rows behind the state, the state behind them, and whether there are more."""
        window = Window(state, self._clock(), self._names.late_seconds + SKEW_SECONDS)
        rows: list[RawRow] = []
        full, stamp = False, self._facts.columns.updated
        with self._connection(self._engine, "read") as conn:
            ordered = self._ordered(conn, kind)
            if not self._sparing.brief:
                self._look_back(conn, ordered, window)
            while not full:
                fresh = self._after(conn, kind, ordered, window, room - len(rows))
                if full := len(rows) + len(fresh) == room:
                    fresh = whole_groups(fresh, lambda row: (row.fields[stamp], row.key.casefold()))
                rows += fresh
                window.take([Place(row.fields[stamp], row.key) for row in fresh])
                if not full and not window.pass_on():
                    break
        return rows, window.state(full), full

    def _after(self, conn: Connection, kind: RowKind, ordered: Ordered, window: Window, room: int) -> list[RawRow]:
        """Rows of the window's part behind the place reached."""
        found = conn.execute(*_behind(ordered, window, room, self._clock())).all()
        return raw_rows(kind, ordered.table, self._facts.columns.row, found)

    def _look_back(self, conn: Connection, ordered: Ordered, window: Window) -> None:
        """At the start of a round: whether the stretch read last is as it was."""
        if window.within or window.reached is None:
            return
        query = _stretch(ordered, window.start is not None)
        now = None if ordered.key is None else self._clock()
        found = conn.execute(query, ordered.values(window.start, window.reached, now))
        window.look_back(Place(text_of(row[0]), text_of(row[1]) if len(row) > 1 else "") for row in found)

    def _ordered(self, conn: Connection, kind: RowKind) -> Ordered:
        """The table of a kind of row, by its time of change and its key."""
        name = self._names.penalties if kind == "penalty" else self._names.relief
        return self._tables.ordered(conn, name, self._facts.columns.updated, self._facts.columns.row)

    def _connection(self, engine: Engine, doing: str) -> AbstractContextManager[Connection]:
        return connection(engine, doing, self._forget)

    def _forget(self) -> None:
        self._tables.forget()
        self._orders_table.forget()


def _behind(ordered: Ordered, window: Window, limit: int, now: float | None) -> tuple[Select[Any], Json]:
    """Ask for rows of the window's part behind the place reached, and with what values."""
    query = _part(ordered, window.reached is not None, window.until is not None, limit)
    return query, ordered.values(window.reached, window.until, now)


@lru_cache(32)
def _part(ordered: Ordered, somewhere: bool, ends: bool, limit: int) -> Select[Any]:
    wanted = [ordered.behind(somewhere), *([ordered.up_to()] if ends else [])]
    return select(ordered.table).where(*wanted, *_dated(ordered)).order_by(*ordered.order()).limit(limit)


@lru_cache(32)
def _stretch(ordered: Ordered, somewhere: bool) -> Select[Any]:
    return select(*ordered.order()).where(ordered.behind(somewhere), ordered.up_to(), *_dated(ordered))


def _dated(ordered: Ordered) -> list[ColumnElement[bool]]:
    """Where rows stand in the order of their time: those that have a time and a key that take part in it."""
    return [] if ordered.key is None else [ordered.dated(), with_key(ordered.key)]
