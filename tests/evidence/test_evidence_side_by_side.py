"""An audit in several processes finds what one finds, of a store and of an export, and outlives each of them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from benchmarks.ledger_kit import NODE_KEY, Keys, opened
from benchmarks.ledger_large import build, exported
from schemas.registry import check_body
from syncd.evidence.books import Evidence
from syncd.evidence.folder import FolderLog
from syncd.evidence.judging import CHUNK
from syncd.evidence.node_log import logs_of
from syncd.evidence.side_by_side import judged_by
from syncd.evidence.unsealing import by_vault
from syncd.ledger.audit import Rules, audit_log
from syncd.ledger.audit_bundle import Ahead, Judge, Judged, none_ahead, unread
from syncd.ledger.audited import AuditedLog, Fact, LogReport
from syncd.ledger.policy import parse_policy
from syncd.ledger.regrow import BUNDLE
from syncd.store.engine import Store
from syncd.store.logs import Logs
from syncd.store.vault import Vault

SIZE = (2 * CHUNK + 1) * BUNDLE
"""Three chunks, so that of two processes one has two."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, str]:
    """A folder with a store, its vault and an export of its log; the policy; the log's origin."""
    folder, keys = tmp_path_factory.mktemp("large"), Keys.make()
    with opened(f"sqlite:///{folder}/store.db", keys, folder / "vault.db") as (logs, origin):
        build(logs, origin, keys, SIZE)
        exported(Evidence(next(iter(keys.agreement.members)), keys.agreement, keys.trust, logs), folder / "out", origin)
    return folder, keys.trust, origin


Found = tuple[LogReport, list[Fact], list[bool]]
Audit = Callable[[int, Ahead], Found]


def audited(log: AuditedLog, trust: bytes, level: int, ahead: Ahead) -> Found:
    """The report, the facts, and whether each bundle was judged ahead."""
    facts, given = list[Fact](), list[bool]()

    def counted(judge: Judge, log: AuditedLog) -> Iterable[Judged | None]:
        for judged in ahead(judge, log):
            given.append(judged is not None)
            yield judged

    check = check_body if level >= 5 else unread
    rules = Rules(level, parse_policy(trust), check, facts.extend, lambda more: None, counted)
    return audit_log(log, rules), facts, given


@pytest.fixture
def of_store(place: tuple[Path, bytes, str]) -> Iterator[Audit]:
    """Audits of the log as its node holds it."""
    folder, trust, _ = place

    def run(level: int, ahead: Ahead) -> Found:
        with store.read() as conn:
            (log,) = logs_of(evidence, conn, whole=level >= 4)
            return audited(log, trust, level, ahead)

    store = Store.open(f"sqlite:///{folder}/store.db")
    logs = Logs(store, Vault(folder / "vault.db", NODE_KEY))
    again = partial(by_vault, folder / "vault.db", NODE_KEY)
    evidence = Evidence("310114", None, trust, logs, vault_elsewhere=again)  # type: ignore[arg-type]
    yield run
    logs.vault.close()
    store.close()


@pytest.fixture
def of_export(place: tuple[Path, bytes, str]) -> Audit:
    """Audits of the exported log."""
    folder, trust, origin = place
    return lambda level, ahead: audited(FolderLog(folder / "out", origin), trust, level, ahead)


two = partial(judged_by, processes=2)


@pytest.mark.parametrize(("source", "level"), [("of_store", 3), ("of_store", 5), ("of_export", 2), ("of_export", 5)])
def test_processes_find_what_one_finds(request: pytest.FixtureRequest, source: str, level: int) -> None:
    run: Audit = request.getfixturevalue(source)
    report, facts, given = run(level, two)
    assert (report, facts) == run(level, none_ahead)[:2] and report.size == SIZE
    assert given == [level < 4, *[True] * (SIZE // BUNDLE - 1)], "the first lacks its agreement"
    assert len(facts) == (SIZE if level >= 4 else 0) and sum(report.counts.values()) == (level >= 4)
    assert report.disclosures["opened"] == (SIZE if level >= 5 else 0)


@pytest.mark.parametrize("column", ["leaf", "leaf_hash"])
def test_the_record_with_a_flipped_byte_is_named(place: tuple[Path, bytes, str], of_store: Audit, column: str) -> None:
    index, db = SIZE - BUNDLE - 7, sqlite3.connect(place[0] / "store.db", isolation_level=None, timeout=20)
    ((value,),) = db.execute(f"SELECT {column} FROM entries WHERE idx = {index}").fetchall()
    sql = f"UPDATE entries SET {column} = ? WHERE idx = {index}"
    db.execute(sql, (value[:9] + bytes([value[9] ^ 1]) + value[10:],))
    report, _, given = of_store(3, two)
    assert report == of_store(3, none_ahead)[0] and given.count(False) == 1
    assert {fault.place for fault in report.faults[3]} == {f"{place[2]}:{index}"}
    db.execute(sql, (value,))
    db.close()


def test_processes_that_end_have_merely_said_nothing(place: tuple[Path, bytes, str], of_export: Audit) -> None:
    class Gone(FolderLog):
        def elsewhere(self, level: int) -> "Callable[[], FolderLog]":
            return partial(FolderLog, None, self.origin)  # type: ignore[arg-type]

    folder, trust, origin = place
    report, _, given = audited(Gone(folder / "out", origin), trust, 3, two)
    assert report == of_export(3, none_ahead)[0] and not report.counts and not any(given)
