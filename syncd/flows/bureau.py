"""What every stage of a bureau holds: its logs and keys, the agreement, its peers, the clock and the bell.

Built once by the wiring and handed to each stage; no stage reads settings or makes a connection of its own.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from syncd.agreement.model import Agreement
from syncd.agreement.versions import NONE_HELD, Timeline, timeline
from syncd.errors import Stop
from syncd.ledger.entry import Ref, format_time
from syncd.ledger.key_history import KeySpan, active, base
from syncd.ledger.notes import NoteSigner, NoteVerifier
from syncd.ledger.policy import Sealed
from syncd.ledger.sm2 import Sm2Signer, Sm2Verifier
from syncd.ledger.witness_files import OutsideWitness
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.register import Finding
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
    sm2: Sm2Verifier | None = None
    spans: list[KeySpan] = field(default_factory=list, compare=False, repr=False)
    former: list[str] = field(default_factory=list, compare=False, repr=False)

    def history(self) -> list[KeySpan]:
        """All keys it ever had, with the sizes on which they count; from its member file while none has changed."""
        spans = list(self.spans) or [base("receipt", self.receipt.vkey)]
        if any(one.role == "log" and self.names(one.vkey) for one in spans):
            return spans
        return [*spans, base("log", self.log.vkey)]  # also of a successor that no seal has named here yet

    def names(self, vkey: str) -> bool:
        """Whether a key is one of its present log, not of a sealed one."""
        return vkey.partition("+")[0] == self.origin

    def speaks_for(self, origin: str) -> bool:
        """Whether its log may relieve what that log issued: itself, or a sealed one that it goes on for."""
        return origin == self.origin or origin in self.former

    def log_keys(self, size: int) -> Sequence[NoteVerifier]:
        """The keys that may sign its log at a size."""
        return self._keys("log", self.origin, size) if self.spans else (self.log,)

    def receipt_keys(self, origin: str, size: int) -> Sequence[NoteVerifier]:
        """The keys that may countersign a log at a size."""
        return self._keys("receipt", origin, size) if self.spans else (self.receipt,)

    def _keys(self, role: str, origin: str, size: int) -> Sequence[NoteVerifier]:
        return [_parsed(one.vkey) for one in self.history() if one.role == role and one.covers(origin, size)]


@lru_cache(256)
def _parsed(vkey: str) -> NoteVerifier:
    return NoteVerifier.parse(vkey)


@dataclass(frozen=True)
class Signers:
    """This bureau's signing keys by role; never shared between roles.

    ``spare`` looks into the node's folder for every key of a log or receipt that lies there.
    """

    log: NoteSigner
    receipt: NoteSigner
    witness: NoteSigner | None = None
    sm2: Sm2Signer | None = None
    spare: Callable[[], Sequence[NoteSigner]] = tuple


@dataclass
class Bureau:
    """One member's node. ``members``: all that any version held here names and whose keys are known, this one included.

    ``agreement`` is the version by which this node acts now, ``timeline`` all that are held; ``find_versions`` looks
    whether there are more. ``tags``: entries of these versions are read here; ``acts``: the version in force names
    this member; ``exchanging``: with whom entries are exchanged. ``outdated``: whether the members' files say otherwise
    by now, so that a bureau built anew is to go on; ``take_over`` hands it what is open.
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
    outdated: Callable[[], bool] = lambda: False

    tags: frozenset[str] = frozenset()
    acts: bool = True
    exchanging: frozenset[str] = frozenset()
    sealed: Mapping[str, Sealed] = field(default_factory=dict)
    _found: Mapping[str, NoteSigner] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.take(self.timeline if self.timeline.held else timeline([self.agreement], ()))

    @cached_property
    def sizes(self) -> SignedSizes:
        """The signed-sizes file; opened at its first use, which only the holder of the daemon's lock may make."""
        return self.open_sizes()

    def take_over(self, before: "Bureau") -> None:
        """Go on for a bureau of this node that runs: the file of signed sizes stays the one that is open."""
        if "sizes" in before.__dict__:
            self.sizes = before.sizes
        self.still_alone = before.still_alone

    def signing(self, role: str) -> Sequence[NoteSigner]:
        """The keys of a role that sign now, the older first where one replaces another (LEDGER §9).

        Raises ``Stop`` where the file of one is gone.
        """
        first = self.signers.log if role == "log" else self.signers.receipt
        own = self.members[self.code]
        wanted = [vkey for vkey in active(own.history(), role) if role != "log" or own.names(vkey)]
        if wanted == [first.vkey]:
            return [first]
        if any(vkey not in self._found for vkey in wanted):
            self._found = {one.vkey: one for one in (*self.signers.spare(), first)}
        if any(vkey not in self._found for vkey in wanted):
            raise Stop(
                f"The file of a {role} key that signs is not in the node's folder of keys. Nothing was signed; put it "
                "back. If it is lost, the log must be sealed: `syncd keys seal`."
            )
        return [self._found[vkey] for vkey in wanted]

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

    @property
    def owing(self) -> Sequence[str]:
        """Whose lines are owed under new checkpoints: the members that the version in force here names."""
        return [code for code in self.agreement.members if code in self.members]

    def owner(self, origin: str) -> Peer | None:
        """The member whose log this is."""
        for peer in self.members.values():
            if peer.origin == origin:
                return peer
            if origin in peer.former:  # a sealed log is read to its end as what it was
                return replace(peer, origin=origin, former=[])
        return None

    def own_logs(self, conn: Connection) -> frozenset[int]:
        """The store's numbers of this bureau's own log and of sealed ones that it goes on for."""
        return frozenset(state.id for state in self.logs.states(conn) if state.own)

    def ref_of(self, conn: Connection, finding: Finding) -> Ref:
        """What an entry about a finding says it is about: its own log, which may be a sealed one."""
        origin = next(state.origin for state in self.logs.states(conn) if state.id == finding.log)
        return Ref(origin, finding.id, finding.leaf.hex())

    def now_text(self) -> str:
        """Now, as it stands in a leaf (UTC, milliseconds)."""
        return format_time(self.clock())

    def today(self) -> dt.date:
        """Today in Asia/Shanghai: the day on which measures are judged."""
        return day_of(self.clock())


def day_of(moment: dt.datetime) -> dt.date:
    """The calendar day in Asia/Shanghai of an aware moment."""
    return moment.astimezone(SHANGHAI).date()


@lru_cache(1_024)
def day_of_text(at: str) -> dt.date:
    """The calendar day in Asia/Shanghai of a leaf's ``at``."""
    return day_of(dt.datetime.fromisoformat(at))
