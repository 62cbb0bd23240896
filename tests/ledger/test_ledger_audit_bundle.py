"""Bundles judged ahead: what is not in order, and what time alone puts in order, is judged when its turn comes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest
from ledger_helpers import GrowingTree

from syncd.ledger.audit import Rules, audit_log
from syncd.ledger.audit_bundle import Judge, Judged, none_ahead, unread
from syncd.ledger.audited import AuditedLog, Disclosed, Fact, Listed, LogReport, Rows
from syncd.ledger.canonical import b64
from syncd.ledger.entry import Entry, encode_entry, uuid7
from syncd.ledger.policy import Policy
from syncd.ledger.regrow import BUNDLE
from syncd.ledger.tiles import root_at
from syncd.ledger.tree import leaf_hash

pytestmark = pytest.mark.fast
ORIGIN = "bench/310114/1"
SIZE = 2 * BUNDLE + 9


@dataclass
class Held:
    """A log in memory."""

    leaves: list[bytes]
    said: list[bytes]
    tree: GrowingTree
    note: bytes
    origin: str = ORIGIN

    def newest(self) -> bytes:
        return self.note

    def rows(self, n: int) -> Rows:
        return Rows(self.leaves[n * BUNDLE : (n + 1) * BUNDLE], self.said[n * BUNDLE : (n + 1) * BUNDLE])

    def tile(self, level: int, n: int, width: int) -> bytes:
        return self.tree.tiles[level, n][: width * 32]

    def listed(self, n: int) -> Iterable[Listed]:
        return [Listed(SIZE, self.note)] if n == SIZE // BUNDLE else []

    def disclosures(self, n: int) -> Sequence[Disclosed]:
        return []

    def elsewhere(self, level: int) -> Callable[[], AuditedLog] | None:
        return None


def held(seconds: Callable[[int], int]) -> Held:
    """A log whose entries bear these seconds of one hour."""
    leaves = [
        encode_entry(Entry(uuid7(n, bytes(10)), "finding.issued", f"2026-11-22T04:{at // 60:02d}:{at % 60:02d}.000Z",
                           "bench@1#0123456789abcdef", None, "A" * 43))
        for n, at in enumerate(map(seconds, range(SIZE)))
    ]  # fmt: skip
    tree = GrowingTree()
    tree.grow(leaves)
    note = f"{ORIGIN}\n{SIZE}\n{b64(root_at(SIZE, tree.tiles))}\n\n— {ORIGIN} {b64(bytes(68))}\n"
    return Held(leaves, [leaf_hash(leaf) for leaf in leaves], tree, note.encode())


def audited(log: Held, level: int, *, ahead: bool) -> tuple[LogReport, list[Fact], int]:
    """The report, the facts, and how many bundles were judged ahead."""
    facts, given = list[Fact](), list[bool]()

    def judged(judge: Judge, log: AuditedLog) -> Iterable[Judged | None]:
        for n in range(judge.count):
            given.append((found := judge.ahead(log, n)) is not None)
            yield found

    rules = Rules(level, Policy(), unread, facts.extend, lambda more: None, judged if ahead else none_ahead)
    return audit_log(log, rules), facts, sum(given)


def places(report: LogReport, code: str) -> list[str]:
    return [fault.place for found in report.faults.values() for fault in found if fault.code == code]


@pytest.mark.parametrize("level", [2, 3, 4])
def test_what_is_judged_ahead_is_what_is_judged_in_turn(level: int) -> None:
    log = held(lambda n: n // 4)
    report, facts, given = audited(log, level, ahead=True)
    assert (report, facts) == audited(log, level, ahead=False)[:2] and len(facts) == (SIZE if level == 4 else 0)
    assert given == (1 if level == 4 else 2), "the first lacks its agreement, the last has an unsigned checkpoint"
    assert not places(report, "not_the_signed_tree") and not places(report, "time_goes_back")


def test_time_that_goes_back_between_bundles_is_named_though_each_is_in_order() -> None:
    log = held(lambda n: n // 4 if n < BUNDLE else n // 4 - 3)
    report, facts, given = audited(log, 4, ahead=True)
    assert given == 1 and places(report, "time_goes_back") == [f"{ORIGIN}:{BUNDLE + n}" for n in range(8)]
    assert (report, facts) == audited(log, 4, ahead=False)[:2]


def test_an_altered_entry_and_what_stands_beside_it_are_named() -> None:
    log = held(lambda n: n // 4)
    log.leaves[BUNDLE + 3] = log.leaves[BUNDLE + 3].replace(b"finding", b"fondong")
    log.said[2 * BUNDLE + 1] = bytes(32)
    report, _, given = audited(log, 3, ahead=True)
    assert given == 1 and places(report, "entry_altered") == [f"{ORIGIN}:{BUNDLE + 3}"]
    assert places(report, "row_differs") == [f"{ORIGIN}:{BUNDLE + 3}", f"{ORIGIN}:{2 * BUNDLE + 1}"]
    assert report == audited(log, 3, ahead=False)[0]
