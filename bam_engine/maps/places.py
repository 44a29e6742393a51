"""Where given images lie on a map, without opening it for tiles.

In:  the id of a layout and image rows. Out: places. An index from row to place is kept in memory for the maps that were
asked about last.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.maps.layout_store import layout_of, points_of
from bam_engine.workspace.core import Workspace

_CACHED = 3  # maps

Places = NDArray[np.float32]
_Index = tuple[str, Places, NDArray[np.int32]]


def places_of(workspace: Workspace, map_id: str, rows: Sequence[int] | NDArray[np.int64]) -> Places:
    """Return the places (n, 2) of ``rows`` on a map; nan for an image that is not on it.

    Raises
    ------
    NotFound
        There is no such map.
    """
    points = layout_of(workspace, map_id).points
    with workspace.lock_for("places"):
        kept: dict[str, _Index] = workspace.memory_cache.setdefault("places", {})
        found = kept.pop(map_id, None)
        if found is None or found[0] != points or not points:
            found = _read(workspace, map_id, points)
        kept[map_id] = found
        while len(kept) > _CACHED:
            kept.pop(next(iter(kept)))
    _, places, index = found
    asked = np.asarray(rows, np.int64)
    known = (asked >= 0) & (asked < len(index))
    at = np.where(known, index[np.where(known, asked, 0)] if len(index) else -1, -1)
    result = np.full((len(asked), 2), np.nan, np.float32)
    result[at >= 0] = places[at[at >= 0]]
    return result


def extent(places: Places) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom of the places that there are, or None without any.

    Examples
    --------
    >>> extent(np.array([[0.5, 0.25], [np.nan, np.nan], [0.75, 0.5]], np.float32))
    (0.5, 0.25, 0.75, 0.5)
    """
    there = places[np.isfinite(places).all(axis=1)]
    if not len(there):
        return None
    (left, top), (right, bottom) = there.min(axis=0), there.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def zoom_among_neighbours(n: int) -> int:
    """Return a zoom at which one of ``n`` images stands among its neighbours as a picture, from 1 to 7.

    From the number alone, as if the images lay evenly; a map that knows its points knows better.
    """
    return min(7, max(1, math.ceil(math.log(max(1.0, n / 12), 4)) - 1))


def _read(workspace: Workspace, map_id: str, points: str) -> _Index:
    places, rows = points_of(workspace, map_id)
    index = np.full(int(rows.max(initial=-1)) + 1, -1, np.int32)
    index[rows] = np.arange(len(rows), dtype=np.int32)
    return points, places, index
