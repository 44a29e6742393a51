"""Revision 14: images whose answer is known can be mixed into assignments.

Assignments of earlier revisions have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Bring a database of revision 13 to revision 14."""
    op.create_table(
        "gold_images",
        sa.Column("assignment_id", sa.Text, sa.ForeignKey("assignments.id"), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("gold_id", sa.Text, sa.ForeignKey("assignments.id"), nullable=False),
    )
