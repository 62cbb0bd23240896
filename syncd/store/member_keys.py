"""The history of members' keys in the store: replaced whole for a member whenever an entry changes it."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from syncd.ledger.key_history import KeySpan
from syncd.store.bulk import bulk_insert
from syncd.store.key_tables import member_keys


def history(conn: Connection) -> dict[str, list[KeySpan]]:
    """All spans by member's code; a member whose keys never changed has none."""
    found: dict[str, list[KeySpan]] = {}
    order = (member_keys.c.member, member_keys.c.last.is_(None), member_keys.c.first, member_keys.c.vkey)
    for row in conn.execute(select(member_keys).order_by(*order)):
        last = None if row.last is None else int(row.last)
        found.setdefault(row.member, []).append(KeySpan(row.role, row.vkey, row.origin, int(row.first), last))
    return found


def put(conn: Connection, member: str, spans: Sequence[KeySpan]) -> None:
    """Replace a member's history."""
    conn.execute(member_keys.delete().where(member_keys.c.member == member))
    bulk_insert(conn, member_keys, [{"member": member, **span._asdict()} for span in spans])
