"""A cursor over rows in an order that grows, which also meets what is committed late 迟到的行.

A row gets its place (time of change, running number) before it is committed, so it may appear behind the cursor. The
state therefore remembers the last stretch that was read: where it began, when, and a count and sum of hashes of the
rows *as they were read*. At the start of each round the source is asked for the places of that stretch; if the sum
is another, the stretch is read again. It reaches back far enough that what lies before it is committed (``late``).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from adapters.base import Json

_MODULUS = 1 << 64


class Place(NamedTuple):
    """A place in the order, as texts; ``key`` is empty where the first column alone is unique."""

    at: str
    key: str


class Sum(NamedTuple):
    """Count and sum of hashes of places; the order of adding does not matter."""

    rows: int = 0
    total: int = 0

    def plus(self, places: Iterable[Place]) -> "Sum":
        """The sum with these places added."""
        rows, total = self
        for place in places:
            rows += 1
            total += int.from_bytes(hashlib.blake2b(f"{place.at}\0{place.key}".encode(), digest_size=8).digest())
        return Sum(rows, total % _MODULUS)


class Window:
    """The state of one order: the place reached, and the parts before it that are watched.

    As JSON ``{"at": place, "part": number, "began": seconds, "full": bool, "parts": [[seconds, place, rows, hex]]}``.
    A part begins behind its place, which the cursor had reached at that time, and ends with the next one's. ``part`` is
    the one being read, ``full`` says that a round is not at its end, and ``began`` when it began.
    """

    def __init__(self, state: Json | None, now: float, late: float) -> None:
        """``now`` in seconds, and for how many seconds a row may stay uncommitted (``late``)."""
        state = state or {"at": None, "part": 0, "began": now, "full": False, "parts": [[now, None, 0, "0"]]}
        self._parts = [(t, _place(at), Sum(rows, int(total, 16))) for t, at, rows, total in state["parts"]]
        self._late, self._now = late, now
        self._part: int = state["part"]
        self.reached = _place(state["at"])
        self.within = bool(state["full"])
        self._began = state["began"] if self.within else now

    @property
    def start(self) -> Place | None:
        """Where the watched stretch begins; None is the beginning of all."""
        return self._parts[0][1]

    @property
    def until(self) -> Place | None:
        """Where the part being read ends; the last one is open."""
        return self._parts[self._part + 1][1] if self._part + 1 < len(self._parts) else None

    def look_back(self, seen: Iterable[Place]) -> None:
        """Compare the stretch as it is now with what was read; if it is another, all of it is read again."""
        held = Sum(sum(s.rows for _, _, s in self._parts), sum(s.total for _, _, s in self._parts) % _MODULUS)
        if Sum().plus(seen) != held:
            self._parts = [(time, place, Sum()) for time, place, _ in self._parts]
            self._part, self.reached = 0, self.start

    def take(self, places: Sequence[Place]) -> None:
        """These rows of the part were read."""
        time, place, held = self._parts[self._part]
        self._parts[self._part] = (time, place, held.plus(places))
        self.reached = places[-1] if places else self.reached

    def pass_on(self) -> bool:
        """At the end of a part: on to the next one, if there is one."""
        if (end := self.until) is None:
            return False
        self._part, self.reached = self._part + 1, end
        return True

    def state(self, full: bool) -> Json:
        """The state as it is now; at the end of a round what is watched moves on."""
        if not full:
            time, place, _ = self._parts[-1]
            if time <= self._now - self._late / 2 and self.reached != place:
                self._parts.append((self._now, self.reached, Sum()))
            while len(self._parts) > 1 and self._parts[1][0] <= self._began - self._late:
                del self._parts[0]
            self._part = len(self._parts) - 1
        parts = [[t, at and list(at), s.rows, f"{s.total:x}"] for t, at, s in self._parts]
        at, began = self.reached and list(self.reached), self._began if full else None
        return {"at": at, "part": self._part, "began": began, "full": full, "parts": parts}


def _place(value: Any) -> Place | None:
    return Place(*value) if value is not None else None
