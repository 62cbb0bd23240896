"""The register 登记 and the outbox made again from the logs, in a scratch database, and compared row by row.

Only what has been recognised is compared: entries behind a stage's cursor are still to come. Both sides are read in
the order of their keys, so that memory stays the same at any size. What a person has released, and until which day a
home system was told, stands in no log; it is left as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, Table, and_, bindparam, select

from syncd.flows.bureau import Bureau
from syncd.flows.replay import RUN, replay
from syncd.fsck.faults import Fault, Told
from syncd.fsck.walk import Row, paired, rows_of
from syncd.store import erased
from syncd.store.bulk import bulk_insert
from syncd.store.cursors import get_cursor
from syncd.store.engine import Store
from syncd.store.honour_tables import honours
from syncd.store.honours import Honour
from syncd.store.register import Finding
from syncd.store.register_tables import deliveries, findings, relief_events, responses
from syncd.store.source_tables import amendments
from syncd.store.state import LogState
from syncd.store.tables import logs

_RUN: Final = 16 * RUN


class Kind(NamedTuple):
    """A table that is compared: which columns make a row, which are compared, and what a mended row keeps."""

    part: str
    name: str
    table: Table
    keys: Sequence[str]
    compared: Sequence[str]
    kept: Sequence[str] = ()


KINDS: Final = (
    Kind("register", "finding", findings, ("leaf",), Finding._fields[1:]),
    Kind("register", "relief", relief_events, ("leaf",), ("finding", "kind", "log", "idx", "effective_from", "clears")),
    Kind("register", "response", responses, ("finding", "region"),
         ("kind", "counter", "body", "leaf", "id", "log", "idx", "at", "imposed", "imposed_leaf"),
         ("released_by", "since", "stopped_on")),
    Kind("register", "honour", honours, ("leaf",), [*Honour._fields[1:], "withdrawn"]),
    Kind("register", "amendment", amendments, ("log", "idx"), ("finding", "fields")),
    Kind("outbox", "delivery", deliveries, ("finding",), ("counter", "active", "measures")),
)  # fmt: skip


@dataclass
class Scratch:
    """A register in a database of its own, and how far each log has been read into it."""

    store: Store
    read: dict[str, int] = field(default_factory=dict)


@contextmanager
def rebuilt(bureau: Bureau, told: Told) -> Iterator[Scratch]:
    """The register that the logs lead to, in a database that is gone afterwards.

    Entries never change, so each run of them is read for itself: a daemon beside is not held up by one long reading.
    """
    with TemporaryDirectory(prefix="syncd-fsck-") as folder:
        made = Scratch(Store.open(f"sqlite:///{Path(folder) / 'register.db'}"))
        try:
            made.store.upgrade()
            with bureau.store.read() as conn:
                states = bureau.logs.states(conn)
                reach = {state.origin: _reach(conn, state) for state in states}
            for state in states:
                while made.read.get(state.origin, 0) < reach[state.origin]:
                    with bureau.store.read() as conn:
                        _grow(bureau, conn, made, state, reach[state.origin], told)
            yield made
        finally:
            made.store.close()


def catch_up(bureau: Bureau, conn: Connection, made: Scratch, told: Told) -> None:
    """Read what has come meanwhile, as far as ``conn`` sees it: what is compared then is of one moment."""
    for state in bureau.logs.states(conn):
        while made.read.get(state.origin, 0) < _reach(conn, state):
            _grow(bureau, conn, made, state, _reach(conn, state), told)


def _grow(bureau: Bureau, conn: Connection, made: Scratch, state: LogState, reach: int, told: Told) -> None:
    start = made.read.get(state.origin, 0)
    stop = min(start + _RUN, reach)
    with made.store.write() as writing:
        if start == 0:
            row = conn.execute(select(logs).where(logs.c.id == state.id)).one()
            writing.execute(logs.insert().values(**row._mapping))
        replay(bureau, conn, writing, state, start, stop)
    made.read[state.origin] = stop
    told("register 登记", stop - start)


def _reach(conn: Connection, state: LogState) -> int:
    """How far a log has been recognised here; what this node said itself is in the register at once."""
    return state.size if state.own else min(state.size, int(get_cursor(conn, f"recognise:{state.origin}") or 0))


def _answered(conn: Connection, state: LogState) -> int:
    return state.size if state.own else int(get_cursor(conn, f"answers:{state.origin}") or 0)


def compare(bureau: Bureau, conn: Connection, scratch: Store) -> Iterator[tuple[Fault, Kind, Row | None, Row | None]]:
    """Each row that differs: the fault, its kind, the row as it is (or None) and as it should be (or None)."""
    states = {state.id: state for state in bureau.logs.states(conn)}
    reach = {state.id: _reach(conn, state) for state in states.values()}
    answered = {state.id: min(reach[state.id], _answered(conn, state)) for state in states.values()}
    gone = {one.finding for one in erased.orders(conn)}
    with scratch.read() as other:
        for kind in KINDS:
            if kind.part == "outbox" and not bureau.has_home:
                continue
            limit = answered if kind.name == "response" else reach
            for held, made in paired(
                rows_of(conn, kind.table, kind.keys), rows_of(other, kind.table, kind.keys), kind.keys
            ):
                row = held or made or {}
                if row.get("finding", row.get("leaf")) in gone or _open(row, limit):
                    continue
                fault = _judge(kind, held, made, states)
                if fault is not None:
                    yield fault, kind, held, made


def _open(row: Row, limit: Mapping[int, int]) -> bool:
    """Whether the row is of an entry that has not been recognised so far."""
    return "log" in row and row["idx"] >= limit.get(row["log"], 0)


def _judge(kind: Kind, held: Row | None, made: Row | None, states: Mapping[int, LogState]) -> Fault | None:
    row = held or made or {}
    origin = states[row["log"]].origin if row.get("log") in states else ""
    named = f"{origin}:{row['idx']}" if origin else f"{kind.name} {bytes(row[kind.keys[0]]).hex()}"
    if held is None or made is None:
        code = f"{kind.name}_{'missing' if held is None else 'extra'}"
        return Fault(kind.part, named, code, derivable=True)
    wrong = [name for name in kind.compared
             if held[name] != made[name] and _plain(name, held[name]) != _plain(name, made[name])]  # fmt: skip
    return Fault(kind.part, named, f"{kind.name}_differs", True, " ".join(wrong)) if wrong else None


def _plain(name: str, value: Any) -> Any:
    """What is compared of a value: of a body what it says, of measures all of them in whatever order.

    What was known and when it was due is left out: a region keeps its own answers without. Bytes that are no JSON any
    more are compared as they are.
    """
    try:
        if name in ("body", "imposed") and value is not None:
            said = {key: one for key, one in orjson.loads(value).items() if key not in ("knew", "due")}
            return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        if name == "measures":
            return sorted(orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in orjson.loads(value))
    except (ValueError, AttributeError, TypeError):
        return value
    return bytes(value) if isinstance(value, memoryview) else value


def mend(conn: Connection, wrong: Sequence[tuple[Kind, Row | None, Row | None]]) -> None:
    """Make these rows what the logs say; a delivery is told to the home system again."""
    for kind in KINDS:
        of_kind = [(held, made) for one, held, made in wrong if one.name == kind.name]
        gone = [held for held, _ in of_kind if held is not None]
        if gone:
            same = and_(*[kind.table.c[name] == bindparam(f"of_{name}") for name in kind.keys])
            conn.execute(
                kind.table.delete().where(same), [{f"of_{key}": row[key] for key in kind.keys} for row in gone]
            )
        bulk_insert(conn, kind.table, [_mended(kind, held, made) for held, made in of_kind if made is not None])


def _mended(kind: Kind, held: Row | None, made: Row) -> Row:
    values = dict(made)
    if held is not None:
        values |= {name: held[name] for name in kind.kept}
    if kind.part == "outbox":
        values |= {"state": "pending", "acknowledged": "{}"}
    return values
