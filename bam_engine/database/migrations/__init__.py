"""The migrations of the schema, one module per revision; Alembic loads them by their folder."""
