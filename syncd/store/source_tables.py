"""Tables of what came from a source: where each entry came from, what an amendment changed, monthly figures.

Codes, keys and counts only. Days and months are text in Asia/Shanghai, times UTC text as in a leaf.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

# Where an entry of one's own log came from: source row, file and line or table, when it was read, its keyed hash.
provenance = Table(
    "provenance",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(64), nullable=False),
    Column("row", String(255), nullable=False),
    Column("place", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("read_at", Text, nullable=False),
)

# Which fields of a finding each amendment changed, in any log; names only.
amendments = Table(
    "amendments",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("finding", LargeBinary(32), nullable=False),
    Column("fields", Text, nullable=False),
    Index("amendments_finding", "finding"),
)

# Data quality 数据质量 of a source by month: each version of a row counts once, in the month it was first read.
quality = Table(
    "quality",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("received", Integer, nullable=False),
    Column("incomplete", Integer, nullable=False),
    Column("invalid", Integer, nullable=False),
    Column("in_time", Integer, nullable=False),
    Column("late", Integer, nullable=False),
)
