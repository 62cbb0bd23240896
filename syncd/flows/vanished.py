"""Rows that are gone from a source 来源行消失, as a full reading finds them: never a silent lift, a person looks.

Where not one of several issued rows is there any more, the source is the likelier fault, as a share that is mounted
empty: one item says so, and nothing else. It clears by itself once the rows are back; a person who releases it says
that they are truly gone, and then each has an item of its own.
"""

from typing import Any, Final

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.store import desk, sourcebook

Json = dict[str, Any]
VANISHED: Final = "vanished"
ALL_GONE: Final = "all_rows_gone"


def vanished(bureau: Bureau, conn: Connection, source: str, pass_: int) -> bool:
    """What the full reading of this number did not meet goes to the desk; false where the source is the likelier fault.

    What such a reading does not show is not over, whatever it is.
    """
    gone = sourcebook.unseen(conn, source, pass_)
    if len(gone) > 1 and not sourcebook.met(conn, source, pass_):
        facts = {"source": source, "rows": len(gone), "pass": pass_}
        item = {"kind": VANISHED, "mark": source, "reason": ALL_GONE, "facts": facts, "anew": True}
        desk.put(conn, [item], bureau.now_text())
        return False
    desk.clear(conn, VANISHED, [source], bureau.now_text())
    each(bureau, conn, source, pass_)
    return True


def each(bureau: Bureau, conn: Connection, source: str, pass_: int) -> None:
    """One item for each row that is gone; releasing one revokes its finding."""
    items = [
        {"kind": VANISHED, "mark": f"{source}/{row.row}", "reason": "row_gone",
         "facts": {"source": source, "row": row.row, "finding": row.finding.hex() if row.finding else None}}
        for row in sourcebook.unseen(conn, source, pass_)
    ]  # fmt: skip
    desk.put(conn, items, bureau.now_text())
