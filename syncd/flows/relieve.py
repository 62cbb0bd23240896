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
from syncd.flows.bureau import Bureau
from syncd.flows.record import Saying
from syncd.ledger.entry import Ref
from syncd.store import desk, register, sourcebook
from syncd.store.register import Finding, ReliefRow

Json = dict[str, Any]
CLEARS = {"finding.upheld": ("relief.disputed",), "finding.resumed": ("relief.suspended",)}


@dataclass
class Relief:
    """What the relief rows of a page lead to."""

    sayings: list[Saying] = field(default_factory=list)
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
    found = {(row.organ, row.number, row.uscc): row
             for row in register.findings_by_number(conn, {one["number"] for one in everyone})
             if row.log == own}  # fmt: skip
    events = register.relief_of(conn, [row.leaf for row in found.values()])
    seen: set[str] = set()
    for one in everyone:
        if one["row"] in seen:
            continue
        seen.add(one["row"])
        finding = found.get((one["organ"], one["number"], one["uscc"]))
        if finding is None:
            relief.waiting.append(one)
            relief.desk.append(_early(source, one))
        else:
            _say(bureau, relief, one, finding, events.get(finding.leaf, ()))
            relief.rows.append(_row(source, one["row"], one["digest"], "relief", finding.leaf, pass_))
    desk.clear(conn, "relief_waiting", [f"{source}/{row}" for row in relief.met], bureau.now_text())
    return relief


def _say(bureau: Bureau, relief: Relief, one: Json, finding: Finding, events: Sequence[ReliefRow]) -> None:
    body = orjson.loads(one["body"])
    cleared = CLEARS.get(one["kind"], ())
    body["clears"] = [event.leaf.hex() for event in events if event.kind in cleared]
    relief.sayings.append(Saying(one["kind"], Ref(bureau.origin, finding.id, finding.leaf.hex()), body))
    relief.met.append(one["row"])


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
