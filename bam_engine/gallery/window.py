"""A window of a listing: what a gallery shows of its images; and the shapes of all images, for the layout.

In:  a listing, the number of a window. Out: plain lists, JSON-ready. The same window of the same listing never changes.
"""

import logging
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import derived, learning
from bam_engine.errors import NotFound
from bam_engine.formatting import count
from bam_engine.gallery.listing import Listing
from bam_engine.training.delivered import ACCEPTED, REJECTED, UNDECIDED
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

BLOCK = 200
"""Images per window."""

PACK = 40
"""Thumbnails per pack."""

_CODES_PER_OCTAVE = 32  # shape codes for each doubling of width over height
_SQUARE = 128  # shape code of a square
_PACKED = 2**30
_SHAPES_VERSION = "shapes 2"
_log = logging.getLogger(__name__)
_SHAPES = Kind[NDArray[np.uint8]]("shapes of images", of="workspace", until="images are added", limit=1)


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
    """Return the shape code of every image of a listing, in its order: width over height is 2 ** ((code - 128) / 32).

    A code is within 1.1% of the true ratio, for ratios between 1:15 and 15:1.
    """
    return all_shapes(workspace, listing.n)[listing.rows]


def all_shapes(workspace: Workspace, n: int) -> NDArray[np.uint8]:
    """Return the shape code of every row, (n,); read from the catalogue once and cached on disk."""
    images = workspace.catalogue.digests().fingerprint()
    return workspace.memory.get(_SHAPES, None, images, lambda: _read_shapes(workspace))[:n]


def _read_shapes(workspace: Workspace) -> NDArray[np.uint8]:
    file, digests = workspace.cache / "facets" / "shapes-2.npz", workspace.catalogue.digests()
    cached = derived.read_arrays(file, _SHAPES_VERSION)
    stored = np.empty(0, np.uint8)
    if cached is not None and digests.fingerprint(len(cached["codes"])) == str(cached["images"]):
        stored = cached["codes"]
    table = db.images
    # width and height packed into one integer: several times as fast to read
    packed = sa.cast(table.c.width, sa.BigInteger) * _PACKED + table.c.height
    query = sa.select(packed).where(table.c.row >= len(stored)).order_by(table.c.row)
    with workspace.engine.connect() as connection:
        sizes = np.fromiter(connection.execution_options(yield_per=50_000).scalars(query), np.int64)
    if not len(sizes):
        return stored
    octaves = np.log2(np.maximum(sizes // _PACKED, 1) / np.maximum(sizes % _PACKED, 1))
    codes = np.clip(np.rint(octaves * _CODES_PER_OCTAVE) + _SQUARE, 0, 255).astype(np.uint8)
    every = np.concatenate([stored, codes])
    try:
        images = np.array(digests.fingerprint(len(every)))
        derived.write_arrays(file, {"codes": every, "images": images}, _SHAPES_VERSION)
    except OSError as error:
        _log.warning("Image shapes cannot be cached in %s: %s.", file, error.strerror or error)
    return every


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
