"""Tables of a front database 前置库 as they are there: names in any case, stamps as times or as text, keys of any type.

A text column of stamps has no order but its own: ``2026/11/5`` sorts behind ``2026-11-22``. So only stamps written
as the facts page says (``database.stamp``), or as its beginning, take part in the order; all others count as undated.
So does a stamp of the future, behind which every row to come would be hidden.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    Table,
    and_,
    bindparam,
    func,
    not_,
    or_,
)
from sqlalchemy.sql.operators import ge
from sqlalchemy.types import TypeEngine

from adapters import acks, columns, relief
from adapters.base import Json, RawRow, RowKind
from adapters.facts import SourceFacts
from adapters.times import written_like
from adapters.window import Place

KEY_LENGTH = 200
SKEW_SECONDS = 60.0
"""How far the front database's clock may be ahead of ours."""
_FIRST = dt.datetime(1900, 1, 1)
_DAY_LENGTH = re.compile(r"9{8}|9{4}[-/.]99[-/.]99", re.ASCII)


class Tables:
    """The tables of one source, looked up once; ``forget`` after an error, so that a changed table is seen."""

    def __init__(self, facts: SourceFacts) -> None:
        names = [*facts.columns.own, *facts.columns.aliases, *facts.columns.ignored]
        names += [*facts.push, *relief.COLUMNS, *acks.COLUMNS]
        names += [name for column in columns.COLUMNS for name in (column.code, *column.aliases)]
        self._spelling = {name.lower(): name for name in names}
        assert facts.database is not None
        self._schema = facts.database.schema_name
        self._facts = facts
        self._known: dict[str, Table] = {}
        self._in_order: dict[str, Ordered] = {}

    def ordered(self, conn: Connection, name: str, at: str, key: str | None) -> "Ordered":
        """A table in its order, always by the same columns."""
        if name not in self._in_order:
            self._in_order[name] = Ordered(self.get(conn, name), at, key, self._facts)
        return self._in_order[name]

    def get(self, conn: Connection, name: str) -> Table:
        """A table; its columns go by the names of the facts page, however the database writes them."""
        if name not in self._known:
            listeners = [("column_reflect", self._spell)]
            self._known[name] = Table(
                name, MetaData(), autoload_with=conn, schema=self._schema, listeners=listeners, resolve_fks=False
            )
        return self._known[name]

    def forget(self) -> None:
        """Look every table up again."""
        self._known.clear()
        self._in_order.clear()

    def _spell(self, inspector: object, table: object, column: Any) -> None:
        column["key"] = self._spelling.get(column["name"].lower(), column["name"])


class Ordered:
    """A table in the order of (time of change, row key), or of one running number (``key`` None).

    Its conditions name their values, which ``values`` gives: a question is built once and asked at every tick.
    """

    def __init__(self, table: Table, at: str, key: str | None, facts: SourceFacts) -> None:
        self.table, self.facts = table, facts
        self.at: ColumnElement[Any] = table.c[at]
        self.key: ColumnElement[Any] | None = table.c[key] if key else None

    def order(self) -> list[ColumnElement[Any]]:
        """The columns of the order."""
        return [self.at] if self.key is None else [self.at, self.key]

    def behind(self, somewhere: bool = True) -> ColumnElement[bool]:
        """Rows behind the place ``after``; all of them where there is none."""
        if not somewhere:
            return self.at.is_not(None)
        at = _named("after_at", self.at)
        if self.key is None:
            behind: ColumnElement[bool] = self.at > at
            return behind
        return and_(self.at >= at, or_(self.at > at, self.key > _named("after_key", self.key)))

    def up_to(self) -> ColumnElement[bool]:
        """Rows up to the place ``until``, it included."""
        at = _named("until_at", self.at)
        if self.key is None:
            up_to: ColumnElement[bool] = self.at <= at
            return up_to
        return and_(self.at <= at, or_(self.at < at, self.key <= _named("until_key", self.key)))

    def dated(self) -> ColumnElement[bool]:
        """Rows whose stamp takes part in the order: written as agreed, and not later than ``latest``."""
        latest = self._latest(0.0)
        last = bindparam("latest", type_=self.at.type.coerce_compared_value(ge, latest))
        if isinstance(latest, dt.datetime):
            return and_(self.at.is_not(None), self.at >= _FIRST.replace(tzinfo=latest.tzinfo), self.at <= last)
        assert self.facts.database is not None
        shape: ColumnElement[Any] = self.at
        for digit in "012345678":
            shape = func.replace(shape, digit, "9")
        return and_(self.at.is_not(None), shape.in_(sorted(shapes(self.facts.database.stamp))), self.at <= last)

    def undated(self) -> ColumnElement[bool]:
        """All other rows."""
        return or_(self.at.is_(None), not_(self.dated()))

    def values(self, after: Place | None = None, until: Place | None = None, now: float | None = None) -> Json:
        """What the conditions name: two places, and the time ``now`` in seconds behind which all is future."""
        values: Json = {} if now is None else {"latest": self._latest(now)}
        for name, place in (("after", after), ("until", until)):
            if place is not None:
                values[f"{name}_at"] = value_of(place.at, self.at.type)
                values |= {} if self.key is None else {f"{name}_key": value_of(place.key, self.key.type)}
        return values

    def _latest(self, now: float) -> Any:
        """The latest stamp that is not of the future, as the column has it."""
        latest = dt.datetime.fromtimestamp(now + SKEW_SECONDS, ZoneInfo(self.facts.source.time_zone))
        if isinstance(self.at.type, DateTime | Date):
            return latest if getattr(self.at.type, "timezone", False) else latest.replace(tzinfo=None)
        assert self.facts.database is not None
        return written_like(self.facts.database.stamp, latest)


def _named(name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
    """A value to be given by name, of the type that a cursor's text has beside this column."""
    sample = "1900-01-01" if isinstance(column.type, DateTime | Date) else "0"
    return bindparam(name, type_=column.type.coerce_compared_value(ge, value_of(sample, column.type)))


def with_key(key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Rows whose key can stand in a cursor."""
    if isinstance(key.type, Integer | Numeric):
        return key.is_not(None)
    return and_(key.is_not(None), func.length(key) <= KEY_LENGTH)


def shapes(like: str) -> set[str]:
    """Shapes of stamps that sort as times together: the sample, its beginnings from the day on, and fractions."""
    whole = re.sub("[0-9]", "9", like)
    day = _DAY_LENGTH.match(whole)
    ends = [end for end in range(day.end() if day else len(whole), len(whole) + 1) if whole[end : end + 1] != "9"]
    found = {whole[:end] for end in ends if whole[end - 1] == "9"}
    return found | ({f"{whole}.{'9' * n}" for n in range(1, 10)} if re.search(r":99:99$", whole) else set())


def value_of(text: str, kind: TypeEngine[Any]) -> Any:
    """A cursor's text as the column's own type."""
    if isinstance(kind, DateTime):
        return dt.datetime.fromisoformat(text)
    if isinstance(kind, Date):
        return dt.date.fromisoformat(text)
    return int(text) if isinstance(kind, Integer) else text


def raw_rows(kind: RowKind, table: Table, key: str, found: Sequence[Any]) -> list[RawRow]:
    """Rows as they stand, every value as text."""
    names = [column.key for column in table.columns]
    rows = []
    for values in found:
        fields = {
            name: value if type(value) is str else "" if value is None else text_of(value)
            for name, value in zip(names, values, strict=True)
        }
        rows.append(RawRow(kind, fields[key], fields, table.name))
    return rows


def text_of(value: Any) -> str:
    """A value of the database as text: nothing is empty, true and false are 1 and 0, bytes are UTF-8."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, bool) else str(value)
