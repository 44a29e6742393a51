"""Draws the points of a tile as coloured marks; points are counted by pixel, the zoom plan gives the shades.

In:  points, the zoom plan, the colouring, the selection, and which tile.
Out: an index image, and RGBA (256, 256, 4). Knows nothing of files, attribute names or the web.

Each tile counts only its own run of points and those outside whose marks reach in; shades come from tables of the whole
map, so that tiles join without seams. datashader counts many points (Canvas.points over the run, not over the map), our
own kernel few, with the same result. A zoom with few tiles and many points in each is drawn once as a whole (a sheet),
from which tiles are cut.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.projection import colours
from bam_engine.projection.categories import Categories, Groups, grouped
from bam_engine.projection.tiles import TILE, TileSource
from bam_engine.projection.zoom_plan import Zoom, ZoomPlan

BORDER = 8

SHEET_ZOOM, SHEET_POINTS = 3, 30_000
"""Zooms up to the first are drawn as a sheet if their tiles have so many points on average."""

FEW = 50_000
"""Up to so many points our own kernel is faster than datashader, which takes 1 to 2 ms for any number."""

Pixels = NDArray[np.uint8]
Index = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Colouring:
    """How a map is coloured.

    Attributes
    ----------
    kind : {"density", "density-log", "score", "accepted", "category"}
    values : (m,) float32 or None
        By point: scores (NaN: not scored), or 1 accepted, 0 rejected, -1 unlabelled.
    low, high : float
        The scores of the first and the last colour.
    groups : Groups, optional
        The groups of a category.
    """

    kind: str
    values: NDArray[np.float32] | None = None
    low: float = 0.0
    high: float = 1.0
    groups: Groups | None = None

    def table(self, theme: str = "light") -> colours.Table:
        """Return its colour table, at most 256 colours."""
        if self.groups is not None:
            return colours.groups(self.groups.roles, theme)
        return {"score": colours.score, "accepted": colours.accepted}.get(self.kind, colours.density)(theme)

    def index_of(self, values: NDArray[Any]) -> Pixels:
        """Return the colour indices of scores: 1 where there is none, else 2 to 255."""
        unit = (values - self.low) / ((self.high - self.low) or 1.0)
        shown = 2 + np.round(253 * np.clip(np.nan_to_num(unit), 0, 1))
        return np.asarray(np.where(np.isnan(values), 1, shown), dtype=np.uint8)

    def index_at(self, point: int) -> int | None:
        """Return the index of the strongest colour of a point; None for a map coloured by density."""
        if self.groups is not None:
            return colours.SHADES * (int(self.groups.codes[point]) + 1)
        if self.values is None:
            return None
        value = self.values[point : point + 1]
        return int(self.index_of(value)[0]) if self.kind == "score" else colours.BLOCK * (int(value[0]) + 2)


DENSITY = Colouring("density")
DENSITY_LOG = Colouring("density-log")


def by_score(source: TileSource, scores: ArrayLike) -> Colouring:
    """Colour by ``scores[row]``; rows beyond the end and NaN are not scored. The ramp spans the 1% to 99% quantiles."""
    values = at_points(source, scores, fill=np.nan)
    scored = values[np.isfinite(values)]
    low, high = np.quantile(scored, [0.01, 0.99]) if scored.size else (0.0, 1.0)
    return Colouring("score", np.where(np.isfinite(values), values, np.nan), float(low), float(high))


def by_label(source: TileSource, labels: ArrayLike) -> Colouring:
    """Colour by ``labels[row]``: 1 accepted, 0 rejected; other values and rows beyond the end are unlabelled."""
    values = at_points(source, labels, fill=colours.UNLABELLED)
    known = (values == colours.ACCEPTED) | (values == colours.REJECTED)
    return Colouring("accepted", np.where(known, values, np.float32(colours.UNLABELLED)))


def by_category(source: TileSource, categories: Categories) -> Colouring:
    """Colour by groups; each pixel shows the group of most of its images."""
    return Colouring("category", groups=grouped(source.rows, categories))


def at_points(source: TileSource, values: ArrayLike, *, fill: float) -> NDArray[np.float32]:
    """Return values, given by image row, by point; ``fill`` for rows beyond the end."""
    by_row = np.asarray(values, dtype=np.float32)
    by_point = np.full(len(source), fill, dtype=np.float32)
    known = source.rows < len(by_row)
    by_point[known] = by_row[source.rows[known]]
    return by_point


def draw(
    source: TileSource,
    plan: ZoomPlan,
    colouring: Colouring,
    z: int,
    x: int,
    y: int,
    *,
    theme: str = "light",
    only: Mask | None = None,
    sheet: Index | None = None,
    few: int = FEW,
) -> Pixels | None:
    """Return the marks of tile (z, x, y) as RGBA on a transparent background; None without any.

    Points where ``only`` (m,) is False are grey, below the others. ``sheet`` is the result of :func:`render_zoom`. Up
    to ``few`` points are counted by our own kernel, more by datashader.
    """
    zoom = plan.zooms[z]
    border = BORDER if zoom.radius else 0
    if sheet is None:
        inside = source.slice(z, x, y)
        chosen = np.arange(inside.start, inside.stop)
        if border:
            chosen = np.concatenate([chosen, source.ring(z, x, y)])
        index = _index(source, zoom, colouring, _Window(z, x, y, border), chosen, only, few)
    else:
        index = sheet[y * TILE : (y + 1) * TILE + 2 * border, x * TILE : (x + 1) * TILE + 2 * border]
        index = np.ascontiguousarray(index) if index.any() else None
    if index is None:
        return None
    table = colouring.table(theme) if only is None else colours.with_context(colouring.table(theme), theme)
    return _marked(index, zoom.radius, table)


def _marked(index: Index, radius: float, table: colours.Table) -> Pixels:
    from bam_engine.projection.count_kernels import painted
    from bam_engine.projection.tile_kernels import mark, stamp

    if radius:
        stamped: Pixels = stamp(index, mark(radius), table, TILE)
        return stamped
    pixels: NDArray[np.uint32] = painted(index, np.ascontiguousarray(table).view(np.uint32)[:, 0])
    return pixels.view(np.uint8).reshape(*index.shape, 4)


def uses_sheet(source: TileSource, z: int) -> bool:
    """Return whether zoom ``z`` is drawn as one sheet."""
    return z <= SHEET_ZOOM and len(source) >= SHEET_POINTS * 4**z


def render_zoom(source: TileSource, plan: ZoomPlan, colouring: Colouring, z: int, *, only: Mask | None = None) -> Index:
    """Return the index image of a whole zoom, a sheet, with a border for its marks; :func:`draw` cuts tiles from it."""
    border = BORDER if plan.zooms[z].radius else 0
    window = _Window(z, 0, 0, border, tiles=1 << z)
    index = _index(source, plan.zooms[z], colouring, window, np.arange(len(source)), only)
    return np.zeros((window.side, window.side), np.uint8) if index is None else index


@dataclass(frozen=True)
class _Window:
    """A square of ``tiles`` x ``tiles`` from tile (z, x, y) on, with a border. Row 0 is the top, the smallest y."""

    z: int
    x: int
    y: int
    border: int
    tiles: int = 1

    @property
    def side(self) -> int:
        """Pixels along a side."""
        return self.tiles * TILE + 2 * self.border

    def canvas(self) -> Any:
        """Return the same square for datashader."""
        from datashader import Canvas

        reach = self.border / TILE
        ranges = [((at - reach) / 2**self.z, (at + self.tiles + reach) / 2**self.z) for at in (self.x, self.y)]
        return Canvas(plot_width=self.side, plot_height=self.side, x_range=ranges[0], y_range=ranges[1])


def _index(
    source: TileSource,
    zoom: Zoom,
    colouring: Colouring,
    window: _Window,
    chosen: NDArray[np.int64],
    only: Mask | None,
    few: int = FEW,
) -> Index | None:
    """Return the colour index of each pixel, 0 for none; None without points.

    With ``only``, indices 1 to 64 are the greys, followed by the colours.
    """
    if not len(chosen):
        return None
    index: Index = np.zeros((window.side, window.side), np.uint8 if only is None else np.uint16)
    if only is None:
        _put(index, source, zoom, colouring, window, chosen, few)
    else:
        inside = only[chosen]
        _put(index, source, zoom, DENSITY, window, chosen[~inside], few, grey=True)
        _put(index, source, zoom, colouring, window, chosen[inside], few, offset=colours.CONTEXT)
    return index


def _put(
    index: Index,
    source: TileSource,
    zoom: Zoom,
    colouring: Colouring,
    window: _Window,
    chosen: NDArray[np.int64],
    few: int,
    *,
    offset: int = 0,
    grey: bool = False,
) -> None:
    """Write the colour indices of pixels with points, plus ``offset``, or as one of 64 greys."""
    if len(chosen) > few and colouring.groups is None:
        drawn = _aggregated(source, zoom, colouring, window, chosen).astype(index.dtype)
        occupied = drawn > 0
        index[occupied] = (drawn[occupied] + 3) // 4 if grey else drawn[occupied] + offset
        return
    from bam_engine.projection import count_kernels as kernels

    corner = window.x * TILE - window.border, window.y * TILE - window.border
    owns_edge = colouring.groups is not None or not window.border
    pixels = 1 << (window.z + TILE.bit_length() - 1), *corner, int(owns_edge)
    shades = _shades(zoom, colouring)
    offset = kernels.GREY if grey else offset
    kernels.count(index, source.x, source.y, chosen, _for_kernel(colouring), shades, pixels, offset)


def _for_kernel(colouring: Colouring) -> tuple[Any, ...]:
    """Return a colouring as the kernel's argument."""
    from bam_engine.projection import count_kernels as kernels

    values = np.empty(0, np.float32) if colouring.values is None else colouring.values
    span = float(colouring.high - colouring.low) or 1.0
    if colouring.groups is not None:
        return (kernels.GROUPS, values, colouring.groups.codes, 0.0, 1.0, len(colouring.groups.names), colours.SHADES)
    kind = {"score": kernels.SCORE, "accepted": kernels.ACCEPTED}.get(colouring.kind, kernels.DENSITY)
    return kind, values, np.empty(0, np.uint8), float(colouring.low), span, 0, 0


def _shades(zoom: Zoom, colouring: Colouring) -> Pixels:
    return zoom.log_shade if colouring.kind == "density-log" else zoom.shade


def _aggregated(
    source: TileSource, zoom: Zoom, colouring: Colouring, window: _Window, chosen: NDArray[np.int64]
) -> Pixels:
    """Return the colour index of each pixel, 0 for none, counted by datashader."""
    from datashader import count, max, mean  # noqa: A004

    x, y = source.x[chosen], source.y[chosen]
    if colouring.values is None:
        return _shade(_shades(zoom, colouring), _aggregate(window, count(), x, y))
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


def _aggregate(window: _Window, reduction: Any, x: Any, y: Any, values: Any = None) -> NDArray[Any]:
    import pandas as pd

    columns = {"x": x, "y": y} if values is None else {"x": x, "y": y, "value": values}
    return np.asarray(window.canvas().points(pd.DataFrame(columns, copy=False), "x", "y", reduction).data)


def _shade(shade: Pixels, counts: NDArray[Any]) -> Pixels:
    return np.asarray(shade[np.minimum(counts, len(shade) - 1)])
