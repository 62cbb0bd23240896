"""Jobs 任务: what a command asks of the running daemon, kept in the store so that nothing asked is lost.

A job is done once: the daemon marks it in the same transaction as its effect.
"""

from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from syncd.store.register_tables import jobs

Json = dict[str, Any]


def ask(conn: Connection, kind: str, args: Json, asked_by: str, now: str) -> int:
    """Queue a job; returns its number."""
    values = {"kind": kind, "args": orjson.dumps(args).decode(), "state": "queued"}
    result = conn.execute(insert(jobs).values(**values, asked_by=asked_by, asked_at=now))
    key = result.inserted_primary_key
    return int(key[0]) if key is not None else 0


def queued(conn: Connection) -> list[Row[Any]]:
    """Jobs to do, oldest first."""
    return list(conn.execute(select(jobs).where(jobs.c.state == "queued").order_by(jobs.c.id)))


def finish(conn: Connection, job: int, state: str, result: Json, now: str) -> None:
    """Mark a job ``done`` or ``failed`` with what it has to say."""
    conn.execute(
        update(jobs).where(jobs.c.id == job).values(state=state, result=orjson.dumps(result).decode(), done_at=now)
    )


def newest(conn: Connection, count: int | None) -> list[Row[Any]]:
    """The newest jobs, all with ``None``; oldest first."""
    return list(conn.execute(select(jobs).order_by(jobs.c.id.desc()).limit(count)))[::-1]


def of_item(conn: Connection, item: int) -> list[Row[Any]]:
    """What persons have done with an item of the desk, oldest first."""
    done = select(jobs).where(jobs.c.kind.like("desk.%"), jobs.c.state == "done").order_by(jobs.c.id)
    return [row for row in conn.execute(done) if orjson.loads(row.args)["item"] == item]


def one(conn: Connection, job: int) -> Row[Any] | None:
    """A job by its number."""
    return conn.execute(select(jobs).where(jobs.c.id == job)).one_or_none()
