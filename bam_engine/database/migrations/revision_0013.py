"""Revision 13: people propose attributes, and vote for those of others.

Databases of earlier revisions have no proposals.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Bring a database of revision 12 to revision 13."""
    op.create_table(
        "proposals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id"), nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("withdrawn_at", sa.Text),
    )
    op.create_table(
        "proposal_images",
        sa.Column("proposal_id", sa.Integer, sa.ForeignKey("proposals.id"), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_table(
        "proposal_votes",
        sa.Column("proposal_id", sa.Integer, sa.ForeignKey("proposals.id"), primary_key=True),
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id"), primary_key=True),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "proposal_decisions",
        sa.Column("proposal_id", sa.Integer, sa.ForeignKey("proposals.id"), primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id")),
        sa.Column("into_id", sa.Integer, sa.ForeignKey("proposals.id")),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
