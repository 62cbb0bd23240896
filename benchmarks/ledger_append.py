"""Appending, measured: leaves a second by batch and database, bare and sealed, beside two baselines of the same round.

The baselines: a loop that inserts rows of the same number of bytes into SQLite (FULL) and does nothing else, and
``pymerkle`` (``benchmarks/requirements.txt``), which hashes in memory and stores nothing.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.ledger_kit import Clock, append, drafts, opened, postgres_address, sqlite_address

BATCHES = (1, 256, 2048)
SINGLES = 2048
"""Leaves in a measurement of batch 1, which waits for the disk at each."""
TARGETS = {
    ("SQLite", False): 30_000,
    ("SQLite", True): 12_000,
    ("PostgreSQL", False): 15_000,
    ("PostgreSQL", True): 6_000,
}
DATABASES = {"SQLite": sqlite_address, "PostgreSQL": postgres_address}


class Rate(NamedTuple):
    """Leaves a second, and microseconds of this process's processor time for each."""

    wall: float
    cpu: float


def appends(count: int, rounds: int) -> None:
    """Measure everything ``rounds`` times, in turn, and print the medians."""
    found: dict[str, list[Rate]] = {}
    for _ in range(rounds):
        for name, measure in _measures(count).items():
            rate = measure()
            if rate is not None:
                found.setdefault(name, []).append(rate)
    middle = {name: Rate(*[statistics.median(column) for column in zip(*rates, strict=True)])
              for name, rates in found.items()}  # fmt: skip
    bare, hashing = middle["bare INSERT loop, SQLite, batch 256"], middle.get("pymerkle in memory")
    for name, rate in middle.items():
        ratios = f"; {rate.wall / bare.wall:.2f} of bare INSERTs"
        ratios += f", {rate.wall / hashing.wall:.2f} of pymerkle" if hashing is not None else ""
        print(f"{name}: {rate.wall:,.0f}/s, {rate.cpu:.1f} us of processor each{_target(name)}"
              f"{ratios if name.startswith('append') else ''}")  # fmt: skip
    if hashing is None:
        print("pymerkle: not installed, no ratio to it")


def _measures(count: int) -> dict[str, Callable[[], Rate | None]]:
    """What is measured in one round, by its name."""
    measures: dict[str, Callable[[], Rate | None]] = {
        "bare INSERT loop, SQLite, batch 256": lambda: bare_inserts(count),
        "pymerkle in memory": lambda: pymerkle(count),
    }
    for database in DATABASES:
        for sealed in (False, True):
            for batch in BATCHES:
                some = min(count, SINGLES) if batch == 1 else count
                measures[_name(database, sealed, batch)] = partial(append_rate, database, batch, some, sealed)
    return measures


def _name(database: str, sealed: bool, batch: int) -> str:
    return f"append, {database}, batch {batch:,}, {'with sealed disclosures' if sealed else 'bare'}"


def _target(name: str) -> str:
    """What is asked for at batch 256 on two free cores."""
    named = {_name(database, sealed, 256): target for (database, sealed), target in TARGETS.items()}
    return f" (target {named[name]:,})" if name in named else ""


def append_rate(database: str, batch: int, count: int, sealed: bool) -> Rate | None:
    """Appending to one new store; None without a server."""
    with DATABASES[database]() as url:
        if not url:
            return None
        clock = Clock()
        parts = [drafts(clock, batch, sealed) for _ in range(max(1, count // batch))]
        with opened(url) as (logs, origin):
            return _rated(batch * len(parts), lambda: [append(logs, origin, part) for part in parts])


def bare_inserts(count: int) -> Rate:
    """A loop that only inserts as many bytes, batch 256."""
    leaf = os.urandom(320)
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE r (i INTEGER PRIMARY KEY, l)")

        def insert() -> None:
            for start in range(0, count, 256):
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO r VALUES (?, ?)", [(n, leaf) for n in range(start, start + 256)])
                db.execute("COMMIT")

        rate = _rated(count, insert)
        db.close()
    return rate


def pymerkle(count: int) -> Rate | None:
    """pymerkle's tree in memory; None if it is not installed."""
    try:
        from pymerkle import InmemoryTree
    except ModuleNotFoundError:
        return None
    tree, leaf = InmemoryTree(), os.urandom(320)

    def grow() -> None:
        for _ in range(count):
            tree.append_entry(leaf)
        tree.get_root()

    return _rated(count, grow)


def _rated(count: int, act: Callable[[], object]) -> Rate:
    begun, used = time.perf_counter(), time.process_time()
    act()
    return Rate(count / (time.perf_counter() - begun), (time.process_time() - used) / count * 1e6)
