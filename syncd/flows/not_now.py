"""What a node answers in the exchange where its store is busy, full or in trouble.

A call that cannot be done now is answered 500 with ``Retry-After``, never 503: of a batch that says that it is stored
(LEDGER §6), and is for one whose line alone has to wait. Who asked tries again by itself; why stands in this node's own
log lines, for the sentence speaks of its store and disk.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from syncd.errors import Retry, Stop
from syncd.peers import Answer

P = ParamSpec("P")
NOT_NOW = Answer(500, b"This node cannot do that now. Nothing was counted; ask again later.\n", retry_after=60)
STORED = Answer(503, b"Stored; this node cannot sign now. Ask again later.\n", retry_after=60)


def or_not_now(call: Callable[P, Answer]) -> Callable[P, Answer]:
    """A method of something that has a ``_bureau``, answered ``NOT_NOW`` where it raises ``Retry`` or ``Stop``."""
    return _or(NOT_NOW, call)


def or_stored(call: Callable[P, Answer]) -> Callable[P, Answer]:
    """The same, answered ``STORED``: for what comes once all is stored."""
    return _or(STORED, call)


def _or(answer: Answer, call: Callable[P, Answer]) -> Callable[P, Answer]:
    @wraps(call)
    def answered(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return call(*args, **kwargs)
        except (Retry, Stop) as error:
            holder: Any = args[0]
            holder._bureau.notice("exchange.waits", {"call": call.__qualname__, "because": str(error)})
            return answer

    return answered
