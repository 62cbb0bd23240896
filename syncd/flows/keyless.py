"""Rows without a key 无主键: in quarantine under one name, so none of them leaves it by being read under its own.

What was set aside for a missing key is over once a full reading has met no such row any more.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from adapters.records import Quarantined
from syncd.store import desk

Json = dict[str, Any]


class Keyless:
    """The watch over one source's rows without a key; ``column`` is its row key."""

    def __init__(self, name: str, column: str) -> None:
        self._name, self._column = name, column
        self._pass = 0
        self._met: set[str] = set()

    def meet(self, place: Json, begins: bool, quarantined: Sequence[Quarantined]) -> None:
        """Note those of a page; ``begins``: the page is the first of a full reading.

        After a restart within a full reading nothing is known of it: the next one says.
        """
        if begins:
            self._pass, self._met = place["pass"], set()
        self._met |= {one.row for one in quarantined if (one.field, one.reason) == (self._column, "missing")}

    def clear(self, conn: Connection, pass_: int, now: str) -> None:
        """At the end of a full reading."""
        if self._pass != pass_:
            return
        items = [
            one for one in desk.of_kind(conn, "quarantine") if one.state == "open" and one.reason == "missing"
        ] if desk.counts(conn).get("quarantine") else []  # fmt: skip
        over = {
            one.mark for one in items
            if (facts := desk.facts_of(one))["source"] == self._name and facts["field"] == self._column
            and facts["row"] not in self._met
        }  # fmt: skip
        desk.clear(conn, "quarantine", over, now)
