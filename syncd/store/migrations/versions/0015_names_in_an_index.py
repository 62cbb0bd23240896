"""The index of organisations holds names and days too, so that a question about a name reads the index alone.

Revision: 0015
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index takes the place of another; no row changes."""
    op.create_index("findings_who", "findings", ["uscc", "name", "decided_on"])
    op.drop_index("findings_uscc", "findings")
