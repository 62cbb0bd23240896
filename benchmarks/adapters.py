"""The adapters, measured: ``python -m benchmarks.adapters`` (or ``make bench-adapters``).

The same rows (36 columns, each another decision) stand in files of CSV (GB18030) and XLSX of at most 20,000 rows, in a
front database on SQLite and behind a local HTTPS service with pages of 500. Each mode is read in a process of its own,
from an empty cursor to the end: pulled, checked at the border and normalised to findings; nothing is stored. Then
``dlt`` (``benchmarks/requirements.txt``), which checks nothing, loads the same rows from the CSV files into SQLite.

Rows a second are by wall clock and by the processor's time of that process and its helpers; memory is the largest
resident set above what the process had before it read the first row, with the largest helper (one reads a workbook).
"""

import argparse
import gc
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.adapters_rows import PAGES, ROOT, TOKEN, facts_of, serve, write

MODES = tuple(PAGES)
TARGETS = {"csv": 15_000, "xlsx": 8_000, "database": 15_000, "service": 8_000}
MEMORY_MB = 150


def main() -> None:
    """Write the rows, measure each mode in a process of its own, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--dlt-python", default=sys.executable, help="an interpreter that has dlt")
    parser.add_argument("--read", choices=[*MODES, "serve"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read:
        serve(asked.folder) if asked.read == "serve" else read(asked.read, asked.folder)
        return
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"load {os.getloadavg()[0]:.1f}; {asked.rows:,} rows a mode")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="syncd-") as folder:
        write(Path(folder), asked.rows, asked.modes)
        measured = {mode: measure(sys.executable, mode, Path(folder), asked.rows) for mode in asked.modes}
        baseline = measure(asked.dlt_python, "dlt", Path(folder), asked.rows)
    tell(measured, baseline)


def tell(measured: dict[str, dict[str, float]], baseline: dict[str, float] | None) -> None:
    """The figures beside their targets and beside dlt."""
    print(f"{'':10} {'rows/s':>8} {'rows/s CPU':>11} {'MB above idle':>14} {'target':>8}   to dlt")
    for mode, one in {**measured, **({"dlt": baseline} if baseline else {})}.items():
        ratio = ""
        if baseline is not None:
            wall, cpu = one["rate"] / baseline["rate"], one["cpu_rate"] / baseline["cpu_rate"]
            ratio = f"{wall:.2f} wall, {cpu:.2f} CPU"
        target = f"{TARGETS[mode]:,}" if mode in TARGETS else ""
        print(f"{mode:10} {one['rate']:8,.0f} {one['cpu_rate']:11,.0f} {one['memory']:14.0f} {target:>8}   {ratio}")
    if baseline is None:
        print("dlt: not installed in the interpreter of --dlt-python, no ratio to it (benchmarks/requirements.txt)")
    print(f"memory target: {MEMORY_MB} MB above idle")


def measure(python: str, mode: str, folder: Path, rows: int) -> Any:
    """Run one reading in a process of its own; its last line is its figures. None where dlt is not installed."""
    command = [python, "-m", "benchmarks.adapters", "--read", mode, "--folder", str(folder)]
    if mode == "dlt":
        command = [python, str(Path(__file__).with_name("adapters_dlt.py")), str(folder)]
    ran = subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, check=False)
    if mode == "dlt" and ran.returncode == 3:
        return None
    if ran.returncode:
        raise SystemExit(f"{mode} failed")
    figures = orjson.loads(ran.stdout.splitlines()[-1])
    if figures["rows"] != rows:
        raise SystemExit(f"{mode}: {figures['rows']:,} of {rows:,} rows came out")
    return {"rate": rows / figures["wall"], "cpu_rate": rows / figures["cpu"], "memory": figures["memory"]}


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The service in a process of its own; gives its address."""
    command = [sys.executable, "-m", "benchmarks.adapters", "--read", "serve", "--folder", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        try:
            yield service.stdout.readline().strip()
        finally:
            service.kill()


def read(mode: str, folder: Path) -> None:
    """Read one mode from an empty cursor to its end, and print the figures as JSON."""
    from adapters.source import Source

    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as the daemon has it
    with opened(mode, folder) as adapter:
        source = Source(adapter, facts_of(mode), b"k" * 32)
        idle, spent, begun = resident("VmRSS"), processor_seconds(), time.perf_counter()
        cursor, more, findings = None, True, 0
        while more:
            page = source.collect(cursor)
            findings += len(page.records)
            cursor, more = page.cursor, page.more
        source.close()
        wall, cpu = time.perf_counter() - begun, processor_seconds() - spent
        helper = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures = {"rows": findings, "wall": wall, "cpu": cpu, "memory": resident("VmHWM") - idle + helper}
    print(orjson.dumps(figures).decode())


@contextmanager
def opened(mode: str, folder: Path) -> Iterator[Any]:
    """The adapter of a mode."""
    facts = facts_of(mode)
    if mode == "database":
        from adapters.database import DatabaseAdapter

        yield DatabaseAdapter(f"sqlite:///{folder}/front.db", facts)
    elif mode == "service":
        from adapters.service import ServiceAdapter, ServiceConnection

        with serving(folder) as url:
            yield ServiceAdapter(ServiceConnection(url, lambda: TOKEN, folder / "tls/ca.pem"), facts)
    else:
        from adapters.files import FilesAdapter

        yield FilesAdapter(folder / mode, facts)


def processor_seconds() -> float:
    """User and system time of this process and of helpers that have ended, as one for each workbook."""
    return sum(os.times()[:4])


def resident(name: str) -> float:
    """Resident set of this process in MB: ``VmRSS`` now, ``VmHWM`` at its largest."""
    text = Path("/proc/self/status").read_text("ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name))) / 1024


if __name__ == "__main__":
    main()
