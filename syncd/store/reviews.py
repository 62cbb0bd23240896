"""The review book 审查登记: written before an answer is given, read when reviews are counted."""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from syncd.store.review_tables import reviews

Json = dict[str, Any]


def enter(conn: Connection, review: Json) -> int:
    """Write a review into the book; returns its number."""
    key = conn.execute(insert(reviews).values(**review)).inserted_primary_key
    return int(key[0]) if key is not None else 0


def attest(conn: Connection, review: int, statement: str) -> None:
    """Remember the SHA-256 (hex) of the statement that was signed about a review."""
    conn.execute(update(reviews).where(reviews.c.id == review).values(statement=statement))


def listing(conn: Connection, first: str, last: str, limit: int) -> list[Row[Any]]:
    """The newest reviews whose moment lies between two UTC times, the first included."""
    chosen = select(reviews).where(reviews.c.at >= first, reviews.c.at < last)
    return list(conn.execute(chosen.order_by(reviews.c.id.desc()).limit(limit)))


def by_unit(conn: Connection, first: str, last: str) -> dict[str, int]:
    """How many reviews each unit asked for between two UTC times, the first included; a batch is one review."""
    chosen = select(reviews.c.unit, func.count()).where(reviews.c.at >= first, reviews.c.at < last)
    return {unit: count for unit, count in conn.execute(chosen.group_by(reviews.c.unit))}
