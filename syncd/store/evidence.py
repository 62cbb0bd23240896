"""Evidence of misbehaviour 违规证据: two signed notes of one log that exclude each other, or that raise the suspicion.

Evidence is only ever added. The same pair of notes is kept once; what proves nothing for certain is kept in a limited
number for each log, since whoever submits it need not be the log.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from syncd.store.witness_tables import evidence

SUSPICIONS_KEPT = 100


class Evidence(NamedTuple):
    """One piece: ``held`` and ``shown`` are the bytes of signed notes; ``keys`` the log's vkeys, ``proof`` base64.

    ``proven``: a stranger is convinced by the two notes, with the consistency proof if there is one. ``shown_by``: the
    member's code that showed the second note, or where it came in.
    """

    log: str
    code: str
    proven: bool
    held: bytes
    shown: bytes
    proof: Sequence[str]
    keys: Sequence[str]
    shown_by: str
    at: str
    id: int = 0


def keep(conn: Connection, one: Evidence) -> bool:
    """Keep a piece of evidence; False if it is kept already, or is one suspicion too many."""
    digest = digest_of(one.log, one.code, one.held, one.shown)
    if conn.execute(select(evidence.c.id).where(evidence.c.digest == digest)).one_or_none() is not None:
        return False
    if not one.proven:
        of_log = select(func.count()).where(evidence.c.log == one.log, evidence.c.proven.is_(False))
        if conn.execute(of_log).scalar_one() >= SUSPICIONS_KEPT:
            return False
    conn.execute(
        evidence.insert().values(
            log=one.log, code=one.code, proven=one.proven, held=one.held, shown=one.shown, proof="\n".join(one.proof),
            keys="\n".join(one.keys), shown_by=one.shown_by, digest=digest, at=one.at,
        )
    )  # fmt: skip
    return True


def digest_of(log: str, code: str, held: bytes, shown: bytes) -> bytes:
    """By what a piece of evidence is known again."""
    return sha256(b"\x00".join((log.encode(), code.encode(), held, shown))).digest()


def listing(conn: Connection) -> list[Evidence]:
    """All evidence, oldest first."""
    return [
        Evidence(row.log, row.code, bool(row.proven), row.held, row.shown, row.proof.split("\n") if row.proof else (),
                 row.keys.split("\n") if row.keys else (), row.shown_by, row.at, int(row.id))
        for row in conn.execute(select(evidence).order_by(evidence.c.id))
    ]  # fmt: skip


def counts(conn: Connection) -> dict[str, int]:
    """How many pieces are kept of each log."""
    query = select(evidence.c.log, func.count()).group_by(evidence.c.log)
    return {log: int(count) for log, count in conn.execute(query)}
