"""The table of honours 守信荣誉: what the logs granted and withdrew. Days are ``YYYY-MM-DD`` in Asia/Shanghai."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

honours = Table(
    "honours",
    metadata,
    Column("leaf", LargeBinary(32), primary_key=True),
    Column("log", Integer, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("id", String(36), nullable=False),
    Column("issuer", String(6), nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("name", Text, nullable=False),
    Column("honour", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("granted_on", String(10), nullable=False),
    Column("until", String(10), nullable=False),
    Column("withdrawn_on", String(10)),
    Column("withdrawn", LargeBinary(32)),
    Index("honours_uscc", "uscc"),
)
