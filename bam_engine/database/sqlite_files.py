"""A SQLite file as it lies on the disk: read without a trace, copied before a migration, or only readable.

In:  the path of a database. Out: connections that write nothing, and a copy beside it. Knows no schema.
"""

import glob
import itertools
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.errors import BamError, DiskFull
from bam_engine.files import PRIVATE_FILE, open_ordinary, replacing
from bam_engine.formatting import file_size

Check = Callable[[sqlite3.Connection], None]

_PARTS = ("", "-wal", "-shm")
_MAGIC = b"SQLite format 3\0"
_SPACE = 3  # times the size of the database: its copy, what the migration rebuilds, and the log of its transaction
_ELSEWHERE = "Set BAM_WORKSPACE to another folder, or move it away."


def file_of(url: sa.URL) -> Path | None:
    """Return the file of a SQLite database; None for one in memory, and for another kind of database.

    Links are followed, as SQLite does: its log lies beside the file itself.
    """
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(os.path.realpath(name))  # unlike ``resolve``, whatever the links


def parts(file: Path) -> list[Path]:
    """Return the paths of a database, its log and the index of that; the last two need not exist."""
    return [file.with_name(file.name + part) for part in _PARTS]


def is_new(file: Path) -> bool:
    """Return whether there is no database yet: no file, or an empty one.

    Raises
    ------
    BamError
        The folder cannot be looked into.
    """
    try:
        return not file.exists() or (file.is_file() and file.stat().st_size == 0)
    except OSError as error:
        raise BamError(f"Cannot open the database {file}: {error.strerror}. Make its folder readable.") from error


def create(file: Path) -> None:
    """Make an empty file that only its owner can read; SQLite gives the files beside it the same mode.

    Raises
    ------
    BamError
        It cannot be made.
    """
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
    except OSError as error:
        raise BamError(
            f"Cannot make the database {file}: {error.strerror}. Make its folder writable, or set BAM_WORKSPACE to "
            "another folder."
        ) from error


def is_writable(file: Path) -> bool:
    """Return whether SQLite can write a file, for which it needs the folder too."""
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def state(file: Path) -> object:
    """Return what differs once another process has written a file, as a reader without locks must know."""
    written = file.stat()
    return written.st_ino, written.st_size, written.st_mtime_ns, log_of(file).exists()


def check_kind(file: Path) -> None:
    """Refuse a file that is no SQLite database.

    Raises
    ------
    BamError
        It is another kind of file, or it cannot be read.
    """
    try:
        with open_ordinary(file) as opened:
            start = opened.read(len(_MAGIC))
    except PermissionError as error:
        raise BamError(f"Cannot open the database {file}: {error.strerror}. Make it readable.") from error
    except OSError as error:
        raise BamError(f"Cannot open the database {file}: {error.strerror}. {_ELSEWHERE}") from error
    if start != _MAGIC:
        raise BamError(f"Cannot open the database {file}: the file is not a SQLite database. {_ELSEWHERE}")


def reading_engine(file: Path) -> sa.Engine:
    """Return an engine that only reads, and that leaves the file, and the folder that it is in, as they are.

    SQLite's read-only mode creates the files beside a database in WAL mode where they are missing. They are missing
    if nobody has the database open; it is then read as one that does not change.

    Raises
    ------
    BamError
        The database was not closed properly, and its folder cannot be written to recover it.
    """
    log = log_of(file)
    if log.exists():
        engine = _engine(file, "mode=ro")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            return engine
        except sa.exc.OperationalError as error:
            engine.dispose()
            if log.exists() and log.stat().st_size:
                raise BamError(
                    f"Cannot open the database {file}: it was not closed properly, {log.name} holds changes, and the "
                    "folder is read-only. Copy the whole folder to a writable place, and open it there."
                ) from error
    return _engine(file, "immutable=1")


def _engine(file: Path, mode: str) -> sa.Engine:
    address = f"{file.as_uri()}?{mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    return sa.create_engine(
        sa.URL.create("sqlite", database=str(file)),
        creator=connect,
        poolclass=sa.QueuePool,
        execution_options={"read_only": True},
    )


def copy_to_temporary(file: Path) -> Path:
    """Copy a database that is only readable into a new temporary folder; return the path of the copy."""
    folder = Path(tempfile.mkdtemp(prefix="bam-"))
    engine = reading_engine(file)
    try:
        with closing(engine.raw_connection()) as source:
            _back_up(source.driver_connection, folder / file.name)
    except BaseException:
        shutil.rmtree(folder)
        raise
    finally:
        engine.dispose()
    return folder / file.name


def remove_with(engine: sa.Engine, folder: Path) -> None:
    """Remove a temporary folder when ``engine`` is no longer used, or when the program ends."""
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)


def copy_beside(file: Path, version: int) -> Path:
    """Copy a database into its folder under a name with ``version`` and the time, before it is migrated.

    One caller at a time.

    Raises
    ------
    BamError
        The disk has no space for the copy and the migration, or the copy cannot be written.
    """
    _remove_unfinished_copies(file)
    _check_space(file)
    copy = beside(file, f"schema-{version}")
    try:
        copy_to(file, copy)
    except (OSError, sqlite3.Error) as error:
        raise BamError(
            f"The workspace is not migrated, since the copy {copy} cannot be written: {error}. Free some disk space, "
            "or make the folder writable."
        ) from error
    return copy


def _remove_unfinished_copies(file: Path) -> None:
    """Remove what processes that were killed while they copied have left: nobody else copies now."""
    for unfinished in file.parent.glob(f".{glob.escape(file.stem)}.schema-*{glob.escape(file.suffix)}"):
        unfinished.unlink(missing_ok=True)


def beside(file: Path, words: str) -> Path:
    """Return an unused path in the folder of ``file``, with ``words`` and the time in its name."""
    stem = f"{file.stem}.{words}.{datetime.now():%Y-%m-%dT%H%M%S}"
    for number in itertools.count(1):
        path = file.with_name(f"{stem}{f'-{number}' * (number > 1)}{file.suffix}")
        if not path.exists():
            break
    return path


def copy_to(file: Path, copy: Path) -> None:
    """Copy a database, flushed to the disk. Other connections may read and write; the copy is of one moment."""
    with closing(sqlite3.connect(file)) as source:
        back_up(source, copy, like=file)


def back_up(source: Any, copy: Path, *, like: Path, check: Check | None = None) -> None:
    """Copy the database of a connection to ``copy``, flushed to the disk, with the permissions of the file ``like``.

    ``check`` is called with a connection to the copy before that takes the place of an earlier one.
    """
    with replacing(copy, flush=True) as temporary:
        temporary.touch(mode=0o600)
        _back_up(source, temporary)
        if check is not None:
            with closing(sqlite3.connect(temporary)) as made:
                check(made)
        shutil.copymode(like, temporary)


def _check_space(file: Path) -> None:
    log = log_of(file)
    needed = _SPACE * (file.stat().st_size + (log.stat().st_size if log.exists() else 0))
    free = shutil.disk_usage(file.parent).free
    if free < needed:
        raise DiskFull(
            f"A copy of the workspace and its migration need {file_size(needed)} of disk space in {file.parent}, and "
            f"{file_size(free)} are free. Free some disk space."
        )


def log_of(file: Path) -> Path:
    """Return the path of a database's write-ahead log, which need not exist."""
    return file.with_name(f"{file.name}-wal")


def _back_up(source: Any, target: Path) -> None:
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")  # a copy that fails is removed, and its journal would stay
        source.backup(copy)
