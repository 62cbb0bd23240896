"""Named places where a crash test may kill the process: between any two steps that write.

A failpoint is armed by the environment (``SYNCD_FAILPOINT=share.before_post`` or ``…:3`` for the third passage) and
kills by SIGKILL, because an exception would still run ``finally`` blocks that a power cut does not. Unarmed it costs
one comparison.
"""

import os
import signal

_armed, _left = "", 1


def arm(where: str) -> None:
    """Arm ``name`` or ``name:passage``; an empty text disarms. One place at a time in a process."""
    global _armed, _left  # noqa: PLW0603  (the one armed place of the process)
    _armed, _, count = where.partition(":")
    _left = int(count) if count.isascii() and count.isdigit() else 1


def failpoint(name: str) -> None:
    """Die here, now, if this place is armed."""
    global _left  # noqa: PLW0603  (counts the passages of the armed place)
    if name != _armed:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("SYNCD_FAILPOINT", ""))
