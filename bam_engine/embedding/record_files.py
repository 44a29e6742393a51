"""Files of records of one size, written in place: what the vector store asks of the file system.

In:  the paths of files, places in them, bytes. Out: the bytes on the disk, and what tells that a file has changed.
"""

import os
import sys
from pathlib import Path

from bam_engine.files import replacing


def status_of(file: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file was written: its time, size and inode; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def size_of(file: Path) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def keep_start(file: Path, size: int) -> None:
    """Replace a file by a copy of its first ``size`` bytes."""
    with replacing(file, flush=True) as temporary, file.open("rb") as source, temporary.open("wb") as target:
        while size and (block := source.read(min(size, 1 << 24))):
            target.write(block)
            size -= len(block)


def write_at(file: Path, place: int, data: bytes) -> None:
    """Write to a place in a file, and flush it to the disk."""
    with file.open("r+b", buffering=0) as opened:
        opened.seek(place)
        write_all(opened.fileno(), data)
        os.fsync(opened.fileno())


def write_all(handle: int, data: bytes) -> None:
    """Write all of ``data``; the system may take it in parts."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def acquire_lock(handle: int) -> None:
    """Acquire the lock or raise ``OSError``. The system releases it when the process ends."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
