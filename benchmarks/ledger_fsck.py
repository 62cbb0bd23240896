"""``syncd fsck`` on a large store, measured: a clean one, and one whose register has lost half of its rows.

Each check runs in a process of its own, so that its memory is its own; each finds what it must, so that nothing is left
out. The store is that of ``benchmarks/ledger_large.py``: findings and a region's answers in turn, with all their lines.
"""

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.ledger_kit import NODE_KEY, NOON, Keys, agreement_here, peak_mebibytes
from syncd.flows.bureau import Bureau, Peer, Signers
from syncd.fsck.run import check
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, NoteVerifier
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.sizes import SignedSizes
from syncd.store.vault import Vault


class Checked(NamedTuple):
    """Seconds on the wall and of the processor, memory at its peak in MiB, faults found and mended."""

    wall: float
    cpu: float
    memory: float
    faults: int
    mended: int


def fsck(url: str, vault: Path, keys: Keys, count: int) -> float:
    """Check a store that has lost its answers and deliveries, mend it, check it again; returns seconds an entry."""
    members = {code: (f"{keys.agreement.id}/{code}/1", receipt.vkey) for code, receipt in keys.receipts.items()}
    for words, repair in (("fsck, half of the register gone", False), ("fsck --repair of that", True), ("fsck", False)):
        used = checked_apart(url, vault, keys.log.vkey, members, repair)
        print(f"  {words}: {used.wall:.1f} s, {used.cpu:.1f} s of processor, {used.cpu / count * 1e6:.1f} us an entry, "
              f"{used.memory:.0f} MiB at its peak; {used.faults:,} faults, {used.mended:,} mended")  # fmt: skip
    assert used.faults == 0, used
    return used.cpu / count


def checked_apart(url: str, vault: Path, log: str, members: dict[str, tuple[str, str]], repair: bool) -> Checked:
    """One check in a new process."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned, max_tasks_per_child=1) as pool:
        return pool.submit(checked, url, vault, log, members, repair).result()


def checked(url: str, vault: Path, log: str, members: dict[str, tuple[str, str]], repair: bool) -> Checked:
    """One check, as the command makes it."""
    bureau = _bureau(url, vault, NoteVerifier.parse(log), members)
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun, used = time.perf_counter(), before.ru_utime + before.ru_stime
    report = check(bureau, vault.with_name("signed-sizes"), lambda what, more: None, repair)
    after = resource.getrusage(resource.RUSAGE_SELF)
    took = time.perf_counter() - begun, after.ru_utime + after.ru_stime - used
    return Checked(*took, peak_mebibytes(), report.total, report.mended)


def _bureau(url: str, vault: Path, log: NoteVerifier, members: dict[str, tuple[str, str]]) -> Bureau:
    agreement, store = agreement_here(), Store.open(url)
    logs = Logs(store, Vault(vault, NODE_KEY))
    code, sizes = next(iter(members)), vault.with_name("signed-sizes")
    peers = {one: Peer(one, origin, log, NoteVerifier.parse(vkey)) for one, (origin, vkey) in members.items()}
    if not sizes.exists():
        made = SignedSizes.create(sizes)
        with store.read() as conn:
            size = logs.countersigned(conn, peers[code].origin, code)
            made.record(peers[code].origin, size, logs.root(conn, peers[code].origin, size))
        made.close()
    key = Ed25519PrivateKey.generate()
    signers = Signers(NoteSigner("a", key, LOG_KEY), NoteSigner("a", key, COSIGNATURE_KEY))  # nothing is signed here
    return Bureau(code, agreement, peers, store, logs, logs.vault, lambda: SignedSizes(sizes),
                  lambda: SignedSizes.create(sizes), signers, lambda: NOON, lambda bell: None)  # fmt: skip
