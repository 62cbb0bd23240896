"""What every stage of a bureau holds: its logs and keys, the agreement, its peers, the clock and the bell.

Built once by the wiring and handed to each stage; no stage reads settings or makes a connection of its own.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from syncd.agreement.model import Agreement
from syncd.agreement.versions import NONE_HELD, Timeline, timeline
from syncd.ledger.entry import format_time
from syncd.ledger.notes import NoteSigner, NoteVerifier
from syncd.ledger.witness_files import OutsideWitness
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.sizes import SignedSizes
from syncd.store.vault import Vault

Json = dict[str, Any]
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Peer:
    """A member of the agreement as others know it: its log and the keys that verify its lines."""

    code: str
    origin: str
    log: NoteVerifier
    receipt: NoteVerifier


@dataclass(frozen=True)
class Signers:
    """This bureau's signing keys by role; never shared between roles."""

    log: NoteSigner
    receipt: NoteSigner
    witness: NoteSigner | None = None


@dataclass
class Bureau:
    """One member's node. ``members``: all that any version held here names and whose keys are known, this one included.

    ``agreement`` is the version by which this node acts now, ``timeline`` all that are held; ``find_versions`` looks
    whether there are more. ``tags``: entries of these versions are read here; ``acts``: the version in force names
    this member; ``exchanging``: with whom entries are exchanged.
    """

    code: str
    agreement: Agreement
    members: Mapping[str, Peer]
    store: Store
    logs: Logs
    vault: Vault
    open_sizes: Callable[[], SignedSizes]
    new_sizes: Callable[[], SignedSizes]
    signers: Signers
    clock: Callable[[], dt.datetime]
    wake: Callable[[str], None]
    allow_candidates: bool = False
    may_sign: bool = True
    doubt: str = ""
    still_alone: Callable[[], bool] = lambda: True
    has_home: bool = True
    outside: Sequence[OutsideWitness] = ()
    cross_check_seconds: float = 3000.0
    provisional_seconds: float = 3600.0
    notice: Callable[[str, Json], None] = field(default=lambda event, facts: None)
    timeline: Timeline = NONE_HELD
    find_versions: Callable[[], Sequence[Agreement]] = tuple

    tags: frozenset[str] = frozenset()
    acts: bool = True
    exchanging: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.take(self.timeline if self.timeline.held else timeline([self.agreement], ()))

    @cached_property
    def sizes(self) -> SignedSizes:
        """The signed-sizes file; opened at its first use, which only the holder of the daemon's lock may make."""
        return self.open_sizes()

    @property
    def origin(self) -> str:
        """This bureau's own log."""
        return self.members[self.code].origin

    @property
    def origins(self) -> Sequence[str]:
        """All logs of the agreement, one's own first."""
        others = [peer.origin for code, peer in sorted(self.members.items()) if code != self.code]
        return [self.origin, *others]

    def take(self, known: Timeline) -> None:
        """Act by these versions from now on; asked again whenever one was loaded or adopted, and on each new day."""
        day = self.today()
        self.agreement = known.acting(day, self.code)
        self.tags = known.tags(day)
        self.acts = known.named(self.code, day)
        exchanging = known.exchanging(day)
        self.exchanging = exchanging if self.code in exchanging else frozenset()
        self.timeline = known

    def owner(self, origin: str) -> Peer | None:
        """The member whose log this is."""
        return next((peer for peer in self.members.values() if peer.origin == origin), None)

    def now_text(self) -> str:
        """Now, as it stands in a leaf (UTC, milliseconds)."""
        return format_time(self.clock())

    def today(self) -> dt.date:
        """Today in Asia/Shanghai: the day on which measures are judged."""
        return day_of(self.clock())


def day_of(moment: dt.datetime) -> dt.date:
    """The calendar day in Asia/Shanghai of an aware moment."""
    return moment.astimezone(SHANGHAI).date()


def day_of_text(at: str) -> dt.date:
    """The calendar day in Asia/Shanghai of a leaf's ``at``."""
    return day_of(dt.datetime.fromisoformat(at))
