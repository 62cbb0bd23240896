"""What the ledger's benchmarks are made of: drafts as a stage gives them, true bodies, keys, new stores."""

import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, make_url

from schemas.identifiers import make_uscc
from syncd.agreement.model import Agreement
from syncd.agreement_files import read_agreement
from syncd.ledger.canonical import b64url
from syncd.ledger.disclosure import disclose
from syncd.ledger.entry import Ref, uuid7
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner
from syncd.ledger.trust import plain_trust
from syncd.store.append import Appended, Draft
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.vault import Vault

POSTGRES: Final = os.environ.get("SYNCD_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
ROOT: Final = Path(__file__).parents[1]
NOON: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
NODE_KEY: Final = bytes(range(32))


def append(logs: Logs, origin: str, part: Sequence[Draft]) -> list[Appended]:
    """One batch, as a stage appends it: keys first, then one transaction."""
    seals = logs.seal([one.disclosure for one in part])
    with logs.store.write() as conn:
        return logs.append(conn, origin, part, seals, NOON)


def draft(kind: str, milliseconds: int, body: dict[str, Any] | None, ref: Ref | None = None) -> Draft:
    """An entry as ``syncd.flows.record`` drafts it; without a body it commits to something that is not there."""
    identity, salt = uuid7(milliseconds, os.urandom(10)), os.urandom(32)
    if body is None:
        return Draft(identity, kind, ref, b64url(salt))
    commitment, raw = disclose(identity, salt, body)
    return Draft(identity, kind, ref, commitment, raw)


class Clock:
    """Milliseconds for ids, one more for each batch: a stage gives a whole batch the time of its step."""

    def __init__(self, *, later: bool = False) -> None:
        self._now = 1_795_000_000_000 + later * 1_000_000_000

    def tick(self) -> int:
        """The next batch's."""
        self._now += 1
        return self._now


def drafts(clock: Clock, count: int, sealed: bool) -> list[Draft]:
    """A batch of findings."""
    now = clock.tick()
    return [draft("finding.issued", now, finding_body(n) if sealed else None) for n in range(count)]


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


def agreement_here() -> Agreement:
    """The agreement that comes with this program."""
    return read_agreement(ROOT / "config" / "agreements" / "jiakuntai-eco")


@dataclass
class Keys:
    """The keys of three members, made for this run; the first one's log is the large one."""

    agreement: Agreement
    log: NoteSigner
    receipts: dict[str, NoteSigner]
    trust: bytes

    @classmethod
    def make(cls) -> "Keys":
        """New keys for each member."""
        agreement = agreement_here()
        codes = list(agreement.members)
        logs = {code: _signer(f"{agreement.id}/{code}/1", LOG_KEY) for code in codes}
        receipts = {code: _signer(f"{agreement.id}/{code}/receipt", COSIGNATURE_KEY) for code in codes}
        vkeys = {code: (logs[code].vkey, receipts[code].vkey) for code in codes}
        return cls(agreement, logs[codes[0]], receipts, plain_trust(agreement.id, vkeys))


def _signer(name: str, kind: int) -> NoteSigner:
    return NoteSigner(name, Ed25519PrivateKey.generate(), kind)


@contextmanager
def opened(url: str, keys: Keys | None = None, vault: Path | None = None) -> Iterator[tuple[Logs, str]]:
    """A new store with its vault (a temporary one if no place is given) and one own log."""
    origin = keys.log.name if keys is not None else "bench/310114/1"
    agreement = keys.agreement.tag if keys is not None else "bench@1#0123456789abcdef"
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(url)
        store.upgrade()
        logs = Logs(store, Vault.create(vault or Path(folder) / "vault.db", NODE_KEY))
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


def postgres_words() -> str:
    """The server's version and how it syncs."""
    with postgres_address() as url:
        if not url:
            return "no PostgreSQL at SYNCD_TEST_POSTGRES"
        engine = create_engine(url)
        with engine.connect() as conn:
            said = [conn.exec_driver_sql(f"SHOW {name}").scalar() for name in
                    ("server_version", "fsync", "synchronous_commit", "wal_sync_method")]  # fmt: skip
        engine.dispose()
    return "PostgreSQL {}, fsync={}, synchronous_commit={}, {}".format(*said)


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


def peak_mebibytes() -> float:
    """The most memory this program has held. What ``getrusage`` calls so also holds the process that started it."""
    text = Path("/proc/self/status").read_text("ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))) / 1024
