"""Finding images: by text, by words of their names, by other images, by rank along an attribute's scores.

In:  what to look for. Out: rows, best first. Wires the encoder in use and the vectors together; what is a good match is
the encoder's to say. Knows no page.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.collection import Names, decode_image
from bam_engine.errors import BamError, EmbeddingError, ImageUnreadable
from bam_engine.labelling import tasks
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import most_similar, supports_text, text_vector, vectors_of

Rows = NDArray[np.int64]

LONGEST = 1000
"""Characters of a text to look for."""

LARGEST = 64 * 2**20
"""Bytes of an image to look for."""

MOST_EXAMPLES = 64
"""Images that are looked for at once."""


def find(workspace: Workspace, text: str, count: int = 200) -> list[int]:
    """Return the rows that match ``text``, best first.

    With an encoder that reads text, by meaning (:func:`by_text`); otherwise by the words of titles and file names
    (:func:`by_words`).

    Raises
    ------
    BamError
        The text is too long, or it is empty and the encoder reads text.
    """
    by_meaning = supports_text(workspace) and len(workspace.vectors()) > 0
    found = by_text(workspace, text, count) if by_meaning else by_words(workspace, text, count)
    return [int(row) for row in found]


def by_text(workspace: Workspace, text: str, count: int = 200) -> Rows:
    """Return the ``count`` images that match ``text`` best by meaning, best first; ties by row.

    Raises
    ------
    EmbeddingError
        The encoder in use does not read text, the text is empty, or nothing is embedded yet.
    BamError
        The text has more than ``LONGEST`` characters.
    """
    _check(text)
    return most_similar(workspace, text_vector(workspace, text), count)[0]


def by_words(workspace: Workspace, text: str, count: int = 200) -> Rows:
    """Return up to ``count`` images whose title, project or file (with the folder it lies in) holds every word.

    Case and accents do not matter; words in double quotes are looked for together. Whole words come before beginnings
    of words, these before parts of words; ties by row. An empty text finds nothing.

    Raises
    ------
    BamError
        The text has more than ``LONGEST`` characters.
    """
    _check(text)
    return names_of(workspace).find(text, count)


def names_of(workspace: Workspace) -> Names:
    """Return the names of the collection, opened once."""
    with workspace.lock_for("names"):
        names: Names | None = workspace.memory_cache.get("names")
        if names is None:
            names = workspace.memory_cache["names"] = Names(workspace.catalogue, workspace.cache / "names")
        return names


def by_image(workspace: Workspace, image: int | bytes, count: int = 200) -> Rows:
    """Return the ``count`` images most like another, best first; ties by row.

    Parameters
    ----------
    image : int or bytes
        The row of an image of the collection, which is left out of what is found; or the content of an image file,
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
    """Return the ``count`` images most like several of the collection, best first; ties by row; they are left out.

    Parameters
    ----------
    rows
        At most ``MOST_EXAMPLES``.
    how
        ``mean``: like what they have in common, by the mean of the cosines; ``max``: like any one of them, by the
        largest.

    Raises
    ------
    NotFound
        The collection has no such row.
    EmbeddingError
        Nothing is embedded yet, or none of them has a vector.
    BamError
        None is given, or too many.
    """
    asked = np.unique(np.asarray(rows, np.int64))
    if not 0 < len(asked) <= MOST_EXAMPLES:
        raise BamError(f"{len(asked)} images to look for were given: give 1 to {MOST_EXAMPLES}.")
    workspace.catalogue.images(asked.tolist())
    vectors = vectors_of(workspace)
    wanted = np.asarray(vectors[asked[asked < len(vectors)]], np.float32)
    wanted = wanted[wanted.any(axis=1)]
    if not len(wanted):
        raise EmbeddingError("what is looked for has no vector by the encoder in use. Embed the collection first.")
    if how == "mean":
        wanted = wanted.mean(axis=0, keepdims=True)
    return most_similar(workspace, wanted, count, without=asked)[0]


def image_vector(workspace: Workspace, content: bytes) -> NDArray[np.float32]:
    """Return the unit vector (d,) of an image file by the encoder in use.

    Raises
    ------
    EmbeddingError
        The file is too large, cannot be read as an image, or the encoder makes nothing of it.
    """
    if len(content) > LARGEST:
        raise EmbeddingError(
            f"the image file has {len(content) / 2**20:,.0f} MB, the limit is {LARGEST / 2**20:.0f}. Make it smaller."
        )
    encoder = workspace.encoder()
    try:
        image = decode_image(content, size=encoder.input_size)
    except ImageUnreadable as error:
        raise EmbeddingError(f"this image cannot be looked for: {error}") from error
    vector: NDArray[np.float32] = encoder.encode([encoder.preprocess(image)])[0]
    if not (np.isfinite(vector).all() and vector.any()):
        raise EmbeddingError("the encoder makes no usable vector of this image. Try another.")
    return vector


def _check(text: str) -> None:
    if len(text) > LONGEST:
        raise BamError(
            f"the text to look for has {len(text):,} characters, the limit is {LONGEST:,}. Shorten it to what matters."
        )


def ranking(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return every scored row, highest score first; ties by row.

    Raises
    ------
    LearningError
        The attribute has no scores yet.
    """
    scores = scores_of(workspace, attribute)
    model = latest_model(workspace, attribute)
    version = (model.id if model else 0, len(scores))
    kept = workspace.memory_cache.get(f"ranking:{attribute.id}")
    if kept is not None and kept[0] == version:
        return kept[1]  # type: ignore[no-any-return]
    order = np.argsort(-scores, kind="stable")  # NaN, the images without a vector, come last
    order = order[: int(np.isfinite(scores).sum())].astype(np.int64)
    workspace.memory_cache[f"ranking:{attribute.id}"] = (version, order)
    return order


def marks(workspace: Workspace, attribute: Attribute) -> dict[int, str]:
    """Return what people agree on for each labelled row, as ``yes`` or ``no``."""
    found = tasks.labels(workspace, attribute)
    return {
        int(row): "yes" if label else "no"
        for row, label in zip(found.rows[found.settled], found.labels[found.settled], strict=True)
    }


def spread_sample(workspace: Workspace, count: int, *, seed: int = 0) -> list[int]:
    """Return ``count`` rows drawn at random from the collection, for choosing examples; fewer if there are fewer."""
    n = len(workspace.catalogue)
    rows = np.random.default_rng(seed).choice(n, size=min(count, n), replace=False)
    return [int(row) for row in rows]
