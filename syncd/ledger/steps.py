"""The parts of a verdict (验证结论): numbered steps, the records they looked at, and faults that name a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncd.ledger.bundle import BundleRecord
from syncd.ledger.canonical import Json
from syncd.ledger.checkpoint import Checkpoint
from syncd.ledger.entry import Entry
from syncd.ledger.notes import Note
from syncd.ledger.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with, or to be known of, one record: its number from 1, its place ``<origin>:<index>``, a code."""

    record: int
    place: str
    code: str
    detail: str = ""


@dataclass(slots=True)
class Step:
    """One numbered step: how many records it looked at, what is wrong, and what is only worth knowing."""

    number: int
    code: str
    checked: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class Proven:
    """One record as far as it was read; ``lines`` are the countersigning members with their Unix seconds.

    ``sm2`` is what the log's second line says (``syncd.ledger.policy.sm2_line``).
    """

    number: int
    place: str
    record: BundleRecord
    checkpoint: Checkpoint | None = None
    note: Note | None = None
    index: int = 0
    proof: Sequence[bytes] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    lacking: Sequence[str] = ()
    sm2: str = ""
    entry: Entry | None = None
    body: Json | None = None
    items: Sequence[Json | None] = ()
    sound: bool = True

    @property
    def hash(self) -> bytes:
        """The leaf's hash."""
        return leaf_hash(self.record.leaf)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All steps, and the records; ``ok`` if no step found a fault."""

    steps: Sequence[Step]
    records: Sequence[Proven]

    @property
    def ok(self) -> bool:
        """Whether the bundle proves what it holds."""
        return not any(step.faults for step in self.steps)
