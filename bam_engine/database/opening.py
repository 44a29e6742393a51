"""Opening a database: its tables are created, migrated, or refused.

The version of the schema is the setting ``schema``, as in every workspace ever made. Creating and migrating happen in
one transaction each, under a lock; who waited for it looks again.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bam_engine.database.schema import SCHEMA_VERSION, metadata, settings
from bam_engine.database.snapshots import keep_snapshots
from bam_engine.database.writing import lock
from bam_engine.errors import BamError

_BUSY_TIMEOUT = 30  # seconds that a writer waits for other writers


def open_database(url: str) -> sa.Engine:
    """Open the database at ``url``; create its tables or migrate them. Safe when several processes open it at once.

    SQLite runs in WAL mode with ``synchronous=FULL``: readers never wait for a writer, and a commit that has returned
    survives ``kill -9`` and a power cut.

    Raises
    ------
    BamError
        The database cannot be opened or migrated, or has a schema that this program does not know.
    """
    try:
        place = sa.engine.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError as error:
        raise BamError(
            "The address of the database is not a SQLAlchemy URL. Write it like sqlite:////data/bam.sqlite or "
            "postgresql://user@host/name."
        ) from error
    try:
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _tune_sqlite)
        elif engine.dialect.driver == "psycopg":
            sa.event.listen(engine, "connect", _tune_postgresql)
        try:
            _bring_up_to_date(engine)
        except BaseException:
            engine.dispose()
            raise
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise BamError(f"Cannot open the database {place}: {error}.") from error
    keep_snapshots(engine)
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """Switch a new database to WAL mode, with retries: SQLite does not apply its busy timeout here."""
    deadline = time.monotonic() + _BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _tune_postgresql(connection: Any, _record: Any) -> None:
    """Replace NUL characters by U+FFFD: titles may hold them, and PostgreSQL stores no text that does."""
    from psycopg.types.string import StrDumperUnknown

    class WithoutNul(StrDumperUnknown):
        def dump(self, text: str) -> Any:
            return super().dump(text.replace("\0", "\ufffd"))

    connection.adapters.register_dumper(str, WithoutNul)


def stored_version(connection: sa.Connection) -> int:
    """Return the version of the database's schema; 0 if it has no tables yet."""
    if not sa.inspect(connection).has_table(settings.name):
        return 0
    text = connection.scalar(sa.select(settings.c.value).where(settings.c.key == "schema"))
    return 1 if text is None else int(json.loads(text))  # programs of schema 1 stored it after creating the tables


def _bring_up_to_date(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        version = stored_version(connection)
    if version > SCHEMA_VERSION:
        raise BamError(
            f"This workspace has schema version {version}, but this program reads version {SCHEMA_VERSION}. "
            "Use the version of the program that wrote it, or a newer one."
        )
    if version < SCHEMA_VERSION:
        with engine.connect() as connection:
            _create_or_migrate(connection)


def _create_or_migrate(connection: sa.Connection) -> None:
    with _foreign_keys_off(connection), connection.begin():
        lock(connection, None)
        version = stored_version(connection)
        if version == 0:
            metadata.create_all(connection)
        elif version < SCHEMA_VERSION:
            from bam_engine.database.migrating import migrate

            migrate(connection, version)
        connection.execute(sa.delete(settings).where(settings.c.key == "schema"))
        connection.execute(sa.insert(settings).values(key="schema", value=json.dumps(SCHEMA_VERSION)))


@contextmanager
def _foreign_keys_off(connection: sa.Connection) -> Iterator[None]:
    """Suspend SQLite's foreign keys, which only works outside a transaction: dropping a column rebuilds its table."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.rollback()
    yield  # after an error the engine is disposed of
    connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    connection.rollback()
