"""The part of keys: the history of members' keys, and sealed logs.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of keys and seals."""
    op.create_table(
        "member_keys",
        sa.Column("member", sa.String(6), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("vkey", sa.String(255), nullable=False),
        sa.Column("origin", sa.String(128), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger()),
        sa.PrimaryKeyConstraint("member", "role", "vkey", "origin", name="pk_member_keys"),
    )
    op.create_table(
        "seals",
        sa.Column("origin", sa.String(128), nullable=False),
        sa.Column("member", sa.String(6), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("successor", sa.String(128)),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name="pk_seals"),
    )
