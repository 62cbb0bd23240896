"""Looking back over what was read before, spared 节省 where it costs the source much.

A large front database at a busy rhythm would be asked for nothing else. So what took longer than ``BRIEF_SECONDS`` is
done again only after ``SPARED_TIMES`` as long. Only rounds that go on where the last one ended are brief: new rows are
looked for at every tick, and a full reading leaves nothing out.
"""

from collections.abc import Callable

import orjson

from adapters.base import Json

BRIEF_SECONDS, SPARED_TIMES = 0.05, 20


class Sparing:
    """Which rounds of one stream are brief; ``clock`` gives seconds. Kept in memory: after a restart none is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ended, self._until, self._begun = b"", 0.0, 0.0
        self.brief = False

    def begin(self, state: Json) -> None:
        """A page is about to be read behind this state."""
        self._begun = self._clock()
        self.brief = self._begun < self._until and orjson.dumps(state) == self._ended

    def end(self, state: Json, more: bool) -> None:
        """The page was read up to this state; ``more`` says that its round goes on."""
        self._ended = b"" if more else orjson.dumps(state)
        took = self._clock() - self._begun
        if not (more or self.brief):
            self._until = self._clock() + SPARED_TIMES * took if took > BRIEF_SECONDS else 0.0
