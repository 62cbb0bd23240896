"""The state row of each log (日志状态): how far it is held, and what keeps one writer per log.

``target`` and ``settled`` carry LEDGER §6's rule that catching up never imposes what is already relieved:
the sender's newest checkpoint is the target; findings below it wait until it is held; then it is settled and
the next is taken.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.store.statement import execute

_COLUMNS = "id, origin, owner, own, size, last_at, target, settled, stop, stop_bytes, stop_at, agreement"


class LogState(NamedTuple):
    """One log as held: ``size`` entries, the last one recorded ``last_at`` (own logs only).

    ``settled``: findings with a smaller index may be imposed. ``stop``: size at the last stop,
    ``stop_bytes``: leaves and disclosures since then, ``stop_at``: when it was made. ``agreement``: the tag
    that new entries carry.
    """

    id: int
    origin: str
    owner: str
    own: bool
    size: int
    last_at: str | None
    target: int
    settled: int
    stop: int
    stop_bytes: int
    stop_at: str | None
    agreement: str | None


def ensure(conn: Connection, origin: str, owner: str, own: bool, agreement: str | None = None) -> LogState:
    """Return the state of a log, making it with size 0 if it is new; ``owner`` is a member's code.

    A given ``agreement`` replaces the tag (``<id>@<version>#<hex16>``) that new entries carry. Raises Stop
    if the log is known as another member's.
    """
    execute(
        conn,
        "INSERT INTO logs (origin, owner, own, size, target, settled, stop, stop_bytes) "
        "VALUES (?, ?, ?, 0, 0, 0, 0, 0) ON CONFLICT (origin) DO NOTHING",
        (origin, owner, own),
    )
    if agreement is not None:
        execute(conn, "UPDATE logs SET agreement = ? WHERE origin = ?", (agreement, origin))
    held = state(conn, origin)
    if (held.owner, held.own) != (owner, own):
        raise Stop(
            f"The log {origin} is stored as that of {held.owner}, but now called that of {owner}. Nothing "
            "was changed. Compare the agreement's members with the settings of this node."
        )
    return held


def state(conn: Connection, origin: str) -> LogState:
    """The state of a log. Raises Stop if this node does not hold it; ask ``find`` where that is no fault."""
    held = find(conn, origin)
    if held is None:
        raise Stop(f"The store holds no log {origin}. Nothing was changed. Check the agreement's members.")
    return held


def find(conn: Connection, origin: str) -> LogState | None:
    """The state of a log, or None."""
    row = execute(conn, f"SELECT {_COLUMNS} FROM logs WHERE origin = ?", (origin,)).one_or_none()
    return None if row is None else _read(row)


def states(conn: Connection) -> list[LogState]:
    """The state of every log, own ones first, then in the order in which they were made."""
    return [_read(row) for row in execute(conn, f"SELECT {_COLUMNS} FROM logs ORDER BY own DESC, id")]


def advance(conn: Connection, old: LogState, new: LogState) -> None:
    """Store ``new`` if the log still stands as ``old`` says. Raises Stop if somebody else moved it.

    Two writers on one log would sign two histories; this is the last line that prevents it, behind the locks.
    """
    moved = execute(
        conn,
        "UPDATE logs SET size = ?, last_at = ?, target = ?, settled = ?, stop = ?, stop_bytes = ?, stop_at "
        "= ? "
        "WHERE id = ? AND size = ? AND stop = ?",
        (*_moving(new), old.id, old.size, old.stop),
    )
    if moved.rowcount != 1:
        raise Stop(
            f"Another process moved the log {old.origin} beyond {old.size} entries meanwhile. Nothing was "
            "kept. One node has one daemon: stop the other before this one goes on."
        )


def settle(target: int, settled: int, size: int, newest: int) -> tuple[int, int]:
    """Return (target, settled) once ``size`` entries are held and the sender's newest checkpoint is ``newest``."""
    if size < target:
        return target, settled
    settled, target = max(settled, target), max(target, newest)
    return target, target if size >= target else settled


def _moving(new: LogState) -> Sequence[Any]:
    return (new.size, new.last_at, new.target, new.settled, new.stop, new.stop_bytes, new.stop_at)


def _read(row: Any) -> LogState:
    held = LogState(*row)
    return held._replace(own=bool(held.own))
