"""The chain of entries about one finding 证据链, in all logs that are held here, by indexed queries only.

The finding, what its log said of it afterwards, what each region answered, and what was said about the answers. The
departments' feedback 反馈 stands in batch entries that have no ``ref``: it is looked for behind the answer it is about,
in as many entries as ``FEEDBACK_REACH`` says.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

import orjson
from sqlalchemy import Connection

from syncd.errors import NeedsPerson
from syncd.evidence.books import Evidence
from syncd.ledger.entry import MeaningError, Ref, parse_entry
from syncd.store import register
from syncd.store.reading import EntryRow, by_id

FEEDBACK_REACH: Final = 16_384
"""Entries behind an answer in which its feedback is looked for."""
_WINDOW = 1024
ORDERED: Final = "erasure.ordered"
_HOPS = 8
_PLACE = re.compile(r"([0-9]{6}|[a-z0-9-]+/[0-9]{6}/[1-9][0-9]{0,8}):(0|[1-9][0-9]{0,15})", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_LEAF = re.compile(r"[0-9a-f]{64}", re.ASCII)
ANSWERS: Final = ("restriction.imposed", "restriction.lifted", "restriction.declined", "finding.held")


def named_by(evidence: Evidence, conn: Connection, text: str) -> list[EntryRow]:
    """The entries that a person names: ``<log>:<index>``, an id, a leaf hash, or a USCC (all its findings).

    Raises NeedsPerson where nothing is held under that name; it is not repeated, for it may be anything.
    """
    if match := _PLACE.fullmatch(text):
        origin = evidence.origin_of(match[1], [state.origin for state in evidence.logs.states(conn)])
        rows = evidence.logs.read_entries(conn, origin, int(match[2]), int(match[2]) + 1)
    elif _UUID.fullmatch(text):
        rows = by_id(conn, [text])
    elif _LEAF.fullmatch(text):
        rows = _by_leaf(evidence, conn, bytes.fromhex(text))
    else:
        rows = findings_of(evidence, conn, text)
    if not rows:
        raise NeedsPerson("Nothing is held here under that name: give <log>:<index>, an id, a leaf hash or a USCC.")
    return rows


def findings_of(evidence: Evidence, conn: Connection, uscc: str) -> list[EntryRow]:
    """The findings of an organisation, by the register."""
    refs = refs_of(evidence, conn, register.findings_of(conn, uscc))
    return [row for row in evidence.logs.entries_of(conn, refs) if row.origin in {ref.log for ref in refs}]


def refs_of(evidence: Evidence, conn: Connection, findings: Sequence[register.Finding]) -> list[Ref]:
    """How entries name these findings."""
    origins = {state.id: state.origin for state in evidence.logs.states(conn)}
    return [Ref(origins[one.log], one.id, one.leaf.hex()) for one in findings]


def _by_leaf(evidence: Evidence, conn: Connection, leaf: bytes) -> list[EntryRow]:
    """Findings and answers are indexed; any other leaf is looked for in the tiles of each log."""
    findings = register.findings_by_leaf(conn, [leaf])
    if findings:
        return evidence.logs.entries_of(conn, refs_of(evidence, conn, list(findings.values())))
    for state in evidence.logs.states(conn):
        if rows := evidence.logs.by_leaf(conn, state.origin, [leaf]):
            return rows
    return []


def root_of(evidence: Evidence, conn: Connection, row: EntryRow) -> EntryRow:
    """The finding that an entry leads back to by its ``ref``; the entry itself if it leads nowhere."""
    for _ in range(_HOPS):
        ref = ref_of(row)
        above = [one for one in evidence.logs.entries_of(conn, [ref]) if one.origin == ref.log] if ref else []
        if not above:
            return row
        row = above[0]
    return row


def ref_of(row: EntryRow) -> Ref | None:
    """What an entry is about, as its leaf says; None for a leaf that is not understood."""
    try:
        return parse_entry(row.leaf).ref
    except MeaningError:
        return None


def chain_of(evidence: Evidence, conn: Connection, root: EntryRow) -> list[EntryRow]:
    """The root, then everything said about it in all logs, in the order of their times."""
    about = _about(evidence, conn, [root])
    answers = [row for row in about if row.kind in ANSWERS]
    further = _about(evidence, conn, [*answers, *(row for row in about if row.kind == ORDERED)])
    feedback = _feedback(evidence, conn, answers)
    rows = {(row.origin, row.index): row for row in (*about, *further, *feedback)}
    rows.pop((root.origin, root.index), None)
    return [root, *sorted(rows.values(), key=lambda row: (row.at or "", row.origin, row.index))]


def _about(evidence: Evidence, conn: Connection, rows: Sequence[EntryRow]) -> list[EntryRow]:
    refs = []
    for row in rows:
        try:
            refs.append(Ref(row.origin, parse_entry(row.leaf).id, row.leaf_hash.hex()))
        except MeaningError:
            continue
    named = {(ref.log, ref.id, ref.leaf) for ref in refs}
    found = evidence.logs.entries_about(conn, refs) if refs else []
    return [row for row in found if (ref := ref_of(row)) is not None and (ref.log, ref.id, ref.leaf) in named]


def _feedback(evidence: Evidence, conn: Connection, answers: Sequence[EntryRow]) -> list[EntryRow]:
    """Batch entries with an item about one of these answers, each looked for behind the answer in its own log."""
    found: list[EntryRow] = []
    for origin in sorted({row.origin for row in answers}):
        mine = [row for row in answers if row.origin == origin]
        wanted = {row.leaf_hash.hex() for row in mine}
        start = min(row.index for row in mine)
        expected = _measures(evidence, [row for row in mine if row.kind == ANSWERS[0]])
        for low in range(start, max(row.index for row in mine) + FEEDBACK_REACH, _WINDOW):
            rows = evidence.logs.read_entries(conn, origin, low, low + _WINDOW, only=("feedback.reported",))
            for row, text in zip(rows, evidence.logs.unseal([row.sealed for row in rows]), strict=True):
                hits = [item for item in items_of(text) if item and item["about"] in wanted]
                found += [row] if hits else []
                expected -= len(hits)
            if expected <= 0 and low + _WINDOW > max(row.index for row in mine):
                break
    return found


def _measures(evidence: Evidence, imposed: Sequence[EntryRow]) -> int:
    """How many acknowledgements are to be expected: one for each measure imposed."""
    texts = evidence.logs.unseal([row.sealed for row in imposed])
    return sum(len(orjson.loads(text)["body"].get("measures", ())) for text in texts if text)


def items_of(disclosure: bytes | None) -> list[dict[str, object] | None]:
    """The items of a batch's disclosure, None where one is erased; nothing for any other disclosure."""
    content = orjson.loads(disclosure) if disclosure else {}
    rows = content.get("items", []) if isinstance(content, dict) else []
    return [row["item"] if row is not None else None for row in rows]


def without_others(disclosure: bytes, wanted: Collection[str]) -> tuple[bytes, bool]:
    """A batch's disclosure with the items about other entries left out (null), and whether any were."""
    content = orjson.loads(disclosure)
    rows = [row if row is not None and row["item"].get("about") in wanted else None for row in content["items"]]
    return orjson.dumps({"items": rows}, option=orjson.OPT_SORT_KEYS), None in rows
