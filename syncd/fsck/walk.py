"""Rows of a table in the order of their keys, some at a time, and two such walks side by side, in the same memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, select

Row = Mapping[str, Any]
_AT_ONCE: Final = 1_000


def rows_of(conn: Connection, table: Table, keys: Sequence[str], *where: ColumnElement[bool]) -> Iterator[Row]:
    """All rows in the order of ``keys``, some at a time."""
    found = conn.execute(
        select(table).where(*where).order_by(*[table.c[name] for name in keys]),
        execution_options={"yield_per": _AT_ONCE},
    )
    names = [str(name) for name in table.c.keys()]  # noqa: SIM118
    for row in found:
        yield dict(zip(names, row, strict=True))


def paired(left: Iterator[Row], right: Iterator[Row], keys: Sequence[str]) -> Iterator[tuple[Row | None, Row | None]]:
    """Both sides side by side by their keys; None where one has no such row."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in keys)

    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and key(one) < key(other)):
            yield one, None
            one = next(left, None)
        elif one is None or key(other) < key(one):
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)
