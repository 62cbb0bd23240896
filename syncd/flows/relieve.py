"""Relief rows of the source 信用修复、异议、撤销 → relief entries about this bureau's own findings.

Nothing here waits for the desk: a relief row that meets its finding is said at once, one that comes first waits in
its own table and is tried again with every page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from adapters.records import ReliefRecord
from syncd.flows.bureau import Bureau, day_of_text
from syncd.flows.record import Saying, record
from syncd.ledger.entry import Ref
from syncd.store import desk, register, sourcebook
from syncd.store.register import Finding

Json = dict[str, Any]
CLEARS = {"finding.upheld": ("relief.disputed",), "finding.resumed": ("relief.suspended",)}


@dataclass
class Relief:
    """What the relief rows of a page led to: how many entries, and what is to be remembered of the rows."""

    said: int = 0
    rows: list[Json] = field(default_factory=list)
    waiting: list[Json] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    desk: list[Json] = field(default_factory=list)


def relief_body(ground: str, bureau: Bureau, clears: Sequence[str] = ()) -> Json:
    """The body of relief that this bureau says by itself; ``ground`` is a code."""
    return {"schema": "relief/1.0", "ground": ground, "by": bureau.code, "document": None, "received_on": None,
            "effective_from": None, "clears": list(clears)}  # fmt: skip


def match_relief(bureau: Bureau, conn: Connection, source: str, records: Sequence[ReliefRecord], pass_: int) -> Relief:
    """Match new relief rows, and those that waited, with this bureau's own findings."""
    relief = Relief()
    known = sourcebook.known(conn, source, [one.row for one in records])
    fresh = []
    for one in records:
        row = known.get(one.row)
        if row is None or row.digest != one.digest or row.status not in ("relief", "relief_waiting"):
            fresh.append(_waiting_row(source, one))
        relief.rows.append(_row(source, one.row, one.digest, row.status if row else "relief_waiting",
                                row.finding if row else None, pass_))  # fmt: skip
    everyone = fresh + [dict(row._mapping) for row in sourcebook.all_waiting(conn, source)]
    if not everyone:
        return relief
    own = bureau.logs.state(conn, bureau.origin).id
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in register.findings_by_number(conn, {one["number"] for one in everyone}):
        if finding.log == own:
            found.setdefault((finding.organ, finding.number, finding.uscc), []).append(finding)
    seen: set[str] = set()
    for one in everyone:
        if one["row"] in seen:
            continue
        seen.add(one["row"])
        findings = found.get((one["organ"], one["number"], one["uscc"]), [])
        if not findings:
            relief.waiting.append(one)
            relief.desk.append(_early(source, one))
            continue
        for finding in findings:  # one number with two dates: relief is for all of them
            relief.said += _say(bureau, conn, one, finding)
        relief.met.append(one["row"])
        relief.rows.append(_row(source, one["row"], one["digest"], "relief", findings[0].leaf, pass_))
    desk.clear(conn, "relief_waiting", [f"{source}/{row}" for row in relief.met], bureau.now_text())
    return relief


def _say(bureau: Bureau, conn: Connection, one: Json, finding: Finding) -> int:
    """Say one relief row about one finding; what is adverse is said only where there is a mark to clear."""
    body = orjson.loads(one["body"])
    if one["kind"] in CLEARS:
        events = register.relief_of(conn, [finding.leaf]).get(finding.leaf, ())
        body["clears"] = [event.leaf.hex() for event in events if event.kind in CLEARS[one["kind"]]]
        if not body["clears"]:
            return 0
    say_own(bureau, conn, [(one["kind"], finding, body)])
    return 1


def say_own(bureau: Bureau, conn: Connection, said: Sequence[tuple[str, Finding, Json]]) -> None:
    """Say relief or marks about this bureau's own findings, and note them at once: what follows may clear them."""
    own = bureau.origin
    sayings = [Saying(kind, Ref(own, row.id, row.leaf.hex()), body) for kind, row, body in said]
    log = bureau.logs.state(conn, own).id
    rows = [
        {"leaf": entry.leaf_hash, "finding": row.leaf, "kind": kind, "log": log, "idx": entry.index,
         "at_day": day_of_text(entry.at).isoformat(), "effective_from": body["effective_from"],
         "clears": orjson.dumps(body["clears"]).decode()}
        for (kind, row, body), entry in zip(said, record(bureau, conn, sayings), strict=True)
    ]  # fmt: skip
    register.add_relief(conn, rows)


def _waiting_row(source: str, one: ReliefRecord) -> Json:
    return {"source": source, "row": one.row, "digest": one.digest, "organ": one.organ, "number": one.number,
            "uscc": one.uscc, "kind": one.kind, "body": orjson.dumps(one.body).decode()}  # fmt: skip


def _row(source: str, row: str, digest: str, status: str, finding: bytes | None, pass_: int) -> Json:
    return {
        "source": source,
        "row": row,
        "digest": digest,
        "status": status,
        "finding": finding,
        "updated": "",
        "pass_": pass_,
    }


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
