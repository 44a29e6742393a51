"""Backups: the whole database in one file, written while others use it, and the way back.

In:  an opened database, or the address of one, and a file. Out: the file; or a database that holds what the file does,
with a copy of what it held before. SQLite's backups are SQLite files, those of PostgreSQL archives of its ``pg_dump``.
Pictures and derived files are not in them.
"""

import glob
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from bam_engine.database import postgresql_backups, sqlite_backups, sqlite_files
from bam_engine.database.daily_copies import daily_copies
from bam_engine.database.opening import open_database
from bam_engine.database.schema import annotations, images
from bam_engine.errors import BamError
from bam_engine.formatting import count

ENDINGS = {"sqlite": "sqlite", "postgresql": "dump"}
"""How the names of backups end, by the kind of database."""

_FAILURES = (OSError, sqlite3.Error, sa.exc.DBAPIError)  # of the disk, above all


class _Kind(Protocol):
    """What each kind of database does in its own way."""

    def write(self, engine: sa.Engine, file: Path) -> None:
        """Write a backup in place of ``file``, flushed to the disk."""

    def check(self, file: Path) -> None:
        """Read a backup to its end; raise ``BamError`` where it is damaged or cannot be restored by this program."""

    def restore(self, url: sa.URL, file: Path, folder: Path) -> Path | None:
        """Replace the database by a backup in one step; return the file that holds what was there, if any."""


@dataclass(frozen=True)
class Contents:
    """How much a database holds."""

    images: int
    answers: int

    def __str__(self) -> str:
        return f"{count(self.images, 'image')} and {count(self.answers, 'answer')}"

    def __bool__(self) -> bool:
        return bool(self.images or self.answers)


def back_up(engine: sa.Engine, file: Path, *, replace: bool = False) -> Path:
    """Write everything that people have entered to ``file``; return its absolute path.

    The backup is of one moment, checked and flushed to the disk. Others may read and write meanwhile.

    Raises
    ------
    BamError
        The file exists and is not to be replaced, its folder does not exist, or it cannot be written.
    """
    file = file.absolute()
    live = sqlite_files.file_of(engine.url)
    if file.is_dir():
        raise BamError(f"{file} is a folder. Name a file in it.")
    if not file.parent.is_dir():
        raise BamError(f"The folder {file.parent} does not exist. Create it, or connect the disk that it is on.")
    if live is not None and (Path(os.path.realpath(file)) in sqlite_files.parts(live) or _is_same(file, live)):
        raise BamError(f"{file} is the database itself. Name another file.")
    if file.exists() and not replace:
        raise BamError(f"The file {file} exists and is not replaced. Name another file, or delete it.")
    try:
        _kind_of(engine.url).write(engine, file)
    except _FAILURES as error:
        raise BamError(f"The backup {file} cannot be written: {_reason(error)}.") from error
    return file


def check_backup(url: str | sa.URL, file: Path) -> None:
    """Read a backup to its end, and make sure that it can be restored to the database at ``url``.

    Raises
    ------
    BamError
        The file is missing, damaged, of another kind of database or of a later version of the program.
    """
    try:
        if not file.is_file():
            raise BamError("there is no such file.")
        _kind_of(sa.make_url(url)).check(file.absolute())
    except (BamError, *_FAILURES) as error:
        reason = error if isinstance(error, BamError) else f"the file cannot be read ({_reason(error)})."
        raise BamError(f"{file} cannot be restored: {reason}") from error


def check_database(engine: sa.Engine) -> None:
    """Read a SQLite database to its end; a server looks after its own.

    Raises
    ------
    BamError
        It is damaged.
    """
    if sqlite_files.file_of(engine.url) is not None:
        with closing(engine.raw_connection()) as opened:
            sqlite_backups.check_whole(opened.driver_connection)


def copies_of(engine: sa.Engine, folder: Path) -> list[Path]:
    """Return the copies that the program keeps of a database, by itself and in the folder of its workspace.

    Not those from before a restore: what was restored may have been a damaged database.
    """
    file = sqlite_files.file_of(engine.url)
    before = [] if file is None else file.parent.glob(f"{glob.escape(file.stem)}.schema-*{glob.escape(file.suffix)}")
    written = folder.glob(f"backups/bam-*.{ENDINGS[engine.dialect.name]}")
    return [*daily_copies(engine), *sorted(before), *sorted(written)]


def contents(url: str | sa.URL) -> Contents | None:
    """Return how much the database at ``url`` holds; None if there is none yet.

    Raises
    ------
    BamError
        It cannot be read.
    """
    file = sqlite_files.file_of(sa.make_url(url))
    if file is not None and sqlite_files.is_new(file):
        return None
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            counted = sa.select(sa.func.count())
            given = counted.where(annotations.c.answer != "skipped")
            numbers = [connection.scalar(each) for each in (counted.select_from(images), given)]
    except sa.exc.DBAPIError as error:
        raise BamError(f"The database cannot be read: {error.orig}.") from error
    finally:
        engine.dispose()
    return Contents(*(number or 0 for number in numbers))


def restore(url: str | sa.URL, file: Path, folder: Path) -> Path | None:
    """Replace the database at ``url`` by the backup ``file``, which is checked first and migrated if it is old.

    It happens in one transaction, and who has the database open reads it anew. A database that cannot be read is moved
    aside instead.

    Parameters
    ----------
    folder
        Where a server's database is kept as it was; a file is kept beside itself.

    Returns
    -------
    Path or None
        What the database held before: a backup as well, unless it was damaged. None if there was nothing.

    Raises
    ------
    BamError
        The backup is refused, or the database cannot be written; it is as it was.
    """
    check_backup(url, file)
    try:
        return _kind_of(sa.make_url(url)).restore(sa.make_url(url), file.absolute(), folder)
    except _FAILURES as error:
        raise BamError(f"{file} cannot be restored: {_reason(error)}. The database is as it was.") from error


def _is_same(file: Path, live: Path) -> bool:
    return file.exists() and file.samefile(live)


def _reason(error: Exception) -> str:
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return str(getattr(original, "strerror", None) or original).rstrip(".")


def _kind_of(url: sa.URL) -> _Kind:
    return postgresql_backups if url.get_backend_name() == "postgresql" else sqlite_backups
