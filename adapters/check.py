"""A dry pull 试读: what a source gives and what the border makes of it, as a report. Nothing is stored, sent or moved.

The report names columns, counts and reasons, and shows what a few rows become: never a person's column, never free
text, and of columns that hold sentences only their length.
"""

import datetime as dt
import re
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from adapters import columns, relief
from adapters.base import AckPage, Adapter, Json, Page, RowKind, SourceError
from adapters.border import UNNAMED
from adapters.facts import SourceFacts
from adapters.records import Collected, FindingRecord, Quarantined, ReliefRecord
from adapters.remedies import remedy_of
from adapters.source import Source

SAMPLES, EXAMPLES, NAME_LENGTH = 3, 3, 40
_NUMBER = re.compile(r"[0-9]{8}")
_AMOUNTS = ("CF_NR_FK", "CF_NR_WFFF")
"""Columns that a source without such penalties need not have."""
_SENTENCES = ("violation", "legal_basis")
_NEEDED: dict[RowKind, tuple[str, ...]] = {
    "penalty": tuple(
        column.code for column in columns.COLUMNS if column.duty == "read" and column.code not in _AMOUNTS
    ),
    "relief": relief.COLUMNS,
}


def reading_only(facts: SourceFacts) -> SourceFacts:
    """The facts page for a reading that looks once: it waits for no file to settle.

    A file that is still being written shows as cut off. ``files.done`` stays as it is, for files that were moved belong
    to the source; that none is moved now is for ``tidy`` of the adapter to say.
    """
    if facts.files is None:
        return facts
    return facts.model_copy(update={"files": facts.files.model_copy(update={"settle_seconds": 0.0})})


def dry_pull(adapter: Adapter, facts: SourceFacts, limit: int, today: dt.date | None = None) -> Json:
    """Read a source from the beginning until it ends or ``limit`` rows came. Raises ``SourceError``.

    The row key that hashes need is made for this report alone, so its hashes mean nothing to anybody.
    """
    names = _Names(adapter)
    source = Source(names, facts, secrets.token_bytes(32))
    pages: list[Collected] = []
    try:
        while True:
            pages.append(source.collect(pages[-1].cursor if pages else None, today))
            if not pages[-1].more or sum(page.rows for page in pages) >= limit:
                break
    finally:
        source.close()
    return _report(pages, facts, names.met)


class _Names(Adapter):
    """An adapter's pages, with the names of their columns noted: a header's own words are shown, and kept nowhere."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.met: set[str] = set()

    def pull(self, cursor: Json | None) -> Page:
        page = self._adapter.pull(cursor)
        self.met.update(name for row in page.rows for name in row.fields)
        return page

    def push(self, rows: Sequence[Json]) -> str:
        raise SourceError("A dry pull delivers nothing.", transient=False)

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        raise SourceError("A dry pull reads no acknowledgements.", transient=False)

    def close(self) -> None:
        self._adapter.close()


def _report(pages: list[Collected], facts: SourceFacts, names: set[str]) -> Json:
    records = [one for page in pages for one in page.records]
    findings = [one for one in records if isinstance(one, FindingRecord)]
    reliefs = [one for one in records if isinstance(one, ReliefRecord)]
    faults = grouped([one for page in pages for one in page.quarantined])
    found, absent = _columns(pages, facts, names), _absent(pages, facts)
    rows = {
        "read": sum(page.rows for page in pages),
        "findings": len(findings),
        "relief": len(reliefs),
        "waiting": sum(len(page.waiting) for page in pages),
        "quarantined": sum(one["rows"] for one in faults),
        "refused": sum(page.refused.total() for page in pages),
        "duplicates": sum(page.duplicates for page in pages),
    }
    balanced = all(page.balanced for page in pages)
    return {
        "source": facts.source.id,
        "mode": facts.source.mode,
        "whole": not pages[-1].more,
        "rows": rows,
        "balanced": balanced,
        "refused": dict(_sum(pages, lambda page: page.refused)),
        "waiting": dict(Counter(one.reason for page in pages for one in page.waiting)),
        "faults": faults,
        "columns": found,
        "absent": absent,
        "personal": dict(_sum(pages, lambda page: page.personal)),
        "samples": [_shown(one.body) for one in findings[:SAMPLES]] + [_of_relief(one) for one in reliefs[:1]],
        "fine": balanced and not faults and not found["unknown"] and not any(absent.values()) and rows["read"] > 0,
    }


def grouped(quarantined: list[Quarantined]) -> list[Json]:
    """Faults by column and cause, most frequent first, with how to mend them and where some of them stand."""
    causes: dict[tuple[str, str], list[Quarantined]] = {}
    for one in quarantined:
        causes.setdefault((one.field, one.reason), []).append(one)
    found = []
    for (field, reason), several in sorted(causes.items(), key=lambda cause: (-len(cause[1]), cause[0])):
        remedy = remedy_of(reason)
        found.append({
            "field": field, "reason": reason, "rows": len(several), "turn": remedy.turn, "mend": remedy.english,
            "mend_zh": remedy.chinese, "examples": [f"{one.row} ({one.where})" for one in several[:EXAMPLES]],
        })  # fmt: skip
    return found


def _columns(pages: list[Collected], facts: SourceFacts, names: set[str]) -> Json:
    """Columns by what the border does with them; ``renamed`` says which stand for which."""
    met = {column for page in pages for several in page.columns.values() for column in several}
    ignored = met.intersection(facts.columns.ignored) | (met & columns.LEGACY_LEFT)
    kept_back = {column.code for column in columns.COLUMNS if column.duty in ("personal", "free_text")}
    renamed: dict[str, str] = {}
    for page in pages:
        renamed |= page.renamed
    return {
        "understood": sorted(met - ignored - kept_back),
        "never_read": sorted(met & kept_back),
        "ignored": sorted(ignored),
        "unknown": sorted(_shown_name(name) for name in names - met - renamed.keys()),
        "renamed": dict(sorted(renamed.items())),
    }


def _shown_name(name: str) -> str:
    """A column's name as it is, unless it is no name: too long, or with a number that could be somebody's."""
    return name if len(name) <= NAME_LENGTH and not _NUMBER.search(name) else UNNAMED


def _absent(pages: list[Collected], facts: SourceFacts) -> dict[str, list[str]]:
    """Columns that a finding or relief is made of, or that the facts page names, and that no row had."""
    absent: dict[str, list[str]] = {}
    for kind, needed in _NEEDED.items():
        met = {column for page in pages for column in page.columns.get(kind, ())}
        own = facts.columns.own if kind == "penalty" else [facts.columns.row, facts.columns.updated]
        if met:
            absent[kind] = sorted(set(needed).union(own) - met)
    return absent


def _sum(pages: list[Collected], part: Callable[[Collected], Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for page in pages:
        total.update(part(page))
    return total


def _shown(body: Json) -> Json:
    """A finding's body; a column that holds sentences is shown by its length, for a sentence may name somebody."""
    return {name: f"{len(value)} characters" if name in _SENTENCES else value for name, value in body.items()}


def _of_relief(one: ReliefRecord) -> dict[str, Any]:
    said = {"kind": one.kind, "organ": one.organ, "number": one.number, "uscc": one.uscc, "body": one.body}
    return said | {"left_out": [f"{fault.field}: {fault.reason}" for fault in one.left_out]}
