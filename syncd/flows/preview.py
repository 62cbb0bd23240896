"""What another version would do 预览 to the findings of a register: before anybody signs, and when it is applied.

Read only. A finding that is ended by relief, and a copy of another bureau's decision, restrict nobody under any
version.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from syncd.agreement.comparison import affected, under
from syncd.agreement.model import Agreement
from syncd.flows.answer import IMPOSED
from syncd.flows.books import Books
from syncd.flows.judged import judged_by
from syncd.flows.respond import state_of
from syncd.store import register, versions
from syncd.store.register import Finding, Response

Json = dict[str, Any]
CHUNK = 512
_REVIEWED = frozenset({"review", "mapping_differs"})


def preview(
    books: Books, conn: Connection, one: Agreement | None, two: Agreement, day: dt.date, regions: Sequence[str]
) -> Iterator[Json]:
    """Each finding and region for which ``two`` would lead to something else.

    ``one`` None: than what judged it, here and now. Then only this bureau's own findings are read anew by its list.
    """
    for rows in versions.findings_by(conn, CHUNK):
        leaves = [row.leaf for row in rows]
        relief, answered = register.relief_of(conn, leaves), register.responses_of(conn, leaves)
        for row in rows:
            state = state_of(row, relief.get(row.leaf, ()), day)
            if row.place != row.issuer or state.ended is not None:
                continue
            for region in regions:
                yield from _of(books, row, answered.get(row.leaf, {}).get(region), one, two, day, region)


def _of(
    books: Books, row: Finding, said: Response | None, one: Agreement | None, two: Agreement, day: dt.date, region: str
) -> Iterator[Json]:
    before = one if one is not None else books.timeline.by(judged_by(row, said))
    body, judging, anew = row.parsed(), _day(said, day), one is not None or row.issuer == books.code
    criterion = under(two, body, books.allow_candidates)["criterion"] if anew else row.criterion
    found = affected(
        before, two, body, judging, regions=[region], demonstration=books.allow_candidates,
        released=_released(said), anew=anew,
    )  # fmt: skip
    for effect in found:
        yield {
            "finding": row.leaf.hex(),
            "uscc": row.uscc,
            "name": row.name,
            "number": row.number,
            "issuer": row.issuer,
            "criterion": row.criterion,
            "criterion_now": criterion,
            "region": effect.region,
            "effect": effect.effect,
            "gained": list(effect.gained),
            "lost": list(effect.lost),
            "until_was": effect.until_was,
            "until_now": effect.until_now,
            "reason": effect.reason,
            "judged_by": before.version,
        }


def _day(said: Response | None, day: dt.date) -> dt.date:
    """A finding that is restricted is judged on the day on which it first was; any other on the day asked about."""
    return dt.date.fromisoformat(said.since) if said is not None and said.kind == IMPOSED and said.since else day


def _released(said: Response | None) -> bool:
    """Whether a person of the region let it follow: by this node's own desk, or as the region's answer says."""
    if said is None:
        return False
    text = said.released_by or (said.parsed().get("released_by") if said.kind == IMPOSED else None) or ""
    return any(part.partition(":")[0] in _REVIEWED for part in text.split("/"))
