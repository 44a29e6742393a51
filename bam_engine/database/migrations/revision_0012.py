"""Revision 12: the answers of a person about an attribute can be set aside.

In databases of earlier revisions, all answers count.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Bring a database of revision 11 to revision 12."""
    op.create_table(
        "set_aside_answers",
        sa.Column("annotator_id", sa.Integer, sa.ForeignKey("annotators.id"), primary_key=True),
        sa.Column("attribute_id", sa.Integer, sa.ForeignKey("attributes.id"), primary_key=True),
        sa.Column("through", sa.Integer, nullable=False),
        sa.Column("set_aside_by", sa.Integer, sa.ForeignKey("annotators.id")),
        sa.Column("made_at", sa.Text, nullable=False),
    )
