"""Pages of a service: how one follows the other, so that rows put in or taken out while we page are not missed.

- ``mark``: where to go on, in an order that grows (time of change, key); valid for ever. Nothing can be missed.
- ``since``: rows from a time on, sorted by it; the next page begins at the last time seen, which comes again.
- ``cursor``: through one listing that the service holds still; refused, it has expired and the listing begins anew.
- ``page``: numbers. A row taken out moves all behind it one place forward, so the last row of a page must be found
  again, where it was or in the next page; where it moved forward, its page is read again.

The last three begin anew when they are at their end: all rows, or with ``ask.since`` those changed since the last
listing began (on the service's own clock) or since the latest row it had, whichever is earlier, less ``late_seconds``.
What a source does to its pages between two questions and undoes before the third nobody can see; the full comparison
meets it.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from adapters.base import Json, SourceError
from adapters.facts import SourceFacts
from adapters.https import Answer, StatusRefused
from adapters.times import canonical_time, written_like

MARK_LENGTH = 256
EXPIRED = frozenset({400, 404, 409, 410, 422})
"""Statuses by which services say that they no longer know a cursor."""
ANEW_LIMIT = 3
"""How often one listing may begin anew before a person must look."""

Get = Callable[[str, Json], Answer]
Read = tuple[list[Any], Any, bool]
"""Rows, the state behind them, and whether there is more now."""


class Pages:
    """One list of a service at ``path``, read ``rows`` at a time by the way of ``paging``."""

    def __init__(self, facts: SourceFacts, get: Get, path: str, paging: str, rows: int, first: Any = "") -> None:
        assert facts.service is not None
        self._facts, self._service, self._get = facts, facts.service, get
        self.path, self._rows, self._first, self._number = path, rows, first, paging == "page"
        self._read = {"mark": self._by_mark, "since": self._by_since, "cursor": self._listing, "page": self._listing}[
            paging
        ]

    def read(self, state: Any) -> Read:
        """A page behind the state; None is the beginning. Raises ``SourceError``."""
        return self._read(state)

    def _by_mark(self, state: Any) -> Read:
        after = self._first if state is None else state
        items, answer, more = self._page({self._service.ask.mark: after})
        mark = dug(answer.content, self._service.answer.mark)
        if not items and mark is None:
            mark = after
        fits = _is_mark(mark) and (type(mark) is type(after) or after == self._first)
        if not fits or (items and mark == after) or (more and not items):
            name = self._service.answer.mark
            sentence = f"The service's mark `{name}` of /{self.path} does not move or is none; nothing was taken."
            raise SourceError(sentence, transient=False)
        return items, mark, more

    def _by_since(self, state: Any) -> Read:
        state = state or {"since": "", "at": "", "high": "", "began": ""}
        items, answer, more = self._page(self._since(state["at"] or state["since"]))
        stamps = [stamp for stamp in map(self._stamp, items) if stamp]
        if stamps != sorted(stamps):
            sentence = f"The rows of /{self.path} are not sorted by their time of change, as paging by since needs."
            raise SourceError(f"{sentence} None was taken; page by numbers or a cursor.", transient=False)
        state = self._noted(state, items, answer)
        if not more:
            return items, self._next(state), False
        if not stamps or stamps[-1] <= (state["at"] or state["since"]):
            sentence = f"{len(items)} rows of /{self.path} share one time, so paging by since cannot pass them."
            raise SourceError(f"{sentence} Raise service.page_rows, or page by numbers.", transient=False)
        return items, {**state, "at": stamps[-1]}, True

    def _listing(self, state: Any) -> Read:
        """A page of a listing, by cursor or by number; ``at`` is where it goes on."""
        state = state or {"since": "", "at": None, "high": "", "began": "", "last": "", "anew": 0}
        items, answer, more, again = self._numbered(state) if self._number else self._pointed(state)
        if again:
            return items, {**state, **again}, True
        state = self._noted(state, items, answer)
        if not more:
            return items, {**self._next(state), "at": None, "last": "", "anew": 0}, False
        at = state["at"] or 1
        following = at + 1 if self._number else dug(answer.content, self._service.answer.mark)
        if not items or (not self._number and (not _is_mark(following) or following == state["at"])):
            sentence = f"The service's pages of /{self.path} lead nowhere; nothing was taken, a person must look."
            raise SourceError(sentence, transient=False)
        return items, {**state, "at": following, "last": self._name(items[-1])}, True

    def _pointed(self, state: Json) -> tuple[list[Any], Answer, bool, Json]:
        """A page by the service's cursor; what to change in the state where it was refused."""
        pointer = {self._service.ask.mark: state["at"]} if state["at"] is not None else {}
        try:
            items, answer, more = self._page(self._since(state["since"]) | pointer)
        except StatusRefused as refused:
            if not pointer or refused.status not in EXPIRED:
                raise
            return [], Answer(None), True, self._anew(state)
        named = self._service.answer.more
        following = dug(answer.content, self._service.answer.mark)
        return items, answer, more if named else following not in (None, ""), {}

    def _numbered(self, state: Json) -> tuple[list[Any], Answer, bool, Json]:
        """A page by its number, which must go on where the one before it ended."""
        number = state["at"] or 1
        items, answer, more = self._page(self._since(state["since"]) | {self._service.ask.page: number})
        if number == 1 or state["last"] in map(self._name, items):
            return items, answer, more, {}
        before, *_ = self._page(self._since(state["since"]) | {self._service.ask.page: number - 1})
        names = [self._name(item) for item in before]
        if names and names[-1] == state["last"]:
            return items, answer, more, {}
        if state["last"] in names:  # rows were taken out: what moved forward stands in the page before
            return before, answer, True, {"last": names[-1]}
        return [], answer, True, self._anew(state)

    def _anew(self, state: Json) -> Json:
        if state["anew"] >= ANEW_LIMIT:
            sentence = f"The listing of /{self.path} had to begin anew {ANEW_LIMIT} times; a person must look."
            raise SourceError(f"{sentence} What was read is kept.", transient=True)
        return {"at": None, "last": "", "anew": state["anew"] + 1}

    def _page(self, params: Json) -> tuple[list[Any], Answer, bool]:
        ask, names = self._service.ask, self._service.answer
        limit = {ask.limit: self._rows} if ask.limit else {}
        answer = self._get(self.path, {**ask.fixed, **limit, **params})
        items = dug(answer.content, names.items)
        count = dug(answer.content, names.count) if names.count else None
        more = dug(answer.content, names.more) if names.more else None
        whole = isinstance(items, list) and (not names.count or count == len(items))
        if not whole or (names.more and not isinstance(more, bool)):
            sentence = f"The service cut a page of /{self.path} short; none of it was taken, and it is read again."
            raise SourceError(sentence, transient=True)
        if len(items) > self._rows:
            sentence = f"The service gave {len(items)} rows of /{self.path} where {self._rows} were asked for"
            raise SourceError(f"{sentence}; none was taken.", transient=False)
        return items, answer, bool(more) if names.more else len(items) == self._rows

    def _since(self, time: str) -> Json:
        """The parameter for rows from a time on, where there is one and the time is known."""
        if not time or not self._service.ask.since:
            return {}
        return {self._service.ask.since: written_like(self._service.stamp, dt.datetime.fromisoformat(time))}

    def _noted(self, state: Json, items: list[Any], answer: Answer) -> Json:
        """When the listing began on the service's clock, and the latest time of change it has had."""
        zone = ZoneInfo(self._facts.source.time_zone)
        now = (answer.date or dt.datetime.now(dt.UTC)).astimezone(zone).replace(tzinfo=None)
        began = state["began"] or now.isoformat(" ", "microseconds")
        return {**state, "began": began, "high": max([state["high"], *map(self._stamp, items)])}

    def _next(self, state: Json) -> Json:
        """Where the next listing begins."""
        reached = min(state["high"], state["began"]) if state["high"] else ""
        if reached:
            late = dt.timedelta(seconds=self._service.late_seconds)
            reached = (dt.datetime.fromisoformat(reached) - late).isoformat(" ", "microseconds")
        return {**state, "since": max(reached, state["since"]), "at": "", "high": "", "began": ""}

    def _stamp(self, item: Any) -> str:
        value = item.get(self._facts.columns.updated) if isinstance(item, dict) else None
        return canonical_time(value, self._facts.source.time_zone) if isinstance(value, str) else ""

    def _name(self, item: Any) -> str:
        """What a row is known by within a listing: its key, or all of it; hashed, for it stands in a cursor."""
        key = item.get(self._facts.columns.row) if isinstance(item, dict) else None
        return hashlib.sha256(orjson.dumps(key or item)).hexdigest()[:16]


def dug(content: Any, names: str) -> Any:
    """What stands in an answer under names joined by dots; None where it does not, all of it for no name."""
    for name in names.split(".") if names else ():
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _is_mark(mark: Any) -> bool:
    return type(mark) in (str, int) and len(str(mark)) <= MARK_LENGTH
