"""The register part: findings, relief, responses, deliveries, desk, source rows, board, jobs.

Written out and never edited again, so that a store made by any version can be brought to the next.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of what the logs mean here."""
    _findings()
    _relief_events()
    _responses()
    _deliveries()
    _desk()
    _jobs()
    _held_entries()
    _board()
    _source_rows()
    _relief_waiting()


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("issuer", sa.String(6), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.LargeBinary(32), nullable=False),
        sa.Column("organ", sa.String(18), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("place", sa.String(6), nullable=False),
        sa.Column("criterion", sa.Text()),
        sa.Column("decided_on", sa.String(10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("amended", sa.LargeBinary(32)),
        sa.Column("amended_idx", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name="pk_findings"),
    )
    op.create_index("findings_natural_key", "findings", ["natural_key"])
    op.create_index("findings_number", "findings", ["number"])
    op.create_index("findings_place", "findings", ["log", "idx"])
    op.create_index("findings_uscc", "findings", ["uscc"])


def _relief_events() -> None:
    op.create_table(
        "relief_events",
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at_day", sa.String(10), nullable=False),
        sa.Column("effective_from", sa.String(10)),
        sa.Column("clears", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name="pk_relief_events"),
    )
    op.create_index("relief_events_finding", "relief_events", ["finding"])


def _responses() -> None:
    op.create_table(
        "responses",
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("released_by", sa.Text()),
        sa.Column("imposed", sa.Text()),
        sa.Column("imposed_leaf", sa.LargeBinary(32)),
        sa.Column("stopped_on", sa.String(10)),
        sa.PrimaryKeyConstraint("finding", "region", name="pk_responses"),
    )
    op.create_index("responses_leaf", "responses", ["leaf"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("finding", sa.LargeBinary(32), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("next_change", sa.String(10)),
        sa.Column("queued_at", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.Text()),
        sa.Column("acknowledged", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("finding", name="pk_deliveries"),
    )
    op.create_index("deliveries_state", "deliveries", ["state", "active"])


def _desk() -> None:
    op.create_table(
        "desk",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text()),
        sa.Column("closed_by", sa.Text()),
        sa.Column("ground", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_desk"),
        sa.UniqueConstraint("kind", "mark", name="desk_mark"),
    )
    op.create_index("desk_state", "desk", ["state"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Text(), nullable=False),
        sa.Column("done_at", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("jobs_state", "jobs", ["state"])


def _held_entries() -> None:
    op.create_table(
        "held_entries",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text()),
        sa.PrimaryKeyConstraint("log", "idx", name="pk_held_entries"),
    )


def _board() -> None:
    op.create_table(
        "board",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_board"),
    )


def _source_rows() -> None:
    op.create_table(
        "source_rows",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("row", sa.String(255), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("finding", sa.LargeBinary(32)),
        sa.Column("updated", sa.Text(), nullable=False),
        sa.Column("pass", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "row", name="pk_source_rows"),
    )


def _relief_waiting() -> None:
    op.create_table(
        "relief_waiting",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("row", sa.String(255), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("organ", sa.String(18), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "row", name="pk_relief_waiting"),
    )
    op.create_index("relief_waiting_number", "relief_waiting", ["number"])
