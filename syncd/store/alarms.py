"""Alarms 告警: what is wrong now and must be seen, kept by kind and mark, so that saying it again changes nothing.

An alarm asks nobody for a decision (that is the desk's); it stands for as long as its cause does. Facts hold codes,
counts, hashes and origins; a text that is not plain ASCII could be a name, and is left out.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from syncd.store.alarm_tables import alarms

Json = dict[str, Any]
_TEXT_LIMIT = 200


class Alarm(NamedTuple):
    """One alarm: since when (UTC) it stands, when it was last seen, and when it was cleared if it was."""

    kind: str
    mark: str
    since: str
    seen_at: str
    facts: Json
    cleared_at: str | None


def put(conn: Connection, kind: str, mark: str, facts: Mapping[str, Any], now: str) -> bool:
    """Raise an alarm, or refresh the one that stands; True if it did not stand before."""
    this = (alarms.c.kind == kind) & (alarms.c.mark == mark)
    row = conn.execute(select(alarms.c.cleared_at).where(this)).one_or_none()
    said = {"seen_at": now, "facts": orjson.dumps(plain(facts)).decode()}
    if row is None:
        conn.execute(alarms.insert().values(kind=kind, mark=mark, since=now, **said))
    elif row.cleared_at is None:
        conn.execute(alarms.update().where(this).values(**said))
    else:
        conn.execute(alarms.update().where(this).values(since=now, cleared_at=None, **said))
    return row is None or row.cleared_at is not None


def clear(conn: Connection, kind: str, marks: Collection[str], now: str) -> list[str]:
    """Clear those of ``marks`` that stand; returns them."""
    gone = sorted(set(marks) & standing_marks(conn, kind))
    for mark in gone:
        conn.execute(
            alarms.update().where(alarms.c.kind == kind, alarms.c.mark == mark).values(cleared_at=now, seen_at=now)
        )
    return gone


def standing_marks(conn: Connection, kind: str) -> set[str]:
    """What the standing alarms of a kind are about."""
    return set(
        conn.execute(select(alarms.c.mark).where(alarms.c.kind == kind, alarms.c.cleared_at.is_(None))).scalars()
    )


def standing(conn: Connection) -> list[Alarm]:
    """All alarms that stand, oldest first."""
    return _read(conn, select(alarms).where(alarms.c.cleared_at.is_(None)).order_by(alarms.c.since, alarms.c.mark))


def listing(conn: Connection) -> list[Alarm]:
    """All alarms ever raised, each as it was last, oldest first."""
    return _read(conn, select(alarms).order_by(alarms.c.since, alarms.c.mark))


def plain(value: Any) -> Any:
    """``value`` with every text that could be a name left out, and long ones cut."""
    if isinstance(value, str):
        return value[:_TEXT_LIMIT] if value.isascii() else "…"
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(one) for one in value]
    return value


def _read(conn: Connection, query: Any) -> list[Alarm]:
    return [
        Alarm(row.kind, row.mark, row.since, row.seen_at, orjson.loads(row.facts), row.cleared_at)
        for row in conn.execute(query)
    ]
