"""Revision 18: people can sign in as whom a provider of OpenID Connect knows them.

Everybody has a password in databases of earlier revisions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_IDENTITY = ("issuer", "subject", "label")


def upgrade() -> None:
    """Bring a database of revision 17 to revision 18."""
    op.create_table(
        "identities",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in _IDENTITY),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_index("ix_identities_account_id", "identities", ["account_id"])
    for name in _IDENTITY:
        op.add_column("join_requests", sa.Column(name, sa.Text))
