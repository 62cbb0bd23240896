"""The newest entries of each log as they were written (新近条目), so that the stages behind need not read them again.

What was appended is shared, and what was received is recognised, within the second; without this room each stage would
fetch, decrypt and parse what the one before it had in hand. Only a reading aid: a run that is not here whole is read
from the store. Entries come here after their commit, never before, and everything is dropped as soon as the vault
forgets a key, so that an erased text stays in no memory.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from syncd.ledger.entry import Entry
from syncd.store.vault import Vault

BYTES_KEPT: Final = 2 * 1024 * 1024
"""Leaves and disclosures kept of one log at most."""
SPANS_KEPT: Final = 1024
"""Spans of which the kinds are remembered of one log at most; a long run of the same kinds is one."""


class Recent(NamedTuple):
    """One entry: its leaf's hash and bytes, its disclosure (no bytes if none came), what was read of it if anything."""

    idx: int
    leaf_hash: bytes
    leaf: bytes
    disclosure: bytes
    entry: Entry | None


class _Run(NamedTuple):
    start: int
    entries: Sequence[Recent]
    weight: int


class _Span(NamedTuple):
    """Entries ``start`` to ``stop`` (excluded) are of these kinds and no others."""

    start: int
    stop: int
    kinds: frozenset[str]


class RecentEntries:
    """The newest entries of every log; usable from several threads.

    Their kinds are remembered much longer than their texts: a stage that is far behind looks for relief in all that
    came since, and mostly there is none.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = threading.Lock()
        self._forgotten = vault.forgotten
        self._runs: dict[str, deque[_Run]] = {}
        self._weights: dict[str, int] = {}
        self._spans: dict[str, deque[_Span]] = {}

    def put(self, origin: str, entries: Sequence[Recent]) -> None:
        """Keep entries that were just committed; what does not follow on what is here replaces it."""
        if not entries:
            return
        with self._lock:
            runs = self._current(origin)
            start = entries[0].idx
            weight = sum([len(one.leaf) + len(one.disclosure) for one in entries])
            held = self._weights.get(origin, 0) if runs else 0
            if runs and runs[-1].start + len(runs[-1].entries) != start:
                runs.clear()
                held = 0
            kinds = frozenset([one.entry.kind if one.entry is not None else "" for one in entries])
            self._widen(origin, start, start + len(entries), kinds)
            runs.append(_Run(start, entries, weight))
            held += weight
            while held > BYTES_KEPT:
                held -= runs.popleft().weight
            self._weights[origin] = held

    def get(self, origin: str, start: int, stop: int) -> Sequence[Recent] | None:
        """The entries ``start`` to ``stop`` (excluded), or None unless all of them are here."""
        parts: list[Sequence[Recent]] = []
        with self._lock:
            for run in reversed(self._current(origin)):  # what is asked for is mostly the newest
                if run.start < stop and run.start + len(run.entries) > start:
                    parts.append(run.entries[max(0, start - run.start) : stop - run.start])
                if run.start <= start:
                    break
        found = [one for part in reversed(parts) for one in part]
        return found if start < stop and len(found) == stop - start else None

    def kinds(self, origin: str, start: int, stop: int) -> frozenset[str] | None:
        """Kinds that may occur in ``start`` to ``stop`` (excluded), an empty text for a leaf that was not understood.

        Kinds that are not in it do not occur. None unless the kinds of all of the entries are remembered.
        """
        found, here = frozenset[str](), 0
        with self._lock:
            for span in reversed(self._spans.get(origin, ())):
                if span.start < stop and span.stop > start:
                    found |= span.kinds
                    here += min(stop, span.stop) - max(start, span.start)
                if span.start <= start:
                    break
        return found if here == stop - start else None

    def drop(self, origin: str) -> None:
        """Forget a log's entries: what the store holds of them has changed."""
        with self._lock:
            self._runs.pop(origin, None)

    def _current(self, origin: str) -> deque[_Run]:
        if self._vault.forgotten != self._forgotten:
            self._forgotten = self._vault.forgotten
            self._runs.clear()
        return self._runs.setdefault(origin, deque())

    def _widen(self, origin: str, start: int, stop: int, kinds: frozenset[str]) -> None:
        """Remember the kinds of a run; what does not follow on the last one replaces all."""
        spans = self._spans.setdefault(origin, deque(maxlen=SPANS_KEPT))
        if spans and spans[-1].stop != start:
            spans.clear()
        if spans and spans[-1].kinds == kinds:
            start = spans.pop().start
        spans.append(_Span(start, stop, kinds))
