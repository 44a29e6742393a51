"""Revision 3: images can be removed, annotators merged, attributes renamed, and both archived; images have a stamp.

The numbers of revisions are times. By its stamp a changed file is noticed. Images of earlier revisions have none: their
files are read once when their folder is added again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring a database of revision 2 to revision 3."""
    op.create_table(
        "merged_annotators",
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id"), primary_key=True),
        sa.Column("into_id", sa.Integer, sa.ForeignKey("annotators.id"), nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    with op.batch_alter_table("annotators") as table:
        table.add_column(sa.Column("archived_at", sa.Text))
    with op.batch_alter_table("revisions") as table:
        table.alter_column("number", type_=sa.BigInteger, existing_server_default="0")
    op.add_column("images", sa.Column("stamp", sa.Text))
    with op.batch_alter_table("attributes") as table:
        table.add_column(sa.Column("archived_at", sa.Text))
    op.create_table(
        "former_names",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "removals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "removed_images",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("removal_id", sa.Integer, sa.ForeignKey("removals.id"), nullable=False, index=True),
    )
