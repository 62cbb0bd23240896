"""Rows that no cursor meets, because their stamp takes no part in the order or their key cannot name them.

They are read by their key, all of them at each look, relief first: no row waits for its stamp. Where that takes the
source long, looks are spared (``sparing``), and such a row is met at the next one that is not. A row without a key has
no name; it is shown as a fault until it is mended.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table, not_, select

from adapters.base import Json, RawRow, RowFault, RowKind
from adapters.facts import SourceFacts
from adapters.tables import Ordered, raw_rows, with_key
from adapters.window import Place

UNDATED_ROWS, UNNAMED_ROWS = 500, 100
BY_KEY: tuple[RowKind, ...] = ("relief", "penalty")
"""The order in which rows without a time are read: relief first."""

Find = Callable[[Connection, RowKind], Ordered]
"""The table of a kind of row, in its order."""


def undated_rows(
    conn: Connection, find: Find, facts: SourceFacts, now: float, at: Json | None, rows: list[RawRow]
) -> tuple[Json | None, bool]:
    """Put rows without a time into ``rows``, by key behind ``{"kind", "id"}``, which is None before and behind all.

    They are read again with every pull, since nothing else shows that one of them was changed. ``now`` in seconds.
    """
    key = facts.columns.row
    for kind in BY_KEY[BY_KEY.index(at["kind"]) :] if at else BY_KEY:
        ordered = find(conn, kind)
        by_key = Ordered(ordered.table, key, None, facts)
        after = Place(at["id"], "") if at and at["kind"] == kind else None
        query = _undated(ordered, key, after is not None)
        found = conn.execute(query, ordered.values(now=now) | by_key.values(after)).all()
        taken = raw_rows(kind, ordered.table, key, found)
        if len(taken) == UNDATED_ROWS:
            rows += whole_groups(taken, lambda row: row.key.casefold())
            return {"kind": kind, "id": rows[-1].key}, True
        rows += taken
    return None, False


def unnamed_rows(conn: Connection, find: Find, facts: SourceFacts) -> list[RawRow]:
    """Some of the rows without a key that can name them: shown as faults until they are mended."""
    rows: list[RawRow] = []
    sentence = "The row's key is empty or longer than 200 characters; the source must give it one."
    for kind in BY_KEY:
        table = find(conn, kind).table
        rows += raw_rows(kind, table, facts.columns.row, conn.execute(_unnamed(table, facts.columns.row)).all())
    for row in rows:
        row.fault = RowFault(facts.columns.row, "missing", sentence)
    return rows


@lru_cache(16)
def _undated(ordered: Ordered, key: str, somewhere: bool) -> Select[Any]:
    by_key = Ordered(ordered.table, key, None, ordered.facts)
    wanted = (ordered.undated(), with_key(ordered.table.c[key]), by_key.behind(somewhere))
    return select(ordered.table).where(*wanted).order_by(*by_key.order()).limit(UNDATED_ROWS)


@lru_cache(16)
def _unnamed(table: Table, name: str) -> Select[Any]:
    key = table.c[name]
    return select(table).where(key.is_(None) | not_(with_key(key))).limit(UNNAMED_ROWS)


def whole_groups(rows: list[RawRow], place: Callable[[RawRow], object]) -> list[RawRow]:
    """The page without its last place in the order, which may go on behind the page: a key need not be unique."""
    last, end = place(rows[-1]), len(rows)
    while end and place(rows[end - 1]) == last:
        end -= 1
    return rows[:end] or rows
