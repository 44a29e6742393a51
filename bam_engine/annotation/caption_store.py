"""Captions: short descriptions of images in people's own words.

In:  an image, an annotator and a text. Out: the captions of an image, the oldest first. A reviewer hides one, and shows
it again; a hidden one is neither searched nor exported. A text is stored as it is, and shown as text only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.permissions import check_author, check_authors
from bam_engine.annotation.remark_store import check_words
from bam_engine.collection.words import fold
from bam_engine.database import captions, images, insert_row, lock, now
from bam_engine.errors import AnnotationError, NotFound

MAX_CAPTION = 300
MIN_CAPTION = 3


@dataclass(frozen=True)
class Caption:
    """What somebody wrote about an image; a hidden one is for the reviewer alone."""

    id: int
    row: int
    annotator_id: int
    text: str
    hidden: bool


@dataclass(frozen=True)
class GivenCaption:
    """What somebody has written about an image elsewhere."""

    row: int
    annotator_id: int
    text: str


def check_caption(text: object) -> str:
    """Return a text as it is stored: in one line, without blanks around it.

    Raises
    ------
    AnnotationError
        It is too short or too long, or has characters that are no text.
    """
    words = check_words(text, MAX_CAPTION, "The description")
    if len(words) < MIN_CAPTION:
        raise AnnotationError("The description is too short. Say in a few words what the picture shows.")
    return words


class Captions:
    """The captions of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, row: int, annotator_id: int, text: str) -> int:
        """Store a caption; return its id.

        Raises
        ------
        AnnotationError
            It is too short or too long, has characters that are no text, is there already about this image, or is by
            the same person about another one.
        NotFound
            There is no such image.
        """
        check_author(self._engine, annotator_id)
        words = check_caption(text)
        with self._engine.begin() as connection:
            lock(connection, captions)
            if connection.scalar(sa.select(images.c.row).where(images.c.row == row)) is None:
                raise NotFound(f"There is no image {row}.")
            self._check_new(connection, row, annotator_id, words)
            values = {"row": row, "annotator_id": annotator_id, "caption": words, "made_at": now()}
            return insert_row(connection, captions, values)

    def add_given(self, given: Iterable[GivenCaption]) -> int:
        """Store captions that were written elsewhere, in one transaction; return how many are new.

        Left out is what its author is known to have written of the image. Words may be those of another image or
        author: what people wrote is not judged any more.

        Raises
        ------
        AnnotationError
            A text is none that :func:`check_caption` lets pass, or an author is simulated. Nothing is stored.
        NotFound
            There is no such image. Nothing is stored.
        """
        lines: dict[tuple[int, int, str], str] = {}
        for one in given:
            words = check_caption(one.text)
            lines.setdefault((one.row, one.annotator_id, fold(words)), words)
        check_authors(self._engine, {annotator_id for _, annotator_id, _ in lines})
        with self._engine.begin() as connection:
            lock(connection, captions)
            last = connection.scalar(sa.select(sa.func.max(images.c.row)))
            if unknown := [row for row, *_ in lines if not 0 <= row <= (-1 if last is None else last)]:
                raise NotFound(f"There is no image {unknown[0]}.")
            for row, annotator_id, text in connection.execute(
                sa.select(captions.c.row, captions.c.annotator_id, captions.c.caption)
            ):
                lines.pop((row, annotator_id, fold(text)), None)
            made_at = now()
            values = [
                {"row": row, "annotator_id": annotator_id, "caption": words, "made_at": made_at}
                for (row, annotator_id, _), words in lines.items()
            ]
            if values:
                connection.execute(sa.insert(captions), values)
        return len(values)

    def of(self, row: int) -> list[Caption]:
        """Return the captions of an image, hidden ones included, the oldest first."""
        query = sa.select(captions).where(captions.c.row == row).order_by(captions.c.id)
        with self._engine.connect() as connection:
            return [
                Caption(one.id, one.row, one.annotator_id, one.caption, one.hidden_at is not None)
                for one in connection.execute(query)
            ]

    def hide(self, caption_id: int, annotator_id: int) -> None:
        """Hide a caption; :meth:`show` undoes it."""
        self._set(caption_id, {"hidden_at": now(), "hidden_by": annotator_id})

    def show(self, caption_id: int) -> None:
        """Show a hidden caption again."""
        self._set(caption_id, {"hidden_at": None, "hidden_by": None})

    def _set(self, caption_id: int, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(captions).where(captions.c.id == caption_id).values(values))

    @staticmethod
    def _check_new(connection: sa.Connection, row: int, annotator_id: int, words: str) -> None:
        alike = (captions.c.row == row) | (captions.c.annotator_id == annotator_id)
        query = sa.select(captions.c.row, captions.c.caption).where(alike)
        for there, caption in connection.execute(query):
            if fold(caption) == fold(words):
                taken = "This image has that description already" if there == row else f"You wrote it of image {there}"
                raise AnnotationError(f"{taken}. Say what sets this picture apart.")
