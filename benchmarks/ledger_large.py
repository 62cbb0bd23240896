"""What is done with a large log, measured: audits, a cold proof, ``asof``, an export, and appending to it.

Half of the entries are findings, half a region's answers, each with its disclosure; three members' lines stand at each
stop. Each audit runs in a process of its own, so that its memory is its own; processor time is also that of the
processes that judge for it, memory is not.
"""

import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.ledger_fsck import fsck
from benchmarks.ledger_kit import (
    NODE_KEY,
    NOON,
    Clock,
    Keys,
    agreement_here,
    answer_body,
    append,
    draft,
    drafts,
    finding_body,
    opened,
    peak_mebibytes,
)
from syncd.evidence.asof import as_known
from syncd.evidence.audit import audit
from syncd.evidence.books import Evidence
from syncd.evidence.export import export
from syncd.evidence.node_log import logs_of
from syncd.evidence.unsealing import by_vault
from syncd.flows.understand import finding_row
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.entry import Ref
from syncd.ledger.notes import format_note
from syncd.ledger.tree import inclusion_proof, leaf_hash, verify_inclusion
from syncd.store import register
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.vault import Vault

REPEATS = 3
"""Audits of one log; the median counts."""


class Used(NamedTuple):
    """Seconds on the wall, seconds of processor time, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


def large(count: int, checked: bool = True) -> dict[str, float]:
    """Build a log and measure what is done with it, fsck included if ``checked``; returns seconds an entry."""
    keys, cost = Keys.make(), dict[str, float]()
    with tempfile.TemporaryDirectory() as folder:
        url, vault = f"sqlite:///{folder}/store.db", Path(folder) / "vault.db"
        with opened(url, keys, vault) as (logs, origin):
            seconds = _timed(lambda: build(logs, origin, keys, count))
            print(f"log of {count:,} entries (built in {seconds:.1f} s)")
            cost["append"] = append_cost(logs, origin)
            evidence = Evidence(next(iter(keys.agreement.members)), keys.agreement, keys.trust, logs)
            for level in (3, 5):
                used = audited_apart(url, vault, keys.trust, level, REPEATS if level == 3 else 1)
                cost[f"audit L{level}"] = used.cpu / count
                target = " (target 5 s at a million)" if level == 3 else ""
                each = f"{used.cpu:.2f} s of processor, {used.cpu / count * 1e6:.1f} us an entry"
                print(f"  audit L{level}: {used.wall:.2f} s{target}, {each}, {used.memory:.0f} MiB at its peak")
            questions(evidence, url, origin, count)
            with tempfile.TemporaryDirectory() as out:
                for name in ("export", "export again"):
                    print(f"  {name}: {_timed(lambda: exported(evidence, Path(out), origin)):.1f} s")
            if checked:
                cost["fsck"] = fsck(url, vault, keys, count)
    return cost


def questions(evidence: Evidence, url: str, origin: str, count: int) -> None:
    """A cold proof of each of some entries, and what was known about a company."""
    took = [_timed(partial(cold_proof, url, origin, n, count)) for n in range(0, count, count // 9)]
    print(f"  a cold inclusion proof, store opened for it: {statistics.median(took) * 1000:.1f} ms (target 10 ms)")
    uscc, day = finding_body(count // 5)["subject"]["uscc"], NOON.date()
    known = [_timed(lambda: as_known(evidence, uscc, evidence.code, day, NOON)) for _ in range(5)]
    assert as_known(evidence, uscc, evidence.code, day, NOON)[0]["findings"]
    print(f"  asof with its bundle: {statistics.median(known) * 1000:.0f} ms (target 1,000 ms)")


def exported(evidence: Evidence, folder: Path, origin: str) -> None:
    """One export."""
    export(evidence, folder, [origin], provisional=False, told=lambda what, more: None)


def append_cost(logs: Logs, origin: str, batches: int = 32) -> float:
    """Processor seconds an entry of so many more batches of 256 with disclosures; the median batch counts."""
    clock, took = Clock(later=True), []
    for _ in range(batches):
        part = drafts(clock, 256, True)
        used = time.process_time()
        append(logs, origin, part)
        took.append(time.process_time() - used)
    return statistics.median(took) / 256


def build(logs: Logs, origin: str, keys: Keys, count: int) -> None:
    """Findings and answers in turn, registered, and final at each stop."""
    clock, log, code, version = Clock(), None, origin.split("/")[1], keys.agreement.version
    for start in range(0, count, 2048):
        first, many = start // 2, min(2048, count - start) // 2
        now = clock.tick()
        placed = append(
            logs, origin, [draft("finding.issued", now, finding_body(n)) for n in range(first, first + many)]
        )
        now, knew = clock.tick(), answer_body(origin, start)
        refs = [Ref(origin, one.id, one.leaf_hash.hex()) for one in placed]
        append(logs, origin, [draft("restriction.imposed", now, knew, ref) for ref in refs])
        with logs.store.write() as conn:
            log = log or logs.state(conn, origin).id
            rows = [finding_row(log, one.index, one.leaf_hash, one.id, code, finding_body(n), version)
                    for n, one in enumerate(placed, first)]  # fmt: skip
            register.add_findings(conn, rows)
            sign(logs, conn, origin, keys)


def sign(logs: Logs, conn: Any, origin: str, keys: Keys) -> None:
    """The log's line and all members' lines under each listed size."""
    seconds = int(NOON.timestamp())
    for listed in logs.unsigned(conn, origin):
        text = format_checkpoint(Checkpoint(origin, listed.size, listed.root))
        logs.set_note(conn, origin, listed.size, format_note(text, [keys.log.sign(text)]))
        for code, receipt in keys.receipts.items():
            line = receipt.cosign(text, seconds)
            logs.add_cosignature(conn, origin, listed.size, code, line, seconds, NOON)


def audited_apart(url: str, vault: Path, trust: bytes, level: int, repeats: int) -> Used:
    """A full audit in a new process; the median of so many."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned, max_tasks_per_child=1) as pool:
        used = [pool.submit(audited, url, vault, trust, level).result() for _ in range(repeats)]
    return Used(*[statistics.median(column) for column in zip(*used, strict=True)])


def audited(url: str, vault: Path, trust: bytes, level: int) -> Used:
    """A full audit; what it finds is compared, so that nothing is left out."""
    logs = Logs(Store.open(url), Vault(vault, NODE_KEY))
    agreement = agreement_here()
    again = partial(by_vault, vault, NODE_KEY)
    evidence = Evidence(next(iter(agreement.members)), agreement, trust, logs, vault_elsewhere=again)
    begun, used = time.perf_counter(), _processor_seconds()
    with logs.store.read() as conn:
        report = audit(
            logs_of(evidence, conn, whole=level >= 4),
            evidence.policy,
            evidence.fingerprint,
            level,
            lambda what, more: None,
        )
    took = time.perf_counter() - begun, _processor_seconds() - used
    wrong = {fault.code for log in report.logs for found in log.faults.values() for fault in found}
    assert wrong <= {"no_agreement"}, wrong  # the log begins with a finding, which a node's never does
    return Used(*took, peak_mebibytes())


def _processor_seconds() -> float:
    """Of this process and of those that it has waited for."""
    return sum(resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
               for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip


def cold_proof(url: str, origin: str, index: int, size: int) -> None:
    """Open the store, prove one entry, verify the proof."""
    store = Store.open(url)
    with store.read() as conn:
        reader = Logs.tile_reader(conn, origin)
        proof = inclusion_proof(index, size, reader)
        ((leaf, _),) = Logs.read_records(conn, origin, index, index + 1)
        verify_inclusion(index, size, leaf_hash(leaf), proof, Logs.root(conn, origin, size))
    store.close()


def _timed(act: Callable[[], Any]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
