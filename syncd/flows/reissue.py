"""Issuing anew what stands in a sealed log 封存: an amendment there is not possible, for nothing more of it is taken.

1. The successor revokes the finding that the sealed log has issued; who was told of it lifts at once.
2. It issues the changed finding in its own log, in the same transaction.
3. Every relief and mark that stood on the old one is said of the new one, with its old day: an amendment would have
   kept them too, and nobody may be restricted again by a change of logs.

A finding that was revoked is not issued anew: it has ended for good (LEDGER §2).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.relieve import relief_body, say_own
from syncd.store import register
from syncd.store.register import Finding, ReliefRow

Json = dict[str, Any]
REVOKED, GROUND = "relief.revoked", "log_sealed"
SUSPENDED = "relief.suspended"


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
    return {one.leaf: _standing(one, held.get(one.leaf, ())) for one in findings}


def carry_over(bureau: Bureau, conn: Connection, marks: Mapping[bytes, Sequence[ReliefRow]]) -> set[bytes]:
    """Step 3; ``marks`` by the leaf of the new finding, which is in the register. Returns those that are suspended."""
    found = register.findings_by_leaf(conn, set(marks))
    said = [
        (row.kind, found[leaf], {**relief_body(GROUND, bureau), "effective_from": row.effective_from or row.at_day})
        for leaf, rows in marks.items() for row in rows
    ]  # fmt: skip
    if said:
        say_own(bureau, conn, said)
    return {leaf for leaf, rows in marks.items() if any(row.kind == SUSPENDED for row in rows)}


def _standing(finding: Finding, rows: Sequence[ReliefRow]) -> list[ReliefRow]:
    """Relief and marks that no later entry has cleared."""
    counting = [row for row in rows if row.counts_for(finding)]
    cleared = {leaf for row in counting for leaf in orjson.loads(row.clears)}
    return [row for row in counting if row.kind.startswith("relief.") and row.leaf.hex() not in cleared]
