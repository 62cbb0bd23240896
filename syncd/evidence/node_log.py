"""The logs of a node's store as an audit and an export read them: within one transaction, opened with its vault."""

from functools import partial

from sqlalchemy import Connection

from syncd.evidence.books import Evidence
from syncd.evidence.columns import differs
from syncd.evidence.stored import Place, StoredLog
from syncd.evidence.unsealing import unsealing
from syncd.ledger.canonical import FormatError
from syncd.store.checkpoints import CheckpointRow, full_note
from syncd.store.statement import fetch


def logs_of(evidence: Evidence, conn: Connection, *, whole: bool) -> list[StoredLog]:
    """Every log of a node that has a signed size, up to its newest one; ``whole`` compares every column."""
    found = []
    for state in evidence.logs.states(conn):
        newest = evidence.logs.newest(conn, state.origin)
        if newest is not None and newest.note is not None:
            note = _note(conn, state.origin, newest)
            found.append(log_of(evidence, conn, state.origin, newest.size, note, whole=whole))
    return found


def log_of(evidence: Evidence, conn: Connection, origin: str, size: int, note: bytes, *, whole: bool) -> StoredLog:
    """One log up to a size that ``note`` signs."""
    path = (conn.engine.url.database or "") if conn.dialect.name == "sqlite" else ""
    place = Place(path, evidence.vault_elsewhere) if path else None
    unseal = unsealing(evidence.logs.unseal)
    return StoredLog(partial(fetch, conn), origin, size, note, differs if whole else None, unseal, place)


def _note(conn: Connection, origin: str, listed: CheckpointRow) -> bytes:
    """The note with all lines held; as it stands where it cannot be read, for that is what an audit has to name."""
    try:
        return full_note(conn, origin, listed.size) or b""
    except FormatError:
        return listed.note or b""
