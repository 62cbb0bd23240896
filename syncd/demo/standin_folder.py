"""A stand-in bureau system of the file mode 文件方式 (GB/T 39443-2020, 5.5): a folder with three parts.

``in/`` holds what the bureau puts out (``XZCF_*.csv`` penalties, ``XF_*.csv`` relief; see ``writers``),
``out/`` receives orders ``CJ_*.csv``, ``ack/`` gets acknowledgements ``HZ_*.csv`` of what was applied. The
system's own state is ``book.sqlite``. Files are written as ``.part`` and renamed, so a half-written file is
never seen. An order file that cannot be read is noted with its fault and not tried again until replaced.
"""

import csv
import io
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

from syncd.demo.formats import ACK_COLUMNS, local_today
from syncd.demo.orders import KEPT, OrderBook
from syncd.demo.standin import Acknowledging, Stopping, arguments, complain, say_ready, watch

PARTS = ("in", "out", "ack")
CHUNK = 2000
"""Orders applied in one transaction, and acknowledgements in one file."""
SETTLED_NS = 50_000_000
"""A folder's time stamp moves in ticks of 10 ms at most: one younger than this may hide a second change."""


class FolderStandin:
    """Watches ``out/`` and answers into ``ack/``."""

    def __init__(self, root: Path, acks: Acknowledging) -> None:
        for part in PARTS:
            (root / part).mkdir(parents=True, exist_ok=True)
        self._out, self._ack, self._acks = root / "out", root / "ack", acks
        self.book = OrderBook(root)
        rows = self.book.db.execute("SELECT name, size, mtime_ns FROM files")
        self._seen: dict[str, tuple[int, int]] = {name: (size, mtime) for name, size, mtime in rows}
        self._looked_at = 0

    def step(self, stop: Callable[[], bool]) -> None:
        """Applies every new or replaced order file, then acknowledges what has not been yet, when it is time."""
        changed = os.stat(self._out).st_mtime_ns
        if changed != self._looked_at or time.time_ns() - changed < SETTLED_NS:
            self._looked_at = changed
            with suppress(FileNotFoundError):  # tidied away since the listing
                for entry in self._news():
                    if stop():
                        return
                    self._take(entry)
        if self._acks.due():
            self._acknowledge(stop)

    def _news(self) -> list[os.DirEntry[str]]:
        with os.scandir(self._out) as found:
            orders = [e for e in found if e.name.startswith("CJ_") and e.name.endswith(".csv")]
        return sorted((e for e in orders if self._seen.get(e.name) != _mark(e)), key=lambda e: e.name)

    def _take(self, entry: os.DirEntry[str]) -> None:
        """A crash in here applies the file again: the same orders at the same counters change nothing."""
        mark, fault, taken = _mark(entry), None, 0
        try:
            for chunk in _chunks(read_orders(Path(entry.path))):
                taken += self.book.apply(chunk)
        except (ValueError, IndexError, csv.Error) as error:
            fault = f"{type(error).__name__}: {error}"[:200]
            complain(f"{entry.name}: orders cannot be read, {taken} of them were applied; {fault}")
        self.book.db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", (entry.name, *mark, taken, fault))
        self._seen[entry.name] = mark

    def _acknowledge(self, stop: Callable[[], bool]) -> None:
        more = True
        while more and not stop():
            acks, number, more = self.book.acknowledgements(self.book.mark("told"), CHUNK)
            if acks:
                name = f"HZ_{local_today():%Y%m%d}_{number:012d}.csv"
                write_csv(self._ack / name, ACK_COLUMNS, acks, "utf-8-sig")
                self.book.set_mark("told", number)


def _mark(entry: os.DirEntry[str]) -> tuple[int, int]:
    status = entry.stat()
    return status.st_size, status.st_mtime_ns


def read_orders(path: Path) -> Iterator[tuple[str, ...]]:
    """Orders of a ``CJ_*.csv`` (UTF-8 with mark, header of column codes) in the sequence the book keeps.

    Raises ``ValueError`` if a column is missing or the bytes are not UTF-8, ``IndexError`` for a short line.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        pick = itemgetter(*(header.index(column) for column in KEPT))
        for line in lines:
            yield pick(line)


def _chunks(orders: Iterator[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    chunk: list[tuple[str, ...]] = []
    for order in orders:
        chunk.append(order)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def write_csv(path: Path, header: Iterable[str], lines: Iterable[Iterable[object]], encoding: str) -> None:
    """One CSV file, whole or not at all: written beside its place and renamed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(lines)
    part = path.with_name(path.name + ".part")
    part.write_bytes(text.getvalue().encode(encoding))
    part.replace(path)


def main() -> int:
    """Runs until told to stop."""
    options = arguments("folder", __doc__ or "", watches=True).parse_args()
    stopping = Stopping(options.with_parent)
    system = FolderStandin(options.dir, Acknowledging(options))
    say_ready("folder", dir=str(options.dir))
    watch(system.step, stopping, options.poll_ms)
    system.book.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
