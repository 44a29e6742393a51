"""Atomic replacement of files, who may read what is made, and which files are read at all."""

import contextlib
import errno
import io
import os
import re
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

ABANDONED = 24 * 3600.0
"""Seconds after which a temporary file belongs to a process that was killed."""

TEMPORARY = re.compile(r"\..+-[0-9a-f]{32}(\.[\w-]+)?")
"""The names of temporary files."""

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
"""Modes of what people's work is kept in: nobody but its owner reads it."""


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Let nobody but the owner read any file or folder that this process makes in the block, whatever its thread."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


_DATABASES = {b"SQLite format 3\0": "a database", b"PGDMP": "a backup of a database"}
"""What a file is that begins so."""

_PART = re.compile(
    "(?<=.)-(wal|shm|journal)$"
)  # what follows the name of a database in those of files that belong to it

MAX_LINE = 1_000_000
"""Characters in a line of a text that is read line by line."""


def check_ordinary(path: str | Path) -> None:
    """Raise an ``OSError`` unless ``path`` is an ordinary file, or a link to one: a device or a pipe may never end."""
    _check_mode(os.stat(path).st_mode)  # noqa: PTH116


def open_ordinary(path: str | Path) -> io.BufferedReader:
    """Open an ordinary file for reading; raise an ``OSError`` for anything else, which might block for ever.

    What is opened is looked at once more: something else may have taken the place of the file meanwhile.
    """
    check_ordinary(path)
    file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115
    try:
        _check_mode(os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting: a pipe would wait for somebody who writes."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_mode(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not an ordinary file")


def check_output(path: Path) -> None:
    """Raise an ``OSError`` where ``path`` is a database, the log of one, or a backup: an output replaces none."""
    name = _PART.sub("", path.name)
    try:
        with open_ordinary(path.with_name(name)) as file:
            head = file.read(max(map(len, _DATABASES)))
    except (OSError, ValueError):  # there is none, or writing it gives the reason
        return
    for start, what in _DATABASES.items():
        if head.startswith(start):
            belongs = "" if name == path.name else "part of "
            raise OSError(errno.EEXIST, f"it is {belongs}{what}, which is not replaced. Name another file")


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 text with their ends, as the ``csv`` module wants them.

    Raises
    ------
    OSError
        The file cannot be read, or is no ordinary one.
    ValueError
        It is not UTF-8 (``UnicodeDecodeError``), or a line has more than ``MAX_LINE`` characters.
    """
    with io.TextIOWrapper(open_ordinary(path), newline="", encoding="utf-8-sig") as file:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise ValueError(f"a line has more than {MAX_LINE:,} characters")
            yield line


@contextlib.contextmanager
def replacing(path: Path, *, flush: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to; it replaces ``path`` when the block ends without an error.

    Creates the folder if it is missing; replaces no folder, device or pipe. The temporary name is unique and keeps the
    suffix, so concurrent writers of one file do not collide: the last to finish wins.

    Parameters
    ----------
    flush
        Whether the content is on the disk before the file is replaced, and the new name after: a power cut then leaves
        one of the two files whole. Without it, a power cut can leave a file without its content, so whoever reads the
        file has to check it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        check_ordinary(path)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        if flush:
            flush_to_disk(temporary)
        temporary.replace(path)
        if flush:
            flush_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_due(stamp: Path, *, every: float = ABANDONED) -> bool:
    """Return whether something was not done for ``every`` seconds, and note in the time of a file that it is done now.

    Where the file cannot be written, nothing is due.
    """
    try:
        if stamp.exists() and time.time() - stamp.stat().st_mtime < every:
            return False
        stamp.touch(PRIVATE_FILE)
    except OSError:
        return False
    return True


def sweep(folder: Path, *, older_than: float = ABANDONED, deep: bool = True) -> int:
    """Remove the temporary files of :func:`replacing` that killed processes left in ``folder``; return how many.

    Parameters
    ----------
    older_than
        Seconds since the last write; a younger file may be one that a process is writing.
    deep
        Whether folders in ``folder`` are swept, too.
    """
    removed, before = 0, time.time() - older_than
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent, name) for name in names if name.startswith(".") and TEMPORARY.fullmatch(name)):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        if not deep:
            folders.clear()
    return removed
