"""One map as it is shown: its points, what it can be coloured by, and its pictures.

In:  a layout, scores, labels and groups by image row, a way to get a thumbnail.
Out: tiles as WebP bytes, the image at a place, legends. Knows nothing of the web; routes hand its bytes on.

Kinds of tiles: ``density`` and ``density-log``; ``score-NAME`` for each of ``scores``; ``accepted-NAME`` for each of
``labels``; ``category-NAME`` for each of ``categories``; and ``pictures-KIND`` for each of these, the pictures that go
with it.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import NotFound
from bam_engine.projection import colours, legends, picture_tiles, shading
from bam_engine.projection.arrangement import Arrangement
from bam_engine.projection.encoding import NOTHING, encode
from bam_engine.projection.picture_store import PictureStore, Thumbnail
from bam_engine.projection.tiles import TileSource
from bam_engine.projection.view_sources import Sources
from bam_engine.projection.zoom_plan import ZoomPlan, plan_zooms

PICTURES = "pictures-"
CACHED = 12
"""Colourings kept in memory, each one float or byte for each point; as many sheets, and selections."""


class MapView:
    """A map ready to be shown. Safe to use from several threads; make a new one, with a new version, when data change.

    Parameters
    ----------
    layout : (n, 2) array of float
        Places in [0, 1] squared; points without a place (NaN) are left out.
    rows : (n,) array of int, optional
        The image row of each point; without it 0 to n - 1.
    version : str
        Changes whenever a tile would look different; it makes tiles immutable for browsers.
    scores : mapping of name to array by image row
        What ``score-NAME`` is coloured by and pictures are chosen by. NaN: not scored.
    labels : mapping of name to array by image row
        What ``accepted-NAME`` is coloured by: 1 accepted, 0 rejected, -1 unlabelled.
    thumbnail : callable
        Image row to a picture, or None when it has none.
    describe : callable, optional
        Image row to what is shown beside it, ready for JSON: ``{"title": ...}``.
    sources : Sources, optional
        What else it may ask for.
    previous : MapView, optional
        An previous view of the same layout: its points, pictures and unchanged colourings are taken over.

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
        describe: Callable[[int], Mapping[str, Any]] | None = None,
        sources: Sources | None = None,
        previous: "MapView | None" = None,
    ) -> None:
        self.source: TileSource = previous.source if previous is not None else TileSource.build(layout, rows=rows)
        self.plan: ZoomPlan = previous.plan if previous is not None else plan_zooms(self.source)
        self.version = version
        self._sources = sources or Sources()
        self._scores = dict(scores or {})
        self._labels = dict(labels or {})
        self._describe = describe or self._sources.describe
        self._lock = threading.Lock()
        self._making: dict[Any, threading.Lock] = {}
        self._arranging = threading.Lock()
        self._colourings: OrderedDict[str, shading.Colouring] = OrderedDict()
        self._sheets: OrderedDict[tuple[str, str, int], shading.Index] = OrderedDict()
        self._selected: OrderedDict[str, shading.Mask] = OrderedDict()
        self._arrangement: Arrangement | None = None
        self._store = PictureStore(thumbnail, sprites=self._sources.sprites)
        self.last_request = -math.inf  # when a visitor asked for something last: what can wait stands back
        if previous is not None:
            self._take_over(previous)

    def _take_over(self, previous: "MapView") -> None:
        with previous._lock:
            self._store, self._arrangement, self.last_request = (
                previous._store,
                previous._arrangement,
                previous.last_request,
            )
            self._selected = OrderedDict(previous._selected)
            same = {kind for kind in self.kinds() if self.version_of(kind) == previous.version_of(kind)}
            self._colourings = OrderedDict((kind, made) for kind, made in previous._colourings.items() if kind in same)
            self._sheets = OrderedDict((key, sheet) for key, sheet in previous._sheets.items() if key[0] in same)

    def prepare_like(self, previous: "MapView") -> None:
        """Make the colourings that an previous view had made, so that nobody waits for them in this one."""
        with previous._lock:
            wanted = [kind for kind in previous._colourings if kind in self.kinds()]
        for kind in wanted:
            self.colouring(kind)

    def __len__(self) -> int:
        """How many images are on the map."""
        return len(self.source)

    @property
    def picture_from_zoom(self) -> int:
        """The zoom from which there are pictures."""
        return self.plan.picture_from_zoom

    @property
    def max_zoom(self) -> int:
        """The zoom at which every image stands in a cell of its own; deeper tiles exist, but show nothing new."""
        return self.plan.max_zoom

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of where the points lie; the whole square when there are none."""
        if len(self) == 0:
            return 0.0, 0.0, 1.0, 1.0
        x, y = self.source.x, self.source.y
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def kinds(self) -> tuple[str, ...]:
        """What the map can be coloured by."""
        families = (("score", self._scores), ("accepted", self._labels), ("category", self._sources.categories))
        return ("density", "density-log", *(f"{family}-{name}" for family, names in families for name in names))

    def version_of(self, kind: str) -> str:
        """What changes whenever tiles of a kind would look different."""
        return self._sources.kind_versions.get(kind, self.version)

    def colouring(self, kind: str) -> shading.Colouring:
        """The colouring of a kind, made at its first use.

        Raises
        ------
        NotFound
            The map has no such kind.
        """
        found: shading.Colouring = self._once(self._colourings, kind, lambda: self._made(kind))
        return found

    def _made(self, kind: str) -> shading.Colouring:
        family, name = _parts(kind)
        if kind in ("density", "density-log"):
            return shading.DENSITY if kind == "density" else shading.DENSITY_LOG
        if family == "score" and name in self._scores:
            return shading.by_score(self.source, self._scores[name])
        if family == "accepted" and name in self._labels:
            return shading.by_label(self.source, self._labels[name])
        if family == "category" and name in self._sources.categories:
            return shading.by_category(self.source, self._sources.categories[name]())
        raise NotFound(f"the map cannot be coloured by {kind!r}; it can by {', '.join(self.kinds())}.")

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
        """Tile (z, x, y) as WebP: points lossless, pictures lossy. A tile with nothing on it is a transparent image.

        Parameters
        ----------
        only : str, optional
            The id of a selection. Points outside it are grey; pictures of it are shown first, and others are faded.
        theme : {"light", "dark"}
            The page that the tile is shown on.
        representative : {"best", "medoid", "newest"}
            Which image of a cell is shown: see :class:`.pictures.Choice`.

        Raises
        ------
        NotFound
            There is no such kind, tile, selection, theme or representative; picture tiles begin at
            ``picture_from_zoom``.
        """
        self.last_request = time.monotonic()
        below = kind.startswith(PICTURES) and z < self.picture_from_zoom
        if below or not self.source.has_tile(z, x, y):
            raise NotFound(f"there is no tile {z}/{x}/{y} of {kind!r}.")
        if theme not in colours.THEMES:
            raise NotFound(f"there is no theme {theme!r}; there are {' and '.join(colours.THEMES)}.")
        base = kind.removeprefix(PICTURES)
        choice = self._choice(base, only, representative)
        keeper = self._sources.tiles
        if keeper is None:
            return self._drawn(kind, z, x, y, only, choice, theme)[0]
        self._known(base)
        shown = representative if kind.startswith(PICTURES) else ""
        key = f"{self.version_of(base)}/{kind}/{shown}/{only or ''}/{theme}/{z}/{x}/{y}"
        kept = keeper.get(key)
        if kept is not None:
            return kept
        body, whole = self._drawn(kind, z, x, y, only, choice, theme)
        if whole and body is not NOTHING:
            keeper.put(key, body)
        return body

    def selected(self, only: str) -> shading.Mask:
        """Which points belong to a selection (m,).

        Raises
        ------
        NotFound
            There is no such selection.
        """
        found: shading.Mask = self._once(self._selected, only, lambda: self._mask(only))
        return found

    def _mask(self, only: str) -> shading.Mask:
        if self._sources.selection is None:
            raise NotFound(f"there is no selection {only[:40]!r} on this map.")
        rows = np.asarray(self._sources.selection(only), np.int64)
        inside = np.zeros(1 + int(max(self.source.rows.max(initial=0), rows.max(initial=0))), np.bool_)
        inside[rows] = True
        return np.asarray(inside[self.source.rows])

    def row_at(
        self, x: float, y: float, radius: float, *, kind: str = "density", zoom: int | None = None
    ) -> int | None:
        """Row of the image at a place: the one whose picture stands there at ``zoom``, else the nearest within radius.

        ``kind`` is what the map is coloured by; pictures are chosen by its score.
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
        told: dict[str, Any] = dict(self._describe(row)) if self._describe else {}
        scores = self._scores.get(_parts(kind)[1])
        if scores is not None:
            score = float(np.asarray(scores)[row]) if row < len(np.asarray(scores)) else math.nan
            told["score"] = score if math.isfinite(score) else None
        place = {"row": row, "x": float(self.source.x[index]), "y": float(self.source.y[index])}
        return {**told, **place, **({"box": box} if box else {})}

    def legend(self, kind: str, theme: str = "light") -> dict[str, object]:
        """What the colours mean, ready for the map's component: a ``title``, and a ``ramp`` with its ends ``low`` and
        ``high``, or ``swatches`` with ``label``, ``colour`` and ``count``.
        """
        return legends.legend(self.colouring(kind), _parts(kind)[1].replace("_", " "), theme)

    def first_pictures(self, kind: str = "density") -> NDArray[np.int64]:
        """Rows (k,) of the images that the first zoom with pictures shows, those of the fullest cells first."""
        start, stop = self.source.grid(0, 0, 0, side=1 << self.plan.picture_depth(self.picture_from_zoom))
        fullest = np.argsort(start.ravel() - stop.ravel(), kind="stable")
        chosen = picture_tiles.Choice(priority=self._priority(kind)).of(self.source, start.ravel(), stop.ravel())[
            fullest
        ]
        return self.source.rows[chosen[chosen >= 0]]

    def pack_sprite(self, row: int) -> bool:
        """Put the smallest picture of an image among the sprites; False where it is there, or cannot be had."""
        return self._store.pack(row)

    def warm(self) -> None:
        """Compile what the first tiles and areas need (seconds, once a process), away from the first visitor."""
        from bam_engine.projection.warming import warm

        warm()

    def _known(self, kind: str) -> None:
        if kind not in self.kinds():
            self._made(kind)  # says what there is

    def _drawn(
        self, kind: str, z: int, x: int, y: int, only: str | None, choice: picture_tiles.Choice, theme: str
    ) -> tuple[bytes, bool]:
        """A tile, and whether everything that belongs on it could be had."""
        if kind.startswith(PICTURES):
            base = kind.removeprefix(PICTURES)
            table = self.colouring(base).table(theme)

            def frame(index: int) -> tuple[int, int, int] | None:
                at = self.colouring(base).index_at(index)
                return None if at is None else (int(table[at][0]), int(table[at][1]), int(table[at][2]))

            picture, whole = picture_tiles.compose(
                self._cells(z, x, y, base, choice),
                self.source.rows,
                across=self.plan.pictures_across(z),
                store=self._store,
                frame=frame,
                only=choice.only,
            )
            return (NOTHING if picture is None else encode(picture, lossless=False)), whole
        sheet = self._sheet(kind, z, only, choice.only) if shading.uses_zoom_image(self.source, z) else None
        colouring = self.colouring(kind)
        drawn = shading.draw(self.source, self.plan, colouring, z, x, y, theme=theme, only=choice.only, sheet=sheet)
        return (NOTHING if drawn is None else encode(drawn, lossless=True)), True

    def _sheet(self, kind: str, z: int, only: str | None, mask: shading.Mask | None) -> shading.Index:
        make = partial(shading.render_zoom, self.source, self.plan, self.colouring(kind), z, only=mask)
        found: shading.Index = self._once(self._sheets, (kind, only or "", z), make)
        return found

    def _once(self, kept: OrderedDict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
        """What is kept under a key, made at its first use: of several who ask at once one makes it."""
        with self._lock:
            if key in kept:
                kept.move_to_end(key)
                return kept[key]
            one = self._making.setdefault((id(kept), key), threading.Lock())
        with one:
            with self._lock:
                if key in kept:
                    return kept[key]
            try:
                made = make()
            finally:
                self._making.pop((id(kept), key), None)
            with self._lock:
                kept[key] = made
                while len(kept) > CACHED:
                    kept.popitem(last=False)
        return made

    def _choice(self, kind: str, only: str | None, representative: str) -> picture_tiles.Choice:
        if representative not in picture_tiles.REPRESENTATIVES:
            raise NotFound(
                f"{representative!r} is no way to choose; choose {', '.join(picture_tiles.REPRESENTATIVES)}."
            )
        return picture_tiles.Choice(representative, only=None if only is None else self.selected(only))

    def _cells(self, z: int, x: int, y: int, kind: str, choice: picture_tiles.Choice) -> picture_tiles.Cells:
        """The point that each occupied picture cell of a tile shows."""
        across = self.plan.pictures_across(z)
        if self.plan.picture_depth(z) == self.max_zoom:
            return picture_tiles.arranged_cells(self.arrangement(), x, y, across=across)
        choice = replace(choice, priority=self._priority(kind))
        return picture_tiles.representatives(self.source, z, x, y, across=across, choice=choice)

    def arrangement(self) -> Arrangement:
        """Every image in a cell of its own, as the deepest zoom shows them; found at its first use."""
        with self._arranging:
            if self._arrangement is None:
                self._arrangement = Arrangement.of(self.source, self.max_zoom)
            return self._arrangement

    def _priority(self, kind: str) -> NDArray[np.float32] | None:
        """What pictures are chosen by: the score of the attribute in question, or else the accepted ones first."""
        self._known(kind)
        family, name = _parts(kind)
        if family not in ("score", "accepted"):
            return None
        return self.colouring(f"score-{name}" if name in self._scores else kind).values

    def _look(
        self, x: float, y: float, radius: float, zoom: int | None, kind: str, choice: picture_tiles.Choice
    ) -> tuple[int | None, list[float] | None]:
        """Index of the point, and the cell that its picture fills if it was found by its picture."""
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
