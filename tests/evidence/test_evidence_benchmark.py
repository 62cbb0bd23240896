"""The large log of the ledger's benchmark, in small: what the benchmark measures is true work on true entries."""

from pathlib import Path

from benchmarks.ledger_kit import Keys, opened
from benchmarks.ledger_large import append_cost, audited, build, cold_proof, questions
from syncd.evidence.books import Evidence


def test_the_benchmark_builds_a_log_that_an_audit_accepts(tmp_path: Path) -> None:
    keys, url, vault = Keys.make(), f"sqlite:///{tmp_path}/store.db", tmp_path / "vault.db"
    with opened(url, keys, vault) as (logs, origin):
        build(logs, origin, keys, 100)
        code = next(iter(keys.agreement.members))
        with logs.store.read() as conn:
            assert logs.state(conn, origin).size == 100
            assert set(logs.countersigned_by_all(conn, origin)) == set(keys.agreement.members)
        assert audited(url, vault, keys.trust, 5).memory > 0
        cold_proof(url, origin, 7, 100)
        questions(Evidence(code, keys.agreement, keys.trust, logs), url, origin, 100)
        assert append_cost(logs, origin, 2) > 0
