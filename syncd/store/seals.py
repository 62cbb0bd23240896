"""Sealed logs 封存 in the store: where each ended as this node has sealed it, and which log goes on."""

from sqlalchemy import Connection, select

from syncd.ledger.policy import Sealed
from syncd.store.engine import bulk_upsert
from syncd.store.key_tables import seals


def put(conn: Connection, member: str, origin: str, end: Sealed, now: str) -> None:
    """Seal a log; a later seal of the same log only names its successor."""
    row = {
        "origin": origin,
        "member": member,
        "size": end.size,
        "root": end.root,
        "successor": end.successor,
        "at": now,
    }
    bulk_upsert(conn, seals, [row], ("origin",), ("successor",))


def ends(conn: Connection) -> dict[str, dict[str, Sealed]]:
    """The sealed logs of each member, by code and origin, oldest first."""
    found: dict[str, dict[str, Sealed]] = {}
    for row in conn.execute(select(seals).order_by(seals.c.at, seals.c.origin)):
        found.setdefault(row.member, {})[row.origin] = Sealed(int(row.size), row.root, row.successor)
    return found
