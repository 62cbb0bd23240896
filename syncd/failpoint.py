"""Named places where a crash test may kill the process: between any two steps that write.

A failpoint is armed only by the environment (``SYNCD_FAILPOINT=share.before_cursor`` or ``…:3`` for the third
passage) and kills by SIGKILL, because an exception would still run ``finally`` blocks that a power cut does not.
Unarmed it costs one comparison.
"""

import os
import signal

_armed, _, _count = os.environ.get("SYNCD_FAILPOINT", "").partition(":")
_left = int(_count) if _count.isascii() and _count.isdigit() else 1


def failpoint(name: str) -> None:
    """Die here, now, if this place is armed."""
    global _left  # noqa: PLW0603  (one counter for the one armed place of the process)
    if name != _armed:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
