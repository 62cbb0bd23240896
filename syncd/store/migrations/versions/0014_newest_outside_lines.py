"""The newest line of each outside witness is found by an index, however many are kept.

Revision: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("witness_lines_newest", "witness_lines", ["log", "witness", "size"])
