"""Tables of what is proposed 待认定: clocks that have not run out, and the records a confirmed finding rests on.

Codes, keys and days only. Days are ``YYYY-MM-DD`` text in Asia/Shanghai.
"""

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

# What the source says of performing a decision 履行, for findings that are looked at again when the terms have run out.
performance = Table(
    "performance",
    metadata,
    Column("finding", LargeBinary(32), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("row", String(255), nullable=False),
    Column("served_on", String(10)),
    Column("perform_by", String(10)),
    Column("performed", Boolean),
    Column("contested", Boolean),
    Column("met_from", String(10)),
    Index("performance_met_from", "met_from"),
)

# The records that a confirmed finding counts: where one of them is relieved, the finding has lost its ground.
grounds = Table(
    "grounds",
    metadata,
    Column("record", LargeBinary(32), primary_key=True),
    Column("finding", LargeBinary(32), primary_key=True),
    Column("rule", Text, nullable=False),
)
