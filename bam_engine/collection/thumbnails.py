"""Small copies of the images, for grids and galleries; derived, so that deleting them costs time and nothing else.

In:  a row and its image. Out: the bytes of a WebP file whose longest side is at most ``size``. Knows rows and files,
not the catalogue. A file is written under a temporary name and renamed, so that a reader never meets half of one.
"""

import errno
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bam_engine.collection.images import read_image
from bam_engine.errors import CollectionError, DiskFull
from bam_engine.files import replacing

_PER_FOLDER = 1000
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Thumbnail:
    """One thumbnail: the bytes of its file, and its pixels."""

    data: bytes
    image: Image.Image


class Thumbnails:
    """The thumbnails of one collection, in folders of 1,000 below ``folder``.

    Parameters
    ----------
    folder
        Where they lie; made when the first is written.
    size
        The longest side in pixels. Smaller images are not enlarged.
    stored
        Called with the row and the pixels of each thumbnail that was written.
    """

    def __init__(
        self, folder: str | Path, size: int = 256, *, stored: Callable[[int, Image.Image], None] | None = None
    ) -> None:
        self.folder = Path(folder)
        self.size = size
        self._stored = stored

    def path(self, row: int) -> Path:
        """Return where the thumbnail of ``row`` lies or would lie."""
        return self.folder / f"{int(row) // _PER_FOLDER:05d}" / f"{int(row)}.webp"

    def has(self, row: int) -> bool:
        """Tell whether the thumbnail of ``row`` is there."""
        try:
            return self.path(row).stat().st_size > 0  # a power cut can leave an empty file
        except OSError:
            return False

    def read(self, row: int) -> bytes | None:
        """Return the thumbnail's bytes, or None when it was not made yet."""
        try:
            return self.path(row).read_bytes() or None
        except OSError:
            return None

    def draw(self, image: Image.Image) -> Thumbnail:
        """Return ``image`` scaled and encoded, without storing it."""
        scale = min(1.0, self.size / max(image.size))
        if scale < 1.0:
            width, height = (max(1, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=82, method=3)
        return Thumbnail(buffer.getvalue(), image)

    def store(self, row: int, thumbnail: Thumbnail) -> None:
        """Keep the thumbnail of ``row``, replacing what was there.

        Raises
        ------
        DiskFull
            There is no room; nothing is left behind.
        CollectionError
            The place may not be written to.
        """
        place = self.path(row)
        try:
            with replacing(place) as temporary:
                temporary.write_bytes(thumbnail.data)
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFull(f"the disk has no room for the thumbnails in {self.folder}. Free some space.") from error
            raise CollectionError(f"the thumbnail {place} cannot be written: {error.strerror or error}.") from error
        if self._stored is not None:
            self._stored(row, thumbnail.image)

    def write(self, row: int, image: Image.Image) -> None:
        """Make and keep the thumbnail of ``row`` from its image."""
        self.store(row, self.draw(image))

    def ensure(self, row: int, path: str | Path) -> bytes:
        """Return the thumbnail of ``row``, made from the image at ``path`` when it is missing.

        A disk that is full or may not be written to does not matter here: the bytes come back all the same.

        Raises
        ------
        ImageUnreadable
            It is missing and the image cannot be read.
        """
        data = self.read(row)
        if data is not None:
            return data
        drawn = self.draw(read_image(path, size=self.size))
        with suppress(DiskFull, CollectionError):
            self.store(row, drawn)
        return drawn.data
