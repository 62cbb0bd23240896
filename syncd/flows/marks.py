"""Who put a mark (中止 off, 异议 disputed) on a finding, and so who may remove it: other marks stay (LEDGER §2).

Each mark's own body tells: a relief row speaks for its organ, this node for its bureau, with the cause as ground. So
a register that was made again from its log knows it too, and a successor, which says a mark again in the same words.

- what a relief row said, a relief row removes;
- what a row's own state 当前状态 said, the next state removes; a relief row only where that state stands no more;
- what this node said of a changed row, a review or lost grounds, a person at the desk removes; a relief row only where
  nobody is asked about it any more, as after a refusal;
- what cannot be read here any more, only a person who is asked about exactly that: it may be a court's.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.opening import read_opened
from syncd.store import desk, register, sourcebook
from syncd.store.register import Finding, ReliefRow

Json = dict[str, Any]
ROW, STATE, UNDER_REVIEW, UNREADABLE = "relief_row", "row_state", "under_review", "mark_unreadable"
ITEMS = {"row_changed": "identity_changed", "grounds_gone": "grounds_gone"}
"""The kind of item that asks about a mark of this ground; ``under_review`` asks about all others."""


def standing(finding: Finding, rows: Sequence[ReliefRow]) -> list[ReliefRow]:
    """Relief and marks that count for the finding and that no later entry has cleared."""
    counting = [row for row in rows if row.counts_for(finding)]
    cleared = {leaf for row in counting for leaf in orjson.loads(row.clears)}
    return [row for row in counting if row.kind.startswith("relief.") and row.leaf.hex() not in cleared]


def removable(bureau: Bureau, conn: Connection, finding: Finding, kinds: Collection[str], by: str) -> list[str]:
    """The leaves of the finding's marks of these kinds that ``by`` may remove.

    ``by``: ``relief_row``, ``row_state``, or the kind of an item of the desk.
    """
    rows = register.relief_of(conn, [finding.leaf]).get(finding.leaf, ())
    marks = [row for row in standing(finding, rows) if row.kind in kinds]
    if not marks:
        return []
    source = finding.parsed()["source"]
    items = desk.of_marks(conn, [f"{source['id']}/{source['row']}", finding.leaf.hex()])
    asked = {item.kind: item.state for item in items}
    said = {row.digest for row in sourcebook.known(conn, source["id"], [f"state/{source['row']}"]).values()}
    causes = {row.leaf.hex(): (cause(bureau, body_of(bureau, conn, row)), row.kind in said) for row in marks}
    return [leaf for leaf, (caused_by, stands) in causes.items() if by in _removers(caused_by, asked, stands)]


def body_of(bureau: Bureau, conn: Connection, mark: ReliefRow) -> Json | None:
    """What a mark's entry discloses; None where it cannot be read."""
    origin = next(state.origin for state in bureau.logs.states(conn) if state.id == mark.log)
    return read_opened(bureau, conn, origin, mark.idx, mark.idx + 1)[0].body


def cause(bureau: Bureau, body: Json | None) -> str:
    """``relief_row``, ``row_state``, ``mark_unreadable``, or the ground on which this node said it by itself."""
    if body is None:
        return UNREADABLE
    return str(body["ground"]) if body["by"] == bureau.code else ROW


def ask_unreadable(bureau: Bureau, conn: Connection, finding: Finding) -> None:
    """Put it to a person where a finding that somebody would resume is kept off by what cannot be read."""
    if not removable(bureau, conn, finding, ("relief.suspended",), UNREADABLE):
        return
    sentence = (
        "What suspended this finding cannot be read here any more, so nobody can tell who may end it, and the finding "
        "stays suspended. Ask whoever may have stopped it (court, organ); releasing this item resumes it."
    )
    facts = {"finding": finding.leaf.hex(), "sentence": sentence}
    item = {"kind": UNREADABLE, "mark": finding.leaf.hex(), "reason": "not_readable", "facts": facts, "anew": True}
    desk.put(conn, [item], bureau.now_text())


def _removers(caused_by: str, asked: dict[str, str], stands: bool) -> set[str]:
    """``asked``: the desk's items about the finding, with their states; ``stands``: whether the row's state says so."""
    if caused_by in (ROW, UNREADABLE):
        return {caused_by}
    if caused_by == STATE:
        return {STATE} if stands else {STATE, ROW}
    kind = ITEMS.get(caused_by, UNDER_REVIEW)
    if asked.get(kind) not in ("open", "refused"):
        kind = UNDER_REVIEW
    return {kind} if asked.get(kind) == "open" else {kind, ROW}
