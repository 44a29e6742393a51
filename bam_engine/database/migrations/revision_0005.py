"""Revision 5: what was promised says about which images and with how much of the risk.

A threshold and an audit say how many images the collection had when their sample was drawn. Those of earlier revisions
say nothing; the dates of the images tell. A certification says how much of its attribute's risk it may spend; each of
the earlier ones has all of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring a database of revision 4 to revision 5."""
    for name in ("thresholds", "audits"):
        op.add_column(name, sa.Column("images", sa.Integer))
    op.add_column("certifications", sa.Column("risk_share", sa.Float))
