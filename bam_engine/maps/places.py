"""The places of given images on a map, without opening it for tiles.

In:  the id of a layout and image rows. Out: places. Indices from row to place of the most recently used maps are cached
in memory.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.maps.layout_store import layout_of, points_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

Places = NDArray[np.float32]
_Index = tuple[Places, NDArray[np.int32]]

_INDICES = Kind[_Index]("places of images", of="map", until="its points change", limit=3)


def places_of(workspace: Workspace, map_id: str, rows: Sequence[int] | NDArray[np.int64]) -> Places:
    """Return the places (n, 2) of ``rows`` on a map; nan for an image that is not on it.

    Raises
    ------
    NotFound
        There is no such map.
    """
    record = layout_of(workspace, map_id)
    version = (record.points, record.made_at, removed(workspace).version)
    places, index = workspace.memory.get(_INDICES, map_id, version, lambda: _read(workspace, map_id))
    rows = np.asarray(rows, np.int64)
    known = (rows >= 0) & (rows < len(index))
    at = np.where(known, index[np.where(known, rows, 0)] if len(index) else -1, -1)
    result = np.full((len(rows), 2), np.nan, np.float32)
    result[at >= 0] = places[at[at >= 0]]
    return result


def extent(places: Places) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom of the finite places, or None without any.

    Examples
    --------
    >>> extent(np.array([[0.5, 0.25], [np.nan, np.nan], [0.75, 0.5]], np.float32))
    (0.5, 0.25, 0.75, 0.5)
    """
    finite = places[np.isfinite(places).all(axis=1)]
    if not len(finite):
        return None
    (left, top), (right, bottom) = finite.min(axis=0), finite.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def zoom_among_neighbours(n: int) -> int:
    """Return a zoom, from 1 to 7, that shows one of ``n`` images as a picture among its neighbours.

    It is estimated from the number alone, as if the images were evenly spread.
    """
    return min(7, max(1, math.ceil(math.log(max(1.0, n / 12), 4)) - 1))


def _read(workspace: Workspace, map_id: str) -> _Index:
    places, rows = points_of(workspace, map_id)
    index = np.full(int(rows.max(initial=-1)) + 1, -1, np.int32)
    index[rows] = np.arange(len(rows), dtype=np.int32)
    return places, index
