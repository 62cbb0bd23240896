"""Relief rows of the source 信用修复、异议、撤销 → relief entries about this bureau's own findings.

Nothing here waits for the desk: a relief row that meets its finding is said at once, one that comes first waits in
its own table and is tried again with every page. What is wrong beside it goes to the desk meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from adapters.base import RowFault
from adapters.records import FindingRecord, ReliefRecord
from syncd.flows.bureau import Bureau, day_of_text
from syncd.flows.marks import ask_unreadable, cause, removable
from syncd.flows.record import Saying, record
from syncd.flows.understand import relief_key
from syncd.store import desk, origins, register, sourcebook
from syncd.store.append import Appended
from syncd.store.register import Finding
from syncd.store.sourcebook import SourceRow

Json = dict[str, Any]
CLOSED = "closed"  # a row that was revoked before it was ever issued
KEPT_BACK = "kept_back"  # the row has a fault for which it is not said
CLEARS = {"finding.upheld": ("relief.disputed",), "finding.resumed": ("relief.suspended",)}
REMOVED_BY = {"relief.disputed": "finding.upheld", "relief.suspended": "finding.resumed"}


@dataclass
class Relief:
    """What the relief rows of a page led to: how many entries, and what is to be remembered of the rows."""

    said: int = 0
    rows: list[SourceRow] = field(default_factory=list)
    waiting: list[Json] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    desk: list[Json] = field(default_factory=list)
    origins: list[Json] = field(default_factory=list)
    faults: dict[str, list[RowFault]] = field(default_factory=dict)
    unchanged: int = 0
    fresh: int = 0


def origin_of(source: str, one: FindingRecord | ReliefRecord, index: int, read_at: str) -> Json:
    """Where an entry came from: source, row, file and line or table, when it was read, the row's keyed hash."""
    return {"idx": index, "source": source, "row": one.row, "place": one.where, "digest": one.digest,
            "read_at": read_at}  # fmt: skip


def relief_body(ground: str, bureau: Bureau, clears: Sequence[str] = ()) -> Json:
    """The body of relief that this bureau says by itself; ``ground`` is a code."""
    return {"schema": "relief/1.0", "ground": ground, "by": bureau.code, "document": None, "received_on": None,
            "effective_from": None, "clears": list(clears)}  # fmt: skip


def marks_of_state(
    bureau: Bureau, conn: Connection, source: str, records: Sequence[FindingRecord], states: Mapping[str, str]
) -> list[ReliefRecord]:
    """Rows whose own state 当前状态 is a mark put it on their finding; any other state removes the mark it has made."""
    before = sourcebook.known(conn, source, [f"state/{row}" for row in states])
    marks = []
    for one in records:
        state, name = states.get(one.row), f"state/{one.row}"
        held = before[name].digest if name in before else ""
        if state is None or state == held:
            continue
        kind = state if state in REMOVED_BY else REMOVED_BY.get(held)
        if kind is not None:
            key, body = one.body["key"], relief_body("row_state", bureau)
            uscc = one.body["subject"]["uscc"]
            marks.append(ReliefRecord(name, kind, "", kind, key["organ"], key["number"], uscc, body))
    return marks


def match_relief(
    bureau: Bureau, conn: Connection, source: str, records: Sequence[ReliefRecord], pass_: int, began: str
) -> Relief:
    """Match new relief rows, and those that waited, with this bureau's own findings; ``began``: when they were read.

    A penalty row that is revoked when it is first met never was a finding here: nothing waits for one.
    """
    relief, places = Relief(), {one.row: one.where for one in records}
    records = _without_erased(bureau, source, records, pass_, relief)
    everyone = _fresh(conn, source, records, pass_, relief)
    everyone += [dict(row._mapping) for row in sourcebook.all_waiting(conn, source)]
    if not everyone:
        return relief
    own = bureau.own_logs(conn)
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in register.findings_by_number(conn, {one["number"] for one in everyone}):
        if finding.log in own:
            found.setdefault((finding.organ, finding.number, finding.uscc), []).append(finding)
    once: dict[str, Json] = {}
    for one in everyone:
        once.setdefault(one["row"], one)
    for one in once.values():
        findings = found.get((one["organ"], one["number"], one["uscc"]), [])
        if not findings and one["row"] in places and not one["row"].startswith("relief/"):
            relief.rows.append(_row(source, one["row"], one["digest"], CLOSED, None, pass_))
            continue
        if not findings:
            relief.waiting.append(one)
            relief.desk.append(_early(source, one))
            continue
        for finding in findings:  # one number with two dates: relief is for all of them
            if fault := _too_early(one, finding):
                if one["row"] not in relief.faults:
                    relief.faults[one["row"]] = _shown(conn, source, one["row"])
                relief.faults[one["row"]].append(fault)
            said = [] if fault and one["kind"] in CLEARS else _say(bureau, conn, one, finding)
            relief.said += len(said)
            relief.origins += [
                {"idx": entry.index, "source": source, "row": one["row"], "place": places.get(one["row"], ""),
                 "digest": one["digest"], "read_at": began} for entry in said
            ]  # fmt: skip
        relief.met.append(one["row"])
        relief.rows.append(_row(source, one["row"], one["digest"], "relief", findings[0].leaf, pass_))
    origins.add_provenance(conn, bureau.logs.state(conn, bureau.origin).id, relief.origins)
    desk.clear(conn, "relief_waiting", [f"{source}/{row}" for row in relief.met], bureau.now_text())
    _show_faults(bureau, conn, source, relief)
    return relief


def _too_early(one: Json, finding: Finding) -> RowFault | None:
    """The fault of a day before the decision that it is about; relief is said all the same, its removal is not."""
    day = orjson.loads(one["body"])["effective_from"]
    if day is None or day >= finding.decided_on:
        return None
    if one["kind"] in CLEARS:
        sentence = (
            "The day lies before the decision that it is about, so it is not said and the mark stays; "
            "the source must check both days."
        )
        return RowFault("XF_RQ", KEPT_BACK, sentence)
    sentence = "The day lies before the decision that it is about; the source must check both days."
    return RowFault("XF_RQ", "before_decision", sentence)


def _shown(conn: Connection, source: str, row: str) -> list[RowFault]:
    """The faults of a row that has waited, as the desk still asks about them; what a person has decided is no more."""
    return [
        RowFault(desk.facts_of(item)["field"], item.reason, desk.facts_of(item)["sentence"])
        for item in desk.of_marks(conn, [f"{source}/{row}"]) if item.kind == "relief_fault" and item.state == "open"
    ]  # fmt: skip


def _show_faults(bureau: Bureau, conn: Connection, source: str, relief: Relief) -> None:
    """One item for each relief row with a fault beside it; a corrected version of the row takes its item away."""
    desk.clear(conn, "relief_fault", [f"{source}/{row}" for row in relief.faults], bureau.now_text())
    for row, several in relief.faults.items():
        if several:
            facts = {"source": source, "row": row, "field": " ".join(dict.fromkeys(one.field for one in several)),
                     "sentence": " ".join(dict.fromkeys(one.sentence for one in several))}  # fmt: skip
            reasons = [one.reason for one in several]
            reason = KEPT_BACK if KEPT_BACK in reasons else reasons[0]
            relief.desk.append({"kind": "relief_fault", "mark": f"{source}/{row}", "reason": reason,
                                "facts": facts, "anew": True})  # fmt: skip


def _without_erased(
    bureau: Bureau, source: str, records: Sequence[ReliefRecord], pass_: int, relief: Relief
) -> list[ReliefRecord]:
    """Relief of an erased decision has nothing left to relieve, and must not wait here with the organisation's code."""
    keys = {one.row: relief_key(one.organ, one.number, one.uscc) for one in records}
    barred = bureau.vault.barred(set(keys.values()))
    gone = [one for one in records if keys[one.row] in barred]
    relief.rows += [_row(source, one.row, one.digest, CLOSED, None, pass_) for one in gone]
    relief.unchanged += len(gone)
    return [one for one in records if keys[one.row] not in barred]


def _fresh(conn: Connection, source: str, records: Sequence[ReliefRecord], pass_: int, relief: Relief) -> list[Json]:
    """Relief rows that are new or changed; the others were said or wait already."""
    known = sourcebook.known(conn, source, [one.row for one in records])
    fresh = []
    for one in records:
        row = known.get(one.row)
        if row is None or row.digest != one.digest or row.status not in ("relief", "relief_waiting", CLOSED):
            relief.fresh += 1
            relief.faults[one.row] = [fault for fault in one.left_out if fault.reason != "missing"]
            fresh.append(_waiting_row(source, one))
        else:
            relief.unchanged += 1
        relief.rows.append(_row(source, one.row, one.digest, row.status if row else "relief_waiting",
                                row.finding if row else None, pass_))  # fmt: skip
    return fresh


def _say(bureau: Bureau, conn: Connection, one: Json, finding: Finding) -> list[Appended]:
    """Say one relief row about one finding; what is adverse, only where it finds a mark that it may remove."""
    body = orjson.loads(one["body"])
    if one["kind"] in CLEARS:
        if one["kind"] == "finding.resumed":
            ask_unreadable(bureau, conn, finding)
        body["clears"] = removable(bureau, conn, finding, CLEARS[one["kind"]], cause(bureau, body))
        if not body["clears"]:
            return []
    return say_own(bureau, conn, [(one["kind"], finding, body)])


def say_own(bureau: Bureau, conn: Connection, said: Sequence[tuple[str, Finding, Json]]) -> list[Appended]:
    """Say relief or marks about this bureau's own findings, and note them at once: what follows may clear them."""
    own = bureau.origin
    sayings = [Saying(kind, bureau.ref_of(conn, row), body) for kind, row, body in said]
    log = bureau.logs.state(conn, own).id
    appended = record(bureau, conn, sayings)
    rows = [
        {"leaf": entry.leaf_hash, "finding": row.leaf, "kind": kind, "log": log, "idx": entry.index,
         "at_day": day_of_text(entry.at).isoformat(), "effective_from": body["effective_from"],
         "clears": orjson.dumps(body["clears"]).decode()}
        for (kind, row, body), entry in zip(said, appended, strict=True)
    ]  # fmt: skip
    register.add_relief(conn, rows)
    return appended


def _waiting_row(source: str, one: ReliefRecord) -> Json:
    return {"source": source, "row": one.row, "digest": one.digest, "organ": one.organ, "number": one.number,
            "uscc": one.uscc, "kind": one.kind, "body": orjson.dumps(one.body).decode()}  # fmt: skip


def _row(source: str, row: str, digest: str, status: str, finding: bytes | None, pass_: int) -> SourceRow:
    return SourceRow(source, row, digest, status, finding, "", pass_)


def _early(source: str, one: Json) -> Json:
    facts = {
        "source": source,
        "row": one["row"],
        "number": one["number"],
        "uscc": one["uscc"],
        "entry": one["kind"],
    }
    mark = f"{source}/{one['row']}"
    return {"kind": "relief_waiting", "mark": mark, "reason": "finding_unknown", "facts": facts}
