"""A copy of the database for each of the last days on which somebody wrote, beside it.

Whoever writes first on a day starts the copy, in a thread of its own: no writer waits for it. So the copy of a day
holds what was entered until the day before. On PostgreSQL, backups are the administrator's.
"""

import contextlib
import glob
import logging
import re
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from bam_engine.database import sqlite_files

KEPT = 7
"""Copies that are kept: those of the last days."""

_log = logging.getLogger(__name__)


def daily_copies(engine: sa.Engine) -> list[Path]:
    """Return the daily copies of an opened database, oldest first; none on a server."""
    file = sqlite_files.file_of(engine.url)
    return [] if file is None else DailyCopies(file).all()


class DailyCopies:
    """The daily copies of the database ``file``."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._day: date | None = None

    def begin(self) -> None:
        """Start the copy of today, unless this process has looked after it; returns at once."""
        today = date.today()
        if self._day != today:
            self._day = today
            threading.Thread(target=self._make, args=(today,), name="daily-copy").start()

    def all(self) -> list[Path]:
        """Return the copies, oldest first."""
        name = re.compile(rf"{re.escape(self.file.stem)}\.daily\.\d{{4}}-\d\d-\d\d{re.escape(self.file.suffix)}")
        return sorted(path for path in self.file.parent.iterdir() if name.fullmatch(path.name))

    def _make(self, day: date) -> None:
        copy = self.file.with_name(f"{self.file.stem}.daily.{day.isoformat()}{self.file.suffix}")
        try:
            if copy.exists() or not self._has_answers():
                return
            self._sweep(KEPT - 1)
            if shutil.disk_usage(copy.parent).free < 2 * self.file.stat().st_size:
                _log.warning("There is no space for the daily copy %s. Free some disk space.", copy)
                return
            sqlite_files.copy_to(self.file, copy)
        except (OSError, sqlite3.Error) as error:
            _log.warning("The daily copy %s was not made: %s", copy, error)

    def _has_answers(self) -> bool:
        with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute("SELECT 1 FROM annotations LIMIT 1").fetchone() is not None

    def _sweep(self, kept: int) -> None:
        """Remove all but the newest copies, and what killed processes left of others."""
        unfinished = self.file.parent.glob(f".{glob.escape(self.file.stem)}.daily.*")
        for path in [*self.all()[:-kept], *unfinished]:
            with contextlib.suppress(OSError):
                path.unlink()
