"""A source 数据源: an adapter with every duty around it. The stages speak to this, never to an adapter.

The border verdict on a row, in order; each step either ends the row's way or passes it on:

1. *columns*: known, ignored or unknown (dropped, and named where the name can be shown), by name alone; personal
   columns are counted; a row larger than 64 KiB ends here;
2. *subject*: a natural person or sole proprietor leaves with a count, nothing is kept, not even its key;
3. *shape*: what the adapter could not read as a row, columns that contradict, or a row without a key;
4. *twice*: of one row met twice in a page the later version holds; two decisions under one key stay back;
5. *finality*: a penalty open to review or not public yet waits; one whose own state says that it is over is relief;
6. *content*: the columns are read into the shared schema, or the first fault sends the row to quarantine;
7. *leftover*: what is about to pass is looked at once more for numbers of persons.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import orjson

from adapters.base import FILE, PAGE_LIMIT, AckPage, Adapter, Json, RawRow, RowFault, SourceError, narrowed
from adapters.beside import read_beside
from adapters.border import Border, Layout, even, renamed
from adapters.facts import SourceFacts
from adapters.finality import ENDED, state_of, waits
from adapters.penalty import read_penalty
from adapters.persons import LEFT_IN_KEY, ask_leftover, refusal
from adapters.records import Collected, FindingRecord, Quarantined, ReliefRecord, Waiting
from adapters.relief import read_relief, relief_of_state
from adapters.times import canonical_time

__all__ = ["Collected", "FindingRecord", "Quarantined", "ReliefRecord", "Source", "Waiting"]

CURSOR_BYTES = 4_096
IDENTITY = ("CF_XDR_SHXYM", "CF_CFJGDM", "CF_WSH", "CF_JDRQ")
"""What one row key may not stand for twice in a page."""

Version = tuple[RawRow, str]

_UNREADABLE = RowFault(
    "row", "unreadable", "The row made the program fail and was not read; the others were. The maintainer must look."
)
_TOO_LARGE = RowFault(
    "row", "too_large", "The row is larger than 64 KiB and was not looked at; the source must check it."
)


class Source:
    """One bureau's source. ``row_key`` (32 secret bytes of the node) keys the hashes of rows."""

    def __init__(self, adapter: Adapter, facts: SourceFacts, row_key: bytes) -> None:
        self.adapter = adapter
        self.facts = facts
        self._border = Border(facts, row_key)
        self._today = dt.date.min
        self._met: dict[int, Layout] = {}
        self._no_key = RowFault(
            facts.columns.row, "missing", "The row has no key; the source must give it one and send it again."
        )
        sentence = "Two different rows stand under one key; the source must correct one and send it again."
        self._two_under_one_key = RowFault(facts.columns.row, "duplicate_key", sentence)

    @property
    def again(self) -> Json | None:
        """Where to begin when all was read before and is compared from its beginning."""
        return self.adapter.again

    def collect(self, cursor: Json | None, today: dt.date | None = None) -> Collected:
        """One page behind the cursor, judged on ``today`` (now in the source's time zone if left out).

        Raises ``SourceError``; the cursor then stays as it was.
        """
        _ask_cursor(cursor)
        with narrowed("reading rows"):
            page = self.adapter.pull(cursor)
        _ask_page(len(page.rows), page.cursor)
        self._today = today or dt.datetime.now(ZoneInfo(self.facts.source.time_zone)).date()
        begun = [self._border.shown_place(name) for name in page.begun]
        with narrowed("judging rows"):
            return self._judged(page.rows, Collected(page.cursor, page.more, rows=len(page.rows), begun=begun))

    def push(self, rows: Sequence[Json]) -> list[str]:
        """Write orders 惩戒单 in pages, with just the columns of the facts page. Raises ``SourceError``.

        Returns the acknowledgement numbers 受理号 that the receiver has given, if it gives any.
        """
        columns = set(self.facts.push)
        for row in rows:
            if row.keys() != columns:
                names = ", ".join(sorted(columns.symmetric_difference(row)))
                sentence = f"Orders and the facts page of the source differ in: {names}. Nothing was sent."
                raise SourceError(sentence, transient=False)
        with narrowed("writing orders"):
            starts = range(0, len(rows), PAGE_LIMIT)
            numbers = [self.adapter.push(rows[start : start + PAGE_LIMIT]) for start in starts]
        return [number for number in numbers if number]

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """One page of acknowledgements 回执 behind the cursor. Raises ``SourceError``."""
        _ask_cursor(cursor)
        with narrowed("reading acknowledgements"):
            page = self.adapter.acknowledgements(cursor)
        _ask_page(len(page.rows) + len(page.faults), page.cursor)
        page.faults = [replace(fault, where=self._border.shown_place(fault.where)) for fault in page.faults]
        return page

    def close(self) -> None:
        """Let go of connections and open files."""
        self.adapter.close()

    def _judged(self, rows: Sequence[RawRow], out: Collected) -> Collected:
        """The verdict on a page. A row that breaks the code itself goes to quarantine and stops no other."""
        self._met = {}
        repeated = _repeated(rows)
        versions: dict[str, list[Version]] = {}
        for row in rows:
            twice = row.key.strip() in repeated
            try:
                digest = self._entered(row, out)
            except Exception:
                out.quarantined.append(self._quarantined(row, "", _UNREADABLE))
                continue
            if digest is None:
                continue
            if twice:
                versions.setdefault(row.key, []).append((row, digest))
            else:
                self._read(row, digest, out)
        for several in versions.values():
            self._settle(several, out)
        return out

    def _settle(self, several: list[Version], out: Collected) -> None:
        """Step 4: of versions of one row the latest is read; two decisions under one key all stay back.

        So do versions of which one has no time that can be read: nobody can say which is the later.
        """
        different = list({digest: (row, digest) for row, digest in several}.values())
        out.duplicates += len(several) - len(different)
        stamps = {self._updated(row) for row, _ in different}
        about = {tuple(row.fields.get(column, "") for column in IDENTITY) for row, _ in different}
        dated = len(different) == 1 or (len(stamps) == len(different) and "" not in stamps)
        if dated and len(about) == 1:
            row, digest = max(different, key=lambda version: self._updated(version[0]))
            out.duplicates += len(different) - 1
            self._read(row, digest, out)
            return
        for row, digest in different:
            out.quarantined.append(self._quarantined(row, digest, self._two_under_one_key))

    def _entered(self, row: RawRow, out: Collected) -> str | None:
        """Steps 1 to 3: the keyed hash of a row that goes on, named as it is from here; None if it ended."""
        # 1 columns
        row.where = self._border.shown_place(row.where)
        layout = self._border.layout(row.kind, tuple(row.fields))
        conflict = None
        if id(layout) not in self._met:
            self._meet(layout, out)
        if layout.renamed:
            row.fields, conflict = renamed(row.fields, layout)
        for name in layout.personal:
            if row.fields[name]:
                out.personal[name] += 1
        digest = self._border.digest(layout, row.fields)
        if not digest:
            out.quarantined.append(self._quarantined(row, "", _TOO_LARGE))
            return None
        if self.facts.columns.odd:
            row.fields = even(row.fields, self.facts.columns.odd)
        # 2 subject
        if refused := refusal(row.fields):
            out.refused[refused] += 1
            return None
        # 3 shape
        unnamed = None if row.key.strip() else self._no_key
        row.key = self._border.row_name(row.kind, row.key)
        if fault := row.fault or conflict or unnamed:
            out.quarantined.append(self._quarantined(row, digest, fault))
            return None
        return digest

    def _meet(self, layout: Layout, out: Collected) -> None:
        """A set of columns is met for the first time in a page."""
        self._met[id(layout)] = layout
        out.columns.setdefault(layout.kind, set()).update(layout.columns)
        out.unknown_columns |= layout.unknown
        out.renamed.update(layout.renamed)

    def _read(self, row: RawRow, digest: str, out: Collected) -> None:
        """Steps 5 to 7."""
        updated = self._updated(row)
        try:
            if row.kind == "relief":
                # 6 content
                relief = read_relief(row.fields, self.facts)
                out.records.append(ReliefRecord(row.key, digest, updated, *relief, row.where))
                return
            # 5 finality
            state = state_of(row.fields, self.facts)
            if state in ENDED:
                relief = relief_of_state(state, row.fields, self.facts)
                out.records.append(ReliefRecord(row.key, digest, updated, *relief, row.where))
            elif wait := waits(row.fields, self.facts, self._today):
                out.waiting.append(Waiting(row.key, digest, updated, *wait))
            else:
                # 6 content
                body = read_penalty(row.key, row.fields, self.facts)
                # 7 leftover
                ask_leftover(body)
                beside = read_beside(row.fields, self.facts)
                out.records.append(FindingRecord(row.key, digest, updated, body, row.where, beside))
                if state is not None:
                    out.states[row.key] = state
        except RowFault as fault:
            out.quarantined.append(self._quarantined(row, digest, fault))
        except Exception:
            out.quarantined.append(self._quarantined(row, digest, _UNREADABLE))

    def _updated(self, row: RawRow) -> str:
        """The row's stamp in its canonical form; never the text itself, which may be anything."""
        return canonical_time(row.fields.get(self.facts.columns.updated, ""), self.facts.source.time_zone)

    def _quarantined(self, row: RawRow, digest: str, fault: RowFault) -> Quarantined:
        known = digest and fault.field != LEFT_IN_KEY
        name = row.where if fault.field == FILE else row.key if known else self._border.hidden(row.key)
        return Quarantined(name, digest, fault.field, fault.reason, fault.sentence, row.where)


def _repeated(rows: Sequence[RawRow]) -> set[str]:
    """Keys that occur more than once in a page; nearly always none."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for row in rows:
        key = row.key.strip()
        (repeated if key in seen else seen).add(key)
    return repeated


def _ask_cursor(cursor: Json | None) -> None:
    if cursor is not None and len(orjson.dumps(cursor)) > CURSOR_BYTES:
        raise SourceError("The cursor of the source is larger than 4 KiB; nothing was read.", transient=False)


def _ask_page(rows: int, cursor: Json) -> None:
    if rows > PAGE_LIMIT:
        sentence = f"The source gave {rows} rows in one page, more than {PAGE_LIMIT}; none of them was taken."
        raise SourceError(sentence, transient=False)
    _ask_cursor(cursor)
