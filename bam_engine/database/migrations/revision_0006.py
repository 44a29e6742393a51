"""Revision 6: a certification says which labelled positives its promise counts.

A certification stores the images of which the positive ones count, and a threshold how many they were. The
certifications of earlier revisions count none, as their tests were made. One that extends a promise stores from which
row on; none of earlier revisions does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring a database of revision 5 to revision 6."""
    for name in ("thresholds", "measured_thresholds"):
        op.add_column(name, sa.Column("known_positives", sa.Integer))
    op.add_column("certifications", sa.Column("counted", sa.LargeBinary))
    op.add_column("certifications", sa.Column("since", sa.Integer))
