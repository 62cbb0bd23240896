"""The program that judges bundles for an audit 审计子进程: told once what to do, it says what it finds.

An audit of a million entries hashes two million times, and one Python uses one core. So this file is run several times
side by side (``side_by_side``), each for its share of the bundles. It changes nothing and asks nobody.

A message is its length in four bytes, then a pickle: both ends are one program of one version, joined by a pipe.
"""

import gc
import pickle
import sys
from typing import IO, Any, Final

CHUNK: Final = 16
"""Bundles in one answer, and in one reading of a store."""
LENGTH_BYTES: Final = 4


def main() -> None:
    """Read the question; answer as long as somebody reads."""
    judge, opened, starts = receive(sys.stdin.buffer)
    log = opened()
    gc.freeze()  # what was loaded stays; a look for cycles after each answer then costs next to nothing
    gc.disable()
    for start in starts:
        stop = min(start + CHUNK, judge.count)
        send(sys.stdout.buffer, [judge.ahead(log, n) for n in range(start, stop)])
        gc.collect()


def send(to: IO[bytes], message: Any) -> None:
    """Write one message. Raises ``OSError`` where nobody reads."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    to.write(len(data).to_bytes(LENGTH_BYTES, "big"))
    to.write(data)
    to.flush()


def receive(source: IO[bytes]) -> Any:
    """Read one message; None where there is no more, be it that the other end has broken off in the middle of one."""
    length = int.from_bytes(source.read(LENGTH_BYTES), "big")
    data = source.read(length)
    return pickle.loads(data) if length and len(data) == length else None


if __name__ == "__main__":
    main()
