"""What a daemon asks of its process 进程: memory that stays small and flat, threads that take turns, names to see.

glibc, Linux and CPython are asked by name; where one of them knows no such thing, nothing is done and nothing is lost.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress

SWITCH_SECONDS = 0.0005
"""A thread that comes back from the disk waits this long at most for one that computes; Python's 5 ms made every
statement of a busy store wait.
"""

_TRIM_FROM, _MMAP_FROM, _ARENAS = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX of glibc's malloc.h
_SET_NAME, _NAME_BYTES = 15, 15  # PR_SET_NAME of prctl(2), and what it takes


def share_memory() -> None:
    """Let all threads take memory from one place, and give large pieces back; asked before the first of them starts.

    By default glibc keeps an arena for each thread and never empties one: a batch that has passed through a dozen
    threads lies in each of them for good.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for setting, value in ((_ARENAS, 1), (_MMAP_FROM, 1024 * 1024), (_TRIM_FROM, 2048 * 1024)):
            library.mallopt(setting, value)


def apart(call: Callable[[], object]) -> None:
    """Have a child process do this, and wait for it: what it takes of memory goes with it.

    Only before this process has threads or a database open. Nobody is told whether it went well: whoever needs it
    done looks for himself, and does it again.
    """
    child = os.fork()
    if child == 0:
        try:
            call()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def calm() -> None:
    """Let Python's cycle collector leave alone what stays for good, and look less often at what passes through.

    Batches make many short-lived objects without cycles: at the default pace a quarter of all time went into looking.
    What was left alone before and has been replaced since is looked at once more.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    sys.setswitchinterval(SWITCH_SECONDS)


def give_back() -> None:
    """Give free memory in the middle of the heap back to the system: what a long reading has used stays nobody's."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def show_thread(name: str) -> None:
    """Let the system show the calling thread by this name, as in ``top -H``."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_NAME, name.encode()[:_NAME_BYTES], 0, 0, 0)
