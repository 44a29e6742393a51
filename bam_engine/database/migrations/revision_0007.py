"""Revision 7: guidelines have example pictures, certifications tell more of their images, and recall is sampled.

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
    op.create_table(
        "recall_samples",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id"), nullable=False, index=True),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("boundary", sa.Float),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("known", sa.LargeBinary, nullable=False),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("left_out", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "recall_images",
        sa.Column("recall_sample_id", sa.Integer, sa.ForeignKey("recall_samples.id"), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("batch", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
