"""What every stand-in bureau system has in common as a process: arguments, the ready line, stopping.

A stand-in prints one line of JSON on stdout when it serves, e.g. ``{"ready": "folder", "dir": "…"}``, ends
with exit code 0 within a second of SIGTERM or SIGINT, and with ``--with-parent`` also when the process that
started it is gone, so that a killed demonstration leaves nothing running.
"""

import argparse
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOMENT_SECONDS = 0.2
"""How long a signal may wait."""


def arguments(name: str, purpose: str, watches: bool) -> argparse.ArgumentParser:
    """The options of every stand-in, and of those that watch a file or folder for orders; each adds its own."""
    parser = argparse.ArgumentParser(prog=f"python -m syncd.demo.standin_{name}", description=purpose)
    parser.add_argument("--dir", type=Path, required=True, help="folder in which it keeps everything")
    parser.add_argument("--silent", action="store_true", help="take orders, but never acknowledge them")
    parser.add_argument("--with-parent", action="store_true", help="stop when the starting process is gone")
    if watches:
        parser.add_argument("--poll-ms", type=int, default=50, help="how often to look for news (default 50)")
        parser.add_argument("--ack-ms", type=int, default=0, help="acknowledge in bunches, at most this often")
    return parser


class Acknowledging:
    """When to acknowledge: at once, in bunches every so often, or never."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._silent, self._every = options.silent, options.ack_ms / 1000
        self._last = -math.inf

    def due(self) -> bool:
        """Whether it is time again."""
        now = time.monotonic()
        if self._silent or now - self._last < self._every:
            return False
        self._last = now
        return True


class Stopping:
    """Set by SIGTERM, SIGINT or, if asked for, the loss of the parent process."""

    def __init__(self, with_parent: bool) -> None:
        self._told = False
        self._parent = os.getppid() if with_parent else None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)

    def now(self) -> bool:
        """Whether to stop."""
        return self._told or (self._parent is not None and os.getppid() != self._parent)

    def wait(self, seconds: float) -> bool:
        """Sleeps at most so long; whether to stop. Plain sleep: at 200 looks a second an event costs more than they."""
        until = time.monotonic() + seconds
        while not self.now() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, MOMENT_SECONDS))
        return self.now()

    def _tell(self, *_: object) -> None:
        self._told = True


def say_ready(name: str, **facts: Any) -> None:
    """The one line on stdout that says: from here on it serves."""
    print(json.dumps({"ready": name, **facts}, ensure_ascii=False), flush=True)


def complain(sentence: str) -> None:
    """A sentence on stderr for the person who watches."""
    print(sentence, file=sys.stderr, flush=True)


def watch(step: Callable[[Callable[[], bool]], None], stopping: Stopping, poll_ms: int) -> None:
    """Does ``step`` again and again until it is time to stop; the step looks at the given question too."""
    while not stopping.now():
        step(stopping.now)
        if stopping.wait(poll_ms / 1000):
            return
