"""The audit of one log (审计), pure and streaming: 256 entries at a time, whatever the log's size.

* *L1* the newest checkpoint carries the log's line and those the policy asks for; its last entry stands in its tree.
* *L2* every listed checkpoint is signed, its members' lines verify, and all of them lie on one tree.
* *L3* the entries themselves lead to every tile and every signed root.
* *L4* each leaf is canonical and of this agreement; times never go back; entry 0 says by which agreement.
* *L5* each commitment is opened, erased with an order, withheld from this auditor, or missing.

L6, which pairs the logs, and what needs all entries at once, are judged by ``syncd.ledger.pairing`` from the facts that
come out of here. A fault names its record; where two disagree, the hashes above say which of them is wrong.
"""

from collections.abc import Iterable
from functools import lru_cache

from syncd.ledger.audit_lines import lines, second, signed
from syncd.ledger.audited import AuditedLog, CheckBody, Disclosed, Fact, Listed, LogReport, Rows, Rules
from syncd.ledger.bundle import ABSENT, ERASED, NONE, PARTIAL, PRESENT, WITHHELD
from syncd.ledger.canonical import FormatError, Json
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.disclosure import open_disclosure, open_items
from syncd.ledger.entry import KINDS, Entry, MeaningError, parse_entry
from syncd.ledger.notes import parse_note
from syncd.ledger.policy import lacking_of
from syncd.ledger.regrow import BUNDLE, Regrown, split
from syncd.ledger.tree import (
    HASH_BYTES,
    ProofError,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    subtree_hash,
    verify_inclusion,
)


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
        for n in range(-(-self.end.size // BUNDLE)):
            width = min(BUNDLE, self.end.size - n * BUNDLE)
            tile = self.log.tile(0, n, width)
            hashes = self._hashes(n, width, tile) if self.rules.level >= 3 else split(tile)
            if len(hashes) != width:
                self.report.add(2, f"/tile/0/{n}", "missing", f"{len(hashes)} of {width}")
                return
            self._compare(self.tree.push(hashes))
            for listed in self.log.listed(n):
                self._checkpoint(listed)
            self.rules.told(width)
        self._compare(self.tree.finish())
        if self.tree.root(self.end.size) != self.end.root and self.end.size:
            self._off_tree(2, "/checkpoint", self.end.size)

    def _hashes(self, n: int, width: int, tile: bytes) -> list[bytes]:
        """L3: the hashes of the entries; where they differ from the tile, those that the tree above confirms."""
        rows = self.log.rows(n)
        hashes = leaf_hashes(rows.leaves[:width])
        for at, fault in rows.faults.items():
            self._row_differs(n * BUNDLE + at, fault)
        if rows.said is not None and rows.said != hashes:
            for at, (said, hashed) in enumerate(zip(rows.said, hashes, strict=False)):
                if said is not None and said != hashed:
                    self._row_differs(n * BUNDLE + at, "leaf_hash differs from the leaf")
        if b"".join(hashes) != tile:
            hashes = self._decided(n, width, hashes, split(tile))
        if self.rules.level >= 4:
            self._meaning(n, width, rows)
        return hashes

    def _row_differs(self, index: int, fault: str) -> None:
        self.report.add(3, f":{index}", "row_differs", fault)

    def _decided(self, n: int, width: int, hashes: list[bytes], tile: list[bytes]) -> list[bytes]:
        if len(hashes) == width and self._confirmed(n, width, hashes):
            for at, hashed in enumerate(hashes):
                if at >= len(tile) or tile[at] != hashed:
                    self.report.add(3, f"/tile/0/{n}", "tile_differs", f"hash {at}, of entry {n * BUNDLE + at}")
            return hashes
        trusted = len(tile) == width and self._confirmed(n, width, tile)
        for at in range(width):
            if at >= len(hashes):
                self.report.add(3, f":{n * BUNDLE + at}", "missing")
            elif at >= len(tile) or hashes[at] != tile[at]:
                self.report.add(3, f":{n * BUNDLE + at}", "entry_altered" if trusted else "entry_and_tile_differ")
        return tile if trusted or len(hashes) != width else hashes

    def _confirmed(self, n: int, width: int, hashes: list[bytes]) -> bool:
        """Whether the tree above, or for the last bundle the signed root, has these hashes below it."""
        if width < BUNDLE:
            trial = self.tree.fork()
            list(trial.push(hashes))
            return trial.root(self.end.size) == self.end.root
        above = self.log.tile(1, n // BUNDLE, n % BUNDLE + 1)[n % BUNDLE * HASH_BYTES :]
        return above == subtree_hash(b"".join(hashes))

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

    def _checkpoint(self, listed: Listed) -> None:
        """L2: one listed checkpoint."""
        if listed.size > self.end.size:
            return
        self.report.checkpoints += 1
        place = f" checkpoint {listed.size}"
        if listed.fault:
            self.report.add(2, place, "row_differs", listed.fault)
        if not listed.note:
            return
        try:
            note = parse_note(listed.note)
            checkpoint = parse_checkpoint(note.text)
            if (checkpoint.origin, checkpoint.size) != (self.log.origin, listed.size):
                raise FormatError("It is another log's or another size's.")
        except FormatError as error:
            self.report.add(2, place, "malformed", str(error))
            return
        by_log = signed(self.rules.policy, self.report, 2, place, note)
        second(self.rules.policy, self.report, 2, place, note, counted=True)
        if not lacking_of(self.rules.policy, set(lines(self.rules.policy, self.report, 2, place, note))):
            self.report.final = listed.size
        if checkpoint.root == self.tree.root(listed.size):
            self.before = listed.size
        elif by_log:
            self._off_tree(2, place, listed.size)

    def _off_tree(self, level: int, place: str, size: int) -> None:
        """A signed root that the entries do not lead to: what was altered lies behind the last one that they do."""
        entries = f"entries {self.before} to {size - 1}" if self.before < size else ""
        self.report.add(level, place, "not_the_signed_tree", entries)

    def _meaning(self, n: int, width: int, rows: Rows) -> None:
        """L4 and L5 of one bundle."""
        disclosed = self.log.disclosures(n) if self.rules.level >= 5 else ()
        for at, leaf in enumerate(rows.leaves[:width]):
            index = n * BUNDLE + at
            try:
                entry = parse_entry(leaf)
            except MeaningError as error:
                self.report.add(4, f":{index}", error.reason)
                continue
            if rows.differs is not None and (fault := rows.differs(at, entry)):
                self._row_differs(index, fault)
            self._order(index, entry)
            state, body = PRESENT, None
            if self.rules.level >= 5:
                held = disclosed[at] if at < len(disclosed) else Disclosed(ABSENT, fault="missing")
                state, body = self._opened(index, entry, held)
            self._fact(index, entry, leaf, state, body)

    def _order(self, index: int, entry: Entry) -> None:
        self.report.kinds[entry.kind] += 1
        if entry.at < self.last_at:
            self.report.add(4, f":{index}", "time_goes_back", f"{entry.at} after {self.last_at}")
        self.last_at = max(self.last_at, entry.at)
        if entry.agreement.partition("@")[0] != self.log.origin.partition("/")[0]:
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
            body, cut = _body(entry, held.data, self.rules.check_body)
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
        whole = about, self.log.origin, index, entry.kind, entry.at, own, entry.id, named, state, body
        self.rules.keep(Fact(*whole, _version(entry.agreement)))


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
