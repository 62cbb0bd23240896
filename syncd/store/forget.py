"""Deleting what is held about an erased finding 删除: disclosures, register, desk, outbox, jobs, source rows.

Everything is found by hashes and keys, and deleted by the row; a batch of feedback loses only its items about the
finding. What stays are leaves, which say nothing, and the order with its answers. The caller forgets record keys first.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from syncd.store.erased import NOT_COVERED, ref_to
from syncd.store.honour_tables import honours
from syncd.store.honours import Honour
from syncd.store.proposal_tables import grounds, performance
from syncd.store.reading import EntryRow, by_id, entries_about, read_entries
from syncd.store.register import Finding
from syncd.store.register_tables import (
    deliveries,
    desk,
    findings,
    jobs,
    order_receipts,
    relief_events,
    relief_waiting,
    responses,
    source_rows,
)
from syncd.store.source_tables import amendments
from syncd.store.statement import execute, execute_many
from syncd.store.vault import Sealed

Json = dict[str, Any]
_PAGE = 2_048
_HEX = re.compile(r"[0-9a-f]{64}")


class Batch(NamedTuple):
    """A batch of feedback that has items about what is erased: where it stands, and its key and bytes."""

    log: int
    idx: int
    sealed: Sealed


def chain(conn: Connection, finding_id: str, finding: bytes) -> list[EntryRow]:
    """The finding's entry and every other one held here whose ``ref`` leads to it, but for orders of erasure.

    The same bytes may stand in another log as well: each place is one.
    """
    found = {(row.log, row.index): row for row in by_id(conn, [finding_id]) if row.leaf_hash == finding}
    last = list(found.values())
    while last:
        about = entries_about(conn, [ref_to(row) for row in last])
        last = [row for row in about if row.kind not in NOT_COVERED and (row.log, row.index) not in found]
        found |= {(row.log, row.index): row for row in last}
    return list(found.values())


def batches(conn: Connection, rows: Sequence[EntryRow]) -> Iterator[Batch]:
    """Every batch of feedback that stands behind one of these entries in its log, a page in memory at a time."""
    first: dict[str, int] = {}
    for row in rows:
        first[row.origin] = min(row.index, first.get(row.origin, row.index))
    for origin, start in sorted(first.items()):
        size = int(execute(conn, "SELECT size FROM logs WHERE origin = ?", (origin,)).scalar_one())
        for low in range(start, size, _PAGE):
            for row in read_entries(conn, origin, low, low + _PAGE, only=("feedback.reported",)):
                if row.sealed is not None and row.ref is None:
                    yield Batch(row.log, row.index, row.sealed)


def keys_of(conn: Connection, rows: Sequence[EntryRow]) -> list[bytes]:
    """The record keys of these entries' disclosures, as far as they still stand in the store."""
    sql = "SELECT key_id FROM disclosures WHERE log = ? AND idx = ? AND key_id IS NOT NULL"
    return [key for row in rows for key in execute(conn, sql, (row.log, row.index)).scalars()]


def blank(conn: Connection, rows: Sequence[EntryRow]) -> None:
    """Delete the sealed disclosures of these entries; that each was erased stays."""
    sql = "UPDATE disclosures SET key_id = NULL, sealed = NULL, state = 'erased' WHERE log = ? AND idx = ?"
    execute_many(conn, sql, [(row.log, row.index) for row in rows])
    execute_many(conn, "DELETE FROM held_entries WHERE log = ? AND idx = ?", [(row.log, row.index) for row in rows])


def replace(conn: Connection, parts: Sequence[tuple[Batch, Sealed]]) -> None:
    """Store batches without the items that are erased, sealed anew; one that has changed meanwhile is left."""
    sql = "UPDATE disclosures SET key_id = ?, sealed = ? WHERE log = ? AND idx = ? AND key_id = ?"
    execute_many(conn, sql, [(new.key_id, new.data, old.log, old.idx, old.sealed.key_id) for old, new in parts])


def forget_traces(
    conn: Connection, finding: Finding | None, leaf: bytes, rows: Sequence[EntryRow], honour: Honour | None = None
) -> None:
    """Delete what stands about it beside the register: source rows, proposals, desk, jobs, relief that waits."""
    known = select(source_rows.c.source, source_rows.c.row).where(source_rows.c.finding == leaf)
    needles = {row.leaf_hash.hex() for row in rows} | {leaf.hex()}
    words, name = set[str](), set[str]()
    if honour is not None:
        words, name = {honour.uscc, honour.number}, {honour.name}
    if finding is not None:
        needles.add(finding.natural_key.hex())
        words, name = {finding.uscc, finding.number}, {finding.name}
        waiting = relief_waiting.c
        conn.execute(relief_waiting.delete().where(
            waiting.organ == finding.organ, waiting.number == finding.number, waiting.uscc == finding.uscc
        ))  # fmt: skip
    pairs = {(row.source, row.row) for row in conn.execute(known)} | _linked(conn, needles)
    execute_many(conn, 'DELETE FROM source_rows WHERE source = ? AND "row" = ?', sorted(pairs))
    execute_many(conn, "DELETE FROM provenance WHERE log = ? AND idx = ?", [(row.log, row.index) for row in rows])
    conn.execute(amendments.delete().where(amendments.c.finding == leaf))
    conn.execute(performance.delete().where(performance.c.finding == leaf))
    conn.execute(grounds.delete().where((grounds.c.finding == leaf) | (grounds.c.record == leaf)))
    gone = _scrub_desk(conn, needles, words, {f"{source}/{row}" for source, row in pairs})
    _scrub_jobs(conn, gone, needles, words | name)


def forget_finding(conn: Connection, leaf: bytes) -> None:
    """Delete the finding or honour itself from the register and the outbox."""
    conn.execute(honours.delete().where(honours.c.leaf == leaf))
    conn.execute(deliveries.delete().where(deliveries.c.finding == leaf))
    conn.execute(order_receipts.delete().where(order_receipts.c.finding == leaf))
    conn.execute(responses.delete().where(responses.c.finding == leaf))
    conn.execute(relief_events.delete().where(relief_events.c.finding == leaf))
    conn.execute(findings.delete().where(findings.c.leaf == leaf))


def _linked(conn: Connection, needles: Collection[str]) -> set[tuple[str, str]]:
    """Rows of this bureau's source that are copies of the erased decision."""
    items = conn.execute(select(desk.c.facts).where(desk.c.kind == "linked", desk.c.mark.in_(list(needles)[:1_000])))
    facts = [orjson.loads(text) for text in items.scalars()]
    return {(one["source"], one["row"]) for one in facts}


def _scrub_desk(conn: Connection, needles: Collection[str], words: Collection[str], marks: Collection[str]) -> set[int]:
    """Delete items about it, open and closed; where it is one of several that an item counts, only it goes."""
    gone, changed = set[int](), list[tuple[str, int]]()
    for row in conn.execute(select(desk.c.id, desk.c.mark, desk.c.facts)).fetchall():
        named = _names(f"{row.mark} {row.facts}", needles)
        if row.mark in marks or (words and all(word in row.facts for word in words)):
            gone.add(row.id)
        elif named:
            facts = orjson.dumps(_without(orjson.loads(row.facts), needles)).decode()
            if _names(f"{row.mark} {facts}", needles):
                gone.add(row.id)
            else:
                changed.append((facts, row.id))
    execute_many(conn, "UPDATE desk SET facts = ? WHERE id = ?", changed)
    execute_many(conn, "DELETE FROM desk WHERE id = ?", [(one,) for one in sorted(gone)])
    return gone


def _scrub_jobs(conn: Connection, items: Collection[int], needles: Collection[str], words: Collection[str]) -> None:
    """Jobs done about such items go with what was written as their reason; so does one that names it otherwise."""
    done = conn.execute(select(jobs.c.id, jobs.c.kind, jobs.c.args, jobs.c.result).where(jobs.c.state != "queued"))
    gone = []
    for row in done.fetchall():
        text = f"{row.args} {row.result or ''}"
        about = orjson.loads(row.args).get("item") in items or any(word in text for word in words)
        if about or (row.kind != "erase" and _names(text, needles)):
            gone.append((row.id,))
    execute_many(conn, "DELETE FROM jobs WHERE id = ?", gone)


def _names(text: str, needles: Collection[str]) -> bool:
    return any(found in needles for found in _HEX.findall(text))


def _without(value: Any, needles: Collection[str]) -> Any:
    """The same facts; of lists, only the elements that do not name what is erased."""
    if isinstance(value, dict):
        return {name: _without(one, needles) for name, one in value.items()}
    if isinstance(value, list):
        return [one for one in value if not _names(orjson.dumps(one).decode(), needles)]
    return value
