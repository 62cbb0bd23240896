"""What an audit (审计) reads and says: the port of a log's source, the facts for the pairing, the report of one log."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from syncd.ledger.canonical import Json
from syncd.ledger.policy import Policy
from syncd.ledger.steps import Fault

LEVELS: Final = (1, 2, 3, 4, 5, 6)
KEPT: Final = 1000
"""Faults listed for each level of a log; further ones are only counted."""
CheckBody = Callable[[str, Json], None]


class Row(NamedTuple):
    """One entry as a source holds it: its leaf.

    ``fault``: what the source itself finds wrong with its row; ``said``: the leaf hash that stands beside it there.
    """

    leaf: bytes
    fault: str = ""
    said: bytes | None = None


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


class AuditedLog(Protocol):
    """Where a log is read from, in bundles of 256 entries counted from 0; what is not there comes short or empty."""

    origin: str

    def newest(self) -> bytes:
        """The note up to whose size the log is audited, with all lines."""

    def rows(self, n: int) -> Sequence[Row]:
        """The entries of bundle ``n``."""

    def tile(self, level: int, n: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile."""

    def listed(self, n: int) -> Iterable[Listed]:
        """The listed checkpoints of sizes 256 n + 1 to 256 (n + 1), smallest first."""

    def disclosures(self, n: int) -> Sequence[Disclosed]:
        """The disclosures of bundle ``n``."""


class Fact(NamedTuple):
    """What the pairing of the logs needs of one entry.

    ``about`` is the leaf of what it is about, its own where it is about nothing else; ``ref`` is the ``ref`` as
    ``<log> <id>``, or empty; ``body`` what was opened of it, or None.
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


@dataclass(slots=True)
class LogReport:
    """What an audit found in one log: faults by level (``counts`` has them all), and how much it looked at."""

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

    def add(self, level: int, place: str, code: str, detail: str = "") -> None:
        """Note a fault of this log."""
        self.counts[level] += 1
        if len(found := self.faults.setdefault(level, [])) < KEPT:
            found.append(Fault(0, f"{self.origin}{place}", code, detail))


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a log is judged: level, trust policy, the check of bodies, and who is told of each fact and step."""

    level: int
    policy: Policy
    check_body: CheckBody
    keep: Callable[[Fact], None]
    told: Callable[[int], None]
