"""Revision 10: assignments are leased, annotators can tell the reviewer about an image, and captions can be hidden.

Assignments of earlier revisions are not leased, nobody told anything, and no caption is hidden.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Bring a database of revision 9 to revision 10."""
    op.create_table(
        "leases",
        sa.Column("assignment_id", sa.Text, sa.ForeignKey("assignments.id"), primary_key=True),
        sa.Column("expires_at", sa.Text, nullable=False),
    )
    op.create_table(
        "remarks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("uid", sa.Text, nullable=False, unique=True),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id"), nullable=False, index=True),
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id"), nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text),
        sa.Column("closed_by", sa.Integer, sa.ForeignKey("annotators.id")),
    )
    with op.batch_alter_table("captions") as table:
        table.add_column(sa.Column("hidden_at", sa.Text))
        table.add_column(
            sa.Column("hidden_by", sa.Integer, sa.ForeignKey("annotators.id", name="captions_hidden_by_fkey"))
        )
