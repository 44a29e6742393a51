"""The files of known images: whether each still holds the bytes of its image.

In:  paths of files. Out: those that hold what the catalogue says, and those that hold something else. A file whose
stamp is unchanged is not read. An image is its bytes; where a path holds others, the image is displaced, that is,
marked as replaced until its bytes are found at some other path. So rows follow bytes through any renaming.
"""

import enum
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bam_engine.collection.catalogue import Catalogue
from bam_engine.collection.originals import digest_of, is_gone, open_original, seen, stamp_at
from bam_engine.collection.records import OK, Image, Place
from bam_engine.errors import BucketUnavailable, ImageUnreadable

_LOOKED_AT = 5_000  # files at a time
_SLICE = 250  # of them by one thread
_READ = 64  # files at a time


class State(enum.Enum):
    """What the path of an image holds."""

    SAME = enum.auto()
    OTHER_BYTES = enum.auto()
    NOTHING = enum.auto()
    UNKNOWN = enum.auto()  # it cannot be read


@dataclass(frozen=True)
class Sighting:
    """The state of an image's path; its new stamp if it is the same, and the reason if it cannot be read."""

    state: State
    stamp: str | None = None
    reason: str = ""


def look_at(image: Image, *, verify: bool = False) -> Sighting:
    """Return what the path of an image holds; read the file if its stamp has changed, or to ``verify`` its bytes.

    Raises
    ------
    BucketUnavailable
        The image is in a bucket, which does not answer.
    """
    try:
        where, stamp = seen(image.path)
        if not verify and stamp.text == image.stamp:
            return Sighting(State.SAME, image.stamp)
        with open_original(where) as file:
            digest, stamp = digest_of(file)
    except BucketUnavailable:
        raise
    except (OSError, ValueError, ImageUnreadable) as error:
        if is_gone(image.path):
            return Sighting(State.NOTHING)
        return Sighting(State.UNKNOWN, reason=f"Cannot read the file ({getattr(error, 'strerror', None) or error}).")
    return Sighting(State.SAME, stamp.lasting) if digest == image.digest else Sighting(State.OTHER_BYTES)


@dataclass
class KnownFiles:
    """The known ones among the files of one run.

    Attributes
    ----------
    rows
        URI → row of the images that are in their files.
    found_again
        How many of them were not there before.
    displaced
        Row → path of the images whose files hold something else.
    unreadable
        URI → reason of the files that cannot be read, so that nothing is known of them.
    first_new
        The row of the first image that was added after the check.
    stamp_of
        Returns the stamp that a path has now, or None.
    """

    catalogue: Catalogue
    pool: ThreadPoolExecutor
    verify: bool
    rows: dict[str, int] = field(default_factory=dict)
    found_again: int = 0
    displaced: dict[int, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    first_new: int = 0
    stamp_of: Callable[[str], str | None] = field(default_factory=lambda: _stamp)

    def check(self, paths: Sequence[str], advance: Callable[[], None]) -> None:
        """Check those of ``paths`` that are in the catalogue; ``advance`` is called now and then."""
        self.first_new = len(self.catalogue)
        others: list[Image] = []
        for start in range(0, len(paths), _LOOKED_AT):
            doubtful = self._look_at_stamps(paths[start : start + _LOOKED_AT])
            for first in range(0, len(doubtful), _READ):
                others += self._read(self.catalogue.images(doubtful[first : first + _READ]))
                advance()
            advance()
        for start in range(0, len(others), _LOOKED_AT):
            self.catalogue.displace(others[start : start + _LOOKED_AT])
        self.displaced = {image.row: image.uri for image in others}

    def find_missing(self, folder: str) -> list[str]:
        """Mark the images below ``folder`` whose files are gone; return their paths."""
        gone = {
            row: Place(uri)
            for page in self.catalogue.places_below(folder)
            for row, uri in page
            if row < self.first_new and uri not in self.rows and is_gone(uri)
        }
        self.catalogue.mark_missing(gone)
        return [place.uri for place in gone.values()]

    def _look_at_stamps(self, paths: Sequence[str]) -> list[int]:
        """Note the files with an unchanged stamp; return the rows of the others, which need reading."""
        known = self.catalogue.stamps_at(paths)
        uris = list(known)
        slices = [uris[start : start + _SLICE] for start in range(0, len(uris), _SLICE)]
        doubtful = []
        for part, stamps in zip(slices, self.pool.map(self._stamps, slices), strict=True):
            for uri, stamp in zip(part, stamps, strict=True):
                row, before, status = known[uri]
                if stamp == before and stamp is not None and status == OK and not self.verify:
                    self.rows[uri] = row
                else:
                    doubtful.append(row)
        return doubtful

    def _stamps(self, uris: Iterable[str]) -> list[str | None]:
        return [self.stamp_of(uri) for uri in uris]

    def _read(self, images: list[Image]) -> list[Image]:
        """Confirm the images that are in their files; return those whose files hold something else."""
        others: list[Image] = []
        confirmed: dict[int, Place] = {}
        for image, sighting in zip(images, self.pool.map(self._look_at, images), strict=True):
            if sighting.state is State.SAME:
                self.rows[image.uri] = image.row
                self.found_again += image.status != OK
                if (image.status, image.stamp) != (OK, sighting.stamp):
                    confirmed[image.row] = Place(image.uri, sighting.stamp)
            elif sighting.state is State.OTHER_BYTES:
                others.append(image)
            elif sighting.state is State.UNKNOWN:
                self.unreadable[image.uri] = sighting.reason
        self.catalogue.confirm(confirmed)
        return others

    def _look_at(self, image: Image) -> Sighting:
        return look_at(image, verify=self.verify)


def _stamp(uri: str) -> str | None:
    try:
        return stamp_at(uri).text
    except (OSError, ValueError):
        return None
