"""Whether a peer gets further: by what it says that it holds of this node's log, and by what it has countersigned.

What it takes back and says again is no gain. Where nothing else comes, every step towards it fails and the pause
between two grows, instead of the same batches going round.
"""

import sys

FALLS = 2
"""So often a peer may fall back, as one that is restored again while it is filled up, and still gain from there."""


class Gain:
    """What one peer has said since its countersigned size last grew."""

    def __init__(self) -> None:
        self._most, self._least, self._falls = 0, sys.maxsize, 0

    def countersigned(self, size: int, before: int) -> bool:
        """It has countersigned ``size``; ``before`` is the most it had countersigned."""
        if size > before:
            self._most, self._least, self._falls = 0, sys.maxsize, 0
        return self.holds(size)

    def holds(self, size: int) -> bool:
        """It says that it holds so much."""
        gained, self._most = size > self._most, max(size, self._most)
        return gained

    def fell(self, size: int) -> bool:
        """It holds less than it was offered to go on from: never gain. Its store is an old copy, and what it takes from
        there on is gain again: where it is further back than ever, and else as often as ``FALLS``.
        """
        self._falls += 1
        if size < self._least or self._falls <= FALLS:
            self._least, self._most = min(size, self._least), size
        return False
