"""What the tests of the store share: the definition of a root, drafts, and a peer that writes a log in memory."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncd.ledger import tiles
from syncd.ledger.accept import Accepted, verify_batch
from syncd.ledger.canonical import b64url
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.entry import Entry, Ref, encode_entry, format_time, uuid7
from syncd.ledger.notes import LOG_KEY, NoteSigner, format_note
from syncd.ledger.tree import consistency_proof, leaf_hash
from syncd.ledger.wire import Batch, Record
from syncd.store.append import Appended, Draft
from syncd.store.logs import Logs

NODE_KEY = bytes(range(32))
OWN = "jiakuntai-eco/320583/1"
PEER = "jiakuntai-eco/310114/1"
TAG = "jiakuntai-eco@1#0123456789abcdef"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root of a list of leaves as RFC 6962 §2.1 defines it."""
    if len(leaves) <= 1:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def draft(kind: str = "finding.issued", ref: Ref | None = None, disclosure: bytes | None = b'{"body":{}}') -> Draft:
    """A draft with an id and a commitment of its own."""
    body = None if disclosure is None else b64url(os.urandom(32))
    return Draft(uuid7(1_795_000_000_000, os.urandom(10)), kind, ref, body, disclosure)


def drafts(count: int) -> list[Draft]:
    """That many findings, each with its disclosure."""
    return [draft(disclosure=b'{"body":{},"salt":"%d"}' % n) for n in range(count)]


def adopt(logs: Logs, origin: str = OWN) -> None:
    """Make an own log that may be appended to."""
    with logs.store.write() as conn:
        logs.ensure(conn, origin, origin.split("/")[1], True, TAG)


def append(logs: Logs, batch: Sequence[Draft], now: datetime = NOON, origin: str = OWN) -> list[Appended]:
    """Seal and append in a transaction of its own, as a stage does."""
    sealed = logs.seal([one.disclosure for one in batch])
    with logs.store.write() as conn:
        return logs.append(conn, origin, batch, sealed, now)


def leaves_of(logs: Logs, origin: str = OWN) -> list[bytes]:
    """All leaves held of a log."""
    with logs.store.read() as conn:
        return [leaf for leaf, _ in logs.read_records(conn, origin, 0, logs.state(conn, origin).size)]


def later(seconds: float) -> datetime:
    """Noon and some seconds."""
    return NOON + timedelta(seconds=seconds)


@dataclass
class Author:
    """A peer: a small true log in memory that signs its sizes and cuts batches."""

    origin: str = PEER
    signer: NoteSigner = field(init=False)
    records: list[Record] = field(default_factory=list)
    tree: tiles.Tiles = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signer = NoteSigner(self.origin, Ed25519PrivateKey.generate(), LOG_KEY)

    def write(self, leaf: bytes, disclosure: bytes = b"") -> None:
        """Append one leaf, whatever it is."""
        size = len(self.records)
        edge = {key: self.tree[key] for key in tiles.edge_tiles(size)}
        self.tree.update(tiles.append(size, edge, [leaf_hash(leaf)])[0])
        self.records.append(Record(leaf, disclosure))

    def say(self, kind: str = "finding.issued", ref: Ref | None = None, disclosure: bytes = b"{}") -> Ref:
        """Append an understandable entry that commits to something; returns the ref that names it."""
        one = draft(kind, ref)
        leaf = encode_entry(Entry(one.id, kind, format_time(NOON), TAG, ref, one.body))
        self.write(leaf, disclosure)
        return Ref(self.origin, one.id, leaf_hash(leaf).hex())

    def note(self, size: int) -> bytes:
        """The signed checkpoint of a size."""
        root = root_of([record.leaf for record in self.records[:size]])
        text = format_checkpoint(Checkpoint(self.origin, size, root))
        return format_note(text, [self.signer.sign(text)])

    def batch(self, old: int, size: int, newest: int | None = None) -> Batch:
        """What it sends to move a receiver from ``old`` to ``size``."""

        def read(level: int, n: int, width: int) -> bytes:
            return self.tree[level, n][: width * 32]

        newest_note = self.note(len(self.records) if newest is None else newest)
        proof = consistency_proof(old, size, read) if old else []
        return Batch(old, proof, self.note(size), newest_note, self.records[old:size])

    def accepted(self, logs: Logs, batch: Batch) -> Accepted:
        """The verdict on a batch by a node that holds ``logs``."""
        with logs.store.read() as conn:
            held = logs.state(conn, self.origin).size
            return verify_batch(batch, self.origin, self.signer.verifier, held, logs.edge(conn, self.origin, held))

    def send(self, logs: Logs, old: int, size: int, newest: int | None = None) -> None:
        """Have a batch checked and stored, as receiving does."""
        batch = self.batch(old, size, newest)
        accepted = self.accepted(logs, batch)
        sealed = logs.seal([record.disclosure for record in batch.records])
        with logs.store.write() as conn:
            logs.store_accepted(conn, self.origin, accepted, batch.records, sealed, batch.checkpoint, NOON)


def follow(logs: Logs, author: Author) -> None:
    """Make the mirrored log of a peer."""
    with logs.store.write() as conn:
        logs.ensure(conn, author.origin, author.origin.split("/")[1], False)
