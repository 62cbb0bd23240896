"""What was set aside 隔离 and is there no more: a row or file that a full reading does not meet leaves the quarantine.

Nothing of it was ever read, so no reading of it can take it out; nor can one of a row without a key, for all of those
stand under one name.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from adapters.records import Quarantined
from syncd.store import desk

ACKNOWLEDGEMENTS = "acknowledgements"
"""Acknowledgements 回执 that cannot be read stand in the quarantine under this name; no reading of rows meets them."""


class SetAside:
    """The watch over what one source has in quarantine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pass = 0
        self._met: set[str] = set()

    def meet(self, pass_: int, begins: bool, quarantined: Sequence[Quarantined]) -> None:
        """Note those of a page of a full reading; ``begins``: the page is its first.

        After a restart within a full reading nothing is known of it: the next one says.
        """
        if begins:
            self._pass, self._met = pass_, set()
        self._met |= {one.row for one in quarantined}

    def clear(self, conn: Connection, pass_: int, now: str) -> None:
        """At the end of a full reading."""
        if self._pass != pass_:
            return
        kept = tuple(f"{self._name}/{name}" for name in self._met)
        mine = {mark for mark in desk.open_marks(conn, "quarantine") if mark.startswith(f"{self._name}/")}
        over = mine.difference(kept)
        desk.clear(conn, "quarantine", {mark for mark in over if not is_feedback(self._name, mark)}, now)
        self._met = set()


def is_feedback(source: str, mark: str) -> bool:
    """Whether an item of the quarantine is about acknowledgements 回执."""
    return mark.startswith(f"{source}/{ACKNOWLEDGEMENTS}/")
