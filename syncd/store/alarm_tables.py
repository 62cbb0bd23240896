"""The table of alarms 告警: one row for each thing that is wrong now, or was.

Codes, keys and counts only. Times are UTC text as in a leaf.
"""

from sqlalchemy import Column, Index, String, Table, Text

from syncd.store.tables import metadata

# ``mark`` names the thing within its kind; ``cleared_at`` is empty for as long as the alarm stands.
alarms = Table(
    "alarms",
    metadata,
    Column("kind", String(64), primary_key=True),
    Column("mark", String(255), primary_key=True),
    Column("since", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("cleared_at", Text),
    Index("alarms_cleared_at", "cleared_at"),
)
