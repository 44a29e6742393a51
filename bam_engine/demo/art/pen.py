"""The pen: draws on a canvas in a subject's own coordinates.

In:  outlines in units of the subject, its feet at (0, 0), about 1 high, x to the right, y down. Out: shapes on a
:class:`Canvas`. Knows nothing of what is drawn.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.canvas import Canvas, Stencil
from bam_engine.demo.art.palette import Colour, Palette
from bam_engine.demo.art.shapes import Points, limb


class Pen:
    """Draws in a subject's own coordinates: the feet at (0, 0), about 1 high, x to the right, y down.

    ``size`` is the number of pixels of one unit; ``flip`` mirrors; ``turn`` is in radians.
    """

    def __init__(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        size: float,
        *,
        flip: bool = False,
        turn: float = 0.0,
        squash: float = 1.0,
    ) -> None:
        self.canvas, self.x, self.y, self.size = canvas, x, y, size
        cosine, sine = math.cos(turn), math.sin(turn)
        mirror = -1.0 if flip else 1.0
        self._matrix = np.array([[cosine * mirror * squash, sine * mirror * squash], [-sine, cosine]]) * size

    @property
    def rng(self) -> np.random.Generator:
        return self.canvas.rng

    @property
    def palette(self) -> Palette:
        return self.canvas.palette

    def at(self, x: float, y: float, size: float = 1.0, *, turn: float = 0.0, flip: bool = False) -> "Pen":
        """Return a pen whose origin is the point (x, y) of this one, ``size`` times as large."""
        pen = Pen(self.canvas, *self.place(x, y), self.size * size)
        cosine, sine = math.cos(turn), math.sin(turn)
        own = np.array([[cosine * (-1 if flip else 1), sine * (-1 if flip else 1)], [-sine, cosine]])
        pen._matrix = own @ self._matrix * size
        return pen

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        moved = np.array([x, y]) @ self._matrix
        return float(moved[0] + self.x), float(moved[1] + self.y)

    def fill(
        self,
        points: npt.ArrayLike,
        colour: Colour,
        *,
        holes: Sequence[Points] = (),
        fade: Colour | None = None,
        across: bool = False,
        swell: float = 0.1,
        line: float = 1.0,
        gloss: float = 0.15,
        flow: float | None = None,
        opacity: float = 1.0,
        lift: float = 0.02,
        within: Stencil | None = None,
        ink: float = 0.0,
    ) -> Stencil | None:
        """Fill an outline; as :meth:`Canvas.paint`, with ``swell`` and ``lift`` in units of the subject."""
        outlines = [np.asarray(one, float) @ self._matrix + (self.x, self.y) for one in (points, *holes)]
        return self.canvas.paint(
            outlines,
            colour,
            fade=fade,
            across=across,
            swell=swell * self.size,
            line=line,
            gloss=gloss,
            flow=flow,
            opacity=opacity,
            lift=min(lift * self.size, 14.0),
            within=within,
            ink=ink,
        )

    def flat(self, points: npt.ArrayLike, colour: Colour, *, line: float = 0.0, within: Stencil | None = None,
             opacity: float = 1.0, fade: Colour | None = None, ink: float = 0.0) -> Stencil | None:  # fmt: skip
        """Fill an outline without form or shadow: markings, eyes, panes."""
        return self.fill(points, colour, swell=0, lift=0, line=line, within=within, opacity=opacity, fade=fade, ink=ink)

    def stroke(
        self, points: npt.ArrayLike, width: float, colour: Colour, *, ink: float = 1.0, within: Stencil | None = None,
        taper: bool = True,
    ) -> None:  # fmt: skip
        """Draw a line that runs out thin at its ends; in ink where the medium draws lines."""
        knots = np.asarray(points, float)
        width = max(width, 1.1 / self.size)
        widths = [width * 0.35, *[width] * (len(knots) - 2), width * 0.35] if taper else [width] * len(knots)
        self.fill(limb(knots, widths, steps=5), colour, swell=0, lift=0, line=0, within=within, ink=ink)
