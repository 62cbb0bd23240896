"""A round 一轮: penalties and relief of a source, page by page, each read to its end, and no list held back by another.

In the first round relief comes behind, for it has nothing to act on before its finding was read. From the second on it
goes first: it waits for no backlog of penalties. Penalties that cannot be read hold no relief back either.
"""

from collections.abc import Callable
from typing import Any

from adapters.base import PAGE_ROWS, Json, RawRow, RowKind, SourceError

AGAIN: Json = {"round": True}
"""The state of a source that was read before and is compared from its beginning: relief waits for no comparison."""

Read = Callable[[RowKind, Any, int], tuple[list[RawRow], Any, bool]]
"""Reads a list behind its state, with room for so many rows: the rows, the state behind them, whether there is more."""


class Rounds:
    """The order in which the two lists of a source are read; ``read`` asks the source for one of them.

    The state is ``{"penalty", "relief", "done": [kind, …], "round": bool}``: what was read to its end in this round,
    and whether there was a round before.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._failed = False

    def page(self, state: Json) -> tuple[list[RawRow], Json, bool]:
        """A page, the state behind it, and whether the round goes on. Raises ``SourceError``.

        Where penalties fail, relief is read all the same; with the next page the error is said. (It is not kept in the
        state, so after a restart there is one more page of relief before.)
        """
        state, done = dict(state), list(state.get("done", ()))
        rows: list[RawRow] = []
        failed, self._failed = self._failed, False
        kinds: tuple[RowKind, ...] = ("relief", "penalty") if state.get("round") else ("penalty", "relief")
        error: SourceError | None = None
        for kind in ("penalty",) if failed else kinds:
            if kind in done:
                continue
            try:
                found, state[kind], more = self._read(kind, state.get(kind), PAGE_ROWS - len(rows))
            except SourceError as caught:
                if kind == "relief" or failed:
                    raise error or caught from None
                error = caught
                continue
            rows += found
            if more:
                return rows, {**state, "done": done}, True
            done.append(kind)
        if error is not None and not rows:
            raise error
        self._failed = error is not None
        if self._failed or failed:
            return rows, {**state, "done": [kind for kind in done if kind == "penalty"]}, True
        return rows, {**state, "done": [], "round": True}, False
