"""How a node stands 运行状态: what it has read, sent, received, understood and delivered, and what waits. Read only.

Every number is read from the store in one transaction, so that they belong together; none is kept in a process, so
that the answer is the same with a daemon running and without.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.flows.alarms import shown
from syncd.flows.books import Books
from syncd.flows.bureau import day_of
from syncd.flows.erasures import summary
from syncd.ledger.entry import format_time
from syncd.store import alarms, checkpoints, cursors, desk, evidence, further_lines, jobs, outbox, quality, sourcebook
from syncd.store import state as logs
from syncd.store.state import LogState

Json = dict[str, Any]
Board = Mapping[str, Json]
_SOURCE, _STAGE = "source:", "stage:"


def status(books: Books, now: dt.datetime) -> Json:
    """The node's state at ``now`` (aware); times are UTC text, ``lag_seconds`` counts from the last pull."""
    with books.store.read() as conn:
        board = sourcebook.read_board(conn)
        states = {state.origin: state for state in logs.states(conn)}
        delivered = outbox.counts(conn)
        waiting = {name: delivered.get(name, 0) for name in ("pending", "delivered", "acknowledged")}
        peers = _peers(conn, books, board, states)
        return {
            "code": books.code,
            "name_zh": books.agreement.regions[books.code].name_zh,
            "agreement": books.agreement.tag,
            "demonstration": books.allow_candidates,
            "store": books.store.dialect,
            "at": format_time(now),
            "sources": _sources(conn, board, now),
            "peers": peers,
            "stages": _stages(conn, board, list(states.values()), peers, waiting),
            "desk": desk.counts(conn),
            "deliveries": waiting,
            "witnesses": _witnesses(conn, books.members[books.code].origin),
            "evidence": evidence.counts(conn),
            "alarms": [shown(one) for one in alarms.standing(conn)],
            "erasures": summary(books, conn, day_of(now)),
            "jobs_queued": len(jobs.queued(conn)),
        }


def _witnesses(conn: Connection, origin: str) -> list[Json]:
    """Outside witnesses of this node's log: the newest size each has countersigned, and its own Unix seconds."""
    found = further_lines.newest_outside(conn, origin)
    return [{"witness": name, "size": size, "timestamp": seconds} for name, (size, seconds) in sorted(found.items())]


def _sources_posted(board: Board) -> list[str]:
    return sorted(key.removeprefix(_SOURCE) for key in board if key.startswith(_SOURCE))


def _sources(conn: Connection, board: Board, now: dt.datetime) -> list[Json]:
    quarantined = [orjson.loads(item.facts)["source"] for item in desk.listing(conn) if item.kind == "quarantine"]
    found = []
    for name in _sources_posted(board):
        value, rows = board[_SOURCE + name], sourcebook.counts(conn, name)
        pulled = value.get("last_pull")
        found.append({
            "source": name,
            "last_pull": pulled,
            "lag_seconds": _seconds_since(pulled, now),
            "error": board.get(_STAGE + "collect", {}).get("error"),
            "rows": rows,
            "quarantined": quarantined.count(name),
            "waiting": rows.get("waiting", 0),
            "relief_waiting": len(sourcebook.all_waiting(conn, name)),
            "rows_there": value.get("rows", 0),
            "refused": value.get("refused", {}),
            "unknown_columns": value.get("unknown_columns", []),
            "totals": value.get("totals", {}),
            "last_round": value.get("last_round"),
            "quality": month[-1] if (month := quality.months(conn, name)) else None,
        })  # fmt: skip
    return found


def _seconds_since(text: str | None, now: dt.datetime) -> float | None:
    return None if text is None else round((now - dt.datetime.fromisoformat(text)).total_seconds(), 1)


def _peers(conn: Connection, books: Books, board: Board, states: Mapping[str, LogState]) -> list[Json]:
    own = books.members[books.code].origin
    entries = states[own].size if own in states else 0
    signed = checkpoints.newest(conn, own)
    countersigned = checkpoints.countersigned_by_all(conn, own)
    found = []
    for code in sorted(set(books.agreement.members) - {books.code}):
        member = books.members.get(code)
        theirs = states.get(member.origin) if member is not None else None
        sent, received = board.get(f"peer:{code}", {}), board.get(f"peer:{code}:log", {})
        contacts = [one for one in (sent.get("last_contact"), received.get("last_received")) if one]
        found.append({
            "peer": code,
            "name_zh": books.agreement.regions[code].name_zh,
            "entries": entries,
            "signed": signed.size if signed is not None else 0,
            "countersigned": countersigned.get(code, 0),
            "behind": entries - countersigned.get(code, 0),
            "held_of_theirs": theirs.size if theirs is not None else 0,
            "their_target": theirs.target if theirs is not None else 0,
            "last_contact": max(contacts, default=None),
            "cross_checked": board.get(f"crosscheck:{code}", {}).get("at"),
            "error": board.get(f"{_STAGE}share:{code}", {}).get("error"),
        })  # fmt: skip
    return found


def _stages(
    conn: Connection, board: Board, states: Sequence[LogState], peers: Sequence[Json], waiting: Mapping[str, int]
) -> list[Json]:
    """Each stage's cursor: the reading of a source, the index in each log.

    What is restricted is a present state and no log: there it is how many deliveries are at home, and acknowledged.
    """
    found = []
    for name in _sources_posted(board):
        text = cursors.get_cursor(conn, f"collect:{name}")
        place = orjson.loads(text) if text else {"pass": 0, "full": False}
        found.append(_stage(board, "collect", name, place["pass"], None, full_reading=place["full"]))
    for peer in peers:
        found.append(_stage(board, f"share:{peer['peer']}", "", peer["countersigned"], peer["entries"]))
    for state in states:
        done = int(cursors.get_cursor(conn, f"recognise:{state.origin}") or 0)
        relief = int(cursors.get_cursor(conn, f"relief:{state.origin}") or 0)
        found.append(_stage(board, "recognise", state.origin, done, state.size, relief=relief))
    home = waiting["delivered"] + waiting["acknowledged"]
    found.append(_stage(board, "restrict", "", home, home + waiting["pending"], pending=waiting["pending"]))
    found.append(_stage(board, "acknowledgements", "", waiting["acknowledged"], home))
    return found


def _stage(board: Board, name: str, about: str, cursor: int, of: int | None, **more: Any) -> Json:
    trouble = board.get(_STAGE + name, {})
    error = trouble.get("error")
    since = trouble.get("since") if error else None
    return {"stage": name, "about": about, "cursor": cursor, "of": of, "error": error, "since": since, **more}
