"""Tables of what the logs mean here: register 登记, responses, deliveries, desk 工作台, source rows, jobs.

All of it can be derived again from the logs and the source, but for decisions of a person (``desk``, ``jobs``).
Leaf hashes are 32 raw bytes; days are ``YYYY-MM-DD`` text in Asia/Shanghai; times are UTC text as in a leaf.
"""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from syncd.store.tables import metadata

findings = Table(
    "findings",
    metadata,
    Column("leaf", LargeBinary(32), primary_key=True),
    Column("log", Integer, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("id", String(36), nullable=False),
    Column("issuer", String(6), nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("name", Text, nullable=False),
    Column("natural_key", LargeBinary(32), nullable=False),
    Column("organ", String(18), nullable=False),
    Column("number", Text, nullable=False),
    Column("place", String(6), nullable=False),
    Column("criterion", Text),
    Column("decided_on", String(10), nullable=False),
    Column("body", Text, nullable=False),
    Column("amended", LargeBinary(32)),
    Column("amended_idx", Integer, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("findings_who", "uscc", "name", "decided_on"),
    Index("findings_natural_key", "natural_key"),
    Index("findings_number", "number"),
    Index("findings_place", "log", "idx"),
)

relief_events = Table(
    "relief_events",
    metadata,
    Column("leaf", LargeBinary(32), primary_key=True),
    Column("finding", LargeBinary(32), nullable=False),
    Column("kind", Text, nullable=False),
    Column("log", Integer, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("at_day", String(10), nullable=False),
    Column("effective_from", String(10)),
    Column("clears", Text, nullable=False),
    Index("relief_events_finding", "finding"),
)

responses = Table(
    "responses",
    metadata,
    Column("finding", LargeBinary(32), primary_key=True),
    Column("region", String(6), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("id", String(36), nullable=False),
    Column("log", Integer, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("since", String(10), nullable=False),
    Column("released_by", Text),
    Column("imposed", Text),
    Column("imposed_leaf", LargeBinary(32)),
    Column("stopped_on", String(10)),
    Index("responses_leaf", "leaf"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("finding", LargeBinary(32), primary_key=True),
    Column("counter", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("measures", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("next_change", String(10)),
    Column("queued_at", Text, nullable=False),
    Column("delivered_at", Text),
    Column("acknowledged", Text, nullable=False),
    Index("deliveries_turn", "state", "active", "queued_at"),
)

# What the bureau's own system has confirmed by a number of its own, where it gives one; the newest for each finding.
order_receipts = Table(
    "order_receipts",
    metadata,
    Column("finding", LargeBinary(32), primary_key=True),
    Column("counter", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("at", Text, nullable=False),
)

desk = Table(
    "desk",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("closed_by", Text),
    Column("ground", Text),
    UniqueConstraint("kind", "mark", name="desk_mark"),
    Index("desk_state", "state"),
)

source_rows = Table(
    "source_rows",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("row", String(255), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("finding", LargeBinary(32)),
    Column("updated", Text, nullable=False),
    Column("pass", Integer, nullable=False, key="pass_"),
)

relief_waiting = Table(
    "relief_waiting",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("row", String(255), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("organ", String(18), nullable=False),
    Column("number", Text, nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("relief_waiting_number", "number"),
)

held_entries = Table(
    "held_entries",
    metadata,
    Column("log", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("agreement", Text),
)

board = Table(
    "board",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("value", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("args", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", Text),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Text, nullable=False),
    Column("done_at", Text),
    Index("jobs_state", "state"),
)
