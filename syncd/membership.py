"""The members' files 成员名片 while a daemon runs: whether they say otherwise than its node was built from.

1. A file that was added or exchanged counts where a version that is held names its member; so does a version that names
   one whose file has lain there. A file that has gone changes nothing: a member leaves by a version, not by a file.
2. This node's own file with another log counts once its seal is asked for, so that the seal is the first thing that the
   new log says (LEDGER §1).

What was refused once is not tried again within a minute, so that jobs go on meanwhile.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from syncd.agreement.member import Member
from syncd.agreement_files import read_members
from syncd.errors import NeedsPerson
from syncd.flows.bureau import Bureau
from syncd.store import jobs

AGAIN_SECONDS = 60.0
SEAL = "keys.seal"


class Membership:
    """The look; ``changed`` is called whenever a node built anew is to go on."""

    def __init__(
        self, bureau: Bureau, folder: Path, built_from: Mapping[str, Member], changed: Callable[[], None]
    ) -> None:
        self._bureau, self._folder = bureau, folder
        self._built_from = {code: built_from[code] for code in bureau.members}
        self._changed = changed
        self._lock = threading.Lock()
        self._refused: tuple[dict[str, Member], str, float] | None = None

    def outdated(self, tell: bool = True) -> bool:
        """Whether a node built anew is to go on; jobs wait for it. A fault of the files is said by ``look``."""
        with suppress(NeedsPerson):
            return self.look(tell)
        return False

    def look(self, tell: bool = True) -> bool:
        """As ``outdated``; raises ``NeedsPerson`` where a file cannot be used or the change was refused."""
        with self._lock:
            held = read_members(self._folder)
            gone = sorted(self._built_from.keys() - held.keys())
            if gone:
                raise NeedsPerson(
                    f"The member file of {', '.join(gone)} is gone from {self._folder / 'members'}. The daemon goes on "
                    "with what it knows; put the file back, for no start and no other change is possible without it."
                )
            now = self._named(held)
            if now == self._built_from:
                return False
            if self._refused is not None and self._refused[0] == now:
                if time.monotonic() < self._refused[2]:
                    raise NeedsPerson(self._refused[1])
                self._refused = None
            if tell:
                self._changed()
            return True

    def refuse(self, sentence: str) -> None:
        """The change could not be taken up; the node goes on as it was built."""
        with self._lock, suppress(NeedsPerson):
            self._refused = self._named(read_members(self._folder)), sentence, time.monotonic() + AGAIN_SECONDS

    def _named(self, held: Mapping[str, Member]) -> dict[str, Member]:
        bureau = self._bureau
        named = {code for one in bureau.timeline.held for code in one.members}
        now = {code: held[code] for code in named if code in held}
        own = self._built_from[bureau.code]
        if now[bureau.code].origin != own.origin and not self._sealing():
            now[bureau.code] = own
        return now

    def _sealing(self) -> bool:
        with self._bureau.store.read() as conn:
            return any(job.kind == SEAL for job in jobs.queued(conn))
