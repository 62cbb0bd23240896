"""The source part: where entries came from, what amendments changed, monthly quality figures.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of what came from a source."""
    op.create_table(
        "provenance",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("row", sa.String(255), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name="pk_provenance"),
    )
    op.create_table(
        "amendments",
        sa.Column("log", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "idx", name="pk_amendments"),
    )
    op.create_index("amendments_finding", "amendments", ["finding"])
    counts = ("received", "incomplete", "invalid", "in_time", "late")
    op.create_table(
        "quality",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("source", "month", name="pk_quality"),
    )
