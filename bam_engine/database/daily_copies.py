"""A copy of the database for each of the last days on which somebody wrote.

Whoever writes first on a day starts the copy, in a thread of its own: no writer waits for it. So the copy of a day
holds what was entered until the day before. A file is copied beside itself, the database of a server by its own
``pg_dump`` into the folder of the workspace.
"""

import contextlib
import glob
import logging
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from bam_engine.database import sqlite_files
from bam_engine.database.schema import annotations
from bam_engine.errors import BamError
from bam_engine.files import ABANDONED

KEPT = 7
"""Copies that are kept: those of the last days."""

_FAILURES = (OSError, sqlite3.Error, sa.exc.SQLAlchemyError, BamError)
_log = logging.getLogger(__name__)


class _Source(Protocol):
    """The database that is copied."""

    def problem(self) -> str:
        """Return why it cannot be copied here, "" where it can."""

    def has_answers(self) -> bool:
        """Return whether there is anything to lose."""

    def size(self) -> int:
        """Return about how many bytes a copy has."""

    def copy_to(self, copy: Path) -> None:
        """Write a copy, flushed to the disk."""


class _File:
    def __init__(self, file: Path) -> None:
        self.file = file

    def problem(self) -> str:
        return ""

    def has_answers(self) -> bool:
        with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute("SELECT 1 FROM annotations LIMIT 1").fetchone() is not None

    def size(self) -> int:
        return self.file.stat().st_size

    def copy_to(self, copy: Path) -> None:
        sqlite_files.copy_to(self.file, copy)


class _Server:
    def __init__(self, url: sa.URL) -> None:
        self.url = url

    def problem(self) -> str:
        from bam_engine.database import postgresql_backups

        return postgresql_backups.missing_program("pg_dump")

    def has_answers(self) -> bool:
        with self._connected() as connection:
            return connection.execute(sa.select(annotations.c.id).limit(1)).first() is not None

    def size(self) -> int:
        with self._connected() as connection:
            return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0) // 2

    def copy_to(self, copy: Path) -> None:
        from bam_engine.database import postgresql_backups

        postgresql_backups.write_archive(self.url, copy)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        if engine.dialect.driver == "psycopg":
            from bam_engine.database.postgresql_connections import give_up_on_silence

            give_up_on_silence(engine)
        with engine.connect() as connection:
            yield connection


class DailyCopies:
    """The daily copies of a database, called after ``file``."""

    def __init__(self, file: Path, source: _Source) -> None:
        self.file = file
        self._source = source
        self._day: date | None = None
        self._failure = ""

    def begin(self) -> None:
        """Start the copy of today, unless this process has looked after it; returns at once."""
        today = date.today()
        if self._day != today:
            self._day = today
            threading.Thread(target=self._make, args=(today,), name="daily-copy").start()

    @property
    def problem(self) -> str:
        """Why there is no copy of today, "" where none is due or it was made."""
        return self._source.problem() or self._failure

    def _make(self, day: date) -> None:
        copy = _copy_of(self.file, day)
        self._failure = ""
        try:
            if not copy.exists() and self._source.has_answers():
                self._copy_to(copy)
        except _FAILURES as error:
            self._failure = f"The daily copy {copy} was not made: {error}"
        if self._failure:
            _log.warning("%s", self._failure)

    def _copy_to(self, copy: Path) -> None:
        _remove_old(self.file, KEPT - 1)
        if shutil.disk_usage(copy.parent).free < 2 * self._source.size():
            self._failure = f"There is no space for the daily copy {copy}. Free some disk space."
        else:
            self._source.copy_to(copy)


_kept: "WeakKeyDictionary[sa.Engine, DailyCopies]" = WeakKeyDictionary()


def keep_daily_copies(engine: sa.Engine, folder: Path | None) -> DailyCopies | None:
    """Return the daily copies of an opened database; None for one in memory, or of a server without a ``folder``."""
    file = sqlite_files.file_of(engine.url)
    if file is not None:
        _kept[engine] = DailyCopies(file, _File(file))
    elif folder is not None and engine.dialect.name == "postgresql":
        _kept[engine] = DailyCopies(folder / "bam.dump", _Server(engine.url))
    return _kept.get(engine)


def daily_copies(engine: sa.Engine) -> list[Path]:
    """Return the daily copies of an opened database, oldest first."""
    return copies_of(_kept[engine].file) if engine in _kept else []


def problem_of(engine: sa.Engine) -> str:
    """Return why an opened database has no daily copy of today, in a sentence; "" where nothing is wrong."""
    return _kept[engine].problem if engine in _kept else ""


def copies_of(file: Path) -> list[Path]:
    """Return the daily copies that are called after ``file``, oldest first."""
    name = re.compile(rf"{re.escape(file.stem)}\.daily\.\d{{4}}-\d\d-\d\d{re.escape(file.suffix)}")
    return sorted(path for path in file.parent.iterdir() if name.fullmatch(path.name))


def _copy_of(file: Path, day: date) -> Path:
    return file.with_name(f"{file.stem}.daily.{day.isoformat()}{file.suffix}")


def _remove_old(file: Path, kept: int) -> None:
    """Remove all but the newest copies, and what killed processes left of others; one may be copying now.

    A copy of a day to come was made by a clock that went wrong: it takes the place of none, and stays.
    """
    today = _copy_of(file, date.today()).name
    for path in [path for path in copies_of(file) if path.name <= today][:-kept]:
        with contextlib.suppress(OSError):
            path.unlink()
    for path in file.parent.glob(f".{glob.escape(file.stem)}.daily.*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
