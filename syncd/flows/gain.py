"""Whether a peer gets further: by what it says that it holds of this node's log, and by what it has countersigned.

What it takes back and says again is no gain. Where nothing else comes, every step towards it fails and the pause
between two grows, instead of the same batches going round.
"""

import sys


class Gain:
    """What one peer has said since its countersigned size last grew."""

    def __init__(self) -> None:
        self._most, self._least = 0, sys.maxsize

    def countersigned(self, size: int, before: int) -> bool:
        """It has countersigned ``size``; ``before`` is the most it had countersigned."""
        if size > before:
            self._most, self._least = 0, sys.maxsize
        return self.holds(size)

    def holds(self, size: int) -> bool:
        """It says that it holds so much."""
        gained, self._most = size > self._most, max(size, self._most)
        return gained

    def fell(self, size: int) -> bool:
        """It holds less than it was offered to go on from: never gain. Where it is further back than ever, its store is
        an old copy, and what it takes from there on is gain again.
        """
        if size < self._least:
            self._least = self._most = size
        return False
