"""The table of acknowledgement numbers that a bureau's own system gives for orders.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of the numbers under which orders were taken."""
    op.create_table(
        "order_receipts",
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("finding", name="pk_order_receipts"),
    )
