"""A new day, as a daemon's own workers take it: what ends with it is told at home, whatever else fails at midnight."""

import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from network import Network, Node, company, network, penalty, relief

from syncd import worker
from syncd.errors import Retry
from syncd.flows.doubt import AHEAD, doubt
from syncd.flows.share import drain
from syncd.running import Running
from syncd.store import engine
from syncd.worker import Worker, finish

HOME, THIRD, LAST = "320583", "310114", dt.date(2026, 12, 1)
MIDNIGHT = dt.datetime(2026, 12, 1, 16, 0, 5, tzinfo=dt.UTC)  # 00:00:05 on 2 December in Shanghai
WORKING = ("expiry", "day_change", "versions", "restrict")


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A measure is in force at home until the end of 1 December; who is kept waiting says so soon."""
    monkeypatch.setattr(engine, "_BUSY_MILLISECONDS", 100)
    monkeypatch.setattr(worker, "LAST_PAUSE", 0.2)
    made = network(tmp_path, lambda code: f"sqlite:///{tmp_path}/{code}.db")
    made.nodes[HOME].home.put(penalty("1", company(1), "KS-0104", HOME, CF_GSJZQ="2026-12-01"))
    made.settle()
    made.now = MIDNIGHT
    yield made
    made.close()


@contextmanager
def working(node: Node) -> Iterator[Any]:
    """A daemon's workers for this node, without its server."""
    running = object.__new__(Running)
    running.built, running.stages = SimpleNamespace(bureau=node.bureau), node.stages  # type: ignore[assignment]
    running._outside, running._day, running._settings = {}, LAST, SimpleNamespace(source=None)  # type: ignore[assignment]
    running._scheduler = BackgroundScheduler()
    steps = running._steps()
    running._workers = {name: Worker(name, steps[name], lambda event, facts: None, running._failed) for name in WORKING}
    for one in running._workers.values():
        one.start()
    try:
        yield running
    finally:
        finish(list(running._workers.values()), 5)


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """Something else, as a backup, writes into HOME's store."""
    held = sqlite3.connect(folder / f"{HOME}.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        held.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def looked(node: Node) -> str | None:
    """The day whose relief was last looked at."""
    with node.bureau.store.read() as conn:
        return node.bureau.logs.get_cursor(conn, "day_change")


def test_a_store_that_is_busy_at_midnight_delays_what_ends_and_loses_nothing(net: Network, tmp_path: Path) -> None:
    node = net.nodes[HOME]
    with working(node) as running:
        with busy(tmp_path):
            with suppress(Retry):
                running._close_stop()
            time.sleep(0.5)
            assert node.home.in_force(company(1))
        until(lambda: not node.home.in_force(company(1)))
        until(lambda: looked(node) == "2026-12-02")


def test_a_store_that_is_busy_at_the_start_stops_no_daemon(net: Network, tmp_path: Path) -> None:
    node = net.nodes[HOME]
    with working(node) as running:
        with busy(tmp_path):
            running._schedule()
            running._scheduler.shutdown(wait=False)
        until(lambda: not node.home.in_force(company(1)))


@pytest.mark.parametrize("broken", ["versions", "day_change", "expiry"])
def test_one_part_of_a_new_day_that_fails_keeps_back_no_other(
    net: Network, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("for as long as it is tried")

    node = net.nodes[HOME]
    where, name = {
        "versions": (node.stages.adopt, "_found"), "day_change": (node.stages.recognise, "day_change"),
        "expiry": (Running, "_expire"),
    }[broken]  # fmt: skip
    monkeypatch.setattr(where, name, fails)
    with working(node) as running:
        running._midnight()
        if broken != "expiry":
            until(lambda: not node.home.in_force(company(1)))
        if broken != "day_change":
            until(lambda: looked(node) == "2026-12-02")
        if broken != "versions":
            until(lambda: node.stages.adopt._day == dt.date(2026, 12, 2))


def test_a_repair_whose_day_comes_goes_home_while_this_node_may_not_write(net: Network) -> None:
    row, node = penalty("2", company(2), "KS-0104", HOME), net.nodes[THIRD]
    net.now = MIDNIGHT - dt.timedelta(days=4)
    net.nodes[HOME].home.put(row, relief("r2", row, "修复", XF_RQ="2026-12-01"))
    net.settle()
    assert node.home.in_force(company(2))
    net.now = MIDNIGHT
    with node.bureau.store.write() as conn:
        doubt(node.bureau, conn, AHEAD, {"told": {HOME: 9}})
    node.rung.clear()
    assert node.stages.recognise.day_change() > 0 and not node.bureau.may_sign
    assert node.rung == {"restrict"}
    drain(node.stages.steps()["restrict"])
    assert not node.home.in_force(company(2))
