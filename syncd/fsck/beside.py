"""What stands beside the logs: disclosures and their keys, cursors, the signed sizes, erasures, and the file itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.flows.bureau import Bureau
from syncd.fsck.faults import Fault, Told
from syncd.fsck.walk import rows_of
from syncd.fsck.witnessing import check_last
from syncd.store import erased
from syncd.store.cursors import get_cursor
from syncd.store.erasure_tables import erased_leaves
from syncd.store.sizes import held_in
from syncd.store.state import LogState
from syncd.store.statement import execute

_PAGE: Final = 2_048
LANES: Final = ("recognise", "relief", "answers", "adopted")


def check_file(conn: Connection) -> Iterator[Fault]:
    """SQLite's own look at its file."""
    if conn.dialect.name == "sqlite":
        for (text,) in execute(conn, "PRAGMA quick_check(50)").fetchall():
            if text != "ok":
                yield Fault("store", "syncd.db", "file_damaged", detail=str(text)[:200])


def check_vault(bureau: Bureau, conn: Connection, state: LogState, told: Told) -> Iterator[Fault]:
    """Each disclosure's key is there, or it was erased; and what was erased has left no words."""
    sql = (
        "SELECT d.idx, d.state, d.key_id, d.sealed IS NOT NULL, e.leaf_hash FROM disclosures d "
        "LEFT JOIN entries e ON e.log = d.log AND e.idx = d.idx "
        "WHERE d.log = ? AND d.idx >= ? AND d.idx < ? ORDER BY d.idx"
    )
    closed = {one.finding for one in erased.orders(conn) if one.state in ("cleared", "gone", "done", "closed")}
    for start in range(0, state.size, _PAGE):
        found = execute(conn, sql, (state.id, start, start + _PAGE)).fetchall()
        missing = bureau.vault.missing([row[2] for row in found if row[1] == "present" and row[2]])
        covered = erased.covered_by(conn, [row[4] for row in found if row[4] is not None])
        for idx, said, key_id, words, leaf in found:
            place = f"{state.origin}:{idx}"
            if leaf is None:
                yield Fault("vault", place, "disclosure_without_entry")
            elif said == "present" and leaf in covered:
                yield Fault("erasures", place, "not_erased", derivable=True)
            elif said == "present" and (not words or key_id in missing):
                yield Fault("vault", place, "key_missing")
            elif said == "erased" and words and covered.get(leaf) in closed:
                yield Fault("erasures", place, "words_left", derivable=True)
            elif said == "absent" and words:
                yield Fault("vault", place, "absent_with_words")
        told("keys 密钥", len(found))


def check_erasures(bureau: Bureau, conn: Connection) -> Iterator[Fault]:
    """Each order that is held is the entry it says it is, and each leaf it covers is one that is held."""
    origins = {state.id: state.origin for state in bureau.logs.states(conn)}
    sql = "SELECT leaf_hash, kind, at, ref, id FROM entries WHERE log = ? AND idx = ?"
    findings = set[bytes]()
    for one in erased.orders(conn):
        findings.add(one.finding)
        row = execute(conn, sql, (one.log, one.idx)).one_or_none()
        said = (one.leaf, erased.ORDERED, one.at, one.finding, one.id)
        if row is None or (*row[:4], str(UUID(bytes=row[4]))) != said or one.state not in erased.STATES:
            yield Fault("erasures", f"{origins.get(one.log, one.log)}:{one.idx}", "order_differs")
    for row in rows_of(conn, erased_leaves, ("leaf",)):
        if row["finding"] not in findings:
            yield Fault("erasures", f"leaf {row['leaf'].hex()}", "covered_without_order")


def mend_erasures(bureau: Bureau, faults: Sequence[Fault]) -> None:
    """Erase again: keys first, then the sealed bytes."""
    places = [(fault.record.rpartition(":")[0], int(fault.record.rpartition(":")[2])) for fault in faults]
    with bureau.store.read() as conn:
        ids = {origin: bureau.logs.state(conn, origin).id for origin, _ in places}
        sql = "SELECT key_id FROM disclosures WHERE log = ? AND idx = ? AND key_id IS NOT NULL"
        keys = [key for origin, idx in places for key in execute(conn, sql, (ids[origin], idx)).scalars()]
    bureau.vault.forget(keys)
    with bureau.store.write() as conn:
        for origin, idx in places:
            sql = "UPDATE disclosures SET key_id = NULL, sealed = NULL, state = 'erased' WHERE log = ? AND idx = ?"
            execute(conn, sql, (ids[origin], idx))


def check_cursors(bureau: Bureau, conn: Connection) -> Iterator[Fault]:
    """No stage stands behind the end of its log."""
    for state in bureau.logs.states(conn):
        names = [f"{lane}:{state.origin}" for lane in LANES]
        if state.own:
            names += [f"{kind}:{code}" for kind in ("lines", "resend") for code in bureau.members]
        for name in names:
            value = get_cursor(conn, name)
            if value and not (value.isascii() and value.isdigit() and int(value) <= state.size):
                yield Fault("cursors", name, "cursor_beyond", derivable=True, detail=f"{value[:20]} of {state.size}")


def mend_cursors(bureau: Bureau, faults: Sequence[Fault]) -> None:
    """Such a stage walks its log again from the start, which appends nothing that is already so."""
    with bureau.store.write() as conn:
        for fault in faults:
            bureau.logs.set_cursor(conn, fault.record, "0")


def check_sizes(bureau: Bureau, conn: Connection, file: Path) -> Iterator[Fault]:
    """The signed-sizes file and the store say the same of what was signed."""
    try:
        signed = {one.origin: one for one in held_in(file)}
    except Stop as error:
        yield Fault("sizes", file.name, "file_unreadable", detail=str(error)[:200])
        return
    yield from check_last(conn, {origin: one for origin, one in signed.items() if origin not in bureau.origins})
    for state in bureau.logs.states(conn):
        known = signed.get(state.origin)
        mine = bureau.logs.countersigned(conn, state.origin, bureau.code)
        if known is not None and known.size > state.size:
            yield Fault("sizes", state.origin, "store_older", detail=f"signed {known.size}, held {state.size}")
        elif known is not None and known.size and root_of(bureau, conn, state, known.size) != known.root:
            yield Fault("sizes", f"{state.origin}@{known.size}", "other_root")
        if mine > (known.size if known is not None else 0):
            yield Fault("sizes", state.origin, "not_in_file", detail=f"countersigned {mine}")


def root_of(bureau: Bureau, conn: Connection, state: LogState, size: int) -> bytes | None:
    """The listed root; that it follows from the leaves is looked at with the log itself."""
    listed = bureau.logs.checkpoint(conn, state.origin, size)
    if listed is not None:
        return listed.root
    try:
        return bureau.logs.root(conn, state.origin, size)
    except Stop:
        return None  # a tile is short: that is a fault of its own
