"""One bundle of an audited log judged by itself 逐包审计, as far as it goes without the others.

A pure function of what was read of the bundle: so the bundles of a large log may be judged side by side, anywhere and
in any order (``syncd.evidence.side_by_side``). What only the whole log can say is left to ``syncd.ledger.audit``:
whether the tree above confirms these entries, whether a signed root lies on it, whether time goes back from one bundle
to the next. There every fault is named, too: a bundle that is not found in order ahead is read and judged again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from syncd.ledger.audit_lines import Seen, seen
from syncd.ledger.audited import AuditedLog, Bundle, Disclosed, Fact, LogReport, Rows
from syncd.ledger.bundle import ABSENT, ERASED, NONE, PARTIAL, PRESENT, WITHHELD
from syncd.ledger.canonical import Json
from syncd.ledger.disclosure import open_disclosure, open_items
from syncd.ledger.entry import KINDS, Entry, MeaningError, parse_entry
from syncd.ledger.policy import Policy
from syncd.ledger.regrow import BUNDLE, Grown, grow, grow_leaves
from syncd.ledger.tree import HASH_BYTES, leaf_hash

CheckBody = Callable[[str, Json], None]
_PAIRED: Final = frozenset({"restriction.imposed", "restriction.lifted"})
_NEEDED: Final = ("because", "knew", "effective_from")
"""What of a body the pairing asks for, in answers and relief."""


def unread(kind: str, body: Json) -> None:
    """The check of bodies below level 5, where none is opened: a process that judges need not learn how."""


class Meaning(NamedTuple):
    """L4 and L5 of one bundle: what was found, its facts, and the first and last ``at``, empty if no leaf was read."""

    report: LogReport
    facts: list[Fact]
    earliest: str
    latest: str


class Judged(NamedTuple):
    """The tree over a bundle, its listed checkpoints, and from L4 on the meaning of its entries."""

    grown: Grown
    seen: list[Seen]
    meaning: Meaning | None


@dataclass(frozen=True, slots=True)
class Judge:
    """By what the bundles of this log are judged: its size, the level, the trust policy, the check of bodies."""

    origin: str
    size: int
    level: int
    policy: Policy
    check_body: CheckBody

    @property
    def count(self) -> int:
        """Bundles in all."""
        return -(-self.size // BUNDLE)

    def read(self, log: AuditedLog, n: int) -> Bundle:
        """What this level needs of a bundle, and nothing beyond the size that is audited."""
        width = min(BUNDLE, self.size - n * BUNDLE)
        rows = log.rows(n).cut(width) if self.level >= 3 else Rows(())
        listed = [one for one in log.listed(n) if one.size <= self.size]
        disclosed = log.disclosures(n) if self.level >= 5 else ()
        return Bundle(n * BUNDLE, width, rows, log.tile(0, n, width), listed, disclosed)

    def judge(self, held: Bundle, last_at: str = "") -> Judged:
        """Everything about a bundle that needs no other, behind entries of which the last is of this time."""
        grown = grow_leaves(held.rows.leaves) if self.level >= 3 else grow(held.tile)
        checkpoints = [seen(self.policy, self.origin, one) for one in held.listed]
        meaning = _Reading(self, held, last_at).meaning() if self.level >= 4 else None
        return Judged(grown, checkpoints, meaning)

    def ahead(self, log: AuditedLog, n: int) -> Judged | None:
        """The verdict on a bundle that is in order as far as can be seen here; None if anything is to be said of it."""
        held = self.read(log, n)
        judged = self.judge(held)
        whole = judged.grown[0] == held.tile and len(held.tile) == held.width * HASH_BYTES
        reports = [one.report for one in judged.seen]
        if judged.meaning is not None:
            reports.append(judged.meaning.report)
        alike = not held.rows.faults and held.rows.hashed_as(judged.grown[0])
        return judged if whole and alike and not any(report.counts for report in reports) else None


Ahead = Callable[[Judge, AuditedLog], Iterable[Judged | None]]
"""Who judges ahead: gives for each bundle in order what ``Judge.ahead`` says, or None where it was not asked."""


def none_ahead(judge: Judge, log: AuditedLog) -> Iterable[Judged | None]:
    """Nobody does: each bundle is judged when its turn comes."""
    return (None for _ in range(judge.count))


class _Reading:
    """One reading of a bundle's entries."""

    def __init__(self, judge: Judge, held: Bundle, last_at: str) -> None:
        self.judge, self.held, self.last_at = judge, held, last_at
        self.earliest = ""
        self.report, self.facts = LogReport(judge.origin), list[Fact]()

    def meaning(self) -> Meaning:
        rows, disclosed = self.held.rows, self.held.disclosures
        for at, leaf in enumerate(rows.leaves):
            index = self.held.first + at
            try:
                entry = parse_entry(leaf)
            except MeaningError as error:
                self.report.add(4, f":{index}", error.reason)
                continue
            if rows.differs is not None and (fault := rows.differs(at, entry)):
                self.report.add(3, f":{index}", "row_differs", fault)
            self._order(index, entry)
            state, body = PRESENT, None
            if self.judge.level >= 5:
                held = disclosed[at] if at < len(disclosed) else Disclosed(ABSENT, fault="missing")
                state, body = self._opened(index, entry, held)
            self._fact(index, entry, leaf, state, body)
        return Meaning(self.report, self.facts, self.earliest, self.last_at)

    def _order(self, index: int, entry: Entry) -> None:
        self.report.kinds[entry.kind] += 1
        if entry.at < self.last_at:
            self.report.add(4, f":{index}", "time_goes_back", f"{entry.at} after {self.last_at}")
        self.last_at = max(self.last_at, entry.at)
        self.earliest = min(self.earliest or entry.at, entry.at)
        if entry.agreement.partition("@")[0] != self.judge.origin.partition("/")[0]:
            self.report.add(4, f":{index}", "other_agreement")
        if entry.kind == "agreement.adopted" and isinstance(entry.body, dict):
            self._adopted(entry.body)
        if index == 0 and entry.kind not in ("agreement.adopted", "log.sealed"):
            self.report.add(4, f":{index}", "no_agreement", entry.kind)

    def _adopted(self, said: Json) -> None:
        """Whom a version names; what the object does not say in its form says nothing."""
        version, members = said.get("version"), said.get("members")
        if isinstance(version, int) and isinstance(members, list):
            named = (one.get("code") for one in members if isinstance(one, dict))
            self.report.adopted[version] = frozenset(code for code in named if isinstance(code, str))

    def _opened(self, index: int, entry: Entry, held: Disclosed) -> tuple[str, Json | None]:
        """L5: the state of one commitment, and what it opens to."""
        place = f":{index}"
        if held.fault:
            self.report.add(5, place, held.fault)
        if not isinstance(entry.body, str | list):
            if held.state not in (NONE, WITHHELD):
                self.report.add(5, place, "state_does_not_fit")
            return NONE, entry.body if isinstance(entry.body, dict) else None
        state = ABSENT if held.state == NONE else held.state
        if state not in (PRESENT, PARTIAL):
            self.report.disclosures[state] += 1
            return state, None
        try:
            body, cut = _body(entry, held.data, self.judge.check_body)
        except MeaningError as error:
            if not held.fault:
                self.report.add(5, place, error.reason)
            self.report.disclosures["broken"] += 1
            return PRESENT, None
        self.report.disclosures["opened"] += 1
        return (ERASED if cut and state == PRESENT else PRESENT), body

    def _fact(self, index: int, entry: Entry, leaf: bytes, state: str, body: Json | None) -> None:
        ref, own = entry.ref, leaf_hash(leaf)
        about = bytes.fromhex(ref.leaf) if ref is not None else own
        named = f"{ref.log} {ref.id}" if ref is not None else ""
        kept: Json | None = None
        if body is not None and (entry.kind in _PAIRED or entry.kind.startswith("relief.")):
            kept = {name: body[name] for name in _NEEDED if name in body}
        whole = about, self.judge.origin, index, entry.kind, entry.at, own, entry.id, named, state, kept
        self.facts.append(Fact(*whole, _version(entry.agreement)))


def _body(entry: Entry, data: bytes, check_body: CheckBody) -> tuple[Json | None, bool]:
    """What a disclosure opens to, and whether items of a batch are erased. Raises MeaningError."""
    items: list[Json | None]
    if isinstance(entry.body, list):
        items = open_items(entry.id, entry.body, data)
        body = None
    else:
        body = open_disclosure(entry.id, str(entry.body), data)
        items = [body]
    for item in items:
        try:
            if item is not None and entry.kind in KINDS:
                check_body(entry.kind, item)
        except Exception as error:  # whatever a reader of bodies raises, this body is not of its form
            reason = str(getattr(error, "reason", type(error).__name__))
            if reason != "newer_schema":
                raise MeaningError(f"invalid_body:{reason}") from error
    return body, None in items


@lru_cache(64)
def _version(tag: str) -> int:
    """The number of the version that a leaf's tag names; its form was proven when the leaf was read."""
    return int(tag.partition("@")[2].partition("#")[0])
