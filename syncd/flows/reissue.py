"""Issuing anew what stands in a sealed log 封存: an amendment there is not possible, for nothing more of it is taken.

1. The successor revokes the finding that the sealed log has issued; who was told of it lifts at once.
2. It issues the changed finding in its own log, in the same transaction.
3. Every relief and mark that stood on the old one is said of the new one, with its old day: an amendment would have
   kept them too, and nobody may be restricted again by a change of logs.

4. Source row, clocks and grounds follow the new one; what the desk proposed for the old one is over.

A finding that was revoked is not issued anew: it has ended for good (LEDGER §2). A row that changes takes this road
with its page (``collect``); what a person changes at the desk takes it through ``change``.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from schemas.registry import check_body
from syncd.agreement.versions import version_of
from syncd.errors import NeedsPerson
from syncd.flows.bureau import Bureau
from syncd.flows.marks import UNDER_REVIEW, UNREADABLE, ask_unreadable, body_of, removable, standing
from syncd.flows.record import Saying, record
from syncd.flows.relieve import relief_body, say_own
from syncd.flows.understand import finding_row
from syncd.store import desk, proposals, register, sourcebook
from syncd.store.register import Finding, ReliefRow

Json = dict[str, Any]
REVOKED, GROUND = "relief.revoked", "log_sealed"
SUSPENDED = ("relief.suspended",)
ABOUT_A_FINDING = ("proposed", "rejudge", "grounds_gone", UNREADABLE)
"""Kinds of items that name one finding, and that nobody may decide any more once it was issued anew."""


def over(conn: Connection, findings: Collection[Finding]) -> dict[bytes, bool]:
    """Whether each of these findings was revoked 撤销, and so has ended for good."""
    held = register.relief_of(conn, {one.leaf for one in findings}) if findings else {}
    return {one.leaf: any(row.kind == REVOKED and row.counts_for(one) for row in held.get(one.leaf, ()))
            for one in findings}  # fmt: skip


def revoke_sealed(bureau: Bureau, conn: Connection, findings: Sequence[Finding]) -> Mapping[bytes, list[ReliefRow]]:
    """Step 1; returns what stood on each finding before, for step 3."""
    if not findings:
        return {}
    held = register.relief_of(conn, {one.leaf for one in findings})
    say_own(bureau, conn, [(REVOKED, one, relief_body(GROUND, bureau)) for one in findings])
    return {one.leaf: standing(one, held.get(one.leaf, ())) for one in findings}


def carry_over(bureau: Bureau, conn: Connection, marks: Mapping[bytes, Sequence[ReliefRow]]) -> set[bytes]:
    """Step 3, in the words in which each was said, so that who caused it is still known.

    ``marks`` by the leaf of the new finding, which is in the register. Returns those that a person may resume.
    """
    found = register.findings_by_leaf(conn, set(marks))
    said = [
        (row.kind, found[leaf], {**(body_of(bureau, conn, row) or relief_body(UNREADABLE, bureau)),
                                 "effective_from": row.effective_from or row.at_day})
        for leaf, rows in marks.items() for row in rows
    ]  # fmt: skip
    if said:
        say_own(bureau, conn, said)
    for leaf in [leaf for leaf, rows in marks.items() if rows]:
        ask_unreadable(bureau, conn, found[leaf])
    return {leaf for leaf, one in found.items() if removable(bureau, conn, one, SUSPENDED, UNDER_REVIEW)}


def follow(bureau: Bureau, conn: Connection, anew: Mapping[bytes, bytes]) -> None:
    """Step 4; ``anew``: the leaf of each new finding by that of the old one."""
    for old, new in anew.items():
        proposals.follow(conn, old, new)
    for kind in ABOUT_A_FINDING if anew else ():
        desk.clear(conn, kind, [old.hex() for old in anew], bureau.now_text())


def change(bureau: Bureau, conn: Connection, finding: Finding, body: Json) -> bytes:
    """A person of this bureau has changed its finding: amended in its log, or issued anew where that is sealed.

    Returns the leaf of the finding that stands. Raises ``NeedsPerson`` where it was revoked in the meantime.
    """
    held = bureau.logs.state(conn, bureau.origin)
    if finding.log == held.id:
        check_body("finding.amended", body)
        record(bureau, conn, [Saying("finding.amended", bureau.ref_of(conn, finding), body)])
        return finding.leaf
    if over(conn, [finding])[finding.leaf]:
        raise NeedsPerson(
            "The finding stands in a sealed log and was revoked there, so it has ended for good. Nothing was changed; "
            "`syncd desk refuse` closes the item."
        )
    check_body("finding.issued", body)
    stood = revoke_sealed(bureau, conn, [finding])
    [entry] = record(bureau, conn, [Saying("finding.issued", None, body)])
    version = version_of(held.agreement or "")
    row = finding_row(held.id, entry.index, entry.leaf_hash, entry.id, bureau.code, body, version)
    register.add_findings(conn, [row])
    source = body["source"]
    known = sourcebook.known(conn, source["id"], [source["row"]])
    sourcebook.remember(conn, [one._replace(finding=row.leaf) for one in known.values()])
    if carry_over(bureau, conn, {row.leaf: stood[finding.leaf]}):
        desk.put(conn, [to_resume(source["id"], source["row"], row.leaf, GROUND)], bureau.now_text())
    follow(bureau, conn, {finding.leaf: row.leaf})
    return row.leaf


def to_resume(source: str, row: str, finding: bytes, reason: str) -> Json:
    """A suspended finding that only a person may put on again."""
    facts = {"source": source, "row": row, "finding": finding.hex()}
    return {"kind": "under_review", "mark": f"{source}/{row}", "reason": reason, "facts": facts, "anew": True}
