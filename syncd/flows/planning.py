"""What one page of a source leads to 归集计划, before anything is written: the verdict on each accepted row.

0. the row of an erased decision: never issued again, a person looks, and nothing of it is kept;
1. the same row with the same keyed hash, or an older version of it: unchanged;
2. explicit place of another bureau: linked at the desk, never issued;
3. the same decision under another row key: one finding, noted as a duplicate;
4. a row whose finding was revoked because the row was gone, and that is back: stays revoked, a person looks;
5. a row that was issued and changed: ``finding.amended``; with another organisation, number, date or place the old one
   is suspended at once and the pair goes to the desk; what stands in a sealed log 封存 is revoked and issued anew;
6. otherwise ``finding.issued``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from adapters.records import FindingRecord, Quarantined, Waiting
from schemas.registry import InvalidBody, check_body
from syncd.agreement.outcome import criterion_of, map_local_code
from syncd.flows import reissue
from syncd.flows.bureau import Bureau
from syncd.flows.understand import natural_key
from syncd.store import desk, register, sourcebook
from syncd.store.register import Finding
from syncd.store.sourcebook import SourceRow

Json = dict[str, Any]
ISSUED, LINKED, DUPLICATE, WAITING = "issued", "linked", "duplicate", "waiting"
REVIEWED = "reviewed"  # issued, and then found open to review 复议、诉讼 again
WITHDRAWN = "withdrawn"  # issued, and then revoked 撤销 by a person because the row was gone
FORGOTTEN = "erased"  # the row of a decision whose erasure 删除 was ordered
SETTLED = frozenset({ISSUED, LINKED, DUPLICATE})


@dataclass
class Plan:
    """What one page of a source leads to, before anything is written.

    Each record ends in one of: issue, amend, refused, unchanged, linked, repeated (the same decision under another row
    key), replaced (the row has become another decision), returned (it was revoked because it was gone, and is back) or
    erased (its erasure was ordered).
    ``sealed``: of the rows in ``issue`` those whose finding stands in a sealed log, with that finding.
    ``fresh`` counts rows that are new or changed, those that wait included.
    """

    issue: list[tuple[FindingRecord, Json]] = field(default_factory=list)
    amend: list[tuple[FindingRecord, Json, Finding]] = field(default_factory=list)
    suspend: list[tuple[FindingRecord | Waiting, Finding, str]] = field(default_factory=list)
    same: list[tuple[FindingRecord, Finding]] = field(default_factory=list)
    sealed: dict[str, Finding] = field(default_factory=dict)
    rows: list[SourceRow] = field(default_factory=list)
    desk: list[Json] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)
    unchanged: int = 0
    linked: int = 0
    repeated: int = 0
    replaced: int = 0
    returned: int = 0
    fresh: int = 0
    erased: int = 0


class Planner:
    """Plans pages of one source."""

    def __init__(self, bureau: Bureau, name: str) -> None:
        self._bureau = bureau
        self.name = name

    def plan(self, conn: Connection, records: Sequence[FindingRecord], pass_: int) -> Plan:
        known = sourcebook.known(conn, self.name, [one.row for one in records])
        plan = Plan()
        bodies = self._bodies(plan, records)
        records = [one for one in records if one.row in bodies]
        keys = {row: _key_of(body) for row, body in bodies.items()}
        own = self._bureau.own_logs(conn)
        held = {key: found[-1] for key, rows in register.findings_by_key(conn, set(keys.values())).items()
                if (found := sorted((row for row in rows if row.log in own), key=lambda row: row.log))}  # fmt: skip
        before = register.findings_by_leaf(conn, {row.finding for row in known.values() if row.finding})
        present = self._bureau.logs.state(conn, self._bureau.origin).id
        sealed = reissue.over(conn, [row for row in before.values() if row.log != present])
        issuing = dict[bytes, str]()
        barred = self._bureau.vault.barred(set(keys.values()))
        for one in records:
            body, row, key = bodies[one.row], known.get(one.row), keys[one.row]
            plan.fresh += row is None or row.digest != one.digest
            if key in barred:  # step 0
                plan.erased += 1
                plan.rows.append(self.row(one, FORGOTTEN, None, pass_))
                plan.desk.append(self._erased(one))
            elif row is not None and row.status in SETTLED and (row.digest == one.digest or _older(one, row)):
                plan.unchanged += 1  # step 1
                plan.rows.append(self.seen(row, pass_))
            elif body["place"] != self._bureau.code:  # step 2
                if row is not None and row.status in (ISSUED, REVIEWED) and row.finding in before:
                    self._other(plan, one, before[row.finding])
                plan.linked += 1
                plan.rows.append(self.row(one, LINKED, None, pass_))
                plan.desk.append(self._linked(one, body, key))
            elif row is not None and row.status == WITHDRAWN and (back := _same(before, row, key)):  # step 4
                plan.returned += 1
                plan.rows.append(self.row(one, WITHDRAWN, back, pass_))
                plan.desk.append(self._returned(one, back))
            elif row is not None and row.status in (ISSUED, REVIEWED) and row.finding in before:  # step 5
                self._changed(plan, one, body, before[row.finding], key, pass_, sealed)
                if before[row.finding].natural_key == key:
                    self._back_again(conn, plan, one.row, before[row.finding])
            elif key in held or key in issuing:  # step 3
                plan.repeated += 1
                plan.rows.append(self.row(one, DUPLICATE, held[key].leaf if key in held else None, pass_))
            else:  # step 6
                issuing[key] = one.row
                plan.issue.append((one, body))
        return plan

    def _bodies(self, plan: Plan, records: Sequence[FindingRecord]) -> dict[str, Json]:
        """Each record's body with what this bureau's code list says; one the shared schema refuses is set aside."""
        bodies = {}
        for one in records:
            body = self._body(one)
            try:
                check_body("finding.issued", body)
            except InvalidBody as fault:
                sentence = f"The shared schema refuses this row: {fault}"
                plan.refused.append(Quarantined(one.row, one.digest, fault.field, "schema", sentence, ""))
            else:
                bodies[one.row] = body
        return bodies

    def _body(self, one: FindingRecord) -> Json:
        body = one.body
        local = map_local_code(self._bureau.agreement, self._bureau.code, body["local_code"])
        kind = local.subject_type if local is not None else None
        criterion = local.criterion if local is not None else None
        if local is not None and criterion is None and body["place"] == self._bureau.code:
            criterion = criterion_of(self._bureau.agreement, body, allow_candidates=self._bureau.allow_candidates)
        return {**body, "criterion": criterion, "subject": {**body["subject"], "type": kind}}

    def _changed(
        self,
        plan: Plan,
        one: FindingRecord,
        body: Json,
        before: Finding,
        key: bytes,
        pass_: int,
        sealed: Mapping[bytes, bool],
    ) -> None:
        """``sealed``: of the findings in sealed logs, whether each was revoked."""
        if before.natural_key != key:
            plan.replaced += 1
            self._other(plan, one, before)
            plan.rows.append(self.row(one, ISSUED, before.leaf, pass_))
        elif as_the_source_says(orjson.loads(before.body), body) == body:
            plan.unchanged += 1
            plan.same.append((one, before))
            plan.rows.append(self.row(one, ISSUED, before.leaf, pass_))
        elif sealed.get(before.leaf):  # revoked there: it has ended for good, and what the row says now changes nothing
            plan.unchanged += 1
            plan.rows.append(self.row(one, ISSUED, before.leaf, pass_))
        elif before.leaf in sealed:
            plan.sealed[one.row] = before
            plan.issue.append((one, body))
        else:
            plan.amend.append((one, body, before))
            plan.rows.append(self.row(one, ISSUED, before.leaf, pass_))

    def _back_again(self, conn: Connection, plan: Plan, row: str, finding: Finding) -> None:
        """A row that was another decision for a while and is the old one again: nothing to replace, but to resume."""
        mark = f"{self.name}/{row}"
        if any(item.kind == "identity_changed" and item.state == "open" for item in desk.of_marks(conn, [mark])):
            desk.clear(conn, "identity_changed", [mark], self._bureau.now_text())
            plan.desk.append(self.to_resume(row, finding.leaf, "corrected_back"))

    def _other(self, plan: Plan, one: FindingRecord, before: Finding) -> None:
        """The row now speaks of another decision: the old finding is off at once, and a person looks at the pair."""
        plan.suspend.append((one, before, "row_changed"))
        facts = {"source": self.name, "row": one.row, "finding": before.leaf.hex()}
        item = {"kind": "identity_changed", "mark": f"{self.name}/{one.row}", "reason": "other_decision"}
        plan.desk.append({**item, "facts": facts, "anew": True})

    def _returned(self, one: FindingRecord, finding: bytes) -> Json:
        """What was revoked stays revoked (LEDGER §2), so the row changes nothing; but it must not do so in silence."""
        facts = {"source": self.name, "row": one.row, "finding": finding.hex()}
        return {"kind": "returned", "mark": f"{self.name}/{one.row}", "reason": "row_back", "facts": facts}

    def _erased(self, one: FindingRecord) -> Json:
        """The source still has, or has again, what must be forgotten: its own bureau removes it there."""
        facts = {"source": self.name, "row": one.row}
        return {"kind": "erased", "mark": f"{self.name}/{one.row}", "reason": "erased_row", "facts": facts}

    def _linked(self, one: FindingRecord, body: Json, key: bytes) -> Json:
        """A place of no member is as a rule a neighbour's, and may be a slip: only a person can tell."""
        facts = {"source": self.name, "row": one.row, "place": body["place"], "natural_key": key.hex()}
        known = body["place"] in self._bureau.agreement.members
        if not known:
            facts["sentence"] = (
                f"No member of this agreement has the place {body['place']}, so nobody here will issue the decision; "
                "if it is a slip, the source must correct the row."
            )
        return {"kind": "linked", "mark": key.hex(), "reason": "other_place" if known else "no_members_place",
                "facts": facts}  # fmt: skip

    def seen(self, row: SourceRow, pass_: int) -> SourceRow:
        return row._replace(pass_=pass_)

    def row(self, one: Any, status: str, finding: bytes | None, pass_: int) -> SourceRow:
        return SourceRow(self.name, one.row, one.digest, status, finding, one.updated, pass_)

    def reopened(self, conn: Connection, plan: Plan, waiting: Sequence[Waiting], pass_: int) -> None:
        """A row open to review waits; one that was issued before is suspended at once, and a person resumes it."""
        known = sourcebook.known(conn, self.name, [one.row for one in waiting])
        issued = {row.row: row.finding for row in known.values() if row.status == ISSUED and row.finding}
        held = register.findings_by_leaf(conn, set(issued.values()))
        for one in waiting:
            finding = held.get(issued.get(one.row, b""))
            row = known.get(one.row)
            plan.fresh += row is None or row.digest != one.digest
            if finding is not None:
                plan.suspend.append((one, finding, "under_review"))
                plan.rows.append(self.row(one, REVIEWED, finding.leaf, pass_))
                plan.desk.append(self.to_resume(one.row, finding.leaf, one.reason))
            elif row is None or row.status not in (REVIEWED, WITHDRAWN):
                plan.rows.append(self.row(one, WAITING, None, pass_))

    def to_resume(self, row: str, finding: bytes, reason: str) -> Json:
        return reissue.to_resume(self.name, row, finding, reason)


def as_the_source_says(before: Json, body: Json) -> Json:
    """The finding as it stands, without what a person confirmed of it: the source knows nothing of that."""
    if before.get("grounds") is None:
        return before
    plain = {name: value for name, value in before.items() if name != "grounds"}
    return {**plain, "criterion": body["criterion"]}


def _older(one: FindingRecord, row: SourceRow) -> bool:
    """Whether this is an earlier version than the one known; without two stamps the keyed hash decides."""
    return bool(one.updated and row.updated and one.updated < row.updated)


def _same(before: Mapping[bytes, Finding], row: SourceRow, key: bytes) -> bytes | None:
    """The row's finding, if it is of this decision."""
    finding = before.get(row.finding or b"")
    return finding.leaf if finding is not None and finding.natural_key == key else None


def _key_of(body: Json) -> bytes:
    key = body["key"]
    return natural_key(key["organ"], key["number"], body["subject"]["uscc"], key["date"])
