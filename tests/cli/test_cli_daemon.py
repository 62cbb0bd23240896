"""Commands beside a running daemon: it does the jobs, answers are waited for, and it alone holds the node."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_nodes import environment, make_node, put_rows, some_rows, syncd

STOP_SECONDS = 5.0


@dataclass
class Running:
    """A node with its daemon."""

    node: Path
    process: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far; every line is JSON."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def await_event(self, event: str, seconds: float = 30.0) -> None:
        """Wait until it says so."""
        until = time.monotonic() + seconds
        while not any(line["event"] == event for line in self.lines()):
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text("utf-8")
            time.sleep(0.05)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A demonstration node whose daemon is ready; killed if the test leaves it."""
    node, log = make_node(tmp_path, allow_candidates=True), tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "syncd", "run", "-c", str(node)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment())
    daemon = Running(node, process, log)
    try:
        daemon.await_event("daemon.ready")
        yield daemon
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_the_daemon_does_what_commands_ask(running: Running, tmp_path: Path) -> None:
    node = running.node
    put_rows(tmp_path, some_rows())
    ran = syncd("resync", "collect", "--reason", "new rows", "-c", node, "--json")
    assert ran.code == 0 and ran.json["by"] == "daemon" and ran.json["left"] == {}
    running.await_event("restrict.delivered")
    stands = syncd("status", "-c", node, "--json").json
    assert stands["daemon"] and stands["sources"][0]["rows"]["issued"] == 5
    assert {one["peer"]: bool(one["error"]) for one in stands["peers"]} == {"310114": True, "320585": True}
    assert "运行中" in syncd("status", "-c", node).out
    review = next(one for one in syncd("desk", "list", "-c", node, "--json").json["items"] if one["kind"] == "review")
    released = syncd("desk", "release", str(review["id"]), "--reason", "heard", "-c", node, "--json").json
    assert (released["by"], released["result"]["state"]) == ("daemon", "released")
    wrong = syncd("desk", "release", "999", "--reason", "heard", "-c", node)
    assert wrong.code == 3 and "no open item" in wrong.sentence


def test_a_second_daemon_is_refused_and_the_first_stops_at_once(running: Running) -> None:
    second = syncd("run", "-c", running.node)
    assert second.code == 70 and str(running.process.pid) in second.sentence
    begun = time.monotonic()
    os.kill(running.process.pid, signal.SIGTERM)
    assert running.process.wait(timeout=STOP_SECONDS * 2) == 0
    assert time.monotonic() - begun < STOP_SECONDS
    assert [line["event"] for line in running.lines()][-1] == "daemon.stopped"
    assert not (running.node.parent / "syncd.sock").exists()
    again = syncd("resync", "recognise", "--reason", "alone again", "-c", running.node, "--json")
    assert again.code == 0 and again.json["by"] == "command"
