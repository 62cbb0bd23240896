"""Fetching entries back 补回 from a member that has kept them: a log's tail, proven before a byte of it is taken.

1. the tiles, put behind what is held here, lead to the signed root; so every leaf hash is proven;
2. entries come in pages, each compared with its proven hash, and are stored with what they mean here; what an erasure
   covers comes without its words, whatever the member still holds.

A crash between two pages leaves a whole, shorter log.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from syncd.errors import NeedsPerson, Retry
from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.keys import take_entries
from syncd.flows.lines import stamp_of, verify_log
from syncd.flows.replay import remember_rows, replay
from syncd.flows.share import Link
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import BadSignature, Note, parse_note
from syncd.ledger.tiles import append, tile_path
from syncd.ledger.tree import HASH_BYTES, TILE_WIDTH
from syncd.ledger.wire import Record, decode_records, decompress
from syncd.store import erased
from syncd.store.mirror import interpret
from syncd.store.refill import refill

PAGE = 256
_TRIES = 5


class Grown(Retry):
    """The owner itself has sent what was about to be fetched; that is as good."""


class Told(NamedTuple):
    """What a member holds of a log; ``note`` is the checkpoint with the owner's signature."""

    size: int
    root: bytes
    note: bytes


class Refetch:
    """Fills logs up from members; see the module."""

    def __init__(self, bureau: Bureau, links: Mapping[str, Link]) -> None:
        self._bureau = bureau
        self._links = links

    def mirror(self, code: str, owner: Peer) -> int:
        """One mirrored log, from its owner, who knows it best; returns how many entries came."""
        bureau = self._bureau
        answer = self._links[code].get(owner.origin, "checkpoint")
        if answer.status != 200:
            return 0
        note = parse_note(answer.body)
        shown = parse_checkpoint(note.text)
        if shown.origin != owner.origin or not self._signed(owner, note, shown.size):
            return 0
        before = self._size(owner.origin)
        for _ in range(_TRIES):
            if shown.size <= self._size(owner.origin):
                break
            with suppress(Grown):
                self.fetch(code, owner.origin, Told(shown.size, shown.root, answer.body))
        bureau.wake("recognise")
        return max(0, min(self._size(owner.origin), shown.size) - before)

    def _signed(self, owner: Peer, note: Note, size: int) -> bool:
        """Whether its log has signed it, by a key known here; or this node itself, before it lost what it held.

        Where neither is so, the key has changed since: what the owner sends by itself leads from one to the other.
        """
        with suppress(BadSignature):
            verify_log(owner, note, size)
            return True
        bureau = self._bureau
        own = bureau.members[bureau.code]
        mine = [one.verifier for one in (bureau.signers.receipt, *bureau.signers.spare())]
        known = [key for key in (*own.receipt_keys(owner.origin, size), *mine) if key.name == own.receipt.name]
        if any(stamp_of(known, note.text, line) is not None for line in note.lines):
            return True
        bureau.notice("recover.key_unknown", {"log": owner.origin, "size": size})
        return False

    def _size(self, origin: str) -> int:
        with self._bureau.store.read() as conn:
            return self._bureau.logs.state(conn, origin).size

    def fetch(self, code: str, origin: str, target: Told) -> None:
        """A log's tail up to ``target``. Raises ``Grown`` if its owner has sent some of it meanwhile."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            start = bureau.logs.state(conn, origin).size
            edge = bureau.logs.edge(conn, origin, start)
        hashes = self._hashes(code, origin, start, target.size)
        _, root = append(start, edge, hashes)
        if root != target.root:  # step 1
            raise NeedsPerson(
                f"What {code} holds of {origin} does not continue what this store holds at size {start}: one of them "
                "is another history. Nothing was changed; compare the log with every member; it must be sealed."
            )
        at = start
        while at < target.size:
            records = self._records(code, origin, at, min(PAGE, target.size - at))
            proven = hashes[at - start : at - start + len(records)]
            erased.again(partial(self._store, origin, at, records, proven, target.size))
            at += len(records)
            failpoint("recover.after_page")
        with bureau.store.write() as conn:
            if origin != bureau.origin:
                bureau.logs.set_note(conn, origin, target.size, target.note)
        bureau.notice("recover.fetched", {"log": origin, "from": start, "to": target.size, "peer": code})

    def _hashes(self, code: str, origin: str, start: int, stop: int) -> list[bytes]:
        """The leaf hashes ``start`` to ``stop`` from the peer's tiles; not yet proven."""
        found: list[bytes] = []
        for n in range(start // TILE_WIDTH, (stop - 1) // TILE_WIDTH + 1):
            width = min(TILE_WIDTH, stop - n * TILE_WIDTH)
            data = self._get(code, origin, tile_path(0, n, width))
            if len(data) != width * HASH_BYTES:
                raise NeedsPerson(f"{code} sent a tile of {origin} that is not whole. Nothing was changed; try again.")
            found += [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
        return found[start % TILE_WIDTH :]

    def _records(self, code: str, origin: str, start: int, count: int) -> list[Record]:
        try:
            raw = decompress(self._get(code, origin, f"entries?from={start}&count={count}"))
            records = decode_records(raw, 0)
        except (FormatError, BadSignature) as error:
            raise NeedsPerson(f"{code} sent entries of {origin} that cannot be read ({error}). Try again.") from None
        if not records:
            raise Retry(f"{code} sent no entries of {origin} from {start} on. What came before is kept; try again.")
        return records

    def _get(self, code: str, origin: str, path: str) -> bytes:
        answer = self._links[code].get(origin, path)
        if answer.status != 200:
            raise Retry(f"{code} answered {answer.status} for {path}. What came before is kept; try again.")
        return answer.body

    def _store(self, origin: str, at: int, records: list[Record], hashes: list[bytes], target: int) -> None:
        """Step 2: one page, with what it means here; what this node said itself is not judged again."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            held, entries = bureau.logs.state(conn, origin), interpret(one.leaf for one in records)
            kept = erased.shed(conn, held, entries, hashes, [one.disclosure for one in records], bureau.vault)
        records = [one._replace(disclosure=text) for one, text in zip(records, kept, strict=True)]
        sealed = bureau.logs.seal(kept)
        with bureau.store.write() as conn:
            before = bureau.logs.state(conn, origin)
            if before.size != at:
                raise Grown(f"The log {origin} has grown meanwhile by what its owner sent; it is looked at again.")
            after, touched = refill(conn, origin, records, sealed, hashes, target, bureau.clock(), bureau.vault)
            owner = bureau.owner(origin)
            if owner is not None:
                take_entries(bureau, conn, owner, enumerate(entries, before.size))
            if after.own:
                replay(bureau, conn, conn, after, before.size, after.size)
                remember_rows(bureau, conn, after, before.size)
            if touched:
                bureau.store.once_committed(bureau.vault.let_go)
            failpoint("recover.before_commit")
        bureau.wake("erase")
