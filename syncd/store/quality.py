"""Data quality 数据质量 of a source by month: counts of rows as they were first read, and the three rates made of them.

A year's months are twelve rows. ``received`` counts each version of a penalty row once, in the month it was first read;
``in_time`` and ``late`` count decisions when they are first recorded.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from syncd.store.engine import bulk_upsert
from syncd.store.source_tables import quality

Json = dict[str, Any]
COUNTS = ("received", "incomplete", "invalid", "in_time", "late")
TARGET = 0.95
"""What each rate should reach; the project's own aim, no rule of law sets one."""


def add(conn: Connection, source: str, month: str, counts: Mapping[str, int]) -> None:
    """Add to a month (``2026-11``) of a source; ``counts`` has all of ``COUNTS``."""
    query = select(quality).where(quality.c.source == source, quality.c.month == month)
    before = conn.execute(query).mappings().one_or_none()
    total = {name: counts[name] + (before[name] if before is not None else 0) for name in COUNTS}
    bulk_upsert(conn, quality, [{"source": source, "month": month, **total}], ("source", "month"), COUNTS)


def months(conn: Connection, source: str | None = None) -> list[Json]:
    """All months of a source, or of all, oldest first, each with its rates."""
    query = select(quality).order_by(quality.c.source, quality.c.month)
    if source is not None:
        query = query.where(quality.c.source == source)
    rows = [{str(name): value for name, value in row.items()} for row in conn.execute(query).mappings()]
    return [{**row, **rates(row)} for row in rows]


def rates(counts: Mapping[str, Any]) -> Json:
    """Completeness 完整率, validity 合规率, timeliness 及时率 (0 to 1; None: nothing counts); ``reached``: all aims.

    Complete are rows in which nothing is missing, valid those whose values are what their columns ask for; in time are
    decisions published within seven working days (发改办财金〔2018〕424号).
    """
    received, recorded = counts["received"], counts["in_time"] + counts["late"]
    found = {
        "completeness": _rate(received - counts["incomplete"], received),
        "validity": _rate(received - counts["invalid"], received),
        "timeliness": _rate(counts["in_time"], recorded),
    }
    return {**found, "reached": all(rate is None or rate >= TARGET for rate in found.values())}


def _rate(good: int, of: int) -> float | None:
    return round(good / of, 4) if of else None
