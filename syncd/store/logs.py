"""The logs of a node, as the stages see them: one face over the rooms beside it.

Every verb takes the connection of the caller's transaction first, so that a stage commits its cursor, its
register and the entries it appended together. Sealing comes before that transaction: the vault is synced
first, and a crash between the two leaves keys that nothing uses.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from syncd.ledger.wire import Record
from syncd.store import append as appending
from syncd.store import checkpoints, cursors, mirror, reading
from syncd.store import state as states_held
from syncd.store.engine import Store
from syncd.store.vault import Sealed, Vault


class Logs:
    """A store and its vault, with the verbs over both."""

    ensure: Final = staticmethod(states_held.ensure)
    find: Final = staticmethod(states_held.find)
    state: Final = staticmethod(states_held.state)
    states: Final = staticmethod(states_held.states)

    append: Final = staticmethod(appending.append)
    close_stop: Final = staticmethod(appending.close_stop)
    store_accepted: Final = staticmethod(mirror.store_accepted)
    attach_disclosures: Final = staticmethod(mirror.attach_disclosures)

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

    def seal(self, disclosures: Sequence[bytes | None]) -> list[Sealed | None]:
        """Seal what is there (None and empty bytes stay None); on return the keys are on disk."""
        sealed = iter(self.vault.seal([text for text in disclosures if text]))
        return [next(sealed) if text else None for text in disclosures]

    def unseal(self, sealed: Sequence[Sealed | None]) -> list[bytes | None]:
        """The disclosures, None where there is none or its key was forgotten."""
        return self.vault.open_many(sealed)

    def read_wire(self, conn: Connection, origin: str, start: int, stop: int) -> list[Record]:
        """The entries ``start`` to ``stop`` (excluded) as they travel: leaf, disclosure or no bytes."""
        held = reading.read_records(conn, origin, start, stop)
        texts = self.unseal([sealed for _, sealed in held])
        return [Record(leaf, text or b"") for (leaf, _), text in zip(held, texts, strict=True)]
