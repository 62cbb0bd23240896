"""What this node has cosigned as a witness 见证 of outsiders' logs: every size once, the newest of them the state."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from syncd.store.engine import bulk_upsert
from syncd.store.witness_tables import witnessed


class Cosigned(NamedTuple):
    """A cosigned checkpoint: its note as it was submitted, and the Unix seconds of the newest line under it."""

    origin: str
    size: int
    root: bytes
    note: bytes
    timestamp: int
    at: str


def newest(conn: Connection, origin: str) -> Cosigned | None:
    """The largest size cosigned of a log, or None."""
    query = select(witnessed).where(witnessed.c.origin == origin).order_by(witnessed.c.size.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return None if row is None else Cosigned(*row)


def at_size(conn: Connection, origin: str, size: int) -> Cosigned | None:
    """What was cosigned of a log at exactly that size, or None."""
    row = conn.execute(select(witnessed).where(witnessed.c.origin == origin, witnessed.c.size == size)).one_or_none()
    return None if row is None else Cosigned(*row)


def put(conn: Connection, one: Cosigned) -> None:
    """Keep what is about to be cosigned; at a size cosigned before, the first note stays and the time moves."""
    bulk_upsert(conn, witnessed, [one._asdict()], ("origin", "size"), ("timestamp",))
