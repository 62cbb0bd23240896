"""The log part: logs, entries, disclosures, tiles, checkpoints, cosignatures, cursors.

Written out and never edited again, so that a store made by any version can be brought to the next.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    _logs()
    _held()
    _listed()


def _logs() -> None:
    op.create_table(
        "logs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("own", sa.Boolean, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.Text),
        sa.Column("target", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("stop", sa.BigInteger, nullable=False),
        sa.Column("stop_bytes", sa.BigInteger, nullable=False),
        sa.Column("stop_at", sa.Text),
        sa.Column("agreement", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_logs"),
        sa.UniqueConstraint("origin", name="uq_logs_origin"),
    )


def _held() -> None:
    op.create_table(
        "entries",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("id", sa.LargeBinary),
        sa.Column("kind", sa.Text),
        sa.Column("at", sa.Text),
        sa.Column("ref_id", sa.LargeBinary),
        sa.Column("ref", sa.LargeBinary),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("log", "idx", name="pk_entries"),
    )
    op.create_index("ix_entries_id", "entries", ["id"])
    named = sa.text("ref_id IS NOT NULL")
    op.create_index("ix_entries_ref_id", "entries", ["ref_id"], sqlite_where=named, postgresql_where=named)
    op.create_table(
        "disclosures",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("log", "idx", name="pk_disclosures"),
    )
    op.create_table(
        "tiles",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("log", "level", "n", name="pk_tiles"),
    )


def _listed() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("stop", sa.Boolean, nullable=False),
        sa.Column("note", sa.LargeBinary),
        sa.Column("at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("log", "size", name="pk_checkpoints"),
        sa.ForeignKeyConstraint(["log"], ["logs.id"], name="fk_checkpoints_log"),
    )
    unsigned = sa.text("note IS NULL")
    columns = ["log", "size"]
    op.create_index("ix_checkpoints_unsigned", "checkpoints", columns, sqlite_where=unsigned, postgresql_where=unsigned)
    op.create_table(
        "cosignatures",
        sa.Column("log", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("log", "size", "member", name="pk_cosignatures"),
        sa.ForeignKeyConstraint(["log"], ["logs.id"], name="fk_cosignatures_log"),
    )
    op.create_index("ix_cosignatures_member", "cosignatures", ["log", "member", "size"])
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
    )
