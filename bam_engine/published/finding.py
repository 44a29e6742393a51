"""The images of BAM's file that match a query, in order.

In:  the arrays of a file, a :class:`Query`. Out: positions. Recent results are cached by the file's state and the
query, so that a result of an id never changes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import bam_file
from bam_engine.download import best_first, places_of
from bam_engine.errors import NotFound
from bam_engine.published.arrays import Arrays
from bam_engine.published.parts import NEGATIVE, POSITIVE
from bam_engine.published.query import Query
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Found:
    """The images that match a query.

    Attributes
    ----------
    id
        20 letters and digits, of the file's state and the query.
    file
        The file's state, as the ``key`` of its arrays.
    positions : (m,) int32
        Positions in the arrays, in order.
    lowest : (m,) float32
        The lowest place of each image for the attributes of the query, nan without any.
    unscored
        Images that the query leaves out since they lack a score that it asks about.
    """

    id: str
    file: str
    query: Query
    positions: NDArray[np.int32]
    lowest: NDArray[np.float32]
    unscored: int

    def __len__(self) -> int:
        return len(self.positions)


_FOUND = Kind[Found](
    "images found in BAM's file",
    of="query and the state of the file",
    until="never: the id is a digest",
    limit=16,
    max_bytes=128_000_000,
    size=lambda found: found.positions.nbytes + found.lowest.nbytes,
)


def find(workspace: Workspace, arrays: Arrays, query: Query) -> Found:
    """Return the images that match ``query``.

    Raises
    ------
    NotFound
        The file has no such attribute, or nothing of the kind that is asked about it.
    CollectionError
        Captions are searched, and the file cannot be read.

    Examples
    --------
    >>> found = find(workspace, arrays, Query(yes=("media_watercolor", "content_cat")))  # doctest: +SKIP
    >>> arrays.mids[found.positions[:3]]  # doctest: +SKIP
    """
    number = hashlib.sha256(f"{arrays.key} {query.json()}".encode()).hexdigest()[:20]
    return workspace.memory.get(_FOUND, number, None, lambda: _find(arrays, query, number))


def place_columns(arrays: Arrays, query: Query, positions: NDArray[np.integer] | None = None) -> NDArray[np.float32]:
    """Return the places (n, k) of images for the attributes of a query that have scores: high is good for each."""
    yes = [arrays.scored.index(name) for name in query.yes if name in arrays.scored]
    no = [arrays.scored.index(name) for name in query.no if name in arrays.scored]
    columns = [arrays.places[:, column] for column in yes]
    columns += [places_of(-arrays.places[:, [column]])[:, 0] for column in no]
    chosen = columns if positions is None else [column[positions] for column in columns]
    n = len(arrays) if positions is None else len(positions)
    return np.stack(chosen, axis=1) if chosen else np.empty((n, 0), np.float32)


def _find(arrays: Arrays, query: Query, number: str) -> Found:
    _check(arrays, query)
    places = place_columns(arrays, query)
    k = places.shape[1]
    lowest = places.min(axis=1) if k else np.full(len(arrays), np.nan, np.float32)
    matching = np.ones(len(arrays), bool)
    for name, code in _signed(query.crowd_yes, query.crowd_no):
        matching &= _crowd_says(arrays, name, code)
    if query.words.strip():
        matching &= _captioned(arrays, query.words)
    if query.by == "automatic":
        for name, code in _signed(query.yes, query.no):
            matching &= arrays.automatic[:, arrays.labelled.index(name)] == code
    unscored = 0
    if query.names and (query.by == "place" or (query.place_from, query.place_to) != (0, 1)):
        known = ~np.isnan(lowest)
        unscored = int((matching & ~known).sum())
        matching &= known & (lowest >= query.place_from) & (lowest <= query.place_to)
    rows = np.flatnonzero(matching)
    if k and query.sort != "number":
        rows = rows[best_first(places[rows], arrays.mids[rows])]
        if query.sort == "worst":  # images without a score are last in either order
            known = ~np.isnan(lowest[rows])
            rows = np.concatenate([rows[known][::-1], rows[~known]])
    return Found(number, arrays.key, query, rows.astype(np.int32), lowest[rows], unscored)


def _signed(yes: Sequence[str], no: Sequence[str]) -> list[tuple[str, int]]:
    return [*((name, POSITIVE) for name in yes), *((name, NEGATIVE) for name in no)]


def _check(arrays: Arrays, query: Query) -> None:
    there = {"place": (arrays.scored, "scores"), "automatic": (arrays.labelled, "automatic labels")}[query.by]
    for names, known, what in (
        (query.names, *there),
        ((*query.crowd_yes, *query.crowd_no), arrays.crowd, "crowd labels"),
    ):
        for name in names:
            if name not in known:
                has = f"It has those of {', '.join(known)}" if known else "It has none at all"
                raise NotFound(f"{arrays.file.name} has no {what} of {name[:60]!r}. {has}.")


def _crowd_says(arrays: Arrays, name: str, code: int) -> Mask:
    lines = arrays.lines_of(name)
    mask = np.zeros(len(arrays), bool)
    mask[arrays.positions[lines][arrays.labels[lines] == code]] = True
    return mask


def _captioned(arrays: Arrays, text: str) -> Mask:
    """Return which images have a caption with all words of a text."""
    words, mids = text.casefold().split(), set()
    with arrays.connection() as connection:
        if bam_file.has_table(connection, "crowd_raw_captions"):
            bam_file.check_table(connection, arrays.file, "crowd_raw_captions", ("mid", "caption"))
            for mid, caption in connection.execute("SELECT mid, caption FROM crowd_raw_captions"):
                said = str(caption or "").casefold()
                if isinstance(mid, int) and all(word in said for word in words):
                    mids.add(mid)
    return np.isin(arrays.mids, np.array(sorted(mids), np.int64))
