"""Where entries came from, by log: after a seal 封存 the successor counts from nought again.

Revision: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS = ("idx", "source", "row", "place", "digest", "read_at")


def upgrade() -> None:
    """Make the table anew with the log in its key; what it holds is of the first log of this node's own."""
    op.rename_table("provenance", "provenance_before")
    made = op.create_table(
        "provenance",
        sa.Column("log", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("row", sa.String(255), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "idx", name="pk_provenance_log"),
    )
    before = sa.table("provenance_before", *(sa.column(name) for name in COLUMNS))
    logs = sa.table("logs", sa.column("id"), sa.column("own", sa.Boolean()))
    first = sa.select(sa.func.min(logs.c.id)).where(logs.c.own.is_(sa.true())).scalar_subquery()
    held = sa.select(first, *(before.c[name] for name in COLUMNS))
    op.execute(sa.insert(made).from_select(["log", *COLUMNS], held))
    op.drop_table("provenance_before")
