"""A killed process leaves a store that goes on: nothing half done, nothing lost that was committed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from store_kit import OWN, adopt, append, drafts, leaves_of, root_of

from syncd.store.logs import Logs

HERE = Path(__file__).parent


def crash(store_url: str, tmp_path: Path, point: str) -> None:
    """Run a child that kills itself at ``point``."""
    child = subprocess.run(
        [sys.executable, HERE / "store_child.py", store_url, tmp_path / "vault.db", point],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()


@pytest.mark.parametrize("point", ["keys synced", "before commit", "before signing", "before the notes' commit"])
def test_a_killed_process_leaves_whole_batches(logs: Logs, store_url: str, tmp_path: Path, point: str) -> None:
    adopt(logs)
    append(logs, drafts(300))
    crash(store_url, tmp_path, point)
    kept = 300 if point in ("keys synced", "before commit") else 1000
    with logs.store.read() as conn:
        assert logs.state(conn, OWN).size == kept
        assert logs.get_cursor(conn, "collect") == (None if kept == 300 else "700")
        waiting = [row.size for row in logs.unsigned(conn, OWN)]
        assert all(record.disclosure for record in logs.read_wire(conn, OWN, 0, kept))
    assert waiting == ([300] if kept == 300 else [300, 812, 1000])
    append(logs, drafts(10))
    leaves = leaves_of(logs)
    assert len(leaves) == kept + 10
    with logs.store.read() as conn:
        for row in logs.unsigned(conn, OWN):
            assert row.root == root_of(leaves[: row.size])
