"""The rows of the bulk tables, written: the one place that knows their columns, for all logs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from syncd.ledger.entry import Ref
from syncd.store import tables
from syncd.store.bulk import insert_tuples, upsert_tuples
from syncd.store.vault import Sealed

Understood = tuple[bytes | None, str | None, str | None, bytes | None, bytes | None]
"""id, kind, at, ref_id, ref of an entry."""
NOTHING: Final[Understood] = (None, None, None, None, None)
"""The same of a leaf that is held but not understood."""

_ENTRY = ("log", "idx", "id", "kind", "at", "ref_id", "ref", "leaf_hash", "leaf")
_DISCLOSURE = ("log", "idx", "key_id", "sealed", "state")
_TILE = ("log", "level", "n", "hashes")
_CHECKPOINT = ("log", "size", "root", "stop", "note", "at")


def uuid_bytes(text: str) -> bytes:
    """The 16 bytes of a UUID in its text form."""
    return bytes.fromhex(text.replace("-", ""))


def understood(entry_id: str, kind: str, at: str, ref: Ref | None) -> Understood:
    """What is known of an entry beside its leaf."""
    if ref is None:
        return uuid_bytes(entry_id), kind, at, None, None
    return uuid_bytes(entry_id), kind, at, uuid_bytes(ref.id), bytes.fromhex(ref.leaf)


def present(log: int, index: int, sealed: Sealed) -> tuple[Any, ...]:
    """The row of a disclosure that is here."""
    return (log, index, sealed.key_id, sealed.data, "present")


def absent(log: int, index: int) -> tuple[Any, ...]:
    """The row of a disclosure that the leaf commits to and that has not come."""
    return (log, index, None, None, "absent")


def erased(log: int, index: int) -> tuple[Any, ...]:
    """The row of a disclosure that an erasure covers: nothing of it stays."""
    return (log, index, None, None, "erased")


def store_entries(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store new entries: log, index, the five fields of ``Understood``, leaf hash, leaf."""
    insert_tuples(conn, tables.entries, _ENTRY, rows)


def store_disclosures(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store the disclosures of new entries."""
    insert_tuples(conn, tables.disclosures, _DISCLOSURE, rows)


def replace_disclosures(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store disclosures of entries that are held already, each entry at most once."""
    upsert_tuples(conn, tables.disclosures, _DISCLOSURE, rows, ("log", "idx"), ("key_id", "sealed", "state"))


def store_tiles(conn: Connection, log: int, changed: Mapping[tuple[int, int], bytes]) -> None:
    """Store tiles that are new or have grown."""
    rows = [(log, level, n, hashes) for (level, n), hashes in changed.items()]
    upsert_tuples(conn, tables.tiles, _TILE, rows, ("log", "level", "n"), ("hashes",))


def store_checkpoints(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """List new sizes: log, size, root, stop, note, at. One that is listed already is refused by its key."""
    insert_tuples(conn, tables.checkpoints, _CHECKPOINT, rows)
