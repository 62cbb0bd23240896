"""Where entries came from 来源 and what amendments changed, kept beside the log for who asks why.

Both are written once and only read by ``explain``: an entry is true without them.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from syncd.store.bulk import bulk_insert
from syncd.store.engine import bulk_upsert
from syncd.store.source_tables import amendments, provenance

Json = dict[str, Any]


def add_provenance(conn: Connection, log: int, rows: Sequence[Json]) -> None:
    """Remember where new entries of a log of one's own came from; ``idx`` is their index in it."""
    bulk_insert(conn, provenance, [{"log": log, **row} for row in rows])


def provenance_of(conn: Connection, log: int, indices: Collection[int]) -> dict[int, Json]:
    """Where these entries of a log of one's own came from; those a person or the clock caused are absent."""
    query = select(provenance).where(provenance.c.log == log, provenance.c.idx.in_(list(indices)))
    return {row.idx: dict(row._mapping) for row in conn.execute(query)}


def add_amendments(conn: Connection, rows: Sequence[Json]) -> None:
    """Remember the names of the fields that amendments changed; reading a log again changes nothing."""
    bulk_upsert(conn, amendments, rows, ("log", "idx"), ())


def amendments_of(conn: Connection, findings: Collection[bytes]) -> dict[bytes, list[Json]]:
    """Amendments of these findings, oldest first."""
    query = select(amendments).where(amendments.c.finding.in_(list(findings)))
    found: dict[bytes, list[Json]] = {}
    for row in conn.execute(query.order_by(amendments.c.log, amendments.c.idx)):
        fields = orjson.loads(row.fields)
        found.setdefault(row.finding, []).append({"log": row.log, "idx": row.idx, "fields": fields})
    return found
