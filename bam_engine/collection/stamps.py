"""Whether a file still holds the bytes that were read from it.

In:  a file. Out: its stamp, which costs no reading, and the digest of its bytes, which decides. A stamp is the size of
a file, the time when its content was written, the time of its last change of any kind, which also moves with what keeps
the former (``touch -r``, ``cp -p``, a rename over the file), and its number in the file system, which tells files apart
that were written at once and whose folder was renamed: that changes no time of theirs. Another stamp means that the
file is to be read again, never that it has changed: a copied disk has times and numbers of its own, and some file
systems give a file another number whenever they are mounted.
"""

import hashlib
import os
import time
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Self

from bam_engine.errors import ImageUnreadable

BEING_WRITTEN = "The file was being written while it was read. Add it again once it is finished."
_SETTLED = 2_000_000_000  # ns; the coarsest clock of a file system, FAT's, counts two seconds


@dataclass(frozen=True)
class Stamp:
    """The ``text`` of a stamp, and whether every later change of the file will give another one."""

    text: str
    settled: bool

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the stamp of a file as its status is now."""
        now = time.time_ns()
        settled = min(abs(now - status.st_mtime_ns), abs(now - status.st_ctime_ns)) > _SETTLED
        return cls(stamp_text(status), settled)

    @property
    def lasting(self) -> str | None:
        """The text to be stored with the digest; None where the file might change within one tick of its clock."""
        return self.text if self.settled else None


def stamp_text(status: os.stat_result) -> str:
    """Return the text of the stamp of a file: its size, times and number."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def stamp_at(path: str | Path) -> Stamp:
    """Return the stamp of the file at ``path``.

    Raises
    ------
    OSError
        The file does not exist or cannot be looked at.
    """
    return Stamp.of(os.stat(path))  # noqa: PTH116 - a Path per file costs much for millions


def digest_of(file: BufferedReader) -> tuple[str, Stamp]:
    """Return the SHA-256 digest of an open file, and the stamp that goes with it.

    Raises
    ------
    ImageUnreadable
        The file was written meanwhile.
    """
    before = Stamp.of(os.fstat(file.fileno()))
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    if Stamp.of(os.fstat(file.fileno())).text != before.text:
        raise ImageUnreadable(BEING_WRITTEN)
    return digest, before
