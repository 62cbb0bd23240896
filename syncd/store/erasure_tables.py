"""Tables of erasure 删除: which orders are held and how far each has come here, and which leaves stay without words.

Hashes, places and codes only. ``erased_leaves`` is what keeps a disclosure out, by whatever route it comes.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

# One row an order. ``state``: held, cleared, gone, done; ``keys``: record keys still to be forgotten (JSON, hex).
erasures = Table(
    "erasures",
    metadata,
    Column("leaf", LargeBinary(32), primary_key=True),
    Column("log", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("id", String(36), nullable=False),
    Column("at", Text, nullable=False),
    Column("finding", LargeBinary(32), nullable=False),
    Column("state", Text, nullable=False),
    Column("ground", Text),
    Column("number", Text),
    Column("due", String(10)),
    Column("keys", Text, nullable=False),
    Index("erasures_state", "state"),
)

# Every leaf whose ref chain reaches an erased finding, the finding's own included.
erased_leaves = Table(
    "erased_leaves",
    metadata,
    Column("leaf", LargeBinary(32), primary_key=True),
    Column("finding", LargeBinary(32), nullable=False),
    Index("erased_leaves_finding", "finding"),
)
