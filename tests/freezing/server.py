"""A dataset on a PostgreSQL server."""

from pathlib import Path

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import frozen_tables, open_database
from bam_engine.workspace import Workspace


def moved_to_server(source: Workspace, url: str, folder: Path) -> Workspace:
    """Return a workspace whose dataset is that of another, copied row by row to the database at a URL."""
    server = open_database(url)
    with source.engine.connect() as given, server.begin() as target:
        target.execute(sa.delete(db.settings))
        for table in frozen_tables.FROZEN:
            if rows := [dict(row) for row in given.execute(sa.select(table)).mappings()]:
                target.execute(sa.insert(table), rows)
    server.dispose()
    return Workspace(folder, source.cache.parent, database_url=url)
