"""Deliveries that wait stand in the index in the order of their turn: the next batch is read without sorting.

``next_change`` is empty for what waits: with a day it is out of turn until then. Rows that an earlier version has
queued again kept the day of their last delivery.

Revision: 0016
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index takes the place of another, and what waits comes in its turn."""
    op.execute("UPDATE deliveries SET next_change = NULL WHERE state = 'pending'")
    op.create_index("deliveries_turn", "deliveries", ["state", "active", "queued_at"])
    op.drop_index("deliveries_state", "deliveries")
