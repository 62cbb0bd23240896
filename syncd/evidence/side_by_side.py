"""An audit on every core 并行审计: the bundles of a large log are judged ahead by processes that read it themselves.

Each process takes every so many-th chunk of bundles and says what it finds; here that is put together in order. What
is not in order is read and judged again here, so that each fault is named as ever and by one reading. A process that
has ended, whatever ended it, has merely said nothing. Memory is bounded by what the pipes hold.

A node's own disclosures need its vault, so the question then brings the node's key along: through the pipe alone, to a
process of the same user.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from typing import Any, Final

from syncd.evidence.judging import CHUNK, receive, send
from syncd.ledger.audit_bundle import Judge, Judged, none_ahead
from syncd.ledger.audited import AuditedLog

ALONE: Final = 128
"""Bundles up to which starting processes costs more than it saves."""
_PIPE_BYTES = 1 << 20


def judged_ahead(judge: Judge, log: AuditedLog) -> Iterable[Judged | None]:
    """Judge a log ahead on all cores, where that is worth it and the log can be read elsewhere."""
    cores = _cores()
    return none_ahead(judge, log) if cores < 2 or judge.count <= ALONE else judged_by(judge, log, cores)


def judged_by(judge: Judge, log: AuditedLog, processes: int) -> Iterator[Judged | None]:
    """What so many processes say of each bundle, in order; they end with the iterator."""
    opened = log.elsewhere(judge.level)
    if opened is None:
        yield from none_ahead(judge, log)
        return
    with ExitStack() as stack:
        helpers = [
            stack.enter_context(_Helper((judge, opened, range(n * CHUNK, judge.count, processes * CHUNK))))
            for n in range(processes)
        ]
        for start in range(0, judge.count, CHUNK):
            yield from helpers[start // CHUNK % processes].answer(min(CHUNK, judge.count - start))


class _Helper:
    """One process."""

    def __init__(self, question: Any) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-P", "-m", "syncd.evidence.judging"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pipesize=_PIPE_BYTES,
        )  # fmt: skip
        assert self._program.stdin is not None
        with suppress(OSError):  # it has ended; it will answer nothing
            send(self._program.stdin, question)

    def __enter__(self) -> "_Helper":
        return self

    def __exit__(self, *_: object) -> None:
        self._program.kill()  # it has ended, or nobody reads on; it holds nothing that could be lost
        self._program.communicate()

    def answer(self, width: int) -> Iterator[Judged | None]:
        """The verdicts of its next chunk."""
        assert self._program.stdout is not None
        said: list[Judged | None] | None = receive(self._program.stdout)
        yield from [None] * width if said is None else islice(said, width)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
