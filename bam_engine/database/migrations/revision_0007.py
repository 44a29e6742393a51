"""Revision 7: the guidelines of an attribute have example pictures, and certifications tell more of their images.

Those of earlier revisions have none. An image of a certification says when it was asked about, and whether it goes on
to teach. Of those of earlier revisions is not known when they were asked about, and none goes on to teach.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Bring a database of revision 6 to revision 7."""
    op.create_table(
        "guideline_examples",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id"), nullable=False, index=True),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.UniqueConstraint("attribute_id", "row"),
    )
    op.add_column("certification_images", sa.Column("made_at", sa.Text))
    op.add_column("certification_images", sa.Column("teaches", sa.Boolean))
