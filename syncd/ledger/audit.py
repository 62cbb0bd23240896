"""The audit of one log (审计), pure and streaming: 256 entries at a time, whatever the log's size.

* *L1* the newest checkpoint carries the log's line and those the policy asks for; its last entry stands in its tree.
* *L2* every listed checkpoint is signed, its members' lines verify, and all of them lie on one tree.
* *L3* the entries themselves lead to every tile and every signed root.
* *L4* each leaf is canonical and of this agreement; times never go back; entry 0 says by which agreement.
* *L5* each commitment is opened, erased with an order, withheld from this auditor, or missing.

L6, which pairs the logs, and what needs all entries at once, are judged by ``syncd.ledger.pairing`` from the facts that
come out of here. A fault names its record; where two disagree, the hashes above say which of them is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from syncd.ledger.audit_bundle import Ahead, CheckBody, Judge, Judged, none_ahead
from syncd.ledger.audit_lines import Seen, lines, second, signed
from syncd.ledger.audited import AuditedLog, Bundle, Fact, LogReport
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.notes import parse_note
from syncd.ledger.policy import Policy, lacking_of
from syncd.ledger.regrow import BUNDLE, Grown, Regrown, grow, split
from syncd.ledger.tree import HASH_BYTES, ProofError, inclusion_proof, leaf_hash, verify_inclusion


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a log is judged: level, policy, check of bodies; who is told of facts and steps, and judges ahead."""

    level: int
    policy: Policy
    check_body: CheckBody
    keep: Callable[[Sequence[Fact]], None]
    told: Callable[[int], None]
    ahead: Ahead = none_ahead


def audit_log(log: AuditedLog, rules: Rules) -> LogReport:
    """Audit one log up to ``rules.level``; returns what was found, raises nothing for what the log holds."""
    report = LogReport(log.origin)
    checkpoint = _newest(log, rules, report)
    if checkpoint is None:
        return report
    if rules.level >= 2:
        _Walk(log, rules, report, checkpoint).walk()
    if report.lacking and not report.final:  # a newer checkpoint that is not final yet is the ordinary state of a log
        report.add(1, "/checkpoint", "not_final", " ".join(report.lacking))
    return report


def _newest(log: AuditedLog, rules: Rules, report: LogReport) -> Checkpoint | None:
    """L1; None if no checkpoint can be read, so that nothing can be audited."""
    try:
        note = parse_note(log.newest())
        checkpoint = parse_checkpoint(note.text)
        if checkpoint.origin != log.origin:
            raise FormatError(f"It is one of {checkpoint.origin}.")
    except FormatError as error:
        report.add(1, "/checkpoint", "malformed", str(error))
        return None
    report.size = checkpoint.size
    signed(rules.policy, report, 1, "/checkpoint", note)
    second(rules.policy, report, 1, "/checkpoint", note, counted=rules.level < 2)  # from L2 on it is listed as well
    times = lines(rules.policy, report, 1, "/checkpoint", note)
    report.lacking = lacking_of(rules.policy, set(times))
    report.last_signed = max(times.values(), default=0)
    if checkpoint.size and rules.level < 3:  # from L3 on the whole tree is computed, and the fault itself is named
        _include_last(log, checkpoint, report)
    return checkpoint


def _include_last(log: AuditedLog, checkpoint: Checkpoint, report: LogReport) -> None:
    index = checkpoint.size - 1
    try:
        leaf = log.rows(index // BUNDLE).leaves[index % BUNDLE]
        proof = inclusion_proof(index, checkpoint.size, log.tile)
        verify_inclusion(index, checkpoint.size, leaf_hash(leaf), proof, checkpoint.root)
    except (ProofError, IndexError) as error:
        report.add(1, f":{index}", "not_included", str(error) if isinstance(error, ProofError) else "")


class _Walk:
    """One walk over a log: entries, tiles and checkpoints side by side."""

    def __init__(self, log: AuditedLog, rules: Rules, report: LogReport, end: Checkpoint) -> None:
        self.log, self.rules, self.report, self.end = log, rules, report, end
        self.tree = Regrown()
        self.before = 0  # the size of the last checkpoint that lay on the tree
        self.last_at = ""

    def walk(self) -> None:
        judge = Judge(self.log.origin, self.end.size, self.rules.level, self.rules.policy, self.rules.check_body)
        for n, ahead in enumerate(self.rules.ahead(judge, self.log)):
            width = min(BUNDLE, self.end.size - n * BUNDLE)
            grown, judged = self._judged(judge, n, ahead)
            if judged.meaning is not None:
                self.last_at = max(self.last_at, judged.meaning.latest)
                self.report.take(judged.meaning.report)
                self.rules.keep(judged.meaning.facts)
            if (count := len(grown[0]) // HASH_BYTES) != width:
                self.report.add(2, f"/tile/0/{n}", "missing", f"{count} of {width}")
                return
            self._compare(self.tree.push(grown))
            for seen in judged.seen:
                self._checkpoint(seen)
            self.rules.told(width)
        self._compare(self.tree.finish())
        if self.tree.root(self.end.size) != self.end.root and self.end.size:
            self._off_tree(2, "/checkpoint", self.end.size)

    def _judged(self, judge: Judge, n: int, ahead: Judged | None) -> tuple[Grown, Judged]:
        """A bundle's verdict, and the tree over it; one given ahead holds if its times follow on those before."""
        if ahead is not None and (ahead.meaning is None or ahead.meaning.earliest >= self.last_at):
            return ahead.grown, ahead
        held = judge.read(self.log, n)
        judged = judge.judge(held, self.last_at)
        return (self._entries(n, held, judged.grown) if self.rules.level >= 3 else judged.grown), judged

    def _entries(self, n: int, held: Bundle, by_entries: Grown) -> Grown:
        """L3: the tree over the entries; where it differs from the tile, over those that the tree above confirms."""
        rows = held.rows
        for at, fault in rows.faults.items():
            self._row_differs(held.first + at, fault)
        if rows.said is not None and not rows.hashed_as(by_entries[0]):
            for at, (said, hashed) in enumerate(zip(rows.said, split(by_entries[0]), strict=False)):
                if said is not None and said != hashed:
                    self._row_differs(held.first + at, "leaf_hash differs from the leaf")
        if by_entries[0] == held.tile:
            return by_entries
        return self._decided(n, held.width, by_entries, grow(held.tile))

    def _row_differs(self, index: int, fault: str) -> None:
        self.report.add(3, f":{index}", "row_differs", fault)

    def _decided(self, n: int, width: int, by_entries: Grown, by_tile: Grown) -> Grown:
        hashes, tile = split(by_entries[0]), split(by_tile[0])
        if len(hashes) == width and self._confirmed(n, width, by_entries):
            for at, hashed in enumerate(hashes):
                if at >= len(tile) or tile[at] != hashed:
                    self.report.add(3, f"/tile/0/{n}", "tile_differs", f"hash {at}, of entry {n * BUNDLE + at}")
            return by_entries
        trusted = len(tile) == width and self._confirmed(n, width, by_tile)
        for at in range(width):
            if at >= len(hashes):
                self.report.add(3, f":{n * BUNDLE + at}", "missing")
            elif at >= len(tile) or hashes[at] != tile[at]:
                self.report.add(3, f":{n * BUNDLE + at}", "entry_altered" if trusted else "entry_and_tile_differ")
        return by_tile if trusted or len(hashes) != width else by_entries

    def _confirmed(self, n: int, width: int, grown: Grown) -> bool:
        """Whether the tree above, or for the last bundle the signed root, has these hashes below it."""
        if width < BUNDLE:
            trial = self.tree.fork()
            list(trial.push(grown))
            return trial.root(self.end.size) == self.end.root
        above = self.log.tile(1, n // BUNDLE, n % BUNDLE + 1)[n % BUNDLE * HASH_BYTES :]
        return above == grown[-1]

    def _compare(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        """L3: the tiles above, which are all that a proof is made of."""
        for level, n, data in tiles:
            held = self.log.tile(level, n, len(data) // HASH_BYTES)
            if held == data:
                continue
            for at, hashed in enumerate(split(data)):
                if held[at * HASH_BYTES : (at + 1) * HASH_BYTES] != hashed:
                    self.report.add(2, f"/tile/{level}/{n}", "tile_differs" if held else "missing", f"hash {at}")
                    if not held:
                        break

    def _checkpoint(self, seen: Seen) -> None:
        """L2: one listed checkpoint."""
        self.report.take(seen.report)
        if not seen.root:
            return
        if seen.root == self.tree.root(seen.size):
            self.before = seen.size
        elif seen.by_log:
            self._off_tree(2, f" checkpoint {seen.size}", seen.size)

    def _off_tree(self, level: int, place: str, size: int) -> None:
        """A signed root that the entries do not lead to: what was altered lies behind the last one that they do."""
        entries = f"entries {self.before} to {size - 1}" if self.before < size else ""
        self.report.add(level, place, "not_the_signed_tree", entries)
