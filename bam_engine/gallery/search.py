"""Search: by text, by words of names, by example images, by the scores of an attribute.

In:  a text, words, images or an attribute. Out: rows, best first. Wires the encoder in use to the vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.collection import Names, decode_image
from bam_engine.collection.words import search_terms
from bam_engine.errors import BamError, EmbeddingError, ImageUnreadable
from bam_engine.formatting import count as counted
from bam_engine.formatting import file_size
from bam_engine.labelling import tasks
from bam_engine.training.models import newest_model, scores_of, scores_version
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import count_images, member_rows, removed
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import embedded_rows, most_similar, supports_text, text_vector, vectors_of

Rows = NDArray[np.int64]
Ways = Literal["meaning", "words"]

MAX_LENGTH = 1000
"""Characters of a search text."""

MAX_BYTES = 64 * 2**20
"""Bytes of an uploaded image."""

MAX_EXAMPLES = 64
"""Example images of one search."""

_NAMES = Kind[Names]("indices of names", of="workspace", until="the process ends", limit=1)
_RANKINGS = Kind[NDArray[np.int64]]("rankings by score", of="attribute", until="its scores change", limit=16)


@dataclass(frozen=True)
class Found:
    """The result of a search by a text.

    ``rows`` are the best matches, best first, of ``matches`` in all. By meaning, every embedded image is a match, more
    or less, and ``similarities`` are the cosines of the rows with the text; by words there are none. ``searched`` says
    in words what was looked at.
    """

    rows: Rows
    matches: int
    by: Ways
    searched: str
    similarities: NDArray[np.float32] | None = None


def find(workspace: Workspace, text: str, count: int = 200, *, by: Ways | None = None) -> Found:
    """Search images by a text, as the gallery does: by meaning where that is possible, otherwise by words.

    See :func:`searches_by_meaning`, :func:`by_text` and :func:`by_words`.

    Parameters
    ----------
    by
        One of the two ways, whether the other is possible or not.

    Raises
    ------
    BamError
        There are no images, or the text is empty, has no word to look for, or is too long.
    EmbeddingError
        The search is to be by meaning, and the encoder in use does not support text, or nothing is embedded yet.
    """
    _check(text)
    if not count_images(workspace):
        raise BamError("There are no images to search. Add a folder of images first.")
    if not text.strip():
        raise BamError("The search text is empty. Give a word to look for.")
    if by == "meaning" or (by is None and searches_by_meaning(workspace)):
        rows, similarities = most_similar(workspace, text_vector(workspace, text), count)
        embedded = len(embedded_rows(workspace))
        searched = f"{counted(embedded, 'image')} by meaning, with {workspace.encoder_name()}"
        return Found(rows, embedded, "meaning", searched, similarities)
    if not search_terms(text):
        raise BamError(f"“{text[:60]}” has no word to look for. Type letters or digits.")
    rows = by_words(workspace, text, count_images(workspace))
    return Found(rows[:count], len(rows), "words", searched_by_words(workspace))


def searches_by_meaning(workspace: Workspace) -> bool:
    """Return whether a text is searched by meaning: the encoder in use embeds texts, and there are vectors."""
    return supports_text(workspace) and len(workspace.vectors()) > 0


def by_text(workspace: Workspace, text: str, count: int = 200) -> Rows:
    """Return the ``count`` images that match ``text`` best by meaning, best first; ties by row.

    Raises
    ------
    EmbeddingError
        The encoder in use does not support text, the text is empty, or nothing is embedded yet.
    BamError
        The text has more than ``MAX_LENGTH`` characters.
    """
    _check(text)
    return most_similar(workspace, text_vector(workspace, text), count)[0]


def by_words(workspace: Workspace, text: str, count: int = 200) -> Rows:
    """Return up to ``count`` images whose title, captions, project and file name together contain every word.

    The folder of a file is a part of its name. Case, accents and the endings of English words are ignored; words in
    double quotes are one phrase. :meth:`bam_engine.collection.Names.find` says which rank first. A text without a
    word matches nothing.

    Raises
    ------
    BamError
        The text has more than ``MAX_LENGTH`` characters.
    """
    _check(text)
    gone = removed(workspace)
    return gone.without(names_of(workspace).find(text, count + len(gone.rows)))[:count]


def searched_by_words(workspace: Workspace) -> str:
    """Return what a search by words looks at: "titles and file names of 20,000 images"."""
    *others, last = workspace.catalogue.kinds_of_names()
    kinds = f"{', '.join(others)} and {last}" if others else last
    return f"{kinds} of {counted(count_images(workspace), 'image')}"


def names_of(workspace: Workspace) -> Names:
    """Return the index of names, opened once."""
    return workspace.memory.get(_NAMES, None, None, lambda: Names(workspace.catalogue, workspace.cache / "names"))


def by_image(workspace: Workspace, image: int | bytes, count: int = 200) -> Rows:
    """Return the ``count`` images most similar to another, best first; ties by row.

    Parameters
    ----------
    image : int or bytes
        The row of an image of the collection, which is excluded from the result; or the content of an image file,
        which is embedded by the encoder in use.

    Raises
    ------
    NotFound
        The collection has no such row.
    EmbeddingError
        Nothing is embedded yet, the row has no vector, or the file cannot be read as an image.
    """
    if isinstance(image, bytes):
        return most_similar(workspace, image_vector(workspace, image), count)[0]
    return by_images(workspace, [image], count)


def by_images(
    workspace: Workspace, rows: Sequence[int] | Rows, count: int = 200, *, how: Literal["mean", "max"] = "mean"
) -> Rows:
    """Return the ``count`` images most similar to several examples, which are excluded; best first, ties by row.

    Parameters
    ----------
    rows
        The examples, at most ``MAX_EXAMPLES``.
    how
        ``mean``: similar to all, by the mean of the cosines; ``max``: similar to any, by the largest.

    Raises
    ------
    NotFound
        The collection has no such row.
    EmbeddingError
        Nothing is embedded yet, or none of them has a vector.
    BamError
        There are no examples, or too many.
    """
    examples = np.unique(np.asarray(rows, np.int64))
    if not 0 < len(examples) <= MAX_EXAMPLES:
        raise BamError(f"The search has {len(examples)} example images; choose between 1 and {MAX_EXAMPLES}.")
    workspace.catalogue.images(examples.tolist())
    vectors = vectors_of(workspace)
    queries = np.asarray(vectors[examples[examples < len(vectors)]], np.float32)
    queries = queries[queries.any(axis=1)]
    if not len(queries):
        raise EmbeddingError("The examples have no vector from the encoder in use. Embed the collection first.")
    if how == "mean":
        queries = queries.mean(axis=0, keepdims=True)
    return most_similar(workspace, queries, count, without=examples)[0]


def image_vector(workspace: Workspace, content: bytes) -> NDArray[np.float32]:
    """Return the unit vector (d,) of an image file by the encoder in use.

    Raises
    ------
    EmbeddingError
        The file is too large, cannot be read as an image, or has no usable vector.
    """
    if len(content) > MAX_BYTES:
        raise EmbeddingError(
            f"The image file has {file_size(len(content))}; the limit is {file_size(MAX_BYTES)}. Make it smaller."
        )
    encoder = workspace.encoder()
    try:
        image = decode_image(content, size=encoder.input_size)
    except ImageUnreadable as error:
        raise EmbeddingError(f"The image cannot be used for a search: {error}") from error
    vector: NDArray[np.float32] = encoder.encode([encoder.preprocess(image)])[0]
    if not (np.isfinite(vector).all() and vector.any()):
        raise EmbeddingError("The encoder returned no usable vector for this image. Try another.")
    return vector


def _check(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise BamError(f"The search text has {len(text):,} characters; the limit is {MAX_LENGTH:,}. Shorten it.")


def ranking(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return every scored row, highest score first; ties by row.

    Raises
    ------
    LearningError
        The attribute has no scores yet.
    """
    scores = scores_of(workspace, attribute)
    version = scores_version(workspace, newest_model(workspace, attribute))
    return workspace.memory.get(_RANKINGS, attribute.id, version, lambda: _rank(scores))


def _rank(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    order = np.argsort(-scores, kind="stable")  # NaN, the images without a vector, come last
    return order[: int(np.isfinite(scores).sum())].astype(np.int64)


def marks(workspace: Workspace, attribute: Attribute) -> dict[int, str]:
    """Return the consensus label of each labelled row, ``yes`` or ``no``."""
    labels = tasks.labels(workspace, attribute)
    return {
        int(row): "yes" if label else "no"
        for row, label in zip(labels.rows[labels.settled], labels.labels[labels.settled], strict=True)
    }


def random_rows(workspace: Workspace, count: int, *, seed: int = 0) -> list[int]:
    """Return ``count`` random rows of the collection, all of them if there are fewer."""
    inside = member_rows(workspace)
    rows = np.random.default_rng(seed).choice(inside, size=min(count, len(inside)), replace=False)
    return [int(row) for row in rows]
