"""The part of proposals: clocks of unperformed decisions, and the records that confirmed findings rest on.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of what is proposed."""
    op.create_table(
        "performance",
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("row", sa.String(255), nullable=False),
        sa.Column("served_on", sa.String(10)),
        sa.Column("perform_by", sa.String(10)),
        sa.Column("performed", sa.Boolean()),
        sa.Column("contested", sa.Boolean()),
        sa.Column("met_from", sa.String(10)),
        sa.PrimaryKeyConstraint("finding", name="pk_performance"),
    )
    op.create_index("performance_met_from", "performance", ["met_from"])
    op.create_table(
        "grounds",
        sa.Column("record", sa.LargeBinary(32), nullable=False),
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record", "finding", name="pk_grounds"),
    )
