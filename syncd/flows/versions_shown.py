"""How the versions of the agreement stand 协议版本状况: which is in force since when, who has adopted what.

Read only, from the store; the same answer with a daemon running and without.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from syncd.agreement.model import Agreement
from syncd.agreement.versions import Adoption, Timeline, adopters
from syncd.flows.books import Books
from syncd.ledger.entry import MeaningError, parse_entry
from syncd.store import reading, versions
from syncd.store import state as logs

Json = dict[str, Any]


def versions_shown(books: Books, conn: Connection, day: dt.date) -> Json:
    """All versions held, adoptions of texts that are not held, and under which version each member writes."""
    known, rows = books.timeline, versions.adoptions(conn)
    adopted = [row.read() for row in rows]
    return {
        "code": books.code,
        "on": day.isoformat(),
        "agreement": books.agreement.tag,
        "named": known.named(books.code, day),
        "versions": [_version(known, one, adopted, day) for one in known.held],
        "not_held": _not_held(known, adopted),
        "members": _writing(books, conn),
    }


def _version(known: Timeline, one: Agreement, adopted: list[Adoption], day: dt.date) -> Json:
    days, since, current = adopters(one, adopted), known.since.get(one.version), known.on(day)
    missing = [code for code in one.members if code not in days]
    return {
        "version": one.version,
        "tag": one.tag,
        "digest": one.digest,
        "effective_from": one.effective_from.isoformat(),
        "members": list(one.members),
        "adopted": {code: days[code].isoformat() if code in days else None for code in one.members},
        "missing": missing,
        "since": None if since is None else (one.effective_from if since == dt.date.min else since).isoformat(),
        "state": _state(one, since, current, day),
    }


def _state(one: Agreement, since: dt.date | None, current: Agreement | None, day: dt.date) -> str:
    if one is current:
        return "in_force"
    if since is None:
        return "superseded" if current is not None and one.version < current.version else "waits_for_adoption"
    return "waits_for_its_day" if since > day else "superseded"


def _not_held(known: Timeline, adopted: list[Adoption]) -> list[Json]:
    """What members have adopted and this node has no text of, or another."""
    found = []
    for one in adopted:
        held = known.of(one.version)
        if held is None or held.digest != one.digest:
            found.append({"member": one.code, "version": one.version, "digest": one.digest, "on": one.day.isoformat()})
    return found


def _writing(books: Books, conn: Connection) -> list[Json]:
    """The version that each member's newest entry names, and whether entries of it are read here."""
    found = []
    for code, member in sorted(books.members.items()):
        state = logs.find(conn, member.origin)
        tag = _newest_tag(conn, member.origin, state.size) if state is not None and state.size else None
        held = next((one for one in books.timeline.held if one.tag == tag), None)
        found.append({"member": code, "writes_under": tag, "held": tag is None or held is not None,
                      "same": tag in (None, books.agreement.tag)})  # fmt: skip
    return found


def _newest_tag(conn: Connection, origin: str, size: int) -> str | None:
    for row in reading.read_entries(conn, origin, size - 1, size):
        try:
            return parse_entry(row.leaf).agreement
        except MeaningError:
            return None
    return None
