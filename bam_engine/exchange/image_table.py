"""The images of a dataset as one typed table, read in pages: what Parquet and JSON Lines files are written from.

Unlike a :class:`~bam_engine.exchange.dataset.Dataset`, it holds no record of an image: only the arrays of its
attributes, a few bytes an image, and a function that reads the records page by page. So a table of millions of images
takes as much memory as its arrays, and one page.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bam_engine.collection.originals import Original
from bam_engine.exchange.dataset import CROWD, LABELS, SPLITS, WHY, AttributeColumns, Codes

IMAGE_FIELDS = (
    ("id", pa.int64()),
    ("uri", pa.string()),
    ("url", pa.string()),
    ("file", pa.string()),
    ("title", pa.string()),
    ("project", pa.string()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("mature_content", pa.bool_()),
    ("license", pa.string()),
    ("sha256", pa.string()),
)
"""The columns of an image, in the order of :attr:`ImageTable.pages`: those of ``images.csv``, URL and digest."""

_WORDS = pa.list_(pa.string())

LISTS = ("tags", "problems")
"""The columns that have a list of words for each image."""

ATTRIBUTE_FIELDS = (
    ("score", pa.float32()),
    ("crowd", pa.string()),
    ("label", pa.string()),
    ("why", pa.string()),
    ("accepted", pa.bool_()),
)
"""The ends of the names of an attribute's columns, in order."""

MEANINGS = {
    "id": "the number of the image; it never changes",
    "uri": "where the file is; of a replaced image, its last path and its digest",
    "url": "where it was downloaded from; empty for a file that was added from a folder",
    "file": "ok, missing or replaced, as it was when its folder was last added",
    "title": "its title",
    "project": "who or what made it; images of one project are never in two splits",
    "width": "pixels",
    "height": "pixels",
    "mature_content": "whether the image is marked as mature; empty where nothing is known",
    "license": "the licence that was stated for it; empty where nothing is known",
    "sha256": "the SHA-256 of the file",
    "tags": "the tags that people gave it, in alphabetical order; they are no labels",
    "problems": "what is wrong with the picture by simple measures, such as blurred; empty where it was not measured",
    "generated": "drawn by a program",
    "split": "train, validation or test",
    "score": "the log-odds of the classifier; higher is more positive; empty without an embedding",
    "crowd": "what people agree on",
    "label": "the label of the dataset: positive, negative or unsure; empty where nothing is decided",
    "why": "who decided the label, and whether the evidence for the threshold is about the image",
    "accepted": "whether the image is in the delivered set; empty where nothing is decided",
}
"""What each column holds; those of an attribute under the end of their names."""


@dataclass(frozen=True, eq=False)
class ImageTable:
    """The images of a dataset and what is said of them.

    Attributes
    ----------
    images
        The number of rows, m.
    attributes
        Their columns, arrays (m,).
    splits : (m,) int8 or None
        Codes into ``SPLITS``.
    pages
        Yields for some images at a time, in order, the columns of ``IMAGE_FIELDS``.
    generated
        Whether the images are drawn by a program.
    tags
        The tags of the images that have any, by their place in the table.
    problems
        Returns the problems of the picture at a place in the table, None where it was not measured; None if no picture
        was.
    original
        Returns the file at a URI, or the object of a bucket.
    """

    images: int
    attributes: Sequence[AttributeColumns]
    pages: Callable[[], Iterator[Sequence[Sequence[Any]]]]
    splits: Codes | None = None
    generated: bool = False
    tags: Mapping[int, Sequence[str]] = field(default_factory=dict)
    problems: Callable[[int], Sequence[str] | None] | None = None
    original: Callable[[str], Original] = Path

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns: of the image, its tags, problems and split, then of each attribute."""
        fields = [*(pa.field(name, kind) for name, kind in IMAGE_FIELDS), pa.field("tags", _WORDS)]
        if self.problems is not None:
            fields.append(pa.field("problems", _WORDS))
        if self.generated:
            fields.append(pa.field("generated", pa.bool_()))
        if self.splits is not None:
            fields.append(pa.field("split", pa.string()))
        named = (pa.field(f"{each.name}_{end}", kind) for each in self.attributes for end, kind in ATTRIBUTE_FIELDS)
        return pa.schema([*fields, *named])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, a page at a time; texts with few values are dictionaries, see :attr:`schema`."""
        names = self.schema.names
        start = 0
        for page in self.pages():
            size = len(page[0])
            part = slice(start, start + size)
            columns = [pa.array(values, kind) for values, (_, kind) in zip(page, IMAGE_FIELDS, strict=True)]
            places = range(start, start + size)
            columns.append(pa.array([self.tags.get(place, ()) for place in places], _WORDS))
            if self.problems is not None:
                columns.append(pa.array(map(self.problems, places), _WORDS))
            if self.generated:
                columns.append(pa.array(np.ones(size, bool)))
            if self.splits is not None:
                columns.append(words_of(self.splits[part], SPLITS))
            columns += [array for each in self.attributes for array in _arrays(each, part)]
            yield pa.record_batch(columns, names=names)
            start += size


def _arrays(attribute: AttributeColumns, part: slice) -> list[pa.Array]:
    """Return the columns of an attribute for some of the images; texts are dictionaries."""
    size = len(attribute.label[part])
    scores = np.full(size, np.nan, np.float32) if attribute.scores is None else attribute.scores[part]
    accepted = attribute.accepted[part]
    return [
        pa.array(scores, pa.float32(), mask=np.isnan(scores)),
        words_of(attribute.crowd[part], CROWD),
        words_of(attribute.label[part], LABELS),
        words_of(attribute.why[part], WHY),
        pa.array(accepted == 1, pa.bool_(), mask=accepted < 0),
    ]


def words_of(codes: Codes, words: Sequence[str]) -> pa.DictionaryArray:
    """Return codes as the words they stand for; -1 is null.

    Examples
    --------
    >>> words_of(np.array([1, -1, 0], np.int8), ("no", "yes")).to_pylist()
    ['yes', None, 'no']
    """
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8(), mask=codes < 0), pa.array(words, pa.string()))


def meaning_of(column: str) -> str:
    """Return what a column holds, in words.

    Examples
    --------
    >>> meaning_of("content_cat_crowd")
    'what people agree on'
    """
    return MEANINGS.get(column) or MEANINGS[column.rpartition("_")[2]]
