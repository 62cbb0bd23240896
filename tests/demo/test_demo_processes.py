"""What all stand-ins promise as processes: bunches of acknowledgements, and no orphan left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from demo_processes import ROOT, order, running, service_options, until

from syncd.demo.certificate import make_certificate
from syncd.demo.formats import ORDER_COLUMNS
from syncd.demo.standin_folder import write_csv

STARTER = """
import subprocess, sys
standin = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
standin.stdout.readline()
print(standin.pid, flush=True)
sys.stdin.read()
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


@pytest.mark.parametrize("name", ["service", "folder", "database"])
def test_it_ends_when_the_process_that_started_it_was_killed(name: str, tmp_path: Path) -> None:
    options = service_options(tmp_path) if name == "service" else []
    command = [sys.executable, "-m", f"syncd.demo.standin_{name}", "--dir", str(tmp_path), "--with-parent", *options]
    pipe = subprocess.PIPE
    starter = subprocess.Popen([sys.executable, "-c", STARTER, *command], cwd=ROOT, stdin=pipe, stdout=pipe)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert alive(pid)
    starter.kill()
    starter.communicate()
    until(3, lambda: not alive(pid))


def test_acknowledgements_come_in_bunches_if_asked_for(tmp_path: Path) -> None:
    with running("folder", tmp_path, "--poll-ms", "10", "--ack-ms", "600"):
        for number in range(5):
            lines = [[order(number)[column] for column in ORDER_COLUMNS]]
            write_csv(tmp_path / "out" / f"CJ_{number}.csv", ORDER_COLUMNS, lines, "utf-8-sig")
        until(3, lambda: list((tmp_path / "ack").glob("*.csv")))
        assert len(list((tmp_path / "ack").glob("*.csv"))) <= 2


def test_a_certificate_that_is_there_is_kept(tmp_path: Path) -> None:
    paths = make_certificate(tmp_path)
    before = [path.read_bytes() for path in (paths.ca, paths.cert, paths.key)]
    assert make_certificate(tmp_path) == paths
    assert [path.read_bytes() for path in (paths.ca, paths.cert, paths.key)] == before
    assert paths.key.stat().st_mode & 0o077 == 0
