"""The ledger, measured: ``python -m benchmarks.ledger`` (or ``make bench-ledger``). Never a timed test.

Other work on the machine slows every figure; so each rate stands beside the processor time it took, and beside the
baselines of the same round. Targets are those of two free cores.

1. ``benchmarks/ledger_append.py``: leaves a second at batches of 1, 256 and 2,048 on SQLite and PostgreSQL, bare and
   with disclosures sealed in the vault, beside a loop of bare INSERTs and ``pymerkle``.
2. ``benchmarks/ledger_large.py``: what is done with a log of a million entries, beside one of a hundredth of it; with
   ``--fsck`` also its check by fsck.
"""

import argparse
import os
import platform
import sqlite3

from benchmarks.ledger_append import appends
from benchmarks.ledger_kit import fsync_microseconds, postgres_words
from benchmarks.ledger_large import large


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--entries", type=int, default=1_000_000, help="0: leave the large log out")
    parser.add_argument("--appends", type=int, default=40_960, help="leaves in each measurement of append")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of append; the median is printed")
    parser.add_argument("--fsck", action="store_true", help="fsck checks the large log too: half an hour at a million")
    asked = parser.parse_args()
    print(f"machine: {_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python "
          f"{platform.python_version()}; an fsync takes {fsync_microseconds():.0f} us (median)")  # fmt: skip
    print(f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL; {postgres_words()}")
    if asked.appends:
        appends(asked.appends, asked.rounds)
    if asked.entries:
        small, big = large(asked.entries // 100), large(asked.entries, checked=asked.fsck)
        for name in sorted(small.keys() & big.keys()):
            print(f"cost an entry, {name}: {big[name] / small[name]:.2f} of that at {asked.entries // 100:,} entries "
                  "(target 1.30)")  # fmt: skip
    print(f"load at the end: {os.getloadavg()[0]:.1f}")


def _processor() -> str:
    """The processor's name as Linux tells it, else its kind."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
