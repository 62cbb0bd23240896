"""The logs of a node, as the stages see them: one face over the rooms beside it.

Every verb takes the connection of the caller's transaction first, so that a stage commits its cursor, its
register and the entries it appended together. Sealing comes before that transaction: the vault is synced
first, and a crash between the two leaves keys that nothing uses.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from syncd.ledger.accept import Accepted
from syncd.ledger.entry import Entry
from syncd.ledger.wire import Record
from syncd.store import append as appending
from syncd.store import checkpoints, cursors, mirror, reading
from syncd.store import state as states_held
from syncd.store.append import Appended, Draft
from syncd.store.engine import Store
from syncd.store.recent import Recent, RecentEntries
from syncd.store.state import LogState
from syncd.store.vault import Sealed, Vault


class Logs:
    """A store and its vault, with the verbs over both."""

    ensure: Final = staticmethod(states_held.ensure)
    find: Final = staticmethod(states_held.find)
    state: Final = staticmethod(states_held.state)
    states: Final = staticmethod(states_held.states)

    close_stop: Final = staticmethod(appending.close_stop)

    read_records: Final = staticmethod(reading.read_records)
    read_entries: Final = staticmethod(reading.read_entries)
    entries_of: Final = staticmethod(reading.entries_of)
    entries_about: Final = staticmethod(reading.entries_about)
    by_leaf: Final = staticmethod(reading.by_leaf)
    tile: Final = staticmethod(reading.tile)
    tile_reader: Final = staticmethod(reading.tile_reader)
    edge: Final = staticmethod(reading.edge)
    root: Final = staticmethod(reading.root)

    unsigned: Final = staticmethod(checkpoints.unsigned)
    set_note: Final = staticmethod(checkpoints.set_note)
    checkpoint: Final = staticmethod(checkpoints.checkpoint)
    newest: Final = staticmethod(checkpoints.newest)
    next_listed: Final = staticmethod(checkpoints.next_listed)
    last_listed: Final = staticmethod(checkpoints.last_listed)
    add_cosignature: Final = staticmethod(checkpoints.add_cosignature)
    cosignatures: Final = staticmethod(checkpoints.cosignatures)
    complete_between: Final = staticmethod(checkpoints.complete_between)
    countersigned: Final = staticmethod(checkpoints.countersigned)
    countersigned_by_all: Final = staticmethod(checkpoints.countersigned_by_all)

    get_cursor: Final = staticmethod(cursors.get_cursor)
    set_cursor: Final = staticmethod(cursors.set_cursor)

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store = store
        self.vault = vault
        self._recent = RecentEntries(vault)

    def append(
        self, conn: Connection, origin: str, drafts: Sequence[Draft], sealed: Sequence[Sealed | None], now: datetime
    ) -> list[Appended]:
        """``append.append``, remembering the entries once they are committed."""
        appended, entries = appending.append(conn, origin, drafts, sealed, now)
        self.store.once_committed(self.vault.let_go if entries is None else lambda: self._recent.put(origin, entries))
        return appended

    def store_accepted(
        self,
        conn: Connection,
        origin: str,
        accepted: Accepted,
        records: Sequence[Record],
        sealed: Sequence[Sealed | None],
        checkpoint_note: bytes,
        now: datetime,
        entries: Sequence[Entry | None] | None = None,
    ) -> LogState:
        """``mirror.store_accepted``, remembering the entries once they are committed."""
        understood = mirror.interpret(record.leaf for record in records) if entries is None else entries
        after, touched = mirror.store_accepted(
            conn, origin, accepted, records, sealed, checkpoint_note, now, understood, self.vault
        )
        if touched:
            self.store.once_committed(self.vault.let_go)
            return after
        whole = zip(accepted.leaf_hashes, records, understood, strict=True)
        kept = [
            Recent(index, leaf_hash, record.leaf, record.disclosure, entry)
            for index, (leaf_hash, record, entry) in enumerate(whole, accepted.size - len(records))
        ]
        self.store.once_committed(lambda: self._recent.put(origin, kept))
        return after

    def attach_disclosures(self, conn: Connection, origin: str, items: Sequence[tuple[int, Sealed]]) -> list[int]:
        """``mirror.attach_disclosures``; what is remembered of this log is read from the store again."""
        stored = mirror.attach_disclosures(conn, origin, items)
        self.store.once_committed(lambda: self._recent.drop(origin))
        return stored

    def recent(self, origin: str, start: int, stop: int) -> Sequence[Recent] | None:
        """The committed entries ``start`` to ``stop`` (excluded) if they are still in memory, or None."""
        return self._recent.get(origin, start, stop)

    def recent_kinds(self, origin: str, start: int, stop: int) -> frozenset[str] | None:
        """The kinds that may occur among these entries if they are still in memory, or None."""
        return self._recent.kinds(origin, start, stop)

    def seal(self, disclosures: Sequence[bytes | None]) -> list[Sealed | None]:
        """Seal what is there (None and empty bytes stay None); on return the keys are on disk."""
        sealed = iter(self.vault.seal([text for text in disclosures if text]))
        return [next(sealed) if text else None for text in disclosures]

    def unseal(self, sealed: Sequence[Sealed | None]) -> list[bytes | None]:
        """The disclosures, None where there is none or its key was forgotten."""
        return self.vault.open_many(sealed)

    def read_wire(self, conn: Connection, origin: str, start: int, stop: int) -> list[Record]:
        """The entries ``start`` to ``stop`` (excluded) as they travel: leaf, disclosure or no bytes.

        One that does not open with its key any more travels as none: it is owed, and nothing behind it waits.
        """
        recent = self.recent(origin, start, stop)
        if recent is not None:
            return [Record(one.leaf, one.disclosure) for one in recent]
        held = reading.read_records(conn, origin, start, stop)
        texts, _ = self.vault.open_each([sealed for _, sealed in held])
        return [Record(leaf, text or b"") for (leaf, _), text in zip(held, texts, strict=True)]
