"""Revision 4: a removal says who removed the images, and who brought them back; a sample says how many were left out.

What was removed before was removed by nobody in particular, and nobody counted what earlier samples had left out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring a database of revision 3 to revision 4."""
    who = sa.ForeignKey("annotators.id", name="removals_annotator_id_fkey")
    with op.batch_alter_table("removals") as table:
        table.add_column(sa.Column("annotator_id", sa.Integer, who))
    op.create_table(
        "returns",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("removal_id", sa.Integer, sa.ForeignKey("removals.id"), nullable=False, index=True),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id")),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    for name in ("validation_draws", "certifications", "audits"):
        op.add_column(name, sa.Column("left_out", sa.Integer))
    op.add_column("certifications", sa.Column("images", sa.Integer))
