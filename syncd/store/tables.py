"""The tables of the log part (账本): what a node holds of its own log and of every mirrored one.

Bytes are stored as bytes on every database: the stored leaf *is* what was hashed and signed, never a re-
encoding. Two choices are made for speed, both measured:

* Entries are found by their UUIDv7 (``id``, ``ref_id``: 16 bytes) and confirmed by the leaf hash. A UUIDv7
  begins with its time, so what is written together lies together; an index on a hash scatters every batch
  over the whole file and made appending two to four times slower.
* The three bulk tables carry no foreign key: PostgreSQL would check each row. Their ``log`` comes from a
  row of ``logs`` that the same transaction has just read and compares again before it ends.

The register and the desk add their tables to the same ``metadata``. Every change here needs a migration;
a test compares this file with what the migrations make.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# One row a log: who writes it, how far it is held, where its last stop lies. ``settled`` is the last target
# that was reached: findings below it may be imposed, those above wait until ``target`` is held too.
logs = Table(
    "logs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("own", Boolean, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("last_at", Text),
    Column("target", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("stop_bytes", BigInteger, nullable=False),
    Column("stop_at", Text),
    Column("agreement", Text),
)

# The leaves. ``id``, ``kind``, ``at`` and ``ref`` stay empty for a leaf that is held but not understood.
entries = Table(
    "entries",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("id", LargeBinary),
    Column("kind", Text),
    Column("at", Text),
    Column("ref_id", LargeBinary),
    Column("ref", LargeBinary),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)
Index("ix_entries_id", entries.c.id)
Index(
    "ix_entries_ref_id",
    entries.c.ref_id,
    sqlite_where=text("ref_id IS NOT NULL"),
    postgresql_where=text("ref_id IS NOT NULL"),
)

# ``state`` is present, absent (committed to, but not received) or erased (never stored again, by any route).
disclosures = Table(
    "disclosures",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", LargeBinary),
    Column("sealed", LargeBinary),
    Column("state", Text, nullable=False),
)

# tlog-tiles of height 8; the last tile of a level grows until it holds 256 hashes.
tiles = Table(
    "tiles",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# The listed sizes. The primary key is the promise of one root per size, ever; ``note`` is empty until it is
# signed.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("log", Integer, ForeignKey("logs.id"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("stop", Boolean, nullable=False),
    Column("note", LargeBinary),
    Column("at", Text, nullable=False),
)
Index(
    "ix_checkpoints_unsigned",
    checkpoints.c.log,
    checkpoints.c.size,
    sqlite_where=text("note IS NULL"),
    postgresql_where=text("note IS NULL"),
)

# The first line of each member at each size, kept for ever; ``timestamp`` is the member's clock, ``at`` is
# ours.
cosignatures = Table(
    "cosignatures",
    metadata,
    Column("log", Integer, ForeignKey("logs.id"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("member", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
)
Index("ix_cosignatures_member", cosignatures.c.log, cosignatures.c.member, cosignatures.c.size)

# Where each stage goes on; moved in the transaction that did the work.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
