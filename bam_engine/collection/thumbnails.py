"""Thumbnails for grids and galleries. They can be recomputed, so deleting them costs only time.

In:  a row and its image. Out: the bytes of a WebP file whose longest side is at most ``size``. A file says of which
image it is (:mod:`bam_engine.derived`); one that is damaged or of another image counts as missing.
"""

import errno
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bam_engine import derived
from bam_engine.collection.images import read_image
from bam_engine.collection.originals import Original
from bam_engine.errors import CollectionError, DiskFull

_PER_FOLDER = 1000
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Thumbnail:
    """The encoded file and the pixels of a thumbnail."""

    data: bytes
    image: Image.Image


class Thumbnails:
    """The thumbnails of one collection, in folders of 1,000 below ``folder``.

    Parameters
    ----------
    folder
        Where the files are; created with the first one.
    size
        The longest side in pixels. Smaller images are not enlarged.
    digest_of
        Returns what the SHA-256 digest of the image of a row begins with. By default any image is right for a row.
    on_store
        Called with the row and the pixels of each thumbnail after it is written.
    """

    def __init__(
        self,
        folder: str | Path,
        size: int = 256,
        *,
        digest_of: Callable[[int], str] = lambda row: "",
        on_store: Callable[[int, Image.Image], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.size = size
        self._digest_of = digest_of
        self._on_store = on_store

    def path(self, row: int) -> Path:
        """Return the path of the thumbnail of ``row``, which need not exist."""
        return self.folder / f"{int(row) // _PER_FOLDER:05d}" / f"{int(row)}.webp"

    def has(self, row: int) -> bool:
        """Return whether the thumbnail of ``row`` exists."""
        return derived.is_made_of(self.path(row), self._digest_of(row))

    def read(self, row: int) -> bytes | None:
        """Return the thumbnail's bytes, or None if it does not exist."""
        return derived.read(self.path(row), self._digest_of(row))

    def render(self, image: Image.Image) -> Thumbnail:
        """Scale and encode ``image`` without storing it."""
        scale = min(1.0, self.size / max(image.size))
        if scale < 1.0:
            width, height = (max(1, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=82, method=3)
        return Thumbnail(buffer.getvalue(), image)

    def store(self, row: int, thumbnail: Thumbnail) -> None:
        """Store the thumbnail of ``row``, replacing an earlier one.

        Raises
        ------
        DiskFull
            The disk is full; no partial file remains.
        CollectionError
            The folder is not writable.
        """
        path = self.path(row)
        try:
            derived.write(path, thumbnail.data, self._digest_of(row))
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise DiskFull(
                    f"The disk is full: cannot write thumbnails to {self.folder}. Free some space."
                ) from error
            raise CollectionError(f"Cannot write the thumbnail {path}: {error.strerror or error}.") from error
        if self._on_store is not None:
            self._on_store(row, thumbnail.image)

    def write(self, row: int, image: Image.Image) -> None:
        """Render and store the thumbnail of ``row``."""
        self.store(row, self.render(image))

    def ensure(self, row: int, path: str | Original) -> bytes:
        """Return the thumbnail of ``row``; if it does not exist, render it from the image at ``path`` and store it.

        A full or read-only disk is no error here: the bytes are returned without being stored.

        Raises
        ------
        ImageUnreadable
            The thumbnail does not exist, and the image cannot be read or is not that of the row.
        """
        data = self.read(row)
        if data is not None:
            return data
        thumbnail = self.render(read_image(path, size=self.size, digest=self._digest_of(row)))
        with suppress(DiskFull, CollectionError):
            self.store(row, thumbnail)
        return thumbnail.data
