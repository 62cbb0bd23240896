"""Schema drift 表结构变化: columns of a source that are new or gone, by name, against those it had before.

The first round that brings rows sets what a source has. A column that the facts page names is no news. What is new or
gone then is an alarm with an item on the desk: it clears by itself when the columns are as before, and releasing it
takes them as they are now. In rounds of few rows only columns that every row must have count as gone, since some
sources leave empty ones out.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from adapters import relief
from adapters.base import RowKind
from adapters.facts import SourceFacts
from adapters.records import Collected, FindingRecord
from syncd.flows.alarms import quiet, sound
from syncd.flows.bureau import Bureau
from syncd.store import desk, sourcebook

Json = dict[str, Any]
ENOUGH_ROWS = 50
"""From so many rows on, a column that none of them has is gone."""
_ALWAYS: Mapping[RowKind, tuple[str, ...]] = {
    "penalty": ("CF_XDR_MC", "CF_XDR_SHXYM", "CF_WSH", "CF_YJ", "CF_CFLB", "CF_JDRQ"),
    "relief": relief.COLUMNS[:4],
}
"""Columns without which no row says anything. Those of finality count too, where empty columns are not left out."""


class Drift:
    """The watch over one source's columns."""

    def __init__(self, bureau: Bureau, name: str, facts: SourceFacts) -> None:
        self._bureau, self._name = bureau, name
        own = facts.columns
        self._named = {*own.ignored, *own.aliases, *own.aliases.values()}
        self._always = {kind: {*names, own.row} for kind, names in _ALWAYS.items()}
        if facts.source.mode != "service":  # a table or file has its columns, filled or not
            self._always["penalty"] |= {own.review, own.review_until, own.state} - {""}
        self._met: dict[RowKind, set[str]] = {}
        self._rows: dict[RowKind, int] = {"penalty": 0, "relief": 0}
        self._unknown: set[str] = set()
        self._as_before: dict[str, set[str]] | None = None

    def look(self, conn: Connection, page: Collected) -> None:
        """Take note of a page's columns; at the end of a round they are compared."""
        if page.rows:
            for kind, names in page.columns.items():
                self._met.setdefault(kind, set()).update(names)
            self._unknown |= page.unknown_columns
            findings = sum(isinstance(one, FindingRecord) for one in page.records)
            self._rows["penalty"] += findings
            self._rows["relief"] += len(page.records) - findings
        if not page.more and self._met:
            self._compare(conn)
            self._met, self._unknown, self._rows = {}, set(), {"penalty": 0, "relief": 0}

    def _compare(self, conn: Connection) -> None:
        now = self._columns()
        if now == self._as_before:
            return  # nothing stands that could be cleared, and nothing is new
        board = sourcebook.read_one(conn, f"columns:{self._name}")
        had = {kind: set(names) for kind, names in board.items()}
        new, gone = set[str](), set[str]()
        for kind in self._met:
            if kind in had:
                new |= now[kind] - had[kind]
                gone |= {name for name in had[kind] - now[kind] if self._counts(kind, name)}
        if had:
            new |= now["unknown"] - had.get("unknown", set())
        new -= self._named
        fresh = {kind: sorted(names) for kind, names in now.items() if kind not in had}
        if fresh:
            sourcebook.post(conn, f"columns:{self._name}", {**board, **fresh})
        self._as_before = now if not new and not gone and all(had.get(kind) == now[kind] for kind in now) else None
        self._say(conn, sorted(new), sorted(gone))

    def _columns(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {kind: met for kind, met in self._met.items()}
        return found | {"unknown": self._unknown}

    def _counts(self, kind: RowKind, name: str) -> bool:
        return self._rows[kind] >= ENOUGH_ROWS or name in self._always[kind]

    def _say(self, conn: Connection, new: list[str], gone: list[str]) -> None:
        bureau, name = self._bureau, self._name
        if not new and not gone:
            desk.clear(conn, "schema_drift", [name], bureau.now_text())
            quiet(bureau, conn, "schema_drift", [name])
            return
        reason = "columns_" + hashlib.sha256(orjson.dumps([new, gone])).hexdigest()[:8]
        columns = {kind: sorted(met) for kind, met in self._columns().items()}
        facts = {"source": name, "new": new, "gone": gone, "columns": columns}
        desk.put(conn, [{"kind": "schema_drift", "mark": name, "reason": reason, "facts": facts}], bureau.now_text())
        if name in desk.open_marks(conn, "schema_drift"):  # a person may have decided that this is known
            sound(bureau, conn, "schema_drift", name, {"new": new, "gone": gone})


def accept(conn: Connection, facts: Json) -> None:
    """A person takes the columns as they are now."""
    name = f"columns:{facts['source']}"
    sourcebook.post(conn, name, sourcebook.read_one(conn, name) | facts["columns"])
