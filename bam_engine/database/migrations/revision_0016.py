"""Revision 16: duplicates that somebody wants to keep are not asked about again.

Databases of earlier revisions have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring a database of revision 15 to revision 16."""
    op.create_table(
        "kept_duplicates",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_row", sa.Integer, nullable=False),
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id")),
        sa.Column("made_at", sa.Text, nullable=False),
    )
