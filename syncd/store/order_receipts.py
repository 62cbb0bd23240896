"""Acknowledgement numbers 受理号 that the bureau's own system gave for orders: the newest for each finding.

They prove to its people what was handed over, and when. A system that gives none leaves the table empty.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from syncd.store.bulk import upsert_tuples
from syncd.store.register import fetch_among
from syncd.store.register_tables import order_receipts


class OrderReceipt(NamedTuple):
    """For which version of a finding's orders which number was given, and when (UTC)."""

    finding: bytes
    counter: int
    number: str
    at: str


def note(conn: Connection, sent: Sequence[tuple[bytes, int]], numbers: Sequence[str], now: str) -> None:
    """Keep the numbers under which these findings, with their counters, were taken; several where it took parts."""
    if numbers:
        rows = [(finding, counter, ", ".join(numbers), now) for finding, counter in sent]
        upsert_tuples(conn, order_receipts, OrderReceipt._fields, rows, ("finding",), OrderReceipt._fields[1:])


def of_findings(conn: Connection, leaves: Collection[bytes]) -> dict[bytes, OrderReceipt]:
    """The newest number of each of these findings that has one."""
    sql = f"SELECT {', '.join(OrderReceipt._fields)} FROM order_receipts"
    return {row[0]: OrderReceipt(*row) for row in fetch_among(conn, sql, "finding", leaves)}
