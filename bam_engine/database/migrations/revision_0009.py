"""Revision 9: an image says which URL it was downloaded from.

Those of earlier revisions were in folders.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Bring a database of revision 8 to revision 9."""
    op.add_column("images", sa.Column("url", sa.Text))
