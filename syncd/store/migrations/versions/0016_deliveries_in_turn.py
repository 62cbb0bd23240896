"""Deliveries that wait stand in the index in the order of their turn: the next batch is read without sorting.

Revision: 0016
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index takes the place of another; no row changes."""
    op.create_index("deliveries_turn", "deliveries", ["state", "active", "queued_at"])
    op.drop_index("deliveries_state", "deliveries")
