"""The whole road, measured: ``python -m benchmarks.end_to_end`` (or ``make bench``).

Three daemons as three processes with real HTTPS, SQLite with ``synchronous=FULL``, each with its stand-in system.

1. *bulk*: N findings stand in one source, whose daemon stands still while it is filled; the clock starts when the
   source holds all rows and stops when three bureau systems hold all of them in force and both peers have countersigned
   all. The systems acknowledge nothing meanwhile unless asked to (``--acknowledge``). Findings a second, and where the
   CPU goes by process and by stage (a daemon's threads bear the names of their stages). On a machine that others use as
   well, the CPU time of a finding is the figure to trust.
2. *single*: one finding at a time, from the source's tick that finds the row to restricted in all three bureau
   systems (which look at their own folder or table every 5 ms); p50 and p99 in milliseconds.
3. *baseline*, in the same run: a bare loop that validates each body, hashes it and inserts it into SQLite (FULL) in
   batches of 500, once: what one stage of one node cannot be faster than. Ratios are to it.
"""

import argparse
import datetime as dt
import os
import platform
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from schemas.registry import check_body
from syncd.demo.bulk import generate_bulk
from syncd.demo.places import load_places
from syncd.demo.site import Site, sites
from syncd.flows.bureau import day_of
from syncd.reading import OpenBooks, open_books
from syncd.store import outbox
from syncd.store.checkpoints import countersigned_by_all
from syncd.store.state import states
from syncd.store.statement import execute

TICKS = os.sysconf("SC_CLK_TCK")
STAGES = frozenset(
    {"collect", "share", "recognise", "restrict", "answers", "acknowledgement", "receipts", "resend", "reconsider",
     "work", "custody", "versions"}
)  # fmt: skip
"""Threads as the kernel names them, 15 characters each."""

SLOWEST = 100  # findings a second below which nobody waits any longer
LOOK_SECONDS = 0.1
"""How often the bulk is looked at: each look costs the bureau systems a little of what is measured."""


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--findings", type=int, default=10_000)
    parser.add_argument("--singles", type=int, default=100)
    parser.add_argument("--flow", type=int, default=0, help="after that, let so many more flow and watch the memory")
    parser.add_argument("--every", type=float, default=0.25)
    parser.add_argument("--source", default=None, help="region code of the bureau whose source is filled")
    parser.add_argument("--acknowledge", action="store_true", help="let the bureau systems acknowledge during the bulk")
    asked = parser.parse_args()
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"SQLite {sqlite3.sqlite_version} WAL synchronous=FULL, fsync {fsync_microseconds():.0f} us")  # fmt: skip
    places = load_places()
    code = asked.source or next(iter(places.bureaus))
    today = day_of(dt.datetime.now(dt.UTC))
    base = baseline(places, code, today)
    print(f"baseline: validate, hash and insert one record: {base:,.0f} records/s")
    standin = () if asked.acknowledge else ("--silent",)
    with (
        tempfile.TemporaryDirectory(prefix="syncd-") as folder,
        sites(Path(folder), places, every=asked.every, standin=standin, poll_milliseconds=5) as running,
    ):
        for site in running.values():
            site.start_daemon()
        bulk(running, code, asked.findings, places, today, base)
        single(running, code, asked.findings, asked.singles, places, today)
        memory(running, "after these")
        if asked.flow:
            bulk(running, code, asked.flow, places, today, base, start=asked.findings + asked.singles)
            memory(running, f"after {asked.flow:,} more")


def baseline(places: Any, code: str, today: dt.date) -> float:
    """Records a second of the bare loop."""
    body = {
        "schema": "finding/1.0",
        "subject": {"uscc": "91320583MA0000015L", "name": "演示有限公司", "type": "POLLUTER"},
        "key": {"organ": "11310114MB2000012B", "number": "演环罚〔2026〕1号", "date": "2026-11-02", "normaliser": 1},
        "place": "320583", "source": {"id": "bench", "row": "1"}, "local_code": "X-1", "criterion": "EP-04",
        "legal_basis": "《中华人民共和国水污染防治法》第八十三条", "kinds": ["罚款"],
        "amount": {"fine": "20000.00", "confiscated": None}, "violation": "超标排放水污染物",
        "decided_on": "2026-11-02", "published_on": "2026-11-05",
        "ends": {"publicity": "2028-11-02", "query": None, "measures": None},
    }  # fmt: skip
    count, batch = 20_000, 500
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE r (i INTEGER PRIMARY KEY, h, b)"
        )
        begun = time.perf_counter()
        for start in range(0, count, batch):
            rows = []
            for n in range(start, start + batch):
                check_body("finding.issued", body)
                text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
                rows.append((n, sha256(text).digest(), text))
            db.execute("BEGIN")
            db.executemany("INSERT INTO r VALUES (?, ?, ?)", rows)
            db.execute("COMMIT")
        took = time.perf_counter() - begun
        db.close()
    return count / took


def bulk(
    running: Mapping[str, Site], code: str, count: int, places: Any, today: dt.date, base: float, start: int = 0
) -> None:
    """Fill one source and wait until all hold all."""
    before = {name: site.home.counts()["findings"] for name, site in running.items()}
    rows = list(generate_bulk(code, count, today, start, places))
    with open_books(running[code].settings) as books:
        written = time.perf_counter()
        with standing_still(running[code]):
            running[code].home.put_penalties(rows)
            cpu = {name: cpu_seconds(site) for name, site in running.items()}
            stages = {name: stage_seconds(site) for name, site in running.items()}
        begun = time.perf_counter()
        reached = wait_held(running, {name: held + count for name, held in before.items()})
        wait_countersigned(books)
        took = time.perf_counter() - begun
    for site in running.values():
        wait_delivered(site)
    whole = 0.0
    print(f"bulk: {count:,} findings in {took:.2f} s = {count / took:,.0f} findings/s "
          f"({count / took / base:.3f} of the baseline; filling the source took {begun - written:.2f} s)")  # fmt: skip
    for name, site in running.items():
        spent = [now - then for now, then in zip(cpu_seconds(site), cpu[name], strict=True)]
        whole += sum(spent)
        print(f"  {name}: held all after {reached[name] - begun:.2f} s; daemon {spent[0]:.2f} s CPU, "
              f"its system {spent[1]:.2f} s CPU")  # fmt: skip
        shares = {stage: seconds - stages[name][stage] for stage, seconds in stage_seconds(site).items()}
        busy = sorted((stage for stage in shares if shares[stage] > 0), key=lambda stage: -shares[stage])
        listed = ", ".join([f"{stage} {shares[stage] * 1e6 / count:.0f}" for stage in busy])
        print(f"    us a finding: {listed}")
    print(f"  CPU in all: {whole * 1e6 / count:,.0f} us a finding")


def wait_held(running: Mapping[str, Site], wanted: Mapping[str, int]) -> dict[str, float]:
    """When each bureau's own system held so many findings in force."""
    reached: dict[str, float] = {}
    until = time.perf_counter() + 60 + max(wanted.values()) / SLOWEST
    while len(reached) < len(running):
        for name, site in running.items():
            if name not in reached and site.home.counts()["findings"] >= wanted[name]:
                reached[name] = time.perf_counter()
        time.sleep(LOOK_SECONDS)
        if time.perf_counter() > until:
            raise SystemExit(f"only {sorted(reached)} of {sorted(running)} came to hold all; given up")
    return reached


@contextmanager
def standing_still(site: Site) -> Iterator[None]:
    """The site's daemon does nothing meanwhile: no row is collected before the clock starts."""
    pid = site.daemon.pid if site.daemon else 0
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def wait_countersigned(books: OpenBooks) -> None:
    """Every peer has countersigned a size of the site's own log that holds all its findings."""
    newest = "SELECT max(f.idx) FROM findings f JOIN logs l ON l.id = f.log WHERE l.own"
    while True:
        with books.store.read() as conn:
            size = int(execute(conn, newest).scalar_one()) + 1
            origin = next(one.origin for one in states(conn) if one.own)
            signed = countersigned_by_all(conn, origin)
        if len(signed) == len(books.members) and min(signed.values()) >= size:
            return
        time.sleep(0.02)


def wait_delivered(site: Site) -> None:
    """The node itself knows that nothing is pending."""
    while True:
        with open_books(site.settings) as books, books.store.read() as conn:
            if not outbox.counts(conn).get("pending"):
                return
        time.sleep(0.05)


def single(running: Mapping[str, Site], code: str, start: int, count: int, places: Any, today: dt.date) -> None:
    """One finding at a time; the clock starts at the source's next tick, which the daemon's log line tells."""
    took = []
    for row in generate_bulk(code, count, today, start, places):
        before = {name: site.home.counts()["findings"] for name, site in running.items()}
        size = {name: (site.folder / "daemon.log").stat().st_size for name, site in running.items()}
        running[code].home.put_penalties([row])
        while any(site.home.counts()["findings"] <= before[name] for name, site in running.items()):
            time.sleep(0.002)
        ended = time.time()
        took.append((ended - collected_at(running[code], size[code])) * 1000)
    took.sort()
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    print(f"single: p50 {statistics.median(took):.0f} ms, p99 {p99:.0f} ms over {count} findings "
          "(collect tick → restricted in all three bureau systems)")  # fmt: skip


def collected_at(site: Site, offset: int) -> float:
    """When the tick that found the row began: the ``began`` of the first page that issued something."""
    with (site.folder / "daemon.log").open("rb") as log:
        log.seek(offset)
        for line in log:
            facts = orjson.loads(line)
            if facts.get("event") == "collect.page" and facts["issued"]:
                return dt.datetime.fromisoformat(facts["began"]).timestamp()
    raise SystemExit("the daemon's log names no page that issued the row")


def memory(running: Mapping[str, Site], when: str) -> None:
    """Resident memory of each daemon."""
    sizes = {name: resident(site.daemon.pid) for name, site in running.items() if site.daemon is not None}
    print(f"memory {when}: " + ", ".join(f"{name} {size:.0f} MB" for name, size in sizes.items()))


def resident(pid: int) -> float:
    """Resident set of a process in MB."""
    text = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))) / 1024


def cpu_seconds(site: Site) -> list[float]:
    """User and system seconds of a site's daemon and of its stand-in system."""
    spent = []
    for process in (site.daemon, site.standin):
        fields = Path(f"/proc/{process.pid if process else 0}/stat").read_text("ascii").rpartition(")")[2].split()
        spent.append((int(fields[11]) + int(fields[12])) / TICKS)
    return spent


def stage_seconds(site: Site) -> dict[str, float]:
    """User and system seconds of a daemon by stage; ``server``: its threads, its pool and the scheduler."""
    spent = dict.fromkeys((*STAGES, "server"), 0.0)
    for task in Path(f"/proc/{site.daemon.pid if site.daemon else 0}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread of the pool that has just ended
            name, _, rest = task.joinpath("stat").read_text("ascii").rpartition(")")
            fields, comm = rest.split(), name.partition("(")[2].partition(":")[0]
            stage = comm if comm in STAGES else "server"
            spent[stage] += (int(fields[11]) + int(fields[12])) / TICKS
    return spent


def fsync_microseconds() -> float:
    """What an fsync of one small write costs here."""
    with tempfile.NamedTemporaryFile() as file:
        begun = time.perf_counter()
        for _ in range(200):
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - begun) / 200 * 1e6


if __name__ == "__main__":
    main()
