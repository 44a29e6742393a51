"""One map as it is shown: its points, what it can be coloured by, and its pictures.

In:  a layout, scores and labels by image row, a way to get a thumbnail.
Out: tiles as WebP bytes, the image at a place, legends. Knows nothing of the web; routes hand its bytes on.

Kinds of tiles: ``density``; ``score-NAME`` for each of ``scores``; ``accepted-NAME`` for each of ``labels``; and
``pictures-KIND`` for each of these, the pictures that go with it.
"""

import io
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from bam_engine.errors import NotThere
from bam_engine.projection import colours, pictures, shading
from bam_engine.projection.survey import survey
from bam_engine.projection.tiles import TileSource

PICTURES = "pictures-"
KEPT = 12
"""Colourings kept in memory; each is one float for each point."""


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

    Examples
    --------
    >>> view = MapView([[0.2, 0.3]], version="1", thumbnail=lambda row: None)
    >>> view.kinds(), view.at(0.2, 0.31, 0.05)
    (('density',), 0)
    """

    def __init__(
        self,
        layout: ArrayLike,
        *,
        rows: ArrayLike | None = None,
        version: str,
        thumbnail: pictures.Thumbnail,
        scores: Mapping[str, ArrayLike] | None = None,
        labels: Mapping[str, ArrayLike] | None = None,
        describe: Callable[[int], Mapping[str, Any]] | None = None,
    ) -> None:
        self.source = TileSource.build(layout, rows=rows)
        self.plan = survey(self.source)
        self.version = version
        self._thumbnail = thumbnail
        self._scores = dict(scores or {})
        self._labels = dict(labels or {})
        self._describe = describe
        self._colourings: OrderedDict[str, shading.Colouring] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many images are on the map."""
        return len(self.source)

    @property
    def picture_from_zoom(self) -> int:
        """The zoom from which there are pictures."""
        return self.plan.picture_from_zoom

    @property
    def max_zoom(self) -> int:
        """The zoom at which nearly every image stands alone; deeper tiles exist, but show nothing new."""
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
        return ("density", *(f"score-{name}" for name in self._scores), *(f"accepted-{name}" for name in self._labels))

    def colouring(self, kind: str) -> shading.Colouring:
        """The colouring of a kind, made at its first use.

        Raises
        ------
        NotThere
            The map has no such kind.
        """
        with self._lock:
            if kind in self._colourings:
                self._colourings.move_to_end(kind)
                return self._colourings[kind]
        family, name = _parts(kind)
        if kind == "density":
            made = shading.DENSITY
        elif family == "score" and name in self._scores:
            made = shading.by_score(self.source, self._scores[name])
        elif family == "accepted" and name in self._labels:
            made = shading.by_label(self.source, self._labels[name])
        else:
            raise NotThere(f"the map cannot be coloured by {kind!r}; it can by {', '.join(self.kinds())}.")
        with self._lock:
            self._colourings[kind] = made
            while len(self._colourings) > KEPT:
                self._colourings.popitem(last=False)
        return made

    def tile(self, kind: str, z: int, x: int, y: int) -> bytes:
        """Tile (z, x, y) as WebP: points lossless, pictures lossy. A tile with nothing on it is a transparent image.

        Raises
        ------
        NotThere
            There is no such kind or tile; picture tiles begin at ``picture_from_zoom``.
        """
        below = kind.startswith(PICTURES) and z < self.picture_from_zoom
        if below or not self.source.has_tile(z, x, y):
            raise NotThere(f"there is no tile {z}/{x}/{y} of {kind!r}.")
        if kind.startswith(PICTURES):
            picture = self._pictures(kind.removeprefix(PICTURES), z, x, y)
            return _nothing() if picture is None else encode(picture, lossless=False)
        drawn = shading.draw(self.source, self.plan, self.colouring(kind), z, x, y)
        return _nothing() if drawn is None else encode(Image.fromarray(drawn), lossless=True)

    def at(self, x: float, y: float, radius: float, *, kind: str = "density", zoom: int | None = None) -> int | None:
        """Row of the image at a place: the one whose picture stands there at ``zoom``, else the nearest within radius.

        ``kind`` is what the map is coloured by; pictures are chosen by its score.
        """
        index, _ = self._look(x, y, radius, kind, zoom)
        return None if index is None else int(self.source.rows[index])

    def look(
        self, x: float, y: float, radius: float, *, kind: str = "density", zoom: int | None = None
    ) -> dict[str, Any] | None:
        """What :meth:`at` finds, ready for JSON: ``row``, its place ``x``, ``y``, what ``describe`` tells, ``score`` if
        the map is coloured by an attribute with scores, and ``box`` [left, top, right, bottom] if its picture is there.
        """
        index, box = self._look(x, y, radius, kind, zoom)
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

    def legend(self, kind: str) -> dict[str, object]:
        """What the colours mean, ready for the map's component."""
        made = self.colouring(kind)
        name = _parts(kind)[1].replace("_", " ")
        if made.kind == "accepted":
            return colours.accepted_legend(name)
        if made.kind == "score":
            ends = f"{made.low:.3g}", f"{made.high:.3g}"
            return colours.ramp_legend(made.table, title=f"Score: {name}", first=2, low=ends[0], high=ends[1])
        return colours.ramp_legend(made.table, title="Images", first=1, low="few", high="many")

    def warm(self) -> None:
        """Compile what the first tiles need (two seconds, once a process), away from the first visitor."""
        sample = TileSource.build([[0.5, 0.5], [0.25, 0.25]])
        plan = survey(sample)
        for made in (shading.DENSITY, shading.by_score(sample, [0.0, np.nan]), shading.by_label(sample, [1, 0])):
            shading.draw(sample, plan, made, 0, 0, 0)

    def _priority(self, kind: str) -> NDArray[np.float32] | None:
        """What pictures are chosen by: the score of the attribute in question, or else the accepted ones first."""
        self.colouring(kind)  # an unknown kind is told of here
        name = _parts(kind)[1]
        by = f"score-{name}" if name in self._scores else kind
        return self.colouring(by).values

    def _pictures(self, kind: str, z: int, x: int, y: int) -> Image.Image | None:
        colouring = self.colouring(kind)

        def frame(index: int) -> tuple[int, int, int] | None:
            if colouring.values is None:
                return None
            value = colouring.values[index : index + 1]
            score = colouring.kind == "score"
            at = int(colouring.index_of(value)[0]) if score else colours.BLOCK * (int(value[0]) + 2)
            red, green, blue, _ = (int(part) for part in colouring.table[at])
            return red, green, blue

        return pictures.compose(
            self.source,
            z,
            x,
            y,
            across=self.plan.pictures_across(z),
            priority=self._priority(kind),
            thumbnail=self._thumbnail,
            frame=frame,
        )

    def _look(
        self, x: float, y: float, radius: float, kind: str, zoom: int | None
    ) -> tuple[int | None, list[float] | None]:
        """Index of the point, and the cell that its picture fills if it was found by its picture."""
        if zoom is not None and zoom >= self.picture_from_zoom:
            column, row = math.floor(x * 2**zoom), math.floor(y * 2**zoom)
            if self.source.has_tile(zoom, column, row):
                across = self.plan.pictures_across(zoom)
                shown = pictures.chosen(self.source, zoom, column, row, across=across, priority=self._priority(kind))
                cell = int((x * 2**zoom - column) * across), int((y * 2**zoom - row) * across)
                side = 1 / (2**zoom * across)
                left, top = column / 2**zoom + cell[0] * side, row / 2**zoom + cell[1] * side
                if cell in shown:
                    return shown[cell], [left, top, left + side, top + side]
        return self.source.nearest(x, y, radius), None


def encode(image: Image.Image, *, lossless: bool) -> bytes:
    """WebP: lossless at its fastest for marks (a third of PNG's time), quality 80 for pictures."""
    file = io.BytesIO()
    if lossless:
        image.save(file, "WEBP", lossless=True, method=0, quality=0)
    else:
        image.save(file, "WEBP", quality=80, method=2)
    return file.getvalue()


def _nothing() -> bytes:
    return encode(Image.new("RGBA", (1, 1)), lossless=True)


def _parts(kind: str) -> tuple[str, str]:
    family, _, name = kind.partition("-")
    return family, name
