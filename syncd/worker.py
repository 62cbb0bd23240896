"""A stage's thread: sleeps until its bell rings, then steps until there is nothing more to do.

Nothing polls between stages. A step that cannot go on (peer away, home system down) is tried again by itself, with a
growing pause; the bell ends the pause. No exception ends a worker: it is reported once and the step tried again.
"""

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from adapters.base import SourceError
from syncd.errors import NeedsPerson, Retry, Stop
from syncd.process import show_thread

Json = dict[str, Any]
FIRST_PAUSE, LAST_PAUSE = 0.2, 30.0


class Worker(threading.Thread):
    """Runs one stage's ``step`` whenever its bell rings."""

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        report: Callable[[str, Json], None],
        failed: Callable[[str, str | None], None],
        after: threading.Thread | None = None,
    ) -> None:
        """``after``: a thread of the same stage that is at its last step; this one begins when that has ended."""
        super().__init__(name=name, daemon=True)
        self._after = after
        self._step = step
        self._report = report
        self._failed = failed
        self._bell = threading.Event()
        self._ending = threading.Event()
        self._failing: float | None = None
        self._error: str | None = None

    def ring(self) -> None:
        """There is news; also ends a pause after a failure."""
        self._bell.set()

    def end(self) -> None:
        """Finish the step at hand, then stop."""
        self._ending.set()
        self._bell.set()

    def run(self) -> None:
        """Thread body."""
        show_thread(self.name)
        if self._after is not None:
            self._after.join()
            self._after = None
        waiting: float | None = None
        while not self._ending.is_set():
            self._bell.wait(waiting)
            self._bell.clear()
            waiting = self._drain()

    def _drain(self) -> float | None:
        try:
            while not self._ending.is_set() and self._step():
                self._well()
            self._well()
            return None
        except (Retry, SourceError) as error:
            return self._trouble(str(error), "retry")
        except (NeedsPerson, Stop) as error:
            return self._trouble(str(error), "person")
        except Exception as error:  # a fault of ours: named, never silent, and tried again
            return self._trouble(_fault(error), "fault")

    def _well(self) -> None:
        self._failing = None
        if self._error is not None:
            self._failed(self.name, None)
            self._error = None

    def _trouble(self, sentence: str, whose: str) -> float:
        if sentence != self._error:
            self._error = sentence
            # Whatever keeps it from being said must not end the thread: a stage that is gone says nothing ever. A store
            # that cannot be written is mostly why it waits; then only the line says so.
            with suppress(Exception):
                self._report("stage.waits", {"stage": self.name, "whose_turn": whose, "because": sentence})
            with suppress(Exception):
                self._failed(self.name, sentence)
        return self._pause()

    def _pause(self) -> float:
        """As long again as it has been failing: growing with time, however often the bell ends it."""
        now = time.monotonic()
        self._failing = now if self._failing is None else self._failing
        return min(max(FIRST_PAUSE, now - self._failing), LAST_PAUSE)


def _fault(error: Exception) -> str:
    """A fault of ours by its kind and place; its text may quote a row."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(last.filename).name}:{last.lineno}"
    return f"A fault of this program ({type(error).__name__} at {place}); please report this line."


def finish(workers: list[Worker], seconds: float) -> None:
    """End all workers and wait for them, ``seconds`` in all."""
    for worker in workers:
        worker.end()
    until = time.monotonic() + seconds
    for worker in workers:
        worker.join(timeout=max(0.0, until - time.monotonic()))
