"""What is told of the images in a window of a listing, and the shapes of all of them.

In:  a listing, an offset. Out: plain lists, ready to be sent. All of it belongs to the listing's id: the same window
of the same listing is always the same.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.errors import DiskFull, NotFound
from bam_engine.files import replacing
from bam_engine.gallery.listing import Listing
from bam_engine.training.decisions import is_accepted
from bam_engine.workspace.core import Workspace

BLOCK = 200
"""Images of one window."""

PACK = 40
"""Thumbnails that are sent together."""

_STEPS = 32  # codes to a doubling of width over height
_SQUARE = 128
_PACKED = 2**30


@dataclass(frozen=True)
class Window:
    """One value for each image of a window, in the listing's order.

    ``ratios`` are width over height. ``scores`` and ``probabilities`` (value, low, high: 95 % limits) are None where
    there are none. ``accepted`` is None where no attribute is looked at, or there is no score. ``counts`` say how many
    near-duplicates each stands for, itself included.
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
        raise NotFound(f"the listing has {len(listing):,} images: it has no window {block}.")
    images = workspace.catalogue.images(rows.tolist())
    scores, chances, accepted = _scores(listing, rows)
    return Window(
        rows=rows.tolist(),
        ratios=[round(image.width / max(1, image.height), 3) for image in images],
        titles=[image.title or image.path.name for image in images],
        scores=scores,
        probabilities=chances,
        accepted=accepted,
        marks=[""] * len(rows) if listing.labels is None else listing.labels.marks(rows),
        counts=[1] * len(rows) if listing.counts is None else listing.counts[place].tolist(),
    )


def pack(workspace: Workspace, listing: Listing, number: int) -> bytes:
    """Return the ``number``-th ``PACK`` thumbnails of a listing in one piece; the last pack is shorter.

    First how many there are and the size of each in bytes, uint32, little-endian; then one WebP file behind the other.
    One that was not made yet has no size: it is had, and made, by itself.

    Raises
    ------
    NotFound
        The listing has no such pack.
    """
    rows = listing.rows[number * PACK : (number + 1) * PACK]
    if number < 0 or not len(rows):
        raise NotFound(f"the listing has {len(listing):,} images: it has no pack {number}.")
    files = [workspace.thumbnails.read(int(row)) or b"" for row in rows]
    return np.array([len(files), *map(len, files)], "<u4").tobytes() + b"".join(files)


def shapes(workspace: Workspace, listing: Listing) -> NDArray[np.uint8]:
    """Return the shape of every image of a listing, in its order: width over height is 2 ** ((code - 128) / 32).

    A code is within 1.1 % of the truth, for images up to 15 times as wide as high, or 15 times as high.
    """
    return all_shapes(workspace, listing.n)[listing.rows]


def all_shapes(workspace: Workspace, n: int) -> NDArray[np.uint8]:
    """Return the shape code of every row, (n,); read from the catalogue once and kept under the cache."""
    with workspace.lock_for("shapes"):
        kept: NDArray[np.uint8] | None = workspace.memory_cache.get("shapes")
        if kept is None or len(kept) < n:
            kept = workspace.memory_cache["shapes"] = _read_shapes(workspace)
    return kept[:n]


def _read_shapes(workspace: Workspace) -> NDArray[np.uint8]:
    file = workspace.cache / "facets" / "shapes-1.u1"
    try:
        kept = np.fromfile(file, np.uint8)
    except OSError:
        kept = np.empty(0, np.uint8)
    table = db.images
    # One number for each image: several times as fast to read.
    both = sa.cast(table.c.width, sa.BigInteger) * _PACKED + table.c.height
    query = sa.select(both).where(table.c.row >= len(kept)).order_by(table.c.row)
    with workspace.engine.connect() as connection:
        told = connection.execution_options(yield_per=50_000).scalars(query)
        sizes = np.fromiter(told, np.int64)
    if not len(sizes):
        return kept
    doublings = np.log2(np.maximum(sizes // _PACKED, 1) / np.maximum(sizes % _PACKED, 1))
    codes = np.clip(np.rint(doublings * _STEPS) + _SQUARE, 0, 255).astype(np.uint8)
    found = np.concatenate([kept, codes])
    try:
        with replacing(file) as temporary:
            found.tofile(temporary)
    except OSError as error:
        raise DiskFull(f"the shapes cannot be kept in {file}: {error.strerror}. Free some room.") from error
    return found


def _scores(
    listing: Listing, rows: NDArray[np.int64]
) -> tuple[list[float | None], list[tuple[float, float, float] | None], list[bool | None]]:
    nothing: list[Any] = [None] * len(rows)
    about = listing.about
    if about is None:
        return nothing, nothing, nothing
    own = np.asarray(about.scores[rows], np.float64)
    there = ~np.isnan(own)
    scores = [round(float(score), 3) if known else None for score, known in zip(own, there, strict=True)]
    accepted = [bool(yes) if known else None for yes, known in zip(is_accepted(own, about.cut), there, strict=True)]
    if about.calibration is None:
        return scores, nothing, accepted
    limits = learning.probability_limits(about.calibration, own)
    values = zip(learning.probability(about.calibration, own), *limits, strict=True)
    chances = [
        (round(float(value), 4), round(float(low), 4), round(float(high), 4)) if known else None
        for (value, low, high), known in zip(values, there, strict=True)
    ]
    return scores, chances, accepted
