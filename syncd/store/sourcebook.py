"""What became of each source row: its keyed hash, its finding, and when it was last seen.

The digest is an HMAC of the row, never its text. ``pass_`` numbers full readings of the source, so that a row that
was there and is gone is found by comparing passes.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, func, select

from syncd.store.bulk import upsert_tuples
from syncd.store.engine import bulk_upsert
from syncd.store.register import fetch_among
from syncd.store.register_tables import board, relief_waiting, source_rows
from syncd.store.statement import chunks

Json = dict[str, Any]


class SourceRow(NamedTuple):
    """What became of a row: its keyed hash, its finding, when the source last touched it, the reading that met it."""

    source: str
    row: str
    digest: str
    status: str
    finding: bytes | None
    updated: str
    pass_: int


_ROW = 'SELECT source, "row", digest, status, finding, updated, pass FROM source_rows'


def known(conn: Connection, source: str, rows: Collection[str]) -> dict[str, SourceRow]:
    """What is known of these rows of a source."""
    found = fetch_among(conn, _ROW, '"row"', rows, " AND source = ?", (source,))
    return {row[1]: SourceRow._make(row) for row in found}


def remember(conn: Connection, rows: Sequence[SourceRow]) -> None:
    """Store or replace what became of rows; of several about one row the last holds."""
    last = {row[:2]: row for row in rows}
    upsert_tuples(
        conn, source_rows, SourceRow._fields, list(last.values()), SourceRow._fields[:2], SourceRow._fields[2:]
    )


def unseen(conn: Connection, source: str, before: int) -> list[Row[Any]]:
    """Issued rows that a full reading no longer met: candidates for ``vanished``."""
    query = select(source_rows).where(
        source_rows.c.source == source, source_rows.c.pass_ < before, source_rows.c.status == "issued"
    )
    return list(conn.execute(query))


def met(conn: Connection, source: str, pass_: int) -> bool:
    """Whether the full reading of this number met any row that is issued."""
    query = select(source_rows.c.row).where(
        source_rows.c.source == source, source_rows.c.pass_ >= pass_, source_rows.c.status == "issued"
    )
    return conn.execute(query.limit(1)).one_or_none() is not None


def counts(conn: Connection, source: str) -> dict[str, int]:
    """Rows by what became of them."""
    query = (
        select(source_rows.c.status, func.count()).where(source_rows.c.source == source).group_by(source_rows.c.status)
    )
    return {status: count for status, count in conn.execute(query)}


def wait(conn: Connection, rows: Sequence[Json]) -> None:
    """Keep relief rows whose finding has not been seen yet."""
    updated = ("digest", "organ", "number", "uscc", "kind", "body")
    bulk_upsert(conn, relief_waiting, rows, ("source", "row"), updated)


def all_waiting(conn: Connection, source: str) -> list[Row[Any]]:
    """Relief rows that wait for their finding; there are few, for relief comes after what it relieves."""
    return list(conn.execute(select(relief_waiting).where(relief_waiting.c.source == source)))


def stop_waiting(conn: Connection, source: str, rows: Collection[str]) -> None:
    """These relief rows have met their finding."""
    for some in chunks(rows):
        conn.execute(relief_waiting.delete().where(relief_waiting.c.source == source, relief_waiting.c.row.in_(some)))


def post(conn: Connection, name: str, value: Json) -> None:
    """Put a status value on the board (last pull of a source, last contact of a peer)."""
    bulk_upsert(conn, board, [{"name": name, "value": orjson.dumps(value).decode()}], ("name",), ("value",))


def read_one(conn: Connection, name: str) -> Json:
    """One status value; empty where there is none."""
    value = conn.execute(select(board.c.value).where(board.c.name == name)).scalar_one_or_none()
    found: Json = orjson.loads(value) if value is not None else {}
    return found


def read_board(conn: Connection) -> dict[str, Json]:
    """All status values."""
    return {name: orjson.loads(value) for name, value in conn.execute(select(board))}
