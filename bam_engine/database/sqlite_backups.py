"""Backups of a SQLite database: copies by SQLite's own backup, which others may write beside.

In:  an opened database, or its address, and a file. Out: the file, or the database with the content of the file.
"""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.database import sqlite_files
from bam_engine.database.opening import migrate_file, open_database, version_of
from bam_engine.database.revisions import count_restore
from bam_engine.database.schema import metadata, revisions
from bam_engine.database.writing import lock
from bam_engine.errors import BamError, StoreUnavailable
from bam_engine.files import flush_to_disk

_KEPT = "before-restore"


def write(engine: sa.Engine, file: Path) -> None:
    """Write a backup in place of ``file``, flushed to the disk."""
    live = sqlite_files.file_of(engine.url)
    if live is None:
        raise BamError("A database in memory has no backup.")
    with closing(engine.raw_connection()) as source:
        sqlite_files.back_up(source.driver_connection, file, like=live, check=check_whole)


def check(file: Path) -> None:
    """Read a backup to its end; raise ``BamError`` where it is damaged or cannot be restored by this program."""
    version_of(file)
    engine = sqlite_files.reading_engine(file)
    try:
        with closing(engine.raw_connection()) as opened:
            check_whole(opened.driver_connection)
    finally:
        engine.dispose()


def restore(url: sa.URL, file: Path, _folder: Path) -> Path | None:
    """Replace the database by a backup in one step; return the file that holds what was there, if any."""
    live = sqlite_files.file_of(url)
    if live is None:
        raise BamError("A database in memory cannot be restored. Name a file.")
    if live.exists() and file.samefile(live):
        raise BamError(f"{file} is the database itself. Name a backup of it.")
    live.parent.mkdir(parents=True, exist_ok=True)
    if live.exists() and not sqlite_files.is_writable(live):
        raise BamError(f"{live} or its folder is read-only. Make both writable, or name another workspace.")
    with _staged(file, live) as staged:
        if sqlite_files.is_new(live):
            _put_in_place(staged, live)
            return None
        try:
            engine = _whole_database(url)
        except StoreUnavailable:
            raise
        except BamError:  # nothing can be read from it, or not by this program
            kept = _move_aside(live)
            _put_in_place(staged, live)
            return kept
        try:
            return _replace_rows(engine, live, staged)
        finally:
            engine.dispose()


def check_whole(connection: Any) -> None:
    """Read every page and every reference of a database."""
    try:
        for question in ("PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"):
            cursor = connection.cursor()
            found = cursor.execute(question).fetchone()
            cursor.close()
            if found is not None and found[0] != "ok":
                raise BamError(f"the file is damaged ({' '.join(map(str, found)).splitlines()[0]}).")
    except sqlite3.DatabaseError as error:
        raise BamError(f"the file is damaged ({error}).") from error


@contextmanager
def _staged(file: Path, live: Path) -> Iterator[Path]:
    """Copy a backup beside the database that it will replace, and migrate the copy; it is removed at the end."""
    staged = live.with_name(f".{live.stem}-{uuid.uuid4().hex}{live.suffix}")
    engine = sqlite_files.reading_engine(file)
    try:
        with closing(engine.raw_connection()) as source:
            like = live if live.exists() else file
            sqlite_files.back_up(source.driver_connection, staged, like=like)
        migrate_file(staged)
        yield staged
    finally:
        engine.dispose()
        for part in sqlite_files.parts(staged):
            part.unlink(missing_ok=True)


def _whole_database(url: sa.URL) -> sa.Engine:
    """Open the database that will be replaced; raise ``BamError`` where it is damaged."""
    engine = open_database(url)
    try:
        with closing(engine.raw_connection()) as opened:
            check_whole(opened.driver_connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _replace_rows(engine: sa.Engine, live: Path, staged: Path) -> Path:
    """Replace every row in one transaction, after a copy: nobody writes between the two."""
    kept = sqlite_files.beside(live, _KEPT)
    source = sa.MetaData()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # tables are emptied in any order
        connection.exec_driver_sql("ATTACH DATABASE ? AS backup", (str(staged),))
        connection.rollback()
        try:
            with connection.begin():
                lock(connection, None)
                sqlite_files.copy_to(live, kept)
                for table in metadata.sorted_tables:
                    if table is not revisions:
                        stored = table.to_metadata(source, schema="backup")
                        connection.execute(sa.delete(table))
                        connection.execute(sa.insert(table).from_select(list(table.c.keys()), sa.select(stored)))
                count_restore(connection)
        except BaseException:
            kept.unlink(missing_ok=True)  # the database is as it was
            raise
    return kept


def _move_aside(live: Path) -> Path:
    kept = sqlite_files.beside(live, _KEPT)
    for part, place in zip(sqlite_files.parts(live), sqlite_files.parts(kept), strict=True):
        with contextlib.suppress(FileNotFoundError):
            part.replace(place)
    return kept


def _put_in_place(staged: Path, live: Path) -> None:
    for part in sqlite_files.parts(live)[1:]:  # a log without its database would be taken for one of the new database
        part.unlink(missing_ok=True)
    staged.replace(live)
    flush_to_disk(live.parent)
