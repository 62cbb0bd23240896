"""Tables of keys 密钥 and seals 封存: what ``key.changed`` and ``log.sealed`` entries have said. Public keys only.

Both can be derived again from the logs.
"""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

# A key of a member from one size of a log on, to ``last`` (empty: to this day). ``origin`` is ``*`` for every log.
member_keys = Table(
    "member_keys",
    metadata,
    Column("member", String(6), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("vkey", String(255), primary_key=True),
    Column("origin", String(128), primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger),
)

# Where a log ended, as this node has sealed it, and which log goes on.
seals = Table(
    "seals",
    metadata,
    Column("origin", String(128), primary_key=True),
    Column("member", String(6), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("successor", String(128)),
    Column("at", Text, nullable=False),
)
