"""The table of alarms.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of what is wrong now, or was."""
    op.create_table(
        "alarms",
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("mark", sa.String(255), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("cleared_at", sa.Text()),
        sa.PrimaryKeyConstraint("kind", "mark", name="pk_alarms"),
    )
    op.create_index("alarms_cleared_at", "alarms", ["cleared_at"])
