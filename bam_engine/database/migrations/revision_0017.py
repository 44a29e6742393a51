"""Revision 17: a pause ends after an annotation, not at a time; and an answer may be "skipped".

Of a pause that has ended, the last annotation before its end, by the clock, takes the place of the time. Programs of
earlier revisions do not know a skipped answer.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Bring a database of revision 16 to revision 17."""
    with op.batch_alter_table("pauses") as table:
        table.add_column(sa.Column("resumed_after", sa.Integer))
    op.execute(
        "UPDATE pauses SET resumed_after = (SELECT COALESCE(MAX(annotations.id), 0) FROM annotations "
        "WHERE annotations.made_at <= pauses.resumed_at) WHERE resumed_at IS NOT NULL"
    )
    with op.batch_alter_table("pauses") as table:
        table.drop_column("resumed_at")
