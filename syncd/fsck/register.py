"""The register 登记 and the outbox made again from the logs, in a scratch database, and compared row by row.

Only what has been recognised is compared: entries behind a stage's cursor are still to come. Both sides are read in
the order of their keys, so that memory stays the same at any size. What a person has released, and until which day a
home system was told, stands in no log; it is left as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, Table, select

from syncd.flows.bureau import Bureau
from syncd.flows.replay import RUN, replay
from syncd.fsck.faults import Fault, Told
from syncd.store import erased
from syncd.store.cursors import get_cursor
from syncd.store.engine import Store
from syncd.store.register import Finding
from syncd.store.register_tables import deliveries, findings, relief_events, responses
from syncd.store.state import LogState
from syncd.store.tables import logs

Row = Mapping[str, Any]
PARTS: Final = ("register", "outbox")


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
         ("kind", "counter", "leaf", "id", "log", "idx", "at", "imposed_leaf"), ("released_by", "since", "stopped_on")),
    Kind("outbox", "delivery", deliveries, ("finding",), ("counter", "active", "measures")),
)  # fmt: skip


@contextmanager
def rebuilt(bureau: Bureau, conn: Connection, told: Told) -> Iterator[Store]:
    """The register that the logs lead to, in a database of its own that is gone afterwards."""
    with TemporaryDirectory(prefix="syncd-fsck-") as folder:
        scratch = Store.open(f"sqlite:///{Path(folder) / 'register.db'}")
        try:
            scratch.upgrade()
            states = bureau.logs.states(conn)
            with scratch.write() as writing:
                for row in conn.execute(select(logs)):
                    writing.execute(logs.insert().values(**row._mapping))
            for state in states:
                for start in range(0, _reach(conn, state), RUN):
                    stop = min(start + RUN, _reach(conn, state))
                    with scratch.write() as writing:
                        replay(bureau, conn, writing, state, start, stop)
                    told("register 登记", stop - start)
            yield scratch
        finally:
            scratch.close()


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
            for held, made in _paired(_rows(conn, kind), _rows(other, kind), kind.keys):
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
    wrong = [name for name in kind.compared if _plain(name, held[name]) != _plain(name, made[name])]
    return Fault(kind.part, named, f"{kind.name}_differs", True, " ".join(wrong)) if wrong else None


def _plain(name: str, value: Any) -> Any:
    """What is compared of a value: of a body what it says, of measures all of them in whatever order."""
    if name == "body":
        return orjson.dumps(orjson.loads(value), option=orjson.OPT_SORT_KEYS)
    if name == "measures":
        return sorted(orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in orjson.loads(value))
    return bytes(value) if isinstance(value, memoryview) else value


def _rows(conn: Connection, kind: Kind) -> Iterator[Row]:
    """All rows in the order of their keys, some at a time."""
    columns = [kind.table.c[name] for name in kind.keys]
    found = conn.execute(select(kind.table).order_by(*columns), execution_options={"yield_per": 1_000})
    for row in found:
        yield {str(name): value for name, value in row._mapping.items()}


def _paired(left: Iterator[Row], right: Iterator[Row], keys: Sequence[str]) -> Iterator[tuple[Row | None, Row | None]]:
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


def mend(conn: Connection, kind: Kind, held: Row | None, made: Row | None) -> None:
    """Make a row what the logs say; a delivery is told to the home system again."""
    row = held or made or {}
    conn.execute(kind.table.delete().where(*[kind.table.c[name] == row[name] for name in kind.keys]))
    if made is None:
        return
    values = dict(made)
    if held is not None:
        values |= {name: held[name] for name in kind.kept}
    if kind.part == "outbox":
        values |= {"state": "pending", "acknowledged": "{}"}
    conn.execute(kind.table.insert().values(**values))
