"""What an audit (审计) reads and says: the port of a log's source, the facts for the pairing, the report of one log."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from syncd.ledger.canonical import Json
from syncd.ledger.entry import Entry
from syncd.ledger.steps import Fault

LEVELS: Final = (1, 2, 3, 4, 5, 6)
KEPT: Final = 1000
"""Faults listed for each level of a log; further ones are only counted."""


class Rows(NamedTuple):
    """The entries of one bundle as a source holds them, side by side: an audit of a million makes no object for each.

    ``leaves`` are their bytes. ``said``: the leaf hashes that stand beside them there, if any do (None where one is
    gone). ``faults``: what the source itself finds wrong with a row, by its place. ``differs``: given a place and what
    its leaf says, what else the source says otherwise, or an empty text.
    """

    leaves: Sequence[bytes]
    said: Sequence[bytes | None] | None = None
    faults: Mapping[int, str] = {}
    differs: Callable[[int, Entry], str] | None = None

    def cut(self, width: int) -> "Rows":
        """The first ``width`` of them."""
        return self if len(self.leaves) <= width else self._replace(leaves=self.leaves[:width])

    def hashed_as(self, hashes: bytes) -> bool:
        """Whether these are the leaf hashes that stand beside the entries; nothing beside them says nothing else."""
        try:
            return self.said is None or b"".join(self.said) == hashes  # type: ignore[arg-type]
        except TypeError:
            return False


class Listed(NamedTuple):
    """One listed checkpoint: its note with all lines held; ``fault``: what the source itself finds wrong with it."""

    size: int
    note: bytes
    fault: str = ""


class Disclosed(NamedTuple):
    """One disclosure as a source holds it: its state (``syncd.ledger.bundle``), its bytes, what is wrong with it."""

    state: str
    data: bytes = b""
    fault: str = ""


class Bundle(NamedTuple):
    """What was read of one bundle: its first index and width, its entries, its tile of level 0, and what lies
    beside them.

    Below L3 there are no entries, below L5 no disclosures.
    """

    first: int
    width: int
    rows: Rows
    tile: bytes
    listed: Sequence[Listed]
    disclosures: Sequence[Disclosed]


class AuditedLog(Protocol):
    """Where a log is read from, in bundles of 256 entries counted from 0; what is not there comes short or empty."""

    origin: str

    def newest(self) -> bytes:
        """The note up to whose size the log is audited, with all lines."""

    def rows(self, n: int) -> Rows:
        """The entries of bundle ``n``, at most 256."""

    def tile(self, level: int, n: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile."""

    def listed(self, n: int) -> Iterable[Listed]:
        """The listed checkpoints of sizes 256 n + 1 to 256 (n + 1), smallest first."""

    def disclosures(self, n: int) -> Sequence[Disclosed]:
        """The disclosures of bundle ``n``."""

    def elsewhere(self, level: int) -> "Callable[[], AuditedLog] | None":
        """What opens this log once more in another process (it is pickled); None where it is read here only."""


class Fact(NamedTuple):
    """What the pairing of the logs needs of one entry.

    ``about`` is the leaf of what it is about, its own where it is about nothing else; ``ref`` is the ``ref`` as
    ``<log> <id>``, or empty; ``body`` what the pairing needs of what was opened, or None; ``version`` the
    agreement's that its leaf names.
    """

    about: bytes
    origin: str
    idx: int
    kind: str
    at: str
    leaf: bytes
    id: str
    ref: str
    state: str
    body: Json | None
    version: int = 1


@dataclass(slots=True)
class LogReport:
    """What an audit found in one log: faults by level (``counts`` has them all), and how much it looked at.

    ``adopted``: the members that each version of the agreement names, by the log's own adoptions.
    """

    origin: str
    size: int = 0
    checkpoints: int = 0
    lines: int = 0
    lacking: Sequence[str] = ()
    final: int = 0
    last_signed: int = 0
    faults: dict[int, list[Fault]] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    disclosures: Counter[str] = field(default_factory=Counter)
    sm2: Counter[str] = field(default_factory=Counter)
    adopted: dict[int, frozenset[str]] = field(default_factory=dict)

    def add(self, level: int, place: str, code: str, detail: str = "") -> None:
        """Note a fault of this log."""
        self.counts[level] += 1
        if len(found := self.faults.setdefault(level, [])) < KEPT:
            found.append(Fault(0, f"{self.origin}{place}", code, detail))

    def take(self, part: "LogReport") -> None:
        """Take in what was found in a part of the log, behind what is here."""
        self.checkpoints += part.checkpoints
        self.lines += part.lines
        self.final = part.final or self.final
        for level, faults in part.faults.items():
            found = self.faults.setdefault(level, [])
            found += faults[: KEPT - len(found)]
        self.counts.update(part.counts)
        self.kinds.update(part.kinds)
        self.disclosures.update(part.disclosures)
        self.sm2.update(part.sm2)
        self.adopted.update(part.adopted)
