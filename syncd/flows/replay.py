"""The register 登记 made again from a log: what its entries say, put where ``recognise`` and ``respond`` have put it.

Used where the entries are there and the rows are not: after entries were fetched back, and to compare a register with
its logs. Reading and writing may be two stores. Nothing is judged, answered or put on the desk here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.flows.amend import amend
from syncd.flows.answer import DECLINED, HELD, IMPOSED, LIFTED, Answer
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.judged import released_of
from syncd.flows.opening import Opened, read_opened
from syncd.flows.others import answer_rows
from syncd.flows.planning import ISSUED
from syncd.flows.respond import delivery_row
from syncd.flows.understand import understand
from syncd.store import honours, outbox, register, replayed, sourcebook
from syncd.store.register import Response
from syncd.store.sourcebook import SourceRow
from syncd.store.state import LogState

Json = dict[str, Any]
ANSWERS = frozenset({IMPOSED, LIFTED, DECLINED, HELD})
RUN = 256


def replay(bureau: Bureau, reading: Connection, writing: Connection, state: LogState, start: int, stop: int) -> None:
    """Put what entries ``start`` to ``stop`` (excluded) of a log say into the register behind ``writing``."""
    owner = bureau.owner(state.origin)
    if owner is None:
        return
    for first in range(start, stop, RUN):
        opened = read_opened(bureau, reading, state.origin, first, min(first + RUN, stop))
        changes = understand(bureau, state.id, owner, opened)
        register.add_findings(writing, changes.findings)
        amend(bureau, writing, state, changes)
        register.add_relief(writing, changes.relief)
        honours.add(writing, changes.honours, changes.withdrawn)
        _answers(bureau, writing, state, owner, opened)
        if state.own:
            _acknowledged(writing, opened)


def _answers(bureau: Bureau, conn: Connection, state: LogState, owner: Peer, opened: Sequence[Opened]) -> None:
    """A region's answers; this bureau's own with what they told its home system, one after another."""
    said = [one for one in opened if one.kind in ANSWERS and one.fault is None and one.entry and one.entry.ref]
    if not state.own:
        register.put_responses(conn, answer_rows(conn, state, owner, said))
        return
    for run in _distinct(said):
        rows, told = list[Response](), dict[bytes, Answer]()
        by_leaf = {one.leaf: one for one in run}
        for said_as in answer_rows(conn, state, owner, run):
            one = by_leaf[said_as.leaf]
            body = {name: value for name, value in (one.body or {}).items() if name not in ("knew", "due")}
            told[said_as.finding] = now = Answer(one.kind, body)
            released = body["released_by"] if one.kind == IMPOSED else released_of(one.kind, body, said_as.released_by)
            rows.append(said_as._replace(body=now.text, released_by=released))
        register.put_responses(conn, rows)
        _deliver(bureau, conn, rows, told)


def _distinct(said: Sequence[Opened]) -> Iterator[list[Opened]]:
    """Runs in which each finding is answered once, for an answer follows from the one before it."""
    run, about = list[Opened](), set[str]()
    for one in said:
        leaf = one.entry.ref.leaf if one.entry is not None and one.entry.ref is not None else ""
        if leaf in about:
            yield run
            run, about = [], set()
        run.append(one)
        about.add(leaf)
    if run:
        yield run


def _deliver(bureau: Bureau, conn: Connection, rows: Sequence[Response], told: Mapping[bytes, Answer]) -> None:
    if bureau.has_home:
        earlier = outbox.of_findings(conn, [row.finding for row in rows])
        made = [delivery_row(row.finding, row.counter, told[row.finding], earlier.get(row.finding), row.at)
                for row in rows]  # fmt: skip
        outbox.put(conn, [one for one in made if one is not None])


def _acknowledged(conn: Connection, opened: Sequence[Opened]) -> None:
    """What the departments have acknowledged, so that it is not recorded once more."""
    items = [item for one in opened if one.kind == "feedback.reported" for item in one.items if item is not None]
    if not items:
        return
    found = replayed.responses_by_leaf(conn, {bytes.fromhex(item["about"]) for item in items})
    sent = outbox.of_findings(conn, {row.finding for row in found.values()})
    said = {leaf: orjson.loads(row.acknowledged) for leaf, row in sent.items()}
    for item in items:
        response = found.get(bytes.fromhex(item["about"]))
        if response is not None and response.finding in said and item["counter"] == sent[response.finding].counter:
            said[response.finding][item["measure"]] = item["state"]
    rows = [{"leaf": leaf, "now_state": sent[leaf].state, "said": orjson.dumps(told).decode()}
            for leaf, told in said.items()]  # fmt: skip
    outbox.acknowledge(conn, rows)


def remember_rows(bureau: Bureau, conn: Connection, state: LogState, start: int) -> None:
    """Which source row each finding of one's own log from ``start`` on came from, so that it is not issued again.

    Their keyed hashes are gone: each row is compared with its finding when it is read next.
    """
    sources = [(row, row.parsed()["source"]) for row in replayed.issued_from(conn, state.id, start)]
    known = {source["id"] for _, source in sources}
    held = {name: sourcebook.known(conn, name, [one["row"] for _, one in sources if one["id"] == name])
            for name in known}  # fmt: skip
    sourcebook.remember(conn, [
        SourceRow(one["id"], one["row"], "", ISSUED, row.leaf, "", 0)
        for row, one in sources if one["row"] not in held[one["id"]]
    ])  # fmt: skip
