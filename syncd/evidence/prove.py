"""Making proof bundles 出具证据包 from a node's store: one consistent read, nothing changed, nobody asked.

1. What is named leads to a finding where it can; its chain is gathered from all logs that are held here.
2. For each log one checkpoint: the newest that is final, else the newest signed one, and then it is said so.
3. Each entry gets its inclusion proof in that checkpoint, and its disclosure as it is here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from syncd.evidence.books import Evidence
from syncd.evidence.chain import chain_of, named_by, root_of, without_others
from syncd.ledger.bundle import (
    ABSENT,
    ERASED,
    NONE,
    PARTIAL,
    PRESENT,
    WITHHELD,
    Bundle,
    BundleRecord,
    Known,
)
from syncd.ledger.entry import format_time
from syncd.ledger.notes import parse_note
from syncd.ledger.policy import lacking
from syncd.ledger.proof import TlogProof, format_proof
from syncd.ledger.tree import inclusion_proof
from syncd.store.checkpoints import full_note
from syncd.store.reading import EntryRow


@dataclass(frozen=True, slots=True)
class Used:
    """A checkpoint by which a bundle proves: its log and size, and whose lines are missing for it to be final."""

    origin: str
    size: int
    note: bytes
    lacking: Sequence[str]


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle, the checkpoints in it, and what could not be proven because no signed size covers it yet."""

    bundle: Bundle
    used: Sequence[Used]
    unsigned: Sequence[EntryRow]


def prove(evidence: Evidence, text: str, now: datetime) -> Made:
    """Prove what ``text`` names, with the chain about it. ``now`` is aware. Raises NeedsPerson if nothing is held."""
    with evidence.logs.store.read() as conn:
        roots: dict[tuple[str, int], EntryRow] = {}
        for row in named_by(evidence, conn, text):
            root = root_of(evidence, conn, row)
            roots.setdefault((root.origin, root.index), root)
        rows = [row for root in roots.values() for row in chain_of(evidence, conn, root)]
        sizes = {origin: evidence.best_size(conn, origin) for origin in {row.origin for row in rows}}
        # An entry behind the newest final size is proven by the newest signed one: better not final than missing.
        newest = {origin: signed.size for origin in sizes if (signed := evidence.logs.newest(conn, origin)) is not None}
        for row in rows:
            if row.index >= sizes[row.origin]:
                sizes[row.origin] = newest.get(row.origin, 0)
        return make_bundle(evidence, conn, rows, sizes, text, now)


def make_bundle(
    evidence: Evidence,
    conn: Connection,
    rows: Sequence[EntryRow],
    sizes: Mapping[str, int],
    about: str,
    now: datetime,
    known: Known | None = None,
) -> Made:
    """Bundle these entries, each proven in its log's checkpoint of the size given."""
    used = {origin: found for origin, size in sizes.items() if (found := _used(evidence, conn, origin, size))}
    covered = [row for row in rows if row.origin in used and row.index < used[row.origin].size]
    wanted = {row.leaf_hash.hex() for row in covered}
    texts = evidence.logs.unseal([row.sealed for row in covered])
    records = []
    for row, text in zip(covered, texts, strict=True):
        at = used[row.origin]
        hashes = inclusion_proof(row.index, at.size, evidence.logs.tile_reader(conn, row.origin))
        state, disclosure = _disclosure(row, text, wanted)
        records.append(BundleRecord(row.leaf, state, disclosure, format_proof(TlogProof(row.index, hashes, at.note))))
    left = [row for row in rows if row not in covered]
    return Made(Bundle(about, format_time(now), records, known), list(used.values()), left)


def _used(evidence: Evidence, conn: Connection, origin: str, size: int) -> Used | None:
    note = full_note(conn, origin, size) if size else None
    return None if note is None else Used(origin, size, note, lacking(evidence.policy, parse_note(note)))


def _disclosure(row: EntryRow, text: bytes | None, wanted: Collection[str]) -> tuple[str, bytes]:
    """The state of an entry's disclosure, and its bytes; of a batch only the items about entries of this bundle."""
    if row.disclosure is None:
        return NONE, b""
    if row.disclosure == "absent":
        return ABSENT, b""
    if text is None:
        return ERASED, b""
    if row.kind != "feedback.reported" or row.ref is not None:
        return PRESENT, text
    kept, cut = without_others(text, wanted)
    if b'"item"' not in kept:
        return WITHHELD, b""
    return (PARTIAL, kept) if cut else (PRESENT, text)
