"""The part of witnessing: outsiders' logs, outside witnesses' lines, fresh lines, evidence.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of witnessing."""
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "size", name="pk_witnessed"),
    )
    op.create_table(
        "witness_lines",
        sa.Column("log", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(64), nullable=False),
        *_line(),
        sa.ForeignKeyConstraint(["log"], ["logs.id"], name="fk_witness_lines_log_logs"),
        sa.PrimaryKeyConstraint("log", "size", "witness", name="pk_witness_lines"),
    )
    op.create_table(
        "fresh_lines",
        sa.Column("log", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        *_line(),
        sa.ForeignKeyConstraint(["log"], ["logs.id"], name="fk_fresh_lines_log_logs"),
        sa.PrimaryKeyConstraint("log", "member", name="pk_fresh_lines"),
    )
    _evidence()


def _line() -> list[sa.Column[object]]:
    return [
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
    ]


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("log", sa.String(255), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("held", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("shown_by", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sa.UniqueConstraint("digest", name="uq_evidence_digest"),
    )
    op.create_index("evidence_log", "evidence", ["log"])
