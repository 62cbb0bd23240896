"""A process that holds three nodes is killed between any two steps that write, and started again.

For every failpoint of the code: the first run dies there by SIGKILL; the second ends; then nothing is lost and
nothing is there twice; a third changes nothing. On SQLite each place has nodes of its own; on PostgreSQL, where every
run costs more, the same nodes die at one place after the other.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import front
import pytest
import verified
from crash_child import HOME, NEWS, RELIEVED, REVIEWED, ROWS
from network import THREE, company, found, opened

ROOT = Path(__file__).parents[2]
ONCE = (1,)
OFTEN = (2, 7)
# Each failpoint with the passages at which the process dies there.
FAILPOINTS: dict[str, tuple[int, ...]] = {
    "startup.before_commit": (1, 2),
    "startup.before_sign": (1, 3),
    "collect.before_write": (1, 3),
    "collect.before_commit": (1, 3),
    "collect.after_commit": (1, 3),
    "record.after_keys": OFTEN,
    "sign.after_sizes": OFTEN,
    "sign.before_commit": ONCE,
    "sign.after_commit": ONCE,
    "share.before_post": ONCE,
    "share.after_post": OFTEN,
    "share.before_commit": ONCE,
    "share.after_commit": ONCE,
    "receipts.before_commit": (1, 3),
    "receive.after_keys": ONCE,
    "receive.before_commit": ONCE,
    "receive.after_commit": OFTEN,
    "receive.after_sizes": OFTEN,
    "receive.before_line_commit": ONCE,
    "receive.after_line": ONCE,
    "recognise.before_commit": OFTEN,
    "recognise.after_commit": OFTEN,
    "recognise.before_answers_commit": (1, 3),
    "relief.before_commit": (1, 2),
    "relief.after_commit": (1, 2),
    "reconsider.before_commit": (1, 4),
    "reconsider.after_commit": (1, 4),
    "restrict.before_push": ONCE,
    "restrict.after_push": (1, 2, 3),
    "restrict.before_commit": (1, 2),
    "restrict.after_commit": ONCE,
    "acknowledgements.before_commit": (1, 2),
    "acknowledgements.after_commit": ONCE,
    "disclosures.before_commit": ONCE,
    "disclosures.after_commit": ONCE,
    "resync.before_record": ONCE,
    "work.before_commit": (1, 2),
    "decide.after_commit": ONCE,
    "adopt.before_commit": ONCE,
}
# One place after the other, the job behind this one is done before its turn comes; it is tried alone.
DONE_BY_THEN = frozenset({"resync.before_record"})
# These are passed only where a store came back from an old copy, which no run here begins with.
OF_OLD_STORES = frozenset({"recover.after_page", "recover.before_commit"})
# And these where a finding is erased, which no run here does.
OF_ERASURES = frozenset({
    "order_erasure.before_commit", "erase.before_off", "erase.keys_forgotten", "erase.before_clear",
    "erase.before_gone", "erase.before_done",
})  # fmt: skip
# These where a key is changed, a log sealed or findings judged anew; ``test_flows_killed`` tries them, as all of these.
OF_DEEDS = frozenset({"keys.added", "keys.retired", "seal.after_commit", "rejudge.after_commit"})
CASES = [f"{name}:{passage}" for name, passages in FAILPOINTS.items() for passage in passages]


def test_every_failpoint_of_the_code_is_tried() -> None:
    named = re.compile(r"failpoint\(\"([a-z_.]+)\"\)")
    found = Counter(name for path in (ROOT / "syncd").rglob("*.py") for name in named.findall(path.read_text("utf-8")))
    assert found == Counter([*FAILPOINTS, *OF_OLD_STORES, *OF_ERASURES, *OF_DEEDS]), (
        "each place has a name of its own, and stands in this list"
    )


@dataclass
class Runner:
    """The process that forks the children."""

    process: subprocess.Popen[str]

    def __call__(self, nodes: "Nodes", failpoint: str = "", **more: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        order = {"folder": str(nodes.folder), "urls": nodes.urls, "failpoint": failpoint, **more}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@dataclass
class Nodes:
    """Three nodes in a folder, with the addresses of their stores."""

    folder: Path
    urls: dict[str, str]


@pytest.fixture(scope="module")
def run() -> Iterator[Runner]:
    """Runs a child on nodes, armed or not."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = Path(__file__).parent / "crash_child.py"
    with subprocess.Popen(
        [sys.executable, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Runner(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Workshop:
    """Makes nodes by copying prepared ones: only founded, or with a first day behind them."""

    folder: Path
    run: Runner

    def nodes(self, began: bool) -> Nodes:
        """A fresh copy, of the test's own."""
        pattern = self.folder / str(began)
        if not pattern.exists():
            found(pattern)
            answer = self.run(_on_sqlite(pattern), rows="first") if began else {"code": 0}
            assert answer["code"] == 0, answer["words"]
        copy = self.folder / uuid.uuid4().hex
        shutil.copytree(pattern, copy)
        return _on_sqlite(copy)


def _on_sqlite(folder: Path) -> Nodes:
    return Nodes(folder, {code: f"sqlite:///{folder / code / 'syncd.db'}" for code in THREE})


@pytest.fixture(scope="module")
def workshop(run: Runner) -> Iterator[Workshop]:
    """In memory where there is such a folder: a killed process loses nothing of what it has written to a file."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Workshop(Path(folder), run)


@pytest.mark.parametrize("failpoint", CASES)
def test_killed_here_and_started_again(workshop: Workshop, run: Runner, failpoint: str) -> None:
    began = not failpoint.startswith("startup.")
    nodes, rows = workshop.nodes(began), "second" if began else "both"
    die(run, nodes, failpoint, rows)
    sound(run, nodes, rows)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("store_urls", ["postgresql"], indirect=True)
def test_killed_at_one_place_after_the_other(run: Runner, tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    found(tmp_path)
    nodes = Nodes(tmp_path, {code: store_urls(code) for code in THREE})
    for name in [name for name in FAILPOINTS if name not in DONE_BY_THEN]:
        die(run, nodes, f"{name}:1", "both")
    sound(run, nodes, "both")


def die(run: Runner, nodes: Nodes, failpoint: str, rows: str) -> None:
    """Start, and be killed at the failpoint. Relief is only ahead of the rest where peers work between two batches."""
    pace = {"at_once": 1} if failpoint.startswith("relief.") else {}
    answer = run(nodes, failpoint, rows=rows, **pace)
    assert answer["killed"], f"{failpoint} is not passed that often: {answer['words']}"


def sound(run: Runner, nodes: Nodes, rows: str) -> None:
    """Start again: all happens that was to happen, once; and when it has, starting once more changes nothing."""
    again = run(nodes, rows=rows)
    assert again["code"] == 0, again["words"]
    net = opened(nodes.folder, nodes.urls.__getitem__, home=front.at(nodes.folder))
    try:
        net.establish()
        before = verified.sizes(net), [node.home.everything() for node in net.nodes.values()]
        issued = {leaf: uscc for node in net.nodes.values() for leaf, uscc in verified.findings(node).items()}
        assert len(issued) == sum(len(some) for rows in (ROWS, NEWS) for some in rows.values()) - 1, "nothing is lost"
        verified.trees(net)
        verified.mirrors(net)
        verified.story(net, issued, company(RELIEVED), company(REVIEWED), HOME)
        verified.asked(net.nodes[HOME])
        for node in net.nodes.values():
            verified.home(node)
        net.settle()
        assert (verified.sizes(net), [node.home.everything() for node in net.nodes.values()]) == before
    finally:
        net.close()
