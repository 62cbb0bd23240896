"""Members' keys 密钥 and seals 封存 as the entries tell them, compared with the tables that say what counts now."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from syncd.flows.rekey import Story, write_seals
from syncd.fsck.faults import Fault
from syncd.ledger.key_history import KeySpan
from syncd.store import member_keys
from syncd.store.key_tables import seals

_SEAL: Final = ("member", "size", "root", "successor")


def check_keys(conn: Connection, told: Story) -> Iterator[Fault]:
    """Each span that differs. Of a member whose log was sealed here they are named and left: a person knows why."""
    held = member_keys.history(conn)
    for code in sorted(held.keys() | told.spans.keys()):
        derivable = code in told.spans and not told.ends(code)
        ours = {(one.role, one.vkey, one.origin): one for one in held.get(code, ())}
        made = {(one.role, one.vkey, one.origin): one for one in told.spans.get(code, ())}
        for name in sorted(ours.keys() | made.keys()):
            one, other = ours.get(name), made.get(name)
            if one != other and not _of_nothing(one, other):
                kind = "missing" if one is None else "extra" if other is None else "differs"
                record = f"{code} {name[0]} {name[1][:80]} under {name[2]}"
                yield Fault("keys", record, f"key_{kind}", derivable, _sizes(one, other))


def _of_nothing(one: KeySpan | None, other: KeySpan | None) -> bool:
    """A span that covers no entry need not be there: it is of a log that came later than the seal."""
    return one is None and other is not None and other.last == 0


def _sizes(one: KeySpan | None, other: KeySpan | None) -> str:
    said = [f"{words} {span.first} to {span.last or 'now'}" for words, span in (("held", one), ("told", other)) if span]
    return ", ".join(said)


def mend(conn: Connection, told: Story) -> None:
    """Write the seals again, and the histories of members whose logs were never sealed here."""
    write_seals(conn, told)
    for code, spans in told.spans.items():
        if not told.ends(code):
            member_keys.put(conn, code, spans)


def check_seals(conn: Connection, told: Story) -> Iterator[Fault]:
    """Each seal that differs from what this node's own ``log.sealed`` entries say."""
    held = {row.origin: row._mapping for row in conn.execute(seals.select())}
    made = {origin: told.row(origin) for origin in told.seals}
    for origin in sorted(held.keys() | made.keys()):
        one, other = held.get(origin), made.get(origin)
        if one is None or other is None:
            yield Fault("keys", origin, f"seal_{'missing' if one is None else 'extra'}", True)
            continue
        wrong = [name for name in _SEAL if one[name] != other[name]]
        if wrong:
            yield Fault("keys", origin, "seal_differs", True, " ".join(wrong))
