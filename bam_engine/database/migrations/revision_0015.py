"""Revision 15: people can be paused, by an owner or by a rule.

Nobody is paused in a workspace of an earlier revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Bring a database of revision 14 to revision 15."""
    op.create_table(
        "pauses",
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id"), primary_key=True),
        sa.Column("by_rule", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("resumed_at", sa.Text),
    )
