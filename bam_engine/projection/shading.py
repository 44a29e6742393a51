"""The points of a tile as coloured marks: datashader counts, the map's own survey decides the shade.

In:  points, survey, what to colour by, which of them are picked out, and which tile.
Out: an index image, and RGBA (256, 256, 4). Knows nothing of files, attributes' names or the web.

Each tile aggregates only its own run of points (Canvas.points over the slice, not over the map) and the few outside
whose marks reach in; shades come from tables made for the whole map, so tiles join without seams. Where a zoom has few
tiles and each holds many points, all of them are aggregated once as one sheet, and tiles are cut out of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.projection import colours
from bam_engine.projection.categories import Categories, Groups, grouped
from bam_engine.projection.survey import Survey, Zoom
from bam_engine.projection.tiles import TILE, TileSource

BORDER = 8

SHEET_ZOOM, SHEET_POINTS = 3, 30_000
"""A zoom is drawn as one sheet up to the first, where its tiles would hold so many points each if spread evenly."""

Pixels = NDArray[np.uint8]
Index = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Colouring:
    """What a map is coloured by.

    Attributes
    ----------
    kind : {"density", "density-log", "score", "accepted", "category"}
    values : (m,) float32 or None
        In the order of the points: scores (NaN: not scored), or 1 accepted, 0 rejected, -1 unlabelled.
    low, high : float
        The scores that get the first and the last colour.
    groups : Groups, optional
        Of a category.
    """

    kind: str
    values: NDArray[np.float32] | None = None
    low: float = 0.0
    high: float = 1.0
    groups: Groups | None = None

    def table(self, theme: str = "light") -> colours.Table:
        """Its colours, 256 at most."""
        if self.groups is not None:
            return colours.groups(self.groups.roles, theme)
        return {"score": colours.score, "accepted": colours.accepted}.get(self.kind, colours.density)(theme)

    def index_of(self, values: NDArray[Any]) -> Pixels:
        """Indices into the colours for scores: 1 where there is none, else 2 to 255."""
        unit = (values - self.low) / ((self.high - self.low) or 1.0)
        shown = 2 + np.round(253 * np.clip(np.nan_to_num(unit), 0, 1))
        return np.asarray(np.where(np.isnan(values), 1, shown), dtype=np.uint8)

    def index_at(self, point: int) -> int | None:
        """Index of the strongest colour of one point; None where the map is coloured by density alone."""
        if self.groups is not None:
            return colours.SHADES * (int(self.groups.codes[point]) + 1)
        if self.values is None:
            return None
        value = self.values[point : point + 1]
        return int(self.index_of(value)[0]) if self.kind == "score" else colours.BLOCK * (int(value[0]) + 2)


DENSITY = Colouring("density")
DENSITY_LOG = Colouring("density-log")


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


def by_category(source: TileSource, categories: Categories) -> Colouring:
    """Colour by groups; each pixel shows the one that most of its images belong to."""
    return Colouring("category", groups=grouped(source.rows, categories))


def at_points(source: TileSource, values: ArrayLike, *, fill: float) -> NDArray[np.float32]:
    """Values by image row, put in the order of the points."""
    by_row = np.asarray(values, dtype=np.float32)
    found = np.full(len(source), fill, dtype=np.float32)
    known = source.rows < len(by_row)
    found[known] = by_row[source.rows[known]]
    return found


def draw(
    source: TileSource,
    plan: Survey,
    colouring: Colouring,
    z: int,
    x: int,
    y: int,
    *,
    theme: str = "light",
    only: Mask | None = None,
    sheet: Index | None = None,
) -> Pixels | None:
    """The marks of tile (z, x, y) as RGBA on nothing; None when there are none.

    Points where ``only`` (m,) does not hold are grey, below the others. ``sheet`` is what :func:`sheet_of` made.
    """
    from bam_engine.projection.kernels import mark, stamp

    zoom = plan.zooms[z]
    border = BORDER if zoom.radius else 0
    if sheet is None:
        inside = source.slice(z, x, y)
        outside = source.ring(z, x, y) if border else np.empty(0, np.int64)
        chosen = np.concatenate([np.arange(inside.start, inside.stop), outside]) if outside.size else inside
        index = _index(source, zoom, colouring, _Window(z, x, y, border), chosen, only)
    else:
        index = sheet[y * TILE : (y + 1) * TILE + 2 * border, x * TILE : (x + 1) * TILE + 2 * border]
        index = np.ascontiguousarray(index) if index.any() else None
    if index is None:
        return None
    table = colouring.table(theme) if only is None else colours.with_context(colouring.table(theme), theme)
    drawn: Pixels = stamp(index, mark(zoom.radius), table, TILE)
    return drawn


def has_sheet(source: TileSource, z: int) -> bool:
    """Whether zoom ``z`` is better drawn as one sheet."""
    return z <= SHEET_ZOOM and len(source) >= SHEET_POINTS * 4**z


def sheet_of(source: TileSource, plan: Survey, colouring: Colouring, z: int, *, only: Mask | None = None) -> Index:
    """The index image of a whole zoom, with the border that its marks need: what :func:`draw` cuts tiles out of."""
    border = BORDER if plan.zooms[z].radius else 0
    window = _Window(z, 0, 0, border, tiles=1 << z)
    index = _index(source, plan.zooms[z], colouring, window, slice(0, len(source)), only)
    return np.zeros((window.side, window.side), np.uint8) if index is None else index


@dataclass(frozen=True)
class _Window:
    """A square of ``tiles`` x ``tiles`` from tile (z, x, y) on with a border. Row 0 is the smallest y: the top."""

    z: int
    x: int
    y: int
    border: int
    tiles: int = 1

    @property
    def side(self) -> int:
        """Its pixels along a side."""
        return self.tiles * TILE + 2 * self.border

    def canvas(self) -> Any:
        """The same square as datashader knows it."""
        from datashader import Canvas

        reach = self.border / TILE
        ranges = [((at - reach) / 2**self.z, (at + self.tiles + reach) / 2**self.z) for at in (self.x, self.y)]
        return Canvas(plot_width=self.side, plot_height=self.side, x_range=ranges[0], y_range=ranges[1])


def _index(
    source: TileSource,
    zoom: Zoom,
    colouring: Colouring,
    window: _Window,
    chosen: slice | NDArray[np.int64],
    only: Mask | None,
) -> Index | None:
    """Which colour each pixel gets: 0 none; with ``only``, 1 to 64 the greys and the colours after them."""
    if only is None:
        return _own_index(source, zoom, colouring, window, chosen)
    inside = only[chosen]
    every = np.arange(chosen.start, chosen.stop) if isinstance(chosen, slice) else chosen
    own = _own_index(source, zoom, colouring, window, every[inside])
    grey = _own_index(source, zoom, DENSITY, window, every[~inside])
    if own is None and grey is None:
        return None
    index = np.zeros((window.side, window.side), np.uint16)
    if grey is not None:
        index[...] = (grey.astype(np.uint16) + 3) // 4
    if own is not None:
        index[own > 0] = colours.CONTEXT + own[own > 0].astype(np.uint16)
    return index


def _own_index(
    source: TileSource, zoom: Zoom, colouring: Colouring, window: _Window, chosen: slice | NDArray[np.int64]
) -> Pixels | None:
    """Which colour each pixel gets: 0 none; None when there is no point."""
    from datashader import count, max, mean  # noqa: A004

    x, y = source.x[chosen], source.y[chosen]
    if not len(x):
        return None
    if colouring.groups is not None:
        return _group_index(zoom, colouring.groups, window, x, y, colouring.groups.codes[chosen])
    if colouring.values is None:
        shade = zoom.shade if colouring.kind == "density" else zoom.log_shade
        return _shade(shade, _aggregate(window, count(), x, y))
    values = colouring.values[chosen]
    if colouring.kind == "accepted":
        top = _aggregate(window, max("value"), x, y, values)
        shaded = _shade(zoom.shade, _aggregate(window, count(), x, y))
        block = colours.BLOCK * (np.nan_to_num(top, nan=colours.UNLABELLED) - colours.UNLABELLED)
        return np.asarray(np.where(shaded > 0, 1 + block + (shaded // 3).clip(0, colours.BLOCK - 1), 0), dtype=np.uint8)
    average = _aggregate(window, mean("value"), x, y, values)
    index = np.where(np.isnan(average), 0, colouring.index_of(average)).astype(np.uint8)
    unscored = np.isnan(values)
    if unscored.any():
        index[(index == 0) & (_aggregate(window, count(), x[unscored], y[unscored]) > 0)] = 1
    return index


def _group_index(zoom: Zoom, groups: Groups, window: _Window, x: Any, y: Any, codes: NDArray[np.uint8]) -> Pixels:
    from bam_engine.projection.kernels import largest_groups

    corner = window.x * TILE - window.border, window.y * TILE - window.border
    found: Pixels = largest_groups(
        x, y, codes, len(groups.names), zoom.shade, colours.SHADES, window.z, *corner, window.side
    )
    return found


def _aggregate(window: _Window, reduction: Any, x: Any, y: Any, values: Any = None) -> NDArray[Any]:
    import pandas as pd

    columns = {"x": x, "y": y} if values is None else {"x": x, "y": y, "value": values}
    return np.asarray(window.canvas().points(pd.DataFrame(columns, copy=False), "x", "y", reduction).data)


def _shade(shade: Pixels, counts: NDArray[Any]) -> Pixels:
    return np.asarray(shade[np.minimum(counts, len(shade) - 1)])
