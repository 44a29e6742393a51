"""Runs the migrations, by Alembic. Imported only where a database is older than the program: Alembic takes its time.

Alembic orders the revisions and gives them its operations. Its own table of versions is not used: the version of the
schema stands in ``settings`` already, where older programs look for it.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from bam_engine.database.schema import SCHEMA_VERSION

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: sa.Connection, version: int, *, to: int = SCHEMA_VERSION) -> None:
    """Run the migrations after ``version`` up to ``to`` inside the transaction of ``connection``.

    Version 1 is migrated from its own revision on, which creates the tables that its program had not created yet.
    """
    scripts = ScriptDirectory(MIGRATIONS, version_locations=[MIGRATIONS])
    start = None if version <= 1 else _name(version)
    revisions = reversed(list(scripts.iterate_revisions(_name(to), start)))
    with Operations.context(MigrationContext.configure(connection)):
        for revision in revisions:
            revision.module.upgrade()


def _name(version: int) -> str:
    return f"{version:04}"
