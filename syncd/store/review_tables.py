"""The review book 审查登记: every credit review, who asked by office and account number, and for what.

No person's name has a column here: ``unit`` is one of the units the node knows, ``role`` one of a closed list.
Times are UTC text as in a leaf, days ``YYYY-MM-DD`` in Asia/Shanghai; ``statement`` is the SHA-256 (hex) of a
signed one.
"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from syncd.store.tables import metadata

reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("account", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("lookback_months", Integer, nullable=False),
    Column("uscc", String(18)),
    Column("organisations", Integer, nullable=False),
    Column("restricted", Integer, nullable=False),
    Column("noted", Integer, nullable=False),
    Column("statement", String(64)),
    Column("demonstration", Boolean, nullable=False),
    Index("reviews_at", "at"),
)
