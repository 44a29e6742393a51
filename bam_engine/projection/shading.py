"""The points of a tile as coloured marks: datashader counts, the map's own survey decides the shade.

In:  points, survey, what to colour by, and which tile.
Out: RGBA (256, 256, 4), or None for a tile without marks. Knows nothing of files, attributes' names or the web.

Each tile aggregates only its own run of points (Canvas.points over the slice, not over the map) and the few outside
whose marks reach in; shades come from tables made for the whole map, so tiles join without seams.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.projection import colours
from bam_engine.projection.survey import Survey, Zoom
from bam_engine.projection.tiles import TILE, TileSource

BORDER = 8

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Colouring:
    """What a map is coloured by.

    Attributes
    ----------
    kind : {"density", "score", "accepted"}
    values : (m,) float32 or None
        In the order of the points: scores (NaN: not scored), or 1 accepted, 0 rejected, -1 unlabelled.
    low, high : float
        The scores that get the first and the last colour.
    """

    kind: str
    values: NDArray[np.float32] | None = None
    low: float = 0.0
    high: float = 1.0

    @property
    def table(self) -> colours.Table:
        """Its 256 colours."""
        return {"density": colours.density, "score": colours.score, "accepted": colours.accepted}[self.kind]()

    def index_of(self, values: NDArray[Any]) -> Pixels:
        """Indices into the colours for scores: 1 where there is none, else 2 to 255."""
        unit = (values - self.low) / ((self.high - self.low) or 1.0)
        shown = 2 + np.round(253 * np.clip(np.nan_to_num(unit), 0, 1))
        return np.asarray(np.where(np.isnan(values), 1, shown), dtype=np.uint8)


DENSITY = Colouring("density")


def by_score(source: TileSource, scores: ArrayLike) -> Colouring:
    """Colour by a score: ``scores[row]``; rows beyond its end and NaN are not scored. The ramp spans 1 % to 99 %."""
    values = at_points(source, scores, fill=np.nan)
    scored = values[np.isfinite(values)]
    low, high = np.quantile(scored, [0.01, 0.99]) if scored.size else (0.0, 1.0)
    return Colouring("score", np.where(np.isfinite(values), values, np.nan), float(low), float(high))


def by_label(source: TileSource, labels: ArrayLike) -> Colouring:
    """Colour by ``labels[row]``: 1 accepted, 0 rejected, anything else (rows beyond its end too) unlabelled."""
    values = at_points(source, labels, fill=colours.UNLABELLED)
    known = (values == colours.ACCEPTED) | (values == colours.REJECTED)
    return Colouring("accepted", np.where(known, values, np.float32(colours.UNLABELLED)))


def at_points(source: TileSource, values: ArrayLike, *, fill: float) -> NDArray[np.float32]:
    """Values by image row, put in the order of the points."""
    by_row = np.asarray(values, dtype=np.float32)
    found = np.full(len(source), fill, dtype=np.float32)
    known = source.rows < len(by_row)
    found[known] = by_row[source.rows[known]]
    return found


def draw(source: TileSource, plan: Survey, colouring: Colouring, z: int, x: int, y: int) -> Pixels | None:
    """The marks of tile (z, x, y) as RGBA on nothing; None when there are none."""
    from bam_engine.projection.kernels import mark, stamp

    zoom = plan.zooms[z]
    border = BORDER if zoom.radius else 0
    inside = source.slice(z, x, y)
    chosen: slice | NDArray[np.int64] = inside
    if border:
        outside = source.ring(z, x, y)
        if outside.size:
            chosen = np.concatenate([np.arange(inside.start, inside.stop), outside])
    points = source.x[chosen], source.y[chosen]
    if not len(points[0]):
        return None
    values = None if colouring.values is None else colouring.values[chosen]
    index = _index(_Window(z, x, y, border), zoom, colouring, *points, values)
    drawn: Pixels = stamp(index, mark(zoom.radius), colouring.table, TILE)
    return drawn


@dataclass(frozen=True)
class _Window:
    """Tile (z, x, y) with a border, in datashader's words. Row 0 is the smallest y: the top."""

    z: int
    x: int
    y: int
    border: int

    def canvas(self) -> Any:
        from datashader import Canvas

        reach = self.border / TILE
        ranges = [((at - reach) / 2**self.z, (at + 1 + reach) / 2**self.z) for at in (self.x, self.y)]
        side = TILE + 2 * self.border
        return Canvas(plot_width=side, plot_height=side, x_range=ranges[0], y_range=ranges[1])


def _index(
    window: _Window,
    zoom: Zoom,
    colouring: Colouring,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    values: NDArray[np.float32] | None,
) -> Pixels:
    """Which colour each pixel gets: 0 none."""
    from datashader import count, max, mean  # noqa: A004

    if values is None:
        return _shade(zoom, _aggregate(window, count(), x, y))
    if colouring.kind == "accepted":
        top = _aggregate(window, max("value"), x, y, values)
        shade = _shade(zoom, _aggregate(window, count(), x, y))
        block = colours.BLOCK * (np.nan_to_num(top, nan=colours.UNLABELLED) - colours.UNLABELLED)
        return np.asarray(np.where(shade > 0, 1 + block + (shade // 3).clip(0, colours.BLOCK - 1), 0), dtype=np.uint8)
    average = _aggregate(window, mean("value"), x, y, values)
    index = np.where(np.isnan(average), 0, colouring.index_of(average)).astype(np.uint8)
    unscored = np.isnan(values)
    if unscored.any():
        index[(index == 0) & (_aggregate(window, count(), x[unscored], y[unscored]) > 0)] = 1
    return index


def _aggregate(window: _Window, reduction: Any, x: Any, y: Any, values: Any = None) -> NDArray[Any]:
    import pandas as pd

    columns = {"x": x, "y": y} if values is None else {"x": x, "y": y, "value": values}
    return np.asarray(window.canvas().points(pd.DataFrame(columns, copy=False), "x", "y", reduction).data)


def _shade(zoom: Zoom, counts: NDArray[Any]) -> Pixels:
    return np.asarray(zoom.shade[np.minimum(counts, len(zoom.shade) - 1)])
