"""The pictures of an export: read where they are, checked to be the pictures that were labelled, and named readably."""

import errno
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from bam_engine.collection.buckets import is_address
from bam_engine.collection.formats import DECIDES, format_of
from bam_engine.collection.originals import Original, open_original
from bam_engine.errors import ExchangeError
from bam_engine.exchange.image_table import ImageTable
from bam_engine.progress import Report

WAYS = ("copy", "link", "hardlink")
"""How pictures come into a folder: copied, as symbolic links, or as hard links."""

_THREADS = 8
_AT_ONCE = 4 * _THREADS  # pictures that may be in memory
_SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tiff",
    "PPM": ".ppm",
    "JPEG2000": ".jp2",
    "AVIF": ".avif",
}
_LONGEST = 60  # letters of the readable part of a name
Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """A picture as it is exported: its row of the table, the name of its file, and its bytes."""

    row: Row
    name: str
    data: bytes

    @property
    def source(self) -> Path:
        """The file it was read from.

        Raises
        ------
        ExchangeError
            It was read from a bucket.
        """
        if is_address(self.row["uri"]):
            raise ExchangeError(
                f"{self.row['uri']} is in a bucket, to which nothing on a disk can be linked. Copy the images."
            )
        return Path(self.row["uri"])


@dataclass(frozen=True)
class Exported(Generic[T]):
    """A row of the table and what became of its picture: ``value`` by ``use``, or the ``problem`` in words."""

    row: Row
    value: T | None
    problem: str = ""


def export_pictures(table: ImageTable, use: Callable[[Picture], T], *, report: Report) -> Iterator[Exported[T]]:
    """Yield every row in order, after ``use`` was called with its picture, in one of several threads.

    The file must hold the picture that was labelled: one with other bytes counts as replaced, and is not used.
    """

    def exported(row: Row) -> Exported[T]:
        try:
            data = _read(row, table.original)
        except OSError as error:
            return Exported(row, None, error.strerror or str(error))
        return Exported(row, use(Picture(row, _name_of(row, data), data)))

    done = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for batch in table.batches():
            rows = iter(batch.to_pylist())
            while some := list(islice(rows, _AT_ONCE)):
                yield from threads.map(exported, some)
                done += len(some)
                report(done, table.images, "images")


def place(picture: Picture, file: Path, way: str) -> None:
    """Write a picture to ``file`` in one of the ``WAYS``.

    Raises
    ------
    ExchangeError
        A hard link cannot be made, since the picture is on another disk.
    """
    if way == "copy":
        file.write_bytes(picture.data)
    elif way == "link":
        file.symlink_to(picture.source.absolute())
    else:
        try:
            file.hardlink_to(picture.source.resolve())
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
                raise
            raise ExchangeError(
                f"No hard link to {picture.source} can be made here: {error.strerror}. Copy the images, or make "
                "symbolic links."
            ) from error


def readable_name(row: Row) -> str:
    """Return the number of an image and its title, or the name of its file, in letters that every system takes.

    Examples
    --------
    >>> readable_name({"id": 42, "title": "Étude №3: the sea/shore", "uri": "/a/b.png"})
    '00000042-etude-no3-the-sea-shore'
    >>> readable_name({"id": 7, "title": None, "uri": "/a/IMG_1.jpeg"})
    '00000007-img-1'
    """
    text = row["title"] or Path(row["uri"]).stem
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub("[^a-z0-9]+", "-", letters)[:_LONGEST].strip("-")
    return f"{row['id']:08d}-{words}".rstrip("-")


def _name_of(row: Row, data: bytes) -> str:
    form = format_of(data[:DECIDES])
    return readable_name(row) + (_SUFFIXES.get(form or "") or Path(row["uri"]).suffix.lower())


def _read(row: Row, original: Callable[[str], Original]) -> bytes:
    """Return the bytes of a picture; raise an ``OSError`` where they are not those that were labelled."""
    with open_original(original(row["uri"])) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        raise OSError(errno.EINVAL, "the file holds another picture by now")
    return data
