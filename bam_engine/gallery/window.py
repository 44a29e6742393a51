"""A window of a listing: what a gallery shows of its images; and the shapes of all of them, for the layout.

In:  a listing, the number of a window. Out: plain lists, JSON-ready. The same window of the same listing never changes.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.errors import NotFound
from bam_engine.formatting import count
from bam_engine.gallery.dimensions import dimensions
from bam_engine.gallery.listing import Listing
from bam_engine.training.delivered import ACCEPTED, REJECTED, UNDECIDED
from bam_engine.workspace.core import Workspace

BLOCK = 200
"""Images per window."""

PACK = 40
"""Thumbnails per pack."""


@dataclass(frozen=True)
class Window:
    """Columns with one value for each image of a window, in the listing's order.

    ``ratios`` are width over height. ``scores`` and ``probabilities`` (value and limits of the 95% interval) are None
    where there are none. ``accepted`` is None without an attribute or a decision. ``counts`` are the near-duplicates
    that each image represents, itself included.
    """

    rows: list[int]
    ratios: list[float]
    titles: list[str]
    scores: list[float | None]
    probabilities: list[tuple[float, float, float] | None]
    accepted: list[bool | None]
    marks: list[str]
    counts: list[int]

    def payload(self) -> dict[str, Any]:
        """Return the window as a JSON-ready dict."""
        return asdict(self)


def window(workspace: Workspace, listing: Listing, block: int) -> Window:
    """Return the ``block``-th window of ``BLOCK`` images; the last one is shorter.

    Raises
    ------
    NotFound
        The listing has no such window.
    """
    place = slice(block * BLOCK, (block + 1) * BLOCK)
    rows = listing.rows[place]
    if block < 0 or not len(rows):
        raise NotFound(f"The listing has {count(len(listing), 'image')}; it has no window {block}.")
    images = workspace.catalogue.images(rows.tolist())
    scores, probabilities, accepted = _scores(listing, rows)
    return Window(
        rows=rows.tolist(),
        ratios=[round(image.width / max(1, image.height), 3) for image in images],
        titles=[image.title or image.name for image in images],
        scores=scores,
        probabilities=probabilities,
        accepted=accepted,
        marks=[""] * len(rows) if listing.labels is None else listing.labels.marks(rows),
        counts=[1] * len(rows) if listing.counts is None else listing.counts[place].tolist(),
    )


def pack(workspace: Workspace, listing: Listing, number: int) -> bytes:
    """Return the ``number``-th pack of ``PACK`` thumbnails of a listing; the last one is shorter.

    The pack starts with the number of thumbnails and the size of each in bytes, as little-endian uint32; the WebP files
    follow one after another. A missing thumbnail has the size 0: the browser requests it by its row, which makes it.

    Raises
    ------
    NotFound
        The listing has no such pack.
    """
    rows = listing.rows[number * PACK : (number + 1) * PACK]
    if number < 0 or not len(rows):
        raise NotFound(f"The listing has {count(len(listing), 'image')}; it has no pack {number}.")
    files = [workspace.thumbnails.read(int(row)) or b"" for row in rows]
    return np.array([len(files), *map(len, files)], "<u4").tobytes() + b"".join(files)


def shapes(workspace: Workspace, listing: Listing) -> NDArray[np.uint8]:
    """Return the shape code of every image of a listing, in its order: see :class:`bam_engine.gallery.dimensions`."""
    return dimensions(workspace).shapes[listing.rows]


def _scores(
    listing: Listing, rows: NDArray[np.int64]
) -> tuple[list[float | None], list[tuple[float, float, float] | None], list[bool | None]]:
    nothing: list[Any] = [None] * len(rows)
    scored = listing.scored
    if scored is None:
        return nothing, nothing, nothing
    own = np.asarray(scored.scores[rows], np.float64)
    has_score = ~np.isnan(own)
    scores = [round(float(score), 3) if known else None for score, known in zip(own, has_score, strict=True)]
    outcomes = {ACCEPTED: True, REJECTED: False, UNDECIDED: None}
    accepted = [outcomes[outcome] for outcome in scored.delivered.outcomes_of(rows).tolist()]
    if scored.calibration is None:
        return scores, nothing, accepted
    limits = learning.probability_limits(scored.calibration, own)
    values = zip(learning.probability(scored.calibration, own), *limits, strict=True)
    probabilities = [
        (round(float(value), 4), round(float(low), 4), round(float(high), 4)) if known else None
        for (value, low, high), known in zip(values, has_score, strict=True)
    ]
    return scores, probabilities, accepted
