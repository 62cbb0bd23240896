"""Sealed logs 封存 in the store: where each ended as this node has sealed it, and which log goes on."""

from sqlalchemy import Connection, select

from syncd.ledger.policy import Sealed
from syncd.store.engine import bulk_upsert
from syncd.store.key_tables import seals
from syncd.store.statement import execute


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


def former_logs(conn: Connection) -> dict[int, frozenset[int]]:
    """For the store's number of a log, those of the sealed logs that it goes on for, however many seals ago."""
    pairs = execute(conn, "SELECT n.id, o.id FROM seals s JOIN logs o ON o.origin = s.origin "
                          "JOIN logs n ON n.origin = s.successor").fetchall()  # fmt: skip
    found: dict[int, set[int]] = {}
    for successor, old in pairs:
        found.setdefault(int(successor), set()).add(int(old))
    for _ in pairs:  # a chain of seals is at most as long as there are seals
        for held in found.values():
            held |= {older for one in list(held) for older in found.get(one, ())}
    return {number: frozenset(held) for number, held in found.items()}
