"""The part of erasure: orders that are held, and the leaves whose disclosures are never stored again.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of erasure."""
    op.create_table(
        "erasures",
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text()),
        sa.Column("number", sa.Text()),
        sa.Column("due", sa.String(10)),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name="pk_erasures"),
    )
    op.create_index("erasures_state", "erasures", ["state"])
    op.create_table(
        "erased_leaves",
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name="pk_erased_leaves"),
    )
    op.create_index("erased_leaves_finding", "erased_leaves", ["finding"])
