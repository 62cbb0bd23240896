"""Versions of the agreement: their texts, who adopted them, and by which one a finding is judged.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of versions; what is there was judged by version 1."""
    op.create_table(
        "agreement_versions",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_agreement_versions"),
    )
    op.create_table(
        "adoptions",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(6), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "idx", name="pk_adoptions"),
    )
    op.add_column("findings", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
