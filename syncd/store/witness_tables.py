"""Tables of witnessing 见证: outsiders' checkpoints cosigned here, lines of outside witnesses, fresh lines, evidence.

Notes are kept as the bytes that were signed. Times are UTC text as in a leaf; ``timestamp`` is Unix seconds out of a
signed line.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from syncd.store.tables import metadata

# Each size of an outsider's log that this node has cosigned as a witness; the largest is where the log must go on.
witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
)

# The first line of each outside witness at each size of a log held here.
witness_lines = Table(
    "witness_lines",
    metadata,
    Column("log", Integer, ForeignKey("logs.id"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", String(64), primary_key=True),
    Column("line", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
    Index("witness_lines_newest", "log", "witness", "size"),
)

# The newest line of each member under each log, given again hourly; the first ones stand in ``cosignatures``.
fresh_lines = Table(
    "fresh_lines",
    metadata,
    Column("log", Integer, ForeignKey("logs.id"), primary_key=True, autoincrement=False),
    Column("member", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("line", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
)

# Misbehaviour of a log, with both signed notes. ``proven``: the two notes (and the proof) convince a stranger.
evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("log", String(255), nullable=False),
    Column("code", String(32), nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("held", LargeBinary, nullable=False),
    Column("shown", LargeBinary, nullable=False),
    Column("proof", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("shown_by", String(64), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Index("evidence_log", "log"),
)
