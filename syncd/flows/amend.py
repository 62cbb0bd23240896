"""Amendments 变更 put in force: the newest body of a finding, and the names of the fields that changed."""

from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.understand import AMENDED, Changes, amendment_mark, changed_fields, same_decision
from syncd.store import origins, register, releases
from syncd.store.state import LogState

Json = dict[str, Any]


def amend(bureau: Bureau, conn: Connection, state: LogState, changes: Changes) -> None:
    """Organisation and natural key stay with a finding: an amendment that changes them is held, and suspends."""
    known = register.findings_by_leaf(conn, [finding for finding, *_ in changes.amendments])
    fitting, said = [], {row.leaf: orjson.loads(row.body) for row in known.values()}
    changed = list[Json]()
    for finding, leaf, idx, body, version in changes.amendments:
        row = known.get(finding)
        if row is not None and row.log == state.id and same_decision(row, body):
            fitting.append(_amendment(finding, leaf, idx, body, version))
            if idx > row.amended_idx:
                fields = orjson.dumps(changed_fields(said[finding], body)).decode()
                changed.append({"log": state.id, "idx": idx, "finding": finding, "fields": fields})
                said[finding] = body
            continue
        changes.held.append({"log": state.id, "idx": idx, "reason": "other_decision", "agreement": None})
        facts = {"log": state.origin, "index": idx, "entry_kind": AMENDED, "detail": "other_decision"}
        item = {"kind": "unreadable", "mark": leaf.hex(), "reason": "other_decision", "facts": facts}
        changes.desk.append(item)
        if row is not None and row.log == state.id:
            changes.relief.append(amendment_mark(state.id, idx, leaf, finding, bureau.today()))
    register.amend_findings(conn, fitting)
    origins.add_amendments(conn, changed)
    releases.forget_releases(conn, [row["of"] for row in fitting], bureau.code)


def _amendment(finding: bytes, by: bytes, idx: int, body: Json, version: int) -> Json:
    return {
        "of": finding,
        "by": by,
        "by_idx": idx,
        "now_name": body["subject"]["name"],
        "now_criterion": body["criterion"],
        "now_body": orjson.dumps(body).decode(),
        "now_version": version,
    }
