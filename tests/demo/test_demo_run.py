"""The whole demonstration, once: it ends well, finds no fault, and leaves no process behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from demo_processes import ROOT

from syncd.demo.places import load_places
from syncd.demo.run import MARK
from syncd.store.instance import file_lock

pytestmark = pytest.mark.timeout(180)

SECONDS = 90


@dataclass
class Ran:
    """How the demonstration ended, and where it was."""

    folder: Path
    code: int
    out: str
    err: str
    seconds: float

    @property
    def answer(self) -> Any:
        """What it said, as JSON."""
        return json.loads(self.out)


def syncd(*arguments: str) -> tuple[int, str, str]:
    """Run one command: exit code, standard output, standard error."""
    command = [sys.executable, "-m", "syncd", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=150, check=False)
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    """One run in a folder of its own."""
    with TemporaryDirectory(prefix="syncd-") as name:  # pytest's own folders are too deep for a Unix socket's path
        folder = Path(name) / "demo"
        begun = time.monotonic()
        code, out, err = syncd("demo", "--dir", str(folder), "--json")
        yield Ran(folder, code, out, err, time.monotonic() - begun)


def test_it_ends_well_and_in_time(ran: Ran) -> None:
    assert (ran.code, ran.err) == (0, ""), ran.out[-3000:] + ran.err
    assert ran.seconds < SECONDS


def test_everything_it_claims_was_checked(ran: Ran) -> None:
    answer, codes = ran.answer, set(load_places().bureaus)
    assert answer["faults"] == []
    assert len(answer["moments"]) > 3
    assert all(moment["milliseconds"].keys() == codes for moment in answer["moments"])
    assert answer["registers"].keys() == codes
    first, *others = answer["registers"].values()
    assert set(first.values()) >= {"restricted", "clear"} and all(other == first for other in others)


def test_nothing_is_left_running(ran: Ran) -> None:
    named = str(ran.folder).encode()
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue  # gone since the listing
            assert named not in command, f"process {process.name} is left: {command.decode()}"
    assert not list(ran.folder.glob("*/syncd.sock"))


def test_every_node_can_be_asked_afterwards(ran: Ran) -> None:
    for bureau in load_places().bureaus.values():
        settings = str(ran.folder / bureau.key / "syncd.toml")
        code, out, _ = syncd("status", "--json", "-c", settings)
        stands = json.loads(out)
        assert code == 0 and stands["code"] == bureau.code and stands["daemon"] is False
        assert stands["demonstration"] and stands["deliveries"]["pending"] == 0
        assert all(peer["behind"] == 0 for peer in stands["peers"])


def test_a_second_one_in_the_same_folder_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    with file_lock(tmp_path / MARK):
        (tmp_path / "jiading").mkdir()
        code, out, err = syncd("demo", "--dir", str(tmp_path))
    assert (code, out) == (3, "") and "runs in" in err and err.count("\n") == 1
    assert (tmp_path / "jiading").is_dir()


def test_a_daemon_left_by_one_that_was_killed_keeps_its_folder(tmp_path: Path) -> None:
    (tmp_path / MARK).touch()
    node = tmp_path / "kunshan"
    node.mkdir()
    with file_lock(node / "syncd.db.lock"):
        code, out, err = syncd("demo", "--dir", str(tmp_path))
        assert (code, out) == (3, "") and str(node) in err and f"kill {os.getpid()}`" in err and err.count("\n") == 1
        assert (node / "syncd.db.lock").exists(), "nothing was touched"


def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "minutes.txt").write_text("kept")
    code, out, err = syncd("demo", "--dir", str(tmp_path))
    assert (code, out) == (3, "") and err.startswith("syncd: ") and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["minutes.txt"]
