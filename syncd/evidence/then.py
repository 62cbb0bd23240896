"""The register 登记 as it stood on a day that has passed, read back from the entries: it keeps the newest alone.

What is newer than the day is left aside: findings and honours that had not been recorded, amendments 变更 of a
finding's body, answers of the regions. What was said of relief is sorted by the caller (``flows/past.py``).
Days end at midnight in Asia/Shanghai, by the times that stand in the entries.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection

from syncd.agreement.relief import AMENDED
from syncd.agreement.versions import version_of
from syncd.evidence.books import Evidence
from syncd.evidence.chain import ref_of, refs_of
from syncd.evidence.past import ANSWER_KINDS, bodies_of
from syncd.flows.answer import IMPOSED
from syncd.flows.bureau import day_of_text
from syncd.flows.judged import released_of
from syncd.flows.respond import response_row
from syncd.flows.understand import finding_row, names_a_person, same_decision
from syncd.ledger.entry import parse_entry
from syncd.store import register
from syncd.store.append import Appended
from syncd.store.honours import Honour
from syncd.store.reading import EntryRow, times_of
from syncd.store.register import Finding, Response

Json = dict[str, Any]
Rows = TypeVar("Rows", Finding, Honour)
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Then:
    """What stood by the end of ``day`` (Asia/Shanghai), in the register's own form."""

    evidence: Evidence
    day: dt.date

    def recorded(self, conn: Connection, rows: Sequence[Rows]) -> list[Rows]:
        """Those findings or honours that had been recorded by then."""
        at = times_of(conn, [(row.log, row.idx) for row in rows])
        return [row for row in rows if self._by_then(at.get((row.log, row.idx)))]

    def findings(self, conn: Connection, rows: Sequence[Finding]) -> list[Finding]:
        """Each finding with the body that was newest by then; one that is newer than the day as it was issued."""
        amended = [row for row in rows if row.amended is not None]
        if not amended:
            return list(rows)
        refs = refs_of(self.evidence, conn, amended)
        about = [
            one
            for one in (*self.evidence.logs.entries_of(conn, refs), *self.evidence.logs.entries_about(conn, refs))
            if one.sealed is not None and (one.kind != AMENDED or self._by_then(one.at))
        ]
        grouped: dict[str, list[tuple[EntryRow, Json]]] = {}
        for one, body in zip(about, bodies_of(self.evidence, about), strict=True):
            named = ref_of(one) if one.kind == AMENDED else None
            grouped.setdefault(named.leaf if named else one.leaf_hash.hex(), []).append((one, body))
        stood = {row.leaf: _stood(row, grouped.get(row.leaf.hex(), ())) for row in amended}
        return [stood.get(row.leaf, row) for row in rows]

    def answers(
        self, conn: Connection, rows: Sequence[Finding], region: str | None = None
    ) -> Mapping[bytes, Mapping[str, Response]]:
        """By finding and region; an answer whose body was erased says nothing any more.

        Of one region alone, what the register holds serves where nothing newer was said: entries are read of the rest.
        """
        if region is None:
            return self._read(conn, rows, None)
        held = register.responses_of(conn, [row.leaf for row in rows], region)
        stands = {leaf: said for leaf, said in held.items() if self._by_then(said[region].at)}
        newer = [row for row in rows if row.leaf in held and row.leaf not in stands]
        for start in range(0, len(newer), _AT_ONCE):
            stands |= self._read(conn, newer[start : start + _AT_ONCE], region)
        return stands

    def _read(self, conn: Connection, rows: Sequence[Finding], region: str | None) -> dict[bytes, dict[str, Response]]:
        refs = refs_of(self.evidence, conn, rows)
        known = set(refs)
        about = [
            row
            for row in self.evidence.logs.entries_about(conn, refs)
            if row.kind in ANSWER_KINDS and row.sealed is not None and self._by_then(row.at)
            if region in (None, row.origin.split("/")[1])
        ]
        found: dict[bytes, dict[str, Response]] = {row.leaf: {} for row in rows}
        for row, body in zip(about, bodies_of(self.evidence, about), strict=True):
            ref = ref_of(row)
            if ref is None or ref not in known or not body:
                continue
            finding, said_by = bytes.fromhex(ref.leaf), row.origin.split("/")[1]
            found[finding][said_by] = _response(row, body, finding, said_by, found[finding].get(said_by))
        return found

    def _by_then(self, at: str | None) -> bool:
        return at is None or day_of_text(at) <= self.day


def _stood(row: Finding, entries: Sequence[tuple[EntryRow, Json]]) -> Finding:
    """A finding with the newest of its bodies; as the register has it where the one it was issued with is not held."""
    mine = sorted(((one, body) for one, body in entries if body and one.log == row.log), key=lambda pair: pair[0].index)
    if not mine or mine[0][0].leaf_hash != row.leaf:
        return row
    entry, body = mine[0]
    version = version_of(parse_entry(entry.leaf).agreement)
    stood = finding_row(row.log, row.idx, row.leaf, row.id, row.issuer, body, version)
    for entry, body in mine[1:]:
        if same_decision(row, body) and not names_a_person(body):
            stood = stood._replace(
                name=body["subject"]["name"],
                criterion=body["criterion"],
                body=orjson.dumps(body).decode(),
                amended=entry.leaf_hash,
                amended_idx=entry.index,
                version=version_of(parse_entry(entry.leaf).agreement),
            )
    return stood


def _response(row: EntryRow, body: Json, finding: bytes, region: str, before: Response | None) -> Response:
    kind, at = row.kind or "", row.at or ""
    entry = Appended(row.index, row.leaf_hash, parse_entry(row.leaf).id, at)
    kept = orjson.dumps({name: value for name, value in body.items() if name not in ("knew", "due")}).decode()
    said = response_row(region, finding, before, kind, kept, row.log, entry, day_of_text(at))
    if kind != IMPOSED:
        return said._replace(released_by=released_of(kind, body, said.released_by))
    first = min((measure["from"] for measure in body["measures"]), default=said.since)
    return said._replace(released_by=body["released_by"], since=first)
