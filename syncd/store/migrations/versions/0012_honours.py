"""The part of rewards: honours that the logs granted and withdrew.

Revision: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of honours."""
    op.create_table(
        "honours",
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("issuer", sa.String(6), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("honour", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("granted_on", sa.String(10), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("withdrawn_on", sa.String(10)),
        sa.Column("withdrawn", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("leaf", name="pk_honours"),
    )
    op.create_index("honours_uscc", "honours", ["uscc"])
