"""Tables of the agreement's versions 协议版本: the text of each that was ever held here, and who adopted which.

The text is kept so that what was judged can be explained in three years, whatever folder is there then.
"""

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

# The files of one version, compressed; its digest is proven each time it is read.
agreement_versions = Table(
    "agreement_versions",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("stored_at", Text, nullable=False),
)

# Every ``agreement.adopted`` of the logs held here, as it stands in its leaf.
adoptions = Table(
    "adoptions",
    metadata,
    Column("log", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("code", String(6), nullable=False),
    Column("day", String(10), nullable=False),
    Column("body", Text, nullable=False),
)
