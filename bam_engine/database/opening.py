"""Opening a database: its tables are created, migrated, or refused.

The version of the schema is the setting ``schema``, as in every workspace ever made. Tables are created and migrated in
one transaction, under a lock; whoever waited for it looks again. A database that this program cannot read is refused
before anything is written, and a file that it cannot write is opened for reading.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.database import sqlite_files
from bam_engine.database.daily_copies import keep_daily_copies
from bam_engine.database.failures import LOCK_TIMEOUT, explain_failures
from bam_engine.database.key_values import put_setting
from bam_engine.database.schema import SCHEMA_VERSION, attributes, metadata, settings
from bam_engine.database.snapshots import keep_snapshots
from bam_engine.database.writing import lock
from bam_engine.errors import BamError
from bam_engine.formatting import duration

_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={LOCK_TIMEOUT * 1000}")
_MIGRATION_TIMEOUT = 3600  # seconds that an opener waits while another one migrates

_log = logging.getLogger(__name__)


def open_database(url: str | sa.URL, *, copies: Path | None = None, only_read: bool = False) -> sa.Engine:
    """Open the database at ``url``; create its tables or migrate them. Safe when several processes open it at once.

    SQLite runs in WAL mode with ``synchronous=FULL``: readers never wait for a writer, and a commit that has returned
    survives ``kill -9`` and a power cut. Before a SQLite file is migrated, a copy is made beside it. A file that cannot
    be written is opened for reading; where it would need a migration, a temporary copy of it gets that.

    Parameters
    ----------
    copies
        The folder for the daily copies of a server's database, by default none. Those of a file are beside it.
    only_read
        Open a SQLite file like one that cannot be written: it stays as it is.

    Raises
    ------
    BamError
        The database cannot be opened or migrated, is another program's, or has a later schema. It is left as it was.
    StoreUnavailable
        The database does not answer, or another program has locked it.
    """
    try:
        parsed = sa.engine.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BamError(
            "The address of the database is not a SQLAlchemy URL. Write it like sqlite:////data/bam.sqlite or "
            "postgresql://user@host/name."
        ) from error
    try:
        engine = _open(parsed, only_read)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        place = parsed.render_as_string(hide_password=True)
        raise BamError(f"Cannot open the database {place}: {_reason(error)}.") from error
    daily = keep_daily_copies(engine, copies)
    keep_snapshots(engine, on_write=None if daily is None or read_only(engine) else daily.begin)
    return engine


def _open(url: sa.URL, only_read: bool) -> sa.Engine:
    file = sqlite_files.file_of(url)
    if file is None or sqlite_files.is_new(file):
        if file is not None:
            sqlite_files.create(file)
        return _open_for_writing(url, file)
    version = version_of(file)
    if only_read or not sqlite_files.is_writable(file):
        return _open_for_reading(file, version)
    return _writing_engine(url) if version == SCHEMA_VERSION else _open_for_writing(url, file)


def read_only(engine: sa.Engine) -> bool:
    """Return whether a database was opened for reading, because its file cannot be written."""
    return bool(engine.get_execution_options().get("read_only", False))


def stored_version(connection: sa.Connection) -> int:
    """Return the version of the database's schema; 0 if it has no tables yet.

    Raises
    ------
    BamError
        The tables are another program's, or their version is later than that of this program.
    """
    tables = sa.inspect(connection).get_table_names()
    if settings.name not in tables and (not tables or connection.dialect.name != "sqlite"):
        return 0  # on a server, other programs may have tables beside ours
    if settings.name not in tables or attributes.name not in tables:
        raise _another_program(connection)
    try:
        text = connection.scalar(sa.select(settings.c.value).where(settings.c.key == "schema"))
        version = 1 if text is None else json.loads(text)  # schema 1 was stored after its tables were created
    except (sa.exc.DBAPIError, ValueError) as error:
        raise _another_program(connection) from error
    if type(version) is not int or version < 1:
        raise _another_program(connection)
    check_version(version)
    return version


def check_version(version: int) -> None:
    """Refuse the version of a later program."""
    if version > SCHEMA_VERSION:
        raise BamError(
            f"This workspace has schema version {version}, but this program reads version {SCHEMA_VERSION}. "
            "Use the version of the program that wrote it, or a later one."
        )


def _another_program(connection: sa.Connection) -> BamError:
    place = connection.engine.url.database or "in use"
    return BamError(
        f"The database {place} holds the tables of another program and no workspace. Name another database, or set "
        "BAM_WORKSPACE to another folder."
    )


def _reason(error: Exception) -> str:
    """Return what the driver says, without the statement."""
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    return str(original or error).strip().rstrip(".")


# Engines ------------------------------------------------------------------------------------------------------------


def _writing_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url)
    explain_failures(engine)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _tune_sqlite)
    elif engine.dialect.driver == "psycopg":
        from bam_engine.database.postgresql_connections import give_up_on_silence

        give_up_on_silence(engine)
        sa.event.listen(engine, "connect", _tune_postgresql)
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    _switch_to_wal(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """Switch a new database to WAL mode, with retries: SQLite does not apply its busy timeout here."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _tune_postgresql(connection: Any, _record: Any) -> None:
    """Bound the wait for locks; replace NUL characters in texts, which PostgreSQL does not store, by U+FFFD."""
    from psycopg.types.string import StrDumperUnknown

    class WithoutNul(StrDumperUnknown):
        def dump(self, text: str) -> Any:
            return super().dump(text.replace("\0", "\ufffd"))

    connection.adapters.register_dumper(str, WithoutNul)
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    connection.commit()


# Reading ------------------------------------------------------------------------------------------------------------


def version_of(file: Path) -> int:
    """Return the version of the schema of a SQLite file; nothing is written, not even beside it.

    A file that nobody has open is read without locks, so what was read counts only if nobody wrote meanwhile.
    """
    while True:
        before = sqlite_files.state(file)
        try:
            sqlite_files.check_kind(file)
            engine = sqlite_files.reading_engine(file)
            try:
                with engine.connect() as connection:
                    version = stored_version(connection)
            finally:
                engine.dispose()
        except (BamError, sa.exc.SQLAlchemyError):
            if sqlite_files.state(file) == before:
                raise
        else:
            if sqlite_files.state(file) == before:
                return version


def _open_for_reading(file: Path, version: int) -> sa.Engine:
    folder = None
    opened = file
    if version < SCHEMA_VERSION:
        opened = sqlite_files.copy_to_temporary(file)
        folder = opened.parent
        _log.warning("%s is only read: a temporary copy of it is migrated.", file)
        migrate_file(opened)
    engine = sqlite_files.reading_engine(opened)
    explain_failures(engine)
    if folder is not None:
        sqlite_files.remove_with(engine, folder)

    def refuse(context: sa.ExceptionContext) -> None:
        if "readonly database" in str(context.original_exception):
            raise BamError(
                f"Nothing can be saved in this workspace: {file} or its folder is read-only. Make both writable, or "
                "copy the folder to a writable place and open that."
            )

    sa.event.listen(engine, "handle_error", refuse)
    return engine


def migrate_file(file: Path) -> None:
    """Migrate a SQLite file that is a copy: it is not copied again."""
    _open_for_writing(sa.URL.create("sqlite", database=str(file)), None).dispose()


# Creating and migrating -----------------------------------------------------------------------------------------------


def _open_for_writing(url: sa.URL, file: Path | None) -> sa.Engine:
    """Open a database whose tables may be missing or old; ``file`` is copied before it is migrated."""
    engine = _writing_engine(url)
    try:
        with engine.connect() as connection:
            version = stored_version(connection)
        if version < SCHEMA_VERSION:
            with engine.connect() as connection, _settings_of_a_migration(connection):
                _create_or_migrate(connection, file)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def _settings_of_a_migration(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite rebuild tables, which foreign keys forbid, and wait longer for others who do; undone after success."""
    if connection.dialect.name != "sqlite":
        yield
        return
    for pragma in ("foreign_keys=OFF", f"busy_timeout={_MIGRATION_TIMEOUT * 1000}"):
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    connection.rollback()  # the settings have no effect inside a transaction
    yield
    for pragma in _PRAGMAS:
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    connection.rollback()


def _create_or_migrate(connection: sa.Connection, file: Path | None) -> None:
    copy = None
    try:
        with connection.begin():
            lock(connection, None)
            version = stored_version(connection)  # another process may have been first
            if version == 0:
                metadata.create_all(connection)
            elif version < SCHEMA_VERSION:
                copy = None if file is None else sqlite_files.copy_beside(file, version)
                _migrate(connection, version, copy)
            put_setting(connection, "schema", SCHEMA_VERSION)
    except Exception:
        if copy is not None:  # the file itself is as it was
            copy.unlink(missing_ok=True)
        raise


def _migrate(connection: sa.Connection, version: int, copy: Path | None) -> None:
    from bam_engine.database.migrating import migrate

    beside = "" if copy is None else f" {copy} is a copy from before."
    _log.warning("This workspace is migrated from schema %d to %d.%s", version, SCHEMA_VERSION, beside)
    started = time.monotonic()
    try:
        migrate(connection, version)
    except (BamError, sa.exc.SQLAlchemyError) as error:
        raise BamError(
            f"This workspace cannot be migrated from schema {version} to {SCHEMA_VERSION}: {_reason(error)}. It is as "
            "it was before, and the program that wrote it still opens it."
        ) from error
    _log.warning("The migration took %s.", duration(time.monotonic() - started))
