"""Tags: words of people's own on images, to find them again: "to check", "for the talk".

In:  images, a tag and whoever tags. Out: the tags of an image, and the images of each tag. A tag is no label: it
teaches and judges nothing. It exists as long as an image has it. A text is stored as it is, and shown as text only.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import ArrayLike, NDArray

from bam_engine.annotation.remark_store import check_words
from bam_engine.database import image_tags, images, lock, now, snapshot_of
from bam_engine.errors import AnnotationError, NotFound

Rows = NDArray[np.int64]

MAX_TAG = 60
"""The most characters of a tag."""

MAX_TAGS = 500
"""The most tags that a workspace may have."""

MAX_TAGGED = 100_000
"""The most images that are tagged at once."""

_BLOCK = 500  # rows named in one statement


@dataclass(frozen=True)
class Tag:
    """A tag of one image; ``annotator_id`` is whoever added it, None if nobody gave a name, ``made_at`` in UTC."""

    name: str
    annotator_id: int | None
    made_at: str


class Tags:
    """The tags of one workspace.

    Tags that differ in capitals alone are one, spelt as whoever used it first.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, rows: ArrayLike, tag: str, annotator_id: int | None = None) -> Rows:
        """Give images a tag; return the rows (m,) that did not have it, ascending.

        Raises
        ------
        AnnotationError
            The tag is empty or too long or has control characters, or there are too many tags or images.
        NotFound
            There is no such image. Nothing was tagged.
        """
        wanted, name = np.unique(np.asarray(rows, np.int64)), _checked(tag)
        if len(wanted) > MAX_TAGGED:
            raise AnnotationError(f"{len(wanted):,} images cannot be tagged at once. Choose {MAX_TAGGED:,} at most.")
        with self._engine.begin() as connection:
            lock(connection, image_tags)
            by_name = self.rows_by_tag()
            name = _spelt(name, by_name)
            if name not in by_name and len(by_name) >= MAX_TAGS:
                raise AnnotationError(f"There are {len(by_name)} tags, as many as there may be. Use one of them.")
            last = connection.scalar(sa.select(sa.func.max(images.c.row)))
            for row in (wanted[:1].tolist() + wanted[-1:].tolist()) if len(wanted) else []:
                if last is None or not 0 <= row <= last:
                    raise NotFound(f"There is no image {row}.")
            new = np.setdiff1d(wanted, by_name.get(name, np.empty(0, np.int64)))
            made_at = now()
            values = [
                {"row": row, "tag": name, "annotator_id": annotator_id, "made_at": made_at} for row in new.tolist()
            ]
            if values:
                connection.execute(sa.insert(image_tags), values)
        return new

    def remove(self, rows: ArrayLike, tag: str) -> Rows:
        """Take a tag off images; return the rows (m,) that had it, ascending."""
        by_name = self.rows_by_tag()
        name = _spelt(" ".join(tag.split()), by_name)
        there = np.intersect1d(np.asarray(rows, np.int64), by_name.get(name, np.empty(0, np.int64)))
        with self._engine.begin() as connection:
            for start in range(0, len(there), _BLOCK):
                among = image_tags.c.row.in_(there[start : start + _BLOCK].tolist())
                connection.execute(sa.delete(image_tags).where(image_tags.c.tag == name, among))
        return there

    def of(self, row: int) -> list[Tag]:
        """Return the tags of an image, in the order in which they were added."""
        query = sa.select(image_tags).where(image_tags.c.row == row).order_by(image_tags.c.id)
        with self._engine.connect() as connection:
            return [Tag(one.tag, one.annotator_id, one.made_at) for one in connection.execute(query)]

    def rows_by_tag(self) -> Mapping[str, Rows]:
        """Return the rows of each tag, ascending, removed images included; tags are in alphabetical order."""
        return snapshot_of(self._engine).read("rows by tag", [image_tags], lambda connection, _: _read(connection))

    @property
    def version(self) -> int:
        """A number that changes whenever an image gets or loses a tag."""
        return snapshot_of(self._engine).version(image_tags)[0]


def _read(connection: sa.Connection) -> Mapping[str, Rows]:
    by_name: dict[str, list[int]] = {}
    query = sa.select(image_tags.c.tag, image_tags.c.row).order_by(image_tags.c.row)
    for name, row in connection.execution_options(yield_per=50_000).execute(query):
        by_name.setdefault(name, []).append(row)
    in_order = sorted(by_name, key=lambda name: (name.casefold(), name))
    return {name: np.array(by_name[name], np.int64) for name in in_order}


def _checked(tag: str) -> str:
    """Return the tag in one line and in composed characters."""
    words = unicodedata.normalize("NFC", check_words(tag, MAX_TAG, "The tag"))
    if not words:
        raise AnnotationError("The tag has no words. Type one, such as “to check”.")
    return words


def _spelt(name: str, known: Mapping[str, Rows]) -> str:
    """Return the tag as it is spelt already, if it is."""
    return next((one for one in known if one.casefold() == name.casefold()), name)
