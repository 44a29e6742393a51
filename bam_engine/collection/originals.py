"""Originals: the file or the object of a bucket that an image was added from.

In:  where an image is. Out: its bytes, its stamp and its size, or an ``OSError`` as of a file. Whatever reads an image
reads it here, so that every room works whether images are on a disk or in a bucket.
"""

import hashlib
import io
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bam_engine.collection import stamps
from bam_engine.collection.buckets import Access, BucketObject, bucket_of, changed_at, is_address, look_up, read_object
from bam_engine.collection.stamps import Stamp
from bam_engine.files import open_ordinary

Original = Path | BucketObject
"""Where the bytes of an image are."""


def original_at(uri: str, buckets: Mapping[str, Access], stamp: str | None = None) -> Original:
    """Return what is at the URI of an image.

    Parameters
    ----------
    buckets
        How those are reached that need more than an address.
    stamp
        The stamp of the image when it was last seen, if it is known.
    """
    if is_address(uri):
        return BucketObject(uri, buckets.get(bucket_of(uri), Access()), stamp or "")
    return Path(uri)


class ObjectFile(io.BytesIO):
    """An object of a bucket, read whole, with the stamp that it had before."""

    def __init__(self, content: bytes, stamp: Stamp) -> None:
        super().__init__(content)
        self.stamp = stamp


def open_original(where: str | Original, *, most: int | None = None) -> io.BufferedReader | ObjectFile:
    """Open an original for reading; of an object, the first ``most`` bytes are read, by default all.

    Raises
    ------
    OSError
        It is not there or cannot be read, or a path leads to what is no ordinary file.
    BucketUnavailable
        The bucket does not answer.
    """
    if isinstance(where, BucketObject):
        return ObjectFile(read_object(where, most=most), Stamp(where.stamp, settled=bool(where.stamp)))
    return open_ordinary(where)


def digest_of(file: io.BufferedReader | ObjectFile) -> tuple[str, Stamp]:
    """Return the SHA-256 digest of an open original, and the stamp that goes with it.

    That of an object was there before it was read, so that a later change always gives another.

    Raises
    ------
    ImageUnreadable
        The file was written meanwhile.
    """
    if isinstance(file, ObjectFile):
        return hashlib.sha256(file.getbuffer()).hexdigest(), file.stamp
    return stamps.digest_of(file)


def seen(where: str | Original) -> tuple[str | Original, Stamp]:
    """Return an original as it is now, with its stamp. Errors are those of :func:`open_original`."""
    if isinstance(where, BucketObject):
        now = look_up(where)
        return now, Stamp(now.stamp, settled=True)
    return where, stamps.stamp_at(where)


def stamp_at(where: str | Original) -> Stamp:
    """Return the stamp of an original as it is now. Errors are those of :func:`open_original`."""
    return seen(where)[1]


def size_of(where: Original) -> int:
    """Return the size of an original in bytes; that of an object as it was last seen. Errors as of a file."""
    if isinstance(where, BucketObject):
        return (where if where.stamp else look_up(where)).size or 0
    return where.stat().st_size


def changed_on(where: Original) -> datetime | None:
    """Return when an original was last written, in UTC, if that is known. Errors are those of :func:`open_original`."""
    if isinstance(where, BucketObject):
        changed = changed_at(where)
        return None if changed is None else changed.astimezone(UTC)
    return datetime.fromtimestamp(where.stat().st_mtime, UTC)


def is_gone(where: str | Original) -> bool:
    """Return whether an original is known not to exist.

    Where a folder above a file may not be searched, its file system does not answer, or a bucket tells nothing, nothing
    is known.
    """
    try:
        if isinstance(where, BucketObject):
            look_up(where)
        else:
            os.stat(where)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False
    return False
