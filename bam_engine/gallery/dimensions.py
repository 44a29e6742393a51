"""The dimensions of every image: its shape as a code, its size as a band of megapixels, and how many images have each.

In:  a workspace. Out: codes, masks and counts. They come from the catalogue in one pass, and are cached on disk,
extended by new images.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import derived
from bam_engine.collection.digests import Digests
from bam_engine.errors import BamError
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Codes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SHAPES = ("landscape", "square", "portrait")
"""What an image's shape is called; a square's sides differ by about 5% at most."""

MEGAPIXELS = (0.25, 1, 4, 16)
"""Where one band of sizes ends and the next begins, which holds the limit."""

SIZES = (
    f"under {MEGAPIXELS[0]:g} MP",
    *(f"{low:g}–{high:g} MP" for low, high in pairwise(MEGAPIXELS)),
    f"{MEGAPIXELS[-1]:g} MP or more",
)
"""The bands of sizes, in megapixels."""

_PER_OCTAVE = 32  # shape codes for each doubling of width over height
_SQUARE = 128  # shape code of a square
_NEARLY = 2  # shape codes that a square may differ by
_PACKED = 2**30
_VERSION = "dimensions 1"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dimensions:
    """The shape code of every image, uint8 (n,), and the index of its size in :data:`SIZES`, uint8 (n,).

    Width over height is 2 ** ((code - 128) / 32), within 1.1% for ratios between 1:15 and 15:1.
    """

    shapes: Codes
    sizes: Codes


_DIMENSIONS = Kind[Dimensions]("dimensions of images", of="workspace", until="images are added", limit=1)


def dimensions(workspace: Workspace) -> Dimensions:
    """Return the dimensions of every image; read from the catalogue once and cached on disk."""
    images = workspace.catalogue.digests().fingerprint()
    return workspace.memory.get(_DIMENSIONS, None, images, lambda: _read(workspace))


def dimension_mask(workspace: Workspace, kind: str, values: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images have one of the shapes, or one of the sizes, by ``kind``: ``shape`` or ``size``.

    Raises
    ------
    BamError
        There is no such shape or size.
    """
    names, codes, index = _facet(workspace, kind)
    for value in values:
        if value not in names:
            raise BamError(f"There is no {kind} {value[:60]!r}. Choose one of {', '.join(names)}.")
    wanted = np.array([name in values for name in names])[index]
    return wanted[codes[:n]]


def dimension_counts(workspace: Workspace, kind: str, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` have each shape, or each size, by ``kind``."""
    names, codes, index = _facet(workspace, kind)
    by_code = np.bincount(codes[: len(mask)][mask], minlength=len(index))
    return dict(zip(names, np.bincount(index, by_code, len(names)).astype(int).tolist(), strict=True))


def _facet(workspace: Workspace, kind: str) -> tuple[Sequence[str], Codes, NDArray[np.intp]]:
    """Return the names of a facet's values, the codes of all images, and the index of the name for each code."""
    known = dimensions(workspace)
    if kind == "size":
        return SIZES, known.sizes, np.arange(len(SIZES))
    off = np.arange(256) - _SQUARE
    return SHAPES, known.shapes, np.where(off > _NEARLY, 0, np.where(off < -_NEARLY, 2, 1))


def _read(workspace: Workspace) -> Dimensions:
    file, digests = workspace.cache / "facets" / "dimensions-1.npz", workspace.catalogue.digests()
    stored = _stored(file, digests)
    table = db.images
    # width and height packed into one integer: several times as fast to read
    packed = sa.cast(table.c.width, sa.BigInteger) * _PACKED + table.c.height
    query = sa.select(packed).where(table.c.row >= len(stored.shapes)).order_by(table.c.row)
    with workspace.engine.connect() as connection:
        sides = np.fromiter(connection.execution_options(yield_per=50_000).scalars(query), np.int64)
    if not len(sides):
        return stored
    wide, high = np.maximum(sides // _PACKED, 1), np.maximum(sides % _PACKED, 1)
    octaves = np.log2(wide / high)
    shapes = np.clip(np.rint(octaves * _PER_OCTAVE) + _SQUARE, 0, 255).astype(np.uint8)
    sizes = np.searchsorted(np.array(MEGAPIXELS) * 1e6, wide * high, side="right").astype(np.uint8)
    every = Dimensions(np.concatenate([stored.shapes, shapes]), np.concatenate([stored.sizes, sizes]))
    try:
        images = np.array(digests.fingerprint(len(every.shapes)))
        derived.write_arrays(file, {"shapes": every.shapes, "sizes": every.sizes, "images": images}, _VERSION)
    except OSError as error:
        _log.warning("Dimensions cannot be cached in %s: %s.", file, error.strerror or error)
    return every


def _stored(file: Path, digests: Digests) -> Dimensions:
    """Return the stored dimensions; none where they are missing, damaged or of other images."""
    stored = derived.read_arrays(file, _VERSION)
    if stored is None or digests.fingerprint(len(stored["shapes"])) != str(stored["images"]):
        return Dimensions(np.empty(0, np.uint8), np.empty(0, np.uint8))
    return Dimensions(stored["shapes"], stored["sizes"])
