"""The desk 工作台: what needs a person. One row for each cause, never the text of a source row.

``mark`` names the thing (a source row, a finding, an entry), so that the same fault seen again is the same item and
a cause that has gone clears its item by itself. A closed item that comes back opens again.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, select, update

from syncd.store.engine import bulk_upsert
from syncd.store.register_tables import desk
from syncd.store.statement import among, chunks, execute

Json = dict[str, Any]
_OPEN: Json = {"state": "open", "closed_by": None, "ground": None, "closed_at": None}


def put(conn: Connection, items: Sequence[Json], now: str) -> None:
    """Open items, or refresh those already there.

    Each item: ``kind``, ``mark``, ``reason`` and ``facts`` (codes and keys only). An item a person has released or
    refused stays as decided, unless ``anew`` says that it has happened again; one that cleared itself opens again.
    """
    if not items:
        return
    decided = _decided(conn, {item["mark"] for item in items})
    rows = {
        (item["kind"], item["mark"]): {
            "kind": item["kind"],
            "mark": item["mark"],
            "reason": item["reason"],
            "facts": orjson.dumps(item["facts"]).decode(),
            "opened_at": now,
            **_OPEN,
        }
        for item in items
        if item.get("anew") or (item["kind"], item["mark"], item["reason"]) not in decided
    }
    bulk_upsert(conn, desk, list(rows.values()), ("kind", "mark"), ("reason", "facts", *_OPEN))


def _decided(conn: Connection, marks: Collection[str]) -> set[tuple[str, str, str]]:
    decided = select(desk.c.kind, desk.c.mark, desk.c.reason).where(desk.c.state.in_(["released", "refused"]))
    found = [row for some in chunks(marks) for row in conn.execute(decided.where(desk.c.mark.in_(some)))]
    return {(kind, mark, reason) for kind, mark, reason in found}


def clear(conn: Connection, kind: str, marks: Collection[str], now: str) -> None:
    """Close items whose cause is gone, without a person."""
    for some in chunks(marks):
        conn.execute(
            update(desk)
            .where(desk.c.kind == kind, desk.c.mark.in_(some), desk.c.state == "open")
            .values(state="cleared", closed_at=now)
        )


def begin_files(conn: Connection, source: str, files: Collection[str], now: str) -> None:
    """Files that are read from their beginning: what was in quarantine of them is over, until it is said again.

    A fault of a file is marked by where it stood: the file, or behind it a line, sheet or member.
    """
    names, start = set(files), len(source) + 1
    marks = [mark for mark in open_marks(conn, "quarantine") if mark.startswith(f"{source}/")] if names else []
    over = [
        mark for mark in marks
        if mark[start:] in names or any(mark[start:at] in names for at in range(start, len(mark)) if mark[at] in ":[/")
    ]  # fmt: skip
    clear(conn, "quarantine", over, now)


def decide(conn: Connection, item: int, state: str, account: str, ground: str, now: str) -> None:
    """A person has released or refused an item; ``account`` is a number, ``ground`` a code."""
    conn.execute(
        update(desk).where(desk.c.id == item).values(state=state, closed_by=account, ground=ground, closed_at=now)
    )


def facts_of(item: Row[Any]) -> Json:
    """The facts of an item as they were given."""
    facts: Json = orjson.loads(item.facts)
    return facts


def open_again(conn: Connection, item: int) -> None:
    """What a person decided is a question again."""
    conn.execute(update(desk).where(desk.c.id == item).values(_OPEN))


def state_facts(conn: Connection, item: int, facts: Json) -> None:
    """Replace the facts of an item; codes and keys only."""
    conn.execute(update(desk).where(desk.c.id == item).values(facts=orjson.dumps(facts).decode()))


def of_kind(conn: Connection, kind: str) -> list[Row[Any]]:
    """All items of a kind, whatever their state, oldest first."""
    return list(conn.execute(select(desk).where(desk.c.kind == kind).order_by(desk.c.id)))


def one(conn: Connection, item: int) -> Row[Any] | None:
    """An item by its number."""
    return conn.execute(select(desk).where(desk.c.id == item)).one_or_none()


def listing(conn: Connection, state: str | None = "open") -> list[Row[Any]]:
    """Items in a state (all with ``None``), oldest first."""
    query = select(desk).order_by(desk.c.id)
    return list(conn.execute(query if state is None else query.where(desk.c.state == state)))


def open_marks(conn: Connection, kind: str) -> set[str]:
    """What the open items of a kind are about."""
    return {row[0] for row in execute(conn, "SELECT mark FROM desk WHERE state = 'open' AND kind = ?", (kind,))}


def of_marks(conn: Connection, marks: Collection[str]) -> list[Row[Any]]:
    """Items about these things, whatever their state."""
    rows = [row for some in chunks(marks) for row in conn.execute(select(desk).where(desk.c.mark.in_(some)))]
    return sorted(rows, key=lambda row: int(row.id))


def linked_here(conn: Connection, keys: Collection[bytes]) -> set[bytes]:
    """Natural keys of another bureau's decisions of which a copy lies in this bureau's source."""
    rows = set[bytes]()
    if not execute(conn, "SELECT 1 FROM desk WHERE kind = 'linked' LIMIT 1").fetchall():
        return rows
    for some in chunks(keys):
        among_these, given = among(conn, "mark", [key.hex() for key in some])
        found = execute(conn, f"SELECT mark FROM desk WHERE kind = 'linked' AND {among_these}", given)
        rows |= {bytes.fromhex(row[0]) for row in found}
    return rows


def counts(conn: Connection) -> dict[str, int]:
    """Open items by kind."""
    query = select(desk.c.kind, func.count()).where(desk.c.state == "open").group_by(desk.c.kind)
    return {kind: count for kind, count in conn.execute(query)}
