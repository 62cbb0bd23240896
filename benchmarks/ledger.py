"""The ledger, measured: ``python -m benchmarks.ledger``. Ratios to baselines of the same run; never a timed test.

1. *append*: leaves a second at batches of 1, 256 and 2,048 on SQLite (``synchronous=FULL``) and PostgreSQL, bare and
   with disclosures sealed in the vault. Beside it a loop of bare INSERTs of the same bytes into SQLite (FULL), and
   ``pymerkle`` in memory if it is installed (``benchmarks/requirements.txt``); it stores nothing.
2. *large*: a log of so many entries (``--entries``, a million by default): half findings, half a region's answers,
   each with its disclosure, three members' lines at each stop. Audits L3 and L5, a cold inclusion proof, ``asof``, an
   export. Cost an entry is compared with that of a log of a hundredth of the size.
"""

import argparse
import datetime as dt
import os
import platform
import resource
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, make_url

from schemas.identifiers import make_uscc
from syncd.agreement_files import read_agreement
from syncd.evidence.asof import as_known
from syncd.evidence.audit import audit
from syncd.evidence.books import Evidence
from syncd.evidence.export import export
from syncd.evidence.node_log import logs_of
from syncd.flows.understand import finding_row
from syncd.ledger.canonical import b64url
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.disclosure import disclose
from syncd.ledger.entry import Ref, uuid7
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, format_note
from syncd.ledger.tree import inclusion_proof, leaf_hash, verify_inclusion
from syncd.ledger.trust import plain_trust
from syncd.store import register
from syncd.store.append import Draft
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.vault import Vault

POSTGRES = os.environ.get("SYNCD_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
ROOT = Path(__file__).parents[1]
NOON = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
BATCHES = (1, 256, 2048)


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--appends", type=int, default=40_960, help="leaves in each measurement of append")
    asked = parser.parse_args()
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python "
          f"{platform.python_version()}, SQLite {sqlite3.sqlite_version} WAL synchronous=FULL, "
          f"fsync {fsync_microseconds():.0f} us")  # fmt: skip
    appends(asked.appends)
    small = large(asked.entries // 100)
    big = large(asked.entries)
    for name in ("append", "audit L3", "audit L5"):
        print(f"cost an entry, {name}: {big[name] / small[name]:.2f} of that at {asked.entries // 100:,} entries")


def appends(count: int) -> None:
    """Leaves a second by batch, database, and with or without disclosures."""
    bare = bare_inserts(count)
    print(f"bare INSERT loop, SQLite, batch 256: {bare:,.0f} rows/s")
    hashing = pymerkle(count)
    print(f"pymerkle in memory: {hashing:,.0f} leaves/s" if hashing else "pymerkle: not installed, no ratio to it")
    for name, address in (("SQLite", sqlite_address), ("PostgreSQL", postgres_address)):
        for sealed in (False, True):
            for batch in BATCHES:
                some = min(count, 4096) if batch == 1 else count
                with address() as url:
                    rate = append_rate(url, batch, some, sealed) if url else 0
                if not rate:
                    print(f"{name}: no server at SYNCD_TEST_POSTGRES")
                    return
                ratios = f"{rate / bare:.2f} of bare INSERTs" + (
                    f", {rate / hashing:.2f} of pymerkle" if hashing else ""
                )
                kind = "with sealed disclosures" if sealed else "bare"
                print(f"append, {name}, batch {batch:,}, {kind}: {rate:,.0f} leaves/s ({ratios})")


def append_rate(url: str, batch: int, count: int, sealed: bool) -> float:
    """Leaves a second in one store."""
    with opened(url) as (logs, origin):
        parts = [drafts(batch, sealed) for _ in range(count // batch)]
        begun = time.perf_counter()
        for part in parts:
            append(logs, origin, part)
        return count / (time.perf_counter() - begun)


def append(logs: Logs, origin: str, part: Sequence[Draft]) -> Any:
    """One batch, as a stage appends it: keys first, then one transaction."""
    seals = logs.seal([one.disclosure for one in part])
    with logs.store.write() as conn:
        return logs.append(conn, origin, part, seals, NOON)


def drafts(count: int, sealed: bool) -> list[Draft]:
    """That many findings; bare ones commit to something that is not there."""
    found = []
    for _ in range(count):
        identity, salt = uuid7(1_795_000_000_000, os.urandom(10)), os.urandom(32)
        if sealed:
            commitment, raw = disclose(identity, salt, finding_body(0))
            found.append(Draft(identity, "finding.issued", None, commitment, raw))
        else:
            found.append(Draft(identity, "finding.issued", None, b64url(salt)))
    return found


def finding_body(n: int) -> dict[str, Any]:
    """A true body of a finding about the n-th organisation."""
    return {
        "schema": "finding/1.0",
        "subject": {"uscc": make_uscc("91320583", f"M{n:07d}"), "name": f"演示第{n}有限公司", "type": "POLLUTER"},
        "key": {"organ": make_uscc("11310114", "00000001"), "number": f"演环罚〔2026〕{n}号", "date": "2026-11-02",
                "normaliser": 1},
        "place": "320583", "source": {"id": "bench", "row": str(n)}, "local_code": "X-1", "criterion": "EP-04",
        "legal_basis": "《中华人民共和国水污染防治法》第八十三条", "kinds": ["罚款"],
        "amount": {"fine": "20000.00", "confiscated": None}, "violation": "超标排放水污染物",
        "decided_on": "2026-11-02", "published_on": "2026-11-05",
        "ends": {"publicity": "2028-11-02", "query": None, "measures": None},
    }  # fmt: skip


def answer_body(origin: str, size: int) -> dict[str, Any]:
    """A true body of a region's restriction."""
    measure = {"id": "MA-04", "kind": "binding", "responder": "某市财政局", "basis": "LB-MA-04-1", "from": "2026-11-22",
               "to": "2028-11-02"}  # fmt: skip
    return {"schema": "restriction/1.0", "rule": "KS-R-EP-04", "measures": [measure], "released_by": None,
            "knew": {origin: size}, "demonstration": True, "mark": None}  # fmt: skip


@dataclass
class Keys:
    """The keys of three members, made for this run; the first one's log is the large one."""

    agreement: Any
    log: NoteSigner
    receipts: dict[str, NoteSigner]
    trust: bytes

    @classmethod
    def make(cls) -> "Keys":
        agreement = read_agreement(ROOT / "config" / "agreements" / "jiakuntai-eco")
        codes = list(agreement.members)
        logs = {code: _signer(f"{agreement.id}/{code}/1", LOG_KEY) for code in codes}
        receipts = {code: _signer(f"{agreement.id}/{code}/receipt", COSIGNATURE_KEY) for code in codes}
        vkeys = {code: (logs[code].vkey, receipts[code].vkey) for code in codes}
        return cls(agreement, logs[codes[0]], receipts, plain_trust(agreement.id, vkeys))


def _signer(name: str, kind: int) -> NoteSigner:
    return NoteSigner(name, Ed25519PrivateKey.generate(), kind)


def large(count: int) -> dict[str, float]:
    """Build a log and measure what is done with it; returns seconds an entry."""
    keys, took = Keys.make(), dict[str, float]()
    with sqlite_address() as url, opened(url, keys) as (logs, origin), tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        build(logs, origin, keys, count)
        took["build"] = time.perf_counter() - begun
        took["append"] = append_cost(logs, origin)
        evidence = Evidence(next(iter(keys.agreement.members)), keys.agreement, keys.trust, logs)
        print(f"log of {count:,} entries (built in {took['build']:.1f} s)")
        for level in (3, 5):
            seconds = timed(lambda level=level: audited(evidence, level))
            took[f"audit L{level}"] = seconds / count
            print(f"  audit L{level}: {seconds:.2f} s, {seconds / count * 1e6:.1f} us an entry")
        proof = statistics.median(
            timed(lambda n=n: cold_proof(url, origin, n, count)) for n in range(0, count, count // 9)
        )
        print(f"  a cold inclusion proof, store opened for it: {proof * 1000:.1f} ms (median)")
        uscc, day = finding_body(count // 5)["subject"]["uscc"], NOON.date()
        known = statistics.median(timed(lambda: as_known(evidence, uscc, evidence.code, day, NOON)) for _ in range(5))
        assert as_known(evidence, uscc, evidence.code, day, NOON)[0]["findings"]
        print(f"  asof with its bundle: {known * 1000:.0f} ms (median)")
        for name in ("export", "export again"):
            seconds = timed(
                lambda: export(evidence, Path(folder), [origin], provisional=False, told=lambda what, n: None)
            )
            print(f"  {name}: {seconds:.1f} s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  peak memory of the whole run so far: {peak:.0f} MiB")
    return took


def append_cost(logs: Logs, origin: str) -> float:
    """Seconds an entry of sixteen more batches of 256 with disclosures."""
    parts = [drafts(256, True) for _ in range(16)]
    return timed(lambda: [append(logs, origin, part) for part in parts]) / 4096


def build(logs: Logs, origin: str, keys: Keys, count: int) -> None:
    """Findings and answers in turn, registered, and final at each stop."""
    log = None
    for start in range(0, count, 2048):
        many = min(2048, count - start) // 2
        issued = []
        for n in range(start // 2, start // 2 + many):
            identity = uuid7(1_795_000_000_000, os.urandom(10))
            commitment, raw = disclose(identity, os.urandom(32), finding_body(n))
            issued.append(Draft(identity, "finding.issued", None, commitment, raw))
        placed = append(logs, origin, issued)
        answers = []
        for one in placed:
            identity = uuid7(1_795_000_000_000, os.urandom(10))
            commitment, raw = disclose(identity, os.urandom(32), answer_body(origin, start))
            ref = Ref(origin, one.id, one.leaf_hash.hex())
            answers.append(Draft(identity, "restriction.imposed", ref, commitment, raw))
        append(logs, origin, answers)
        with logs.store.write() as conn:
            log = log or logs.state(conn, origin).id
            code = origin.split("/")[1]
            rows = [finding_row(log, one.index, one.leaf_hash, one.id, code, finding_body(n))
                    for n, one in enumerate(placed, start // 2)]  # fmt: skip
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


def audited(evidence: Evidence, level: int) -> None:
    """A full audit; what it finds is compared, so that nothing is left out."""
    with evidence.logs.store.read() as conn:
        logs = logs_of(evidence, conn, whole=level >= 4)
        report = audit(logs, evidence.policy, evidence.fingerprint, level, lambda what, more: None)
    wrong = {fault.code for log in report.logs for found in log.faults.values() for fault in found}
    assert wrong <= {"no_agreement"}, wrong


def cold_proof(url: str, origin: str, index: int, size: int) -> None:
    """Open the store, prove one entry, verify the proof."""
    store = Store.open(url)
    with store.read() as conn:
        reader = Logs.tile_reader(conn, origin)
        proof = inclusion_proof(index, size, reader)
        ((leaf, _),) = Logs.read_records(conn, origin, index, index + 1)
        verify_inclusion(index, size, leaf_hash(leaf), proof, Logs.root(conn, origin, size))
    store.close()


def timed(act: Callable[[], Any]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def bare_inserts(count: int) -> float:
    """Rows a second of a loop that only inserts the same bytes, batch 256."""
    leaf = os.urandom(320)
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE r (i INTEGER PRIMARY KEY, l)")
        begun = time.perf_counter()
        for start in range(0, count, 256):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO r VALUES (?, ?)", [(n, leaf) for n in range(start, start + 256)])
            db.execute("COMMIT")
        took = time.perf_counter() - begun
        db.close()
    return count / took


def pymerkle(count: int) -> float:
    """Leaves a second of pymerkle's tree in memory; 0 if it is not installed."""
    try:
        from pymerkle import InmemoryTree  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        return 0
    tree, leaf = InmemoryTree(), os.urandom(320)
    begun = time.perf_counter()
    for _ in range(count):
        tree.append_entry(leaf)
    tree.get_root()
    return count / (time.perf_counter() - begun)


@contextmanager
def opened(url: str, keys: Keys | None = None) -> Iterator[tuple[Logs, str]]:
    """A new store with its vault and one own log."""
    origin = keys.log.name if keys is not None else "bench/310114/1"
    agreement = keys.agreement.tag if keys is not None else "bench@1#0123456789abcdef"
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(url)
        store.upgrade()
        logs = Logs(store, Vault.create(Path(folder) / "vault.db", bytes(range(32))))
        with store.write() as conn:
            logs.ensure(conn, origin, origin.split("/")[1], True, agreement)
        yield logs, origin
        logs.vault.close()
        store.close()


@contextmanager
def sqlite_address() -> Iterator[str]:
    """A new file."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/store.db"


@contextmanager
def postgres_address() -> Iterator[str]:
    """A new schema on the server, or an empty text where there is none."""
    try:
        server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5}).connect()
    except Exception:
        yield ""
        return
    schema = f"syncd_bench_{uuid.uuid4().hex}"
    server.exec_driver_sql(f"CREATE SCHEMA {schema}")
    yield make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
    server.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    server.close()


def fsync_microseconds() -> float:
    """What one small synced write costs here."""
    with tempfile.NamedTemporaryFile() as file:
        took = []
        for _ in range(200):
            begun = time.perf_counter()
            file.write(b"x" * 128)
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1e6


if __name__ == "__main__":
    main()
