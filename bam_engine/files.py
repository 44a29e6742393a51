"""Atomic replacement of files."""

import contextlib
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

ABANDONED = 24 * 3600.0
"""Seconds after which a temporary file belongs to a process that was killed."""

_TEMPORARY = re.compile(r"\..+-[0-9a-f]{32}(\.\w+)?")


@contextlib.contextmanager
def replacing(path: Path, *, flush: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to; it replaces ``path`` when the block ends without an error.

    Creates the folder if it is missing. The temporary name is unique and keeps the suffix, so concurrent writers of one
    file do not collide: the last to finish wins.

    Parameters
    ----------
    flush
        Whether the content is on the disk before the file is replaced, and the new name after: a power cut then leaves
        one of the two files whole. Without it, a power cut can leave a file without its content, so whoever reads the
        file has to check it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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


def sweep(folder: Path, *, older_than: float = ABANDONED) -> int:
    """Remove the temporary files of :func:`replacing` that killed processes left below ``folder``; return how many.

    Parameters
    ----------
    older_than
        Seconds since the last write; a younger file may be one that a process is writing.
    """
    removed, before = 0, time.time() - older_than
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names if name.startswith(".") and _TEMPORARY.fullmatch(name)):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
    return removed
