"""A map ready to be displayed: its points, colourings and pictures.

In:  a layout; scores, labels and categories by image row; a function that returns a thumbnail.
Out: tiles as the bytes of a file, the image at a position, legends. Knows nothing of the web.

Kinds of tiles: ``density`` and ``density-log``; ``score-NAME`` for each of ``scores``; ``accepted-NAME`` for each of
``labels``; ``category-NAME`` for each of ``categories``; and ``pictures-KIND`` for each of these: its pictures.
"""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import NotFound
from bam_engine.projection import colours, legends, picture_tiles, shading
from bam_engine.projection.arrangement import Arrangement
from bam_engine.projection.encoding import NOTHING, encode_marks, encode_picture
from bam_engine.projection.lru_cache import LruCache
from bam_engine.projection.picture_store import PictureStore, Thumbnail
from bam_engine.projection.tiles import TileSource
from bam_engine.projection.view_sources import Sources
from bam_engine.projection.zoom_plan import ZoomPlan, plan_zooms

PICTURES = "pictures-"
CACHED = 12
"""Cached colourings, each with a float or byte for each point; as many sheets, and selections."""


class MapView:
    """A map ready to be displayed. Thread-safe; when its data change, create a new one with a new version.

    Parameters
    ----------
    layout : (n, 2) array of float
        Places in [0, 1] squared; points with NaN are left out.
    rows : (n,) array of int, optional
        The image row of each point; without it 0 to n - 1.
    version : str
        Changes whenever a tile would look different, so that browsers can cache tiles as immutable.
    scores : mapping of name to array by image row
        The scores of ``score-NAME``, by which pictures are chosen too. NaN: not scored.
    labels : mapping of name to array by image row
        The labels of ``accepted-NAME``: 1 accepted, 0 rejected, -1 unlabelled.
    thumbnail : callable
        Image row to a picture, or None if it has none.
    sources : Sources, optional
        Optional data sources.
    previous : MapView, optional
        A previous view of the same layout, whose points, pictures and unchanged colourings are reused.

    Examples
    --------
    >>> view = MapView([[0.2, 0.3]], version="1", thumbnail=lambda row: None)
    >>> view.kinds(), view.row_at(0.2, 0.31, 0.05)
    (('density', 'density-log'), 0)
    """

    def __init__(
        self,
        layout: ArrayLike,
        *,
        rows: ArrayLike | None = None,
        version: str,
        thumbnail: Thumbnail,
        scores: Mapping[str, ArrayLike] | None = None,
        labels: Mapping[str, ArrayLike] | None = None,
        sources: Sources | None = None,
        previous: "MapView | None" = None,
    ) -> None:
        self.source: TileSource = previous.source if previous is not None else TileSource.build(layout, rows=rows)
        self.plan: ZoomPlan = previous.plan if previous is not None else plan_zooms(self.source)
        self.version = version
        self._sources = sources or Sources()
        self._scores = dict(scores or {})
        self._labels = dict(labels or {})
        self._describe = self._sources.describe
        self._arranging = threading.Lock()
        self._colourings: LruCache[str, shading.Colouring] = LruCache(CACHED)
        self._sheets: LruCache[tuple[str, str, int], shading.Index] = LruCache(CACHED)  # by kind, selection, zoom
        self._selected: LruCache[str, shading.Mask] = LruCache(CACHED)
        self._arrangement: Arrangement | None = None
        self._store = PictureStore(thumbnail, sprites=self._sources.sprites)
        self.last_request = -math.inf  # time of the last request; background work pauses after it
        if previous is not None:
            self._reuse(previous)

    def _reuse(self, previous: "MapView") -> None:
        self._store, self._arrangement = previous._store, previous._arrangement
        self.last_request = previous.last_request
        self._selected = LruCache(CACHED, previous._selected.items())
        same = {kind for kind in self.kinds() if self.version_of(kind) == previous.version_of(kind)}
        colourings, sheets = previous._colourings.items(), previous._sheets.items()
        self._colourings = LruCache(CACHED, [(kind, colouring) for kind, colouring in colourings if kind in same])
        self._sheets = LruCache(CACHED, [(key, sheet) for key, sheet in sheets if key[0] in same])

    def prepare_like(self, previous: "MapView") -> None:
        """Prepare the colourings that a previous view has in its cache, so that they are ready when needed."""
        for kind in (kind for kind in self.kinds() if kind in previous._colourings):
            self.colouring(kind)

    def __len__(self) -> int:
        """Return the number of images on the map."""
        return len(self.source)

    @property
    def picture_from_zoom(self) -> int:
        """The first zoom with pictures."""
        return self.plan.picture_from_zoom

    @property
    def max_zoom(self) -> int:
        """The zoom at which every image has a cell of its own; deeper tiles exist but show nothing new."""
        return self.plan.max_zoom

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the points; the whole square without points."""
        if len(self) == 0:
            return 0.0, 0.0, 1.0, 1.0
        x, y = self.source.x, self.source.y
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def kinds(self) -> tuple[str, ...]:
        """Return what the map can be coloured by."""
        families = (("score", self._scores), ("accepted", self._labels), ("category", self._sources.categories))
        return ("density", "density-log", *(f"{family}-{name}" for family, names in families for name in names))

    def version_of(self, kind: str) -> str:
        """Return a version that changes whenever tiles of a kind would look different."""
        return self._sources.kind_versions.get(kind, self.version)

    def colouring(self, kind: str) -> shading.Colouring:
        """Return the colouring of a kind, cached.

        Raises
        ------
        NotFound
            The map has no such kind.
        """
        return self._colourings.get(kind, lambda: self._make_colouring(kind))

    def _make_colouring(self, kind: str) -> shading.Colouring:
        family, name = _parts(kind)
        if kind in ("density", "density-log"):
            return shading.DENSITY if kind == "density" else shading.DENSITY_LOG
        if family == "score" and name in self._scores:
            return shading.by_score(self.source, self._scores[name])
        if family == "accepted" and name in self._labels:
            return shading.by_label(self.source, self._labels[name])
        if family == "category" and name in self._sources.categories:
            return shading.by_category(self.source, self._sources.categories[name]())
        raise NotFound(f"The map cannot be coloured by {kind!r}. Choose one of {', '.join(self.kinds())}.")

    def tile(
        self,
        kind: str,
        z: int,
        x: int,
        y: int,
        *,
        only: str | None = None,
        theme: str = "light",
        representative: str = "best",
    ) -> bytes:
        """Return tile (z, x, y) as PNG, or as WebP if it has pictures; an empty tile is a transparent pixel.

        Parameters
        ----------
        only : str, optional
            The id of a selection. Points outside it are grey; its pictures come first, and others are faded.
        theme : {"light", "dark"}
        representative : {"best", "medoid", "newest"}
            Which image of a cell is shown: see :class:`.picture_tiles.Choice`.

        Raises
        ------
        NotFound
            There is no such kind, tile, selection, theme or representative; picture tiles start at
            ``picture_from_zoom``.
        """
        self.last_request = time.monotonic()
        below = kind.startswith(PICTURES) and z < self.picture_from_zoom
        if below or not self.source.has_tile(z, x, y):
            raise NotFound(f"There is no tile {z}/{x}/{y} of {kind!r}.")
        if theme not in colours.THEMES:
            raise NotFound(f"There is no theme {theme!r}. Choose {' or '.join(colours.THEMES)}.")
        base = kind.removeprefix(PICTURES)
        choice = self._choice(base, only, representative)
        store = self._sources.tiles
        if store is None:
            return self._draw(kind, z, x, y, only, choice, theme)[0]
        self._check_kind(base)
        shown = representative if kind.startswith(PICTURES) else ""
        key = f"{self.version_of(base)}/{kind}/{shown}/{only or ''}/{theme}/{z}/{x}/{y}"
        stored = store.get(key)
        if stored is not None:
            return stored
        body, complete = self._draw(kind, z, x, y, only, choice, theme)
        if complete and body is not NOTHING:
            store.put(key, body)
        return body

    def selected(self, only: str) -> shading.Mask:
        """Return which points belong to a selection (m,), cached.

        Raises
        ------
        NotFound
            There is no such selection.
        """
        return self._selected.get(only, lambda: self._mask(only))

    def _mask(self, only: str) -> shading.Mask:
        if self._sources.selection is None:
            raise NotFound(f"This map has no selection {only[:40]!r}.")
        rows = np.asarray(self._sources.selection(only), np.int64)
        inside = np.zeros(1 + int(max(self.source.rows.max(initial=0), rows.max(initial=0))), np.bool_)
        inside[rows] = True
        return np.asarray(inside[self.source.rows])

    def row_at(
        self, x: float, y: float, radius: float, *, kind: str = "density", zoom: int | None = None
    ) -> int | None:
        """Return the row of the image at a position: by its picture at ``zoom``, else the nearest within the radius.

        ``kind`` is the colouring of the map; pictures are chosen by its score.
        """
        index, _ = self._look(x, y, radius, zoom, kind, self._choice(kind, None, "best"))
        return None if index is None else int(self.source.rows[index])

    def image_at(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        kind: str = "density",
        zoom: int | None = None,
        only: str | None = None,
        representative: str = "best",
    ) -> dict[str, Any] | None:
        """Return the image at a position, JSON-ready, or None.

        Keys are ``row``, its place ``x`` and ``y``, those of ``describe``, ``score`` if the map is coloured by an
        attribute with scores, and ``box`` [left, top, right, bottom] if its picture is drawn there.
        """
        self.last_request = time.monotonic()
        index, box = self._look(x, y, radius, zoom, kind, self._choice(kind, only, representative))
        if index is None:
            return None
        row = int(self.source.rows[index])
        description: dict[str, Any] = dict(self._describe(row)) if self._describe else {}
        scores = self._scores.get(_parts(kind)[1])
        if scores is not None:
            score = float(np.asarray(scores)[row]) if row < len(np.asarray(scores)) else math.nan
            description["score"] = score if math.isfinite(score) else None
        place = {"row": row, "x": float(self.source.x[index]), "y": float(self.source.y[index])}
        return {**description, **place, **({"box": box} if box else {})}

    def legend(self, kind: str, theme: str = "light") -> dict[str, object]:
        """Return the legend of a colouring, JSON-ready.

        It has a ``title``, and a ``ramp`` with the ends ``low`` and ``high``, or ``swatches`` with ``label``,
        ``colour`` and ``count``.
        """
        return legends.legend(self.colouring(kind), _parts(kind)[1].replace("_", " "), theme)

    def rows_of_swatch(self, kind: str, label: str) -> NDArray[np.int64]:
        """Return the rows of the images that a swatch of a legend stands for, ascending.

        Raises
        ------
        NotFound
            The map has no such kind, or its legend no such swatch.
        """
        points = legends.points_of_swatch(self.colouring(kind), label)
        if points is None:
            raise NotFound(f"The legend of {kind} has no “{label}”. Open the map again to see what it has.")
        return np.sort(self.source.rows[points])

    def first_pictures(self, kind: str = "density") -> NDArray[np.int64]:
        """Return the rows (k,) that the first zoom with pictures shows, those of the fullest cells first."""
        start, stop = self.source.grid(0, 0, 0, side=1 << self.plan.picture_depth(self.picture_from_zoom))
        fullest = np.argsort(start.ravel() - stop.ravel(), kind="stable")
        chosen = picture_tiles.Choice(priority=self._priority(kind)).of(self.source, start.ravel(), stop.ravel())[
            fullest
        ]
        return self.source.rows[chosen[chosen >= 0]]

    def pack_sprite(self, row: int) -> bool:
        """Store the smallest picture of an image as a sprite; return False if it exists already or cannot be made."""
        return self._store.pack(row)

    def warm(self) -> None:
        """Compile the kernels, which takes seconds once per process, before the first request needs them."""
        from bam_engine.projection.warming import warm

        warm()

    def _check_kind(self, kind: str) -> None:
        if kind not in self.kinds():
            self._make_colouring(kind)  # raises a helpful error

    def _draw(
        self, kind: str, z: int, x: int, y: int, only: str | None, choice: picture_tiles.Choice, theme: str
    ) -> tuple[bytes, bool]:
        """Return a tile, and whether no picture on it was missing."""
        if kind.startswith(PICTURES):
            base = kind.removeprefix(PICTURES)
            table = self.colouring(base).table(theme)

            def frame(index: int) -> tuple[int, int, int] | None:
                at = self.colouring(base).index_at(index)
                return None if at is None else (int(table[at][0]), int(table[at][1]), int(table[at][2]))

            picture, complete = picture_tiles.compose(
                self._cells(z, x, y, base, choice),
                self.source.rows,
                across=self.plan.pictures_across(z),
                store=self._store,
                frame=frame,
                only=choice.only,
            )
            return (NOTHING if picture is None else encode_picture(picture)), complete
        sheet = self._sheet(kind, z, only, choice.only) if shading.uses_sheet(self.source, z) else None
        colouring = self.colouring(kind)
        drawn = shading.draw(self.source, self.plan, colouring, z, x, y, theme=theme, only=choice.only, sheet=sheet)
        return (NOTHING if drawn is None else encode_marks(drawn)), True

    def _sheet(self, kind: str, z: int, only: str | None, mask: shading.Mask | None) -> shading.Index:
        make = partial(shading.render_zoom, self.source, self.plan, self.colouring(kind), z, only=mask)
        return self._sheets.get((kind, only or "", z), make)

    def _choice(self, kind: str, only: str | None, representative: str) -> picture_tiles.Choice:
        if representative not in picture_tiles.REPRESENTATIVES:
            raise NotFound(
                f"There are no pictures {representative!r}. Choose one of {', '.join(picture_tiles.REPRESENTATIVES)}."
            )
        return picture_tiles.Choice(representative, only=None if only is None else self.selected(only))

    def _cells(self, z: int, x: int, y: int, kind: str, choice: picture_tiles.Choice) -> picture_tiles.Cells:
        """Return the point that each occupied picture cell of a tile shows."""
        across = self.plan.pictures_across(z)
        if self.plan.picture_depth(z) == self.max_zoom:
            return picture_tiles.arranged_cells(self.arrangement(), x, y, across=across)
        choice = replace(choice, priority=self._priority(kind))
        return picture_tiles.representatives(self.source, z, x, y, across=across, choice=choice)

    def arrangement(self) -> Arrangement:
        """Return the arrangement at ``max_zoom``, where every image has a cell of its own; cached."""
        with self._arranging:
            if self._arrangement is None:
                self._arrangement = Arrangement.of(self.source, self.max_zoom)
            return self._arrangement

    def _priority(self, kind: str) -> NDArray[np.float32] | None:
        """Return the priorities of pictures: the score of the kind's attribute, or else its labels, or None."""
        self._check_kind(kind)
        family, name = _parts(kind)
        if family not in ("score", "accepted"):
            return None
        return self.colouring(f"score-{name}" if name in self._scores else kind).values

    def _look(
        self, x: float, y: float, radius: float, zoom: int | None, kind: str, choice: picture_tiles.Choice
    ) -> tuple[int | None, list[float] | None]:
        """Return the index of the point at a position, and the cell of its picture if that was hit."""
        if zoom is not None and zoom >= self.picture_from_zoom:
            column, row = math.floor(x * 2**zoom), math.floor(y * 2**zoom)
            if self.source.has_tile(zoom, column, row):
                across = self.plan.pictures_across(zoom)
                shown = self._cells(zoom, column, row, kind, choice)
                cell = int((x * 2**zoom - column) * across), int((y * 2**zoom - row) * across)
                side = 1 / (2**zoom * across)
                left, top = column / 2**zoom + cell[0] * side, row / 2**zoom + cell[1] * side
                if cell in shown:
                    return shown[cell], [left, top, left + side, top + side]
        return self.source.nearest(x, y, radius), None


def _parts(kind: str) -> tuple[str, str]:
    family, _, name = kind.partition("-")
    return family, name
