"""Random tables of images, and what a reader should find in them, by the definition of the columns."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.exchange.dataset import CROWD, LABELS, SPLITS, WHY, AttributeColumns
from bam_engine.exchange.image_table import IMAGE_FIELDS, ImageTable

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_MAYBE = st.none() | _TEXT
_IMAGE = st.tuples(
    st.integers(0, 2**40),
    _TEXT,
    _MAYBE,
    st.sampled_from(["ok", "missing", "replaced"]),
    _MAYBE,
    _MAYBE,
    st.integers(1, 2**20),
    st.integers(1, 2**20),
    st.none() | st.booleans(),
    _MAYBE,
    _TEXT,
)
_FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=False)


def codes(draw: st.DrawFn, size: int, top: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    return np.array(draw(st.lists(st.integers(-1, top - 1), min_size=size, max_size=size)), np.int8)


@st.composite
def image_tables(draw: st.DrawFn) -> tuple[ImageTable, list[dict[str, Any]]]:
    """Return a table in pages of three images, and its rows as they should be read."""
    images = draw(st.lists(_IMAGE, max_size=8))
    n = len(images)
    attributes = [
        AttributeColumns(
            name,
            draw(st.none() | st.lists(_FLOATS, min_size=n, max_size=n).map(lambda s: np.array(s, np.float32))),
            codes(draw, n, len(CROWD)),
            codes(draw, n, len(LABELS)),
            codes(draw, n, len(WHY)),
            codes(draw, n, 2),
        )
        for name in draw(st.sampled_from([("content_cat",), ("media_oil", "ein_Hund")]))
    ]
    splits = codes(draw, n, len(SPLITS)) if draw(st.booleans()) else None

    def pages() -> Iterator[Sequence[Sequence[Any]]]:
        for start in range(0, n, 3):
            yield list(zip(*images[start : start + 3], strict=True))

    places = st.integers(0, max(n - 1, 0))
    tags = draw(st.dictionaries(places, st.lists(_TEXT, min_size=1, max_size=3))) if n else {}
    found = draw(st.lists(st.none() | st.lists(st.sampled_from(list(PROBLEMS)), unique=True), min_size=n, max_size=n))
    problems = found.__getitem__ if draw(st.booleans()) else None
    table = ImageTable(n, attributes, pages, splits, draw(st.booleans()), tags, problems)
    return table, [expected(table, place, image) for place, image in enumerate(images)]


def expected(table: ImageTable, place: int, image: tuple[Any, ...]) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip([name for name, _ in IMAGE_FIELDS], image, strict=True))
    row["tags"] = list(table.tags.get(place, ()))
    if table.problems is not None:
        row["problems"] = table.problems(place)
    if table.generated:
        row["generated"] = True
    if table.splits is not None:
        row["split"] = word(SPLITS, table.splits[place])
    for each in table.attributes:
        score = np.nan if each.scores is None else float(each.scores[place])
        row[f"{each.name}_score"] = None if np.isnan(score) else score
        row[f"{each.name}_crowd"] = word(CROWD, each.crowd[place])
        row[f"{each.name}_label"] = word(LABELS, each.label[place])
        row[f"{each.name}_why"] = word(WHY, each.why[place])
        row[f"{each.name}_accepted"] = {1: True, 0: False, -1: None}[int(each.accepted[place])]
    return row


def word(words: tuple[str, ...], code: int) -> str | None:
    return None if code < 0 else words[code]
