"""A round of both lists: their order, and what happens where one of them cannot be read."""

from typing import Any

import pytest

from adapters.base import Json, RawRow, RowKind, SourceError
from adapters.rounds import Rounds

pytestmark = pytest.mark.fast


class Lists:
    """Two lists of rows, read two at a time; a list of None cannot be read."""

    def __init__(self, **rows: list[str] | None) -> None:
        self.rows = rows
        self.rounds = Rounds(self._read)

    def _read(self, kind: RowKind, state: Any, room: int) -> tuple[list[RawRow], Any, bool]:
        rows, at = self.rows[kind], state or 0
        if rows is None:
            raise SourceError(f"{kind} cannot be read.", transient=False)
        end = at + min(2, room)
        return [RawRow(kind, key, {}, "") for key in rows[at:end]], min(end, len(rows)), end < len(rows)

    def page(self, state: Json) -> tuple[list[str], Json, bool]:
        """The keys of a page, the state behind it, and whether there is more."""
        rows, state, more = self.rounds.page(state)
        return [row.key for row in rows], state, more

    def round(self, state: Json) -> tuple[list[list[str]], Json]:
        """All pages of a round."""
        pages, more = [], True
        while more:
            keys, state, more = self.page(state)
            pages.append(keys)
        return pages, state


def test_relief_is_behind_in_the_first_round_and_first_in_the_others() -> None:
    lists = Lists(penalty=["a", "b", "c"], relief=["x"])
    pages, state = lists.round({})
    assert pages == [["a", "b"], ["c", "x"]]
    lists.rows = {"penalty": ["a", "b", "c", "d", "e", "f"], "relief": ["x", "y", "z", "u"]}
    pages, _ = lists.round(state)
    assert pages == [["y", "z"], ["u", "d", "e"], ["f"]]


@pytest.mark.parametrize("state", [{}, {"round": True}])
def test_penalties_that_cannot_be_read_hold_no_relief_back_and_are_said(state: Json) -> None:
    lists = Lists(penalty=None, relief=["x"])
    keys, state, more = lists.page(state)
    assert (keys, more) == (["x"], True)
    with pytest.raises(SourceError, match="penalty"):
        lists.page(state)
    lists.rows["relief"] = ["x", "y"]
    keys, state, more = lists.page(state)
    assert keys == ["y"]
    with pytest.raises(SourceError, match="penalty"):
        lists.page(state)
    with pytest.raises(SourceError, match="penalty"):  # no relief: said at once
        lists.page(state)
    lists.rows["penalty"] = ["a", "b", "c"]
    pages, state = lists.round(state)
    assert [key for page in pages for key in page] == ["a", "b", "c"] and state["round"]


def test_penalties_that_can_be_read_again_go_on_at_once() -> None:
    lists = Lists(penalty=None, relief=["x"])
    _, state, _ = lists.page({})
    lists.rows = {"penalty": ["a"], "relief": ["x", "y"]}
    pages, _ = lists.round(state)
    assert [key for page in pages for key in page] == ["a", "y"]


def test_relief_that_cannot_be_read_is_said_and_nothing_overtakes_it() -> None:
    lists = Lists(penalty=["a"], relief=None)
    for state in ({}, {"round": True}):
        with pytest.raises(SourceError, match="relief"):
            lists.page(state)


def test_where_both_fail_the_first_is_named() -> None:
    with pytest.raises(SourceError, match="penalty"):
        Lists(penalty=None, relief=None).page({})
