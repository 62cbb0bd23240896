"""The agreement's versions 协议版本: each kept text has its digest, each adoption stands as its entry says it."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.flows.adopt import ADOPTED
from syncd.flows.bureau import day_of_text
from syncd.flows.rekey import Places, entries_at
from syncd.fsck.faults import Fault
from syncd.store import state as states
from syncd.store import versions
from syncd.store.cursors import get_cursor
from syncd.store.engine import bulk_upsert
from syncd.store.statement import execute
from syncd.store.version_tables import adoptions

Json = dict[str, Any]
_ADOPTION = ("code", "day", "body")


def check_texts(conn: Connection) -> Iterator[Fault]:
    """Each version's text is whole and has the number and digest under which it is kept."""
    for version in sorted(versions.known(conn)):
        try:
            versions.proven(conn, version)
        except Stop as error:
            yield Fault("versions", f"version {version}", "text_differs", detail=str(error)[:200])


def unreadable(conn: Connection) -> Iterator[Fault]:
    """Adoptions that cannot even be read, so that no node can be built."""
    if not versions.known(conn):
        return
    for log, idx, day, body in execute(conn, "SELECT log, idx, day, body FROM adoptions ORDER BY log, idx").fetchall():
        try:
            dt.date.fromisoformat(day)
            if not isinstance(orjson.loads(body), dict):
                raise ValueError("an adoption is an object")
        except ValueError:
            yield Fault("versions", f"adoption {log}:{idx}", "adoption_unreadable", derivable=True)


def places(conn: Connection) -> Places:
    """Where adoptions stand, by the column of their kind: it reads every log once."""
    sql = "SELECT idx FROM entries WHERE log = ? AND kind = ? ORDER BY idx"
    return {
        state.origin: {ADOPTED: [int(idx) for idx in execute(conn, sql, (state.id, ADOPTED)).scalars()]}
        for state in states.states(conn)
    }


def check_adoptions(conn: Connection, found: Places) -> Iterator[Fault]:
    """Each adoption that differs from its entry, as far as entries have been looked at for them."""
    held = {(row.log, row.idx): row._mapping for row in conn.execute(adoptions.select())}
    made = {(row["log"], row["idx"]): row for row in _made(conn, found)}
    names = {state.id: state.origin for state in states.states(conn)}
    for place in sorted(held.keys() | made.keys()):
        one, other = held.get(place), made.get(place)
        record = f"{names.get(place[0], place[0])}:{place[1]}"
        if one is None or other is None:
            yield Fault("versions", record, f"adoption_{'missing' if one is None else 'extra'}", derivable=True)
            continue
        wrong = [name for name in _ADOPTION if one[name] != other[name]]
        if wrong:
            yield Fault("versions", record, "adoption_differs", True, " ".join(wrong))


def _made(conn: Connection, found: Places) -> Iterator[Json]:
    for state in states.states(conn):
        looked = get_cursor(conn, f"adopted:{state.origin}") or "0"
        reach = min(int(looked), state.size) if looked.isascii() and looked.isdigit() else 0
        indices: Sequence[int] = found.get(state.origin, {}).get(ADOPTED, ())
        for idx, entry, body in entries_at(conn, state, [one for one in indices if one < reach], ADOPTED):
            yield {"log": state.id, "idx": idx, "code": state.owner, "day": day_of_text(entry.at).isoformat(),
                   "body": orjson.dumps(body).decode()}  # fmt: skip


def mend_adoptions(conn: Connection, found: Places) -> None:
    """Write all of them again from their entries."""
    rows = list(_made(conn, found))
    conn.execute(adoptions.delete())
    bulk_upsert(conn, adoptions, rows, ("log", "idx"), _ADOPTION)
