"""Runs the migrations, by Alembic. Imported only where a database is older than the program: Alembic takes its time.

Alembic orders the revisions and gives them its operations. Its own table of versions is not used: the version of the
schema stands in ``settings`` already, where older programs look for it.
"""

import logging
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from bam_engine.database.schema import SCHEMA_VERSION, settings
from bam_engine.errors import BamError

_SEEDS_MOVED = 2  # the version that gives the seeds of validation samples a column
_MAX_INTEGER = 2**31 - 1
_log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: sa.Connection, version: int, *, to: int = SCHEMA_VERSION) -> None:
    """Run the migrations after ``version`` up to ``to`` inside the transaction of ``connection``.

    Version 1 is migrated from its own revision on, which creates the tables that its program had not created yet.
    """
    scripts = ScriptDirectory(MIGRATIONS, version_locations=[MIGRATIONS])
    start = None if version <= 1 else _name(version)
    revisions = reversed(list(scripts.iterate_revisions(_name(to), start)))
    if version < _SEEDS_MOVED and connection.dialect.name == "postgresql":
        _forget_large_seeds(connection)
    with Operations.context(MigrationContext.configure(connection)):
        for revision in revisions:
            revision.module.upgrade()
    if connection.dialect.name == "sqlite":
        _check_foreign_keys(connection)


def _forget_large_seeds(connection: sa.Connection) -> None:
    """Leave out seeds of validation samples that an integer of PostgreSQL does not hold; the samples stay."""
    table = settings.c
    stored = connection.execute(sa.select(table.key, table.value).where(table.key.like("validation-%-seed"))).all()
    for key, value in stored:
        if value.lstrip("-").isdecimal() and abs(int(value)) > _MAX_INTEGER:
            _log.warning("The seed %s does not fit the database and is left out: %s.", value, key)
            connection.execute(sa.delete(settings).where(table.key == key))


def _check_foreign_keys(connection: sa.Connection) -> None:
    """Check what SQLite does not while tables are rebuilt."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise BamError(f"row {broken[1]} of {broken[0]} refers to a row of {broken[2]} that does not exist")


def _name(version: int) -> str:
    return f"{version:04}"
