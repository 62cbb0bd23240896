"""Honours 守信荣誉 as rows, written by the batch as the logs say, read for whoever asks."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, update

from syncd.store.bulk import upsert_tuples
from syncd.store.honour_tables import honours
from syncd.store.register import fetch_among
from syncd.store.statement import execute


class Honour(NamedTuple):
    """An honour as the register knows it; ``withdrawn_on`` is the first day on which it holds no more."""

    leaf: bytes
    log: int
    idx: int
    id: str
    issuer: str
    uscc: str
    name: str
    honour: str
    number: str
    granted_on: str
    until: str
    withdrawn_on: str | None = None


class Withdrawal(NamedTuple):
    """That an honour's own log withdrew it: the honour's leaf, the log, the entry's own leaf, and from which day."""

    honour: bytes
    log: int
    by: bytes
    from_day: str


_HONOUR = f"SELECT {', '.join(Honour._fields)} FROM honours"


def add(conn: Connection, rows: Sequence[Honour], withdrawals: Sequence[Withdrawal]) -> None:
    """Put what was granted, then what was withdrawn; the earliest withdrawal holds; reading again changes nothing."""
    upsert_tuples(conn, honours, Honour._fields, list({row.leaf: row for row in rows}.values()), ("leaf",), ())
    if withdrawals:
        earlier = or_(honours.c.withdrawn_on.is_(None), honours.c.withdrawn_on > bindparam("from_day"))
        conn.execute(
            update(honours)
            .where(honours.c.leaf == bindparam("of"), honours.c.log == bindparam("its"), earlier)
            .values(withdrawn_on=bindparam("from_day"), withdrawn=bindparam("entry")),
            [{"of": one.honour, "its": one.log, "entry": one.by, "from_day": one.from_day} for one in withdrawals],
        )


def of(conn: Connection, usccs: Collection[str] | None = None) -> dict[str, list[Honour]]:
    """Honours by organisation, oldest first; ``None`` reads all."""
    rows = execute(conn, _HONOUR).fetchall() if usccs is None else fetch_among(conn, _HONOUR, "uscc", usccs)
    grouped: dict[str, list[Honour]] = {}
    for row in sorted((Honour(*row) for row in rows), key=lambda one: (one.log, one.idx)):
        grouped.setdefault(row.uscc, []).append(row)
    return grouped


def one(conn: Connection, leaf: bytes) -> Honour | None:
    """An honour by its leaf."""
    rows = execute(conn, f"{_HONOUR} WHERE leaf = ?", (leaf,)).fetchall()
    return Honour(*rows[0]) if rows else None
