"""The canvas: painted back to front, it knows of every pixel its colour, its form, its shadow and whose it is.

In:  outlines and colours. Out: a :class:`Rendering`, the planes from which each medium makes its own picture. A form is
swollen from its outline: the further from the edge, the higher, as a cushion. Knows no subject and no medium.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from bam_engine.demo.art import kernels
from bam_engine.demo.art.kernels import NO_FORM, PLANES, RED, SHADE
from bam_engine.demo.art.noise import Plane
from bam_engine.demo.art.palette import Colour, Palette
from bam_engine.demo.art.shapes import Points, smooth

_SHIFT = 4  # fractional bits of OpenCV's coordinates


@dataclass(frozen=True)
class LineStyle:
    """How outlines are drawn: width and wobble in pixels, how many passes of the pen."""

    width: float
    wobble: float = 0.0
    passes: int = 1


@dataclass(frozen=True)
class Stencil:
    """The place that a shape covers: its coverage (h, w), 0 … 255, and the corner where that lies."""

    cover: npt.NDArray[np.uint8]
    left: int
    top: int


@dataclass
class Drawn:
    """A subject on the canvas: its attribute ("" for none), what it is called, how many it shows, what of it is seen.

    ``pixels`` is what it covered when it was finished; ``box`` (left, top, right, bottom) goes beyond the canvas where
    it is cut off. In the end ``seen`` is the share of its silhouette that can be seen, ``inside`` that of its box that
    is on the canvas.
    """

    name: str
    word: str
    count: int = 1
    pixels: int = 0
    box: tuple[float, float, float, float] = (math.inf, math.inf, -math.inf, -math.inf)
    seen: float = 0.0
    inside: float = 0.0


@dataclass(frozen=True)
class Rendering:
    """What a medium works from; all (h, w) float32 unless said otherwise.

    ``colour`` and ``lit`` are (h, w, 3): the plain colours, and those in their light. ``tone`` is the light alone, 0 to
    about 1.1. ``across`` and ``down`` are the surface's normal, ``bulge`` its height in pixels, ``flow`` the direction
    of strokes in radians. ``ink`` is the outlines' coverage. ``part`` and ``subject`` number the topmost shape and
    subject of each pixel, from 1; ``subject`` is 0 on the background.
    """

    colour: npt.NDArray[np.float32]
    lit: npt.NDArray[np.float32]
    tone: Plane
    across: Plane
    down: Plane
    bulge: Plane
    gloss: Plane
    ink: Plane
    flow: Plane
    part: npt.NDArray[np.int32]
    subject: npt.NDArray[np.uint8]
    light: tuple[float, float, float]
    palette: Palette
    moods: frozenset[str]
    subjects: tuple["Drawn", ...]

    @property
    def shape(self) -> tuple[int, int]:
        high, wide = self.tone.shape
        return high, wide

    def area(self, name: str) -> float:
        """Return the share of the picture that shows the subjects called ``name``."""
        numbers = [number for number, drawn in enumerate(self.subjects, 1) if drawn.name == name]
        return float(self._pixels[numbers].sum() / self.subject.size) if numbers else 0.0

    @functools.cached_property
    def _pixels(self) -> npt.NDArray[np.int64]:
        """How many pixels show each subject, the background first."""
        return np.bincount(self.subject.ravel(), minlength=len(self.subjects) + 1)


class Canvas:
    """A picture in the making.

    Parameters
    ----------
    shape
        Height and width in pixels.
    line
        Draw outlines like this; None draws none.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        palette: Palette,
        rng: np.random.Generator,
        *,
        light: tuple[float, float] = (-0.5, -0.6),
        line: LineStyle | None = None,
        moods: frozenset[str] = frozenset(),
    ) -> None:
        kernels.prepare()
        self.high, self.wide = shape
        self.palette, self.rng, self.line, self.moods = palette, rng, line, moods
        norm = math.sqrt(light[0] ** 2 + light[1] ** 2 + 0.7**2)
        self.light = (light[0] / norm, light[1] / norm, 0.7 / norm)
        bare = np.zeros(PLANES, np.float32)
        bare[RED : RED + 3], bare[SHADE] = palette.sky[1], 1
        self._planes = np.broadcast_to(bare, (*shape, PLANES)).copy()
        self._part = np.zeros(shape, np.int32)
        self._flow = np.zeros(shape, np.float32)
        self._subject = np.zeros(shape, np.uint8)
        self._subjects: list[Drawn] = []
        self._now = 0
        self._parts = 0

    @property
    def unit(self) -> float:
        """The shorter side in pixels."""
        return float(min(self.high, self.wide))

    @contextmanager
    def drawing(self, name: str, word: str = "") -> Iterator[None]:
        """Let what is drawn inside belong to a new subject of the attribute ``name``, called ``word``."""
        outer = self._now
        self._subjects.append(Drawn(name, word or name))
        self._now = len(self._subjects)
        yield
        self._subjects[self._now - 1].pixels = int(np.count_nonzero(self._subject == self._now))
        self._now = outer

    def tell(self, *, count: int = 1, word: str = "") -> None:
        """Say how many the subject that is being drawn shows, and what they are if not what was planned."""
        if self._now:
            drawn = self._subjects[self._now - 1]
            drawn.count, drawn.word = count, word or drawn.word

    # Shapes ---------------------------------------------------------------------------------------------------------

    def stencil(self, outlines: Sequence[Points], margin: int = 0) -> Stencil | None:
        """Return what the outlines cover (even-odd: an outline inside another is a hole), or None off canvas."""
        boxes = [kernels.bounds(outline) for outline in outlines]
        if any(math.isnan(box[0]) for box in boxes):
            return None
        box = boxes[0] if len(boxes) == 1 else _around(boxes)
        if self._now:
            drawn = self._subjects[self._now - 1]
            left, top, right, bottom = drawn.box
            drawn.box = (min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3]))
        left, top = max(0, math.floor(box[0]) - 1 - margin), max(0, math.floor(box[1]) - 1 - margin)
        right = min(self.wide, math.ceil(box[2]) + 2 + margin)
        bottom = min(self.high, math.ceil(box[3]) + 2 + margin)
        if right - left < 1 or bottom - top < 1:
            return None
        cover = np.zeros((bottom - top, right - left), np.uint8)
        moved = [kernels.fixed(outline, left, top, 1 << _SHIFT) for outline in outlines]
        cv2.fillPoly(cover, moved, 255, cv2.LINE_AA, _SHIFT)
        return Stencil(cover, left, top)

    def _under(self, shape: Stencil) -> npt.NDArray[np.float32]:
        """Return the planes under a stencil, to be changed in place."""
        high, wide = shape.cover.shape
        return self._planes[shape.top : shape.top + high, shape.left : shape.left + wide]

    def paint(
        self,
        outlines: Sequence[Points],
        colour: Colour,
        *,
        fade: Colour | None = None,
        across: bool = False,
        swell: float = 0.0,
        line: float = 1.0,
        gloss: float = 0.15,
        flow: float | None = None,
        opacity: float = 1.0,
        lift: float = 0.0,
        within: Stencil | None = None,
        ink: float = 0.0,
    ) -> Stencil | None:
        """Paint one shape over what is there; return its stencil.

        Parameters
        ----------
        fade
            A second colour, reached at the bottom (with ``across``, at the right).
        swell
            The height of the form in pixels, 0 for a flat one.
        line
            The outline's weight; 0 for none.
        lift
            How far above what is under it the shape floats, in pixels: it throws a soft shadow there.
        within
            Only inside this stencil.
        ink
            Draw the shape itself in ink where the medium draws lines, as dark as this.
        """
        shape = self.stencil(outlines)
        if shape is None:
            return None
        if within is not None:
            _limit(shape, within)
        if lift > 0 and within is None:
            self._throw(shape, lift)
        high, wide = shape.cover.shape
        place = (slice(shape.top, shape.top + high), slice(shape.left, shape.left + wide))
        form = _swollen(shape.cover, swell) if swell > 0 and shape.cover.size > 60 and within is None else NO_FORM
        self._parts += 1
        kernels.blend(
            self._planes[place],
            self._part[place],
            self._subject[place],
            self._flow[place],
            shape.cover,
            np.array(colour, np.float32),
            np.array(fade or colour, np.float32),
            across,
            form,
            (float(opacity), float(gloss), math.nan if flow is None else float(flow), within is not None),
            (self._parts, self._now),
        )
        if self.line is not None:
            self._ink(outlines, shape, line, ink, within)
        return shape

    def _ink(self, outlines: Sequence[Points], shape: Stencil, line: float, ink: float, within: Stencil | None) -> None:
        if ink > 0:
            kernels.inked(self._under(shape), shape.cover, ink)
        if line > 0:
            for outline in outlines:
                self._outline(outline, line, within)

    def _outline(self, outline: Points, weight: float, within: Stencil | None) -> None:
        """Run the pen along an outline: thicker away from the light, a little off where the hand wobbles."""
        style = self.line
        if style is None or len(outline) < 3:
            return
        for turn in range(style.passes):
            path = outline
            if style.wobble:
                path = outline + _wobble(len(outline), style.wobble * (1 + 0.5 * turn), self.rng)
            both = kernels.band(path, *self.light[:2], style.width * weight / (1 + 0.4 * turn))
            band = self.stencil([both[0], both[1]])
            if band is None:
                continue
            if within is not None:
                _limit(band, within)
            kernels.inked(self._under(band), band.cover, 1 - 0.35 * turn)

    def _throw(self, shape: Stencil, lift: float) -> None:
        """Darken what lies under a shape, away from the light."""
        pad = int(lift * 2.2) + 2
        soft = cv2.copyMakeBorder(shape.cover, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
        side = 2 * round(lift * 0.75) + 1
        soft = cv2.blur(cv2.blur(soft, (side, side)), (side, side))
        left, top = (
            round(corner - pad - lift * way) for corner, way in zip((shape.left, shape.top), self.light, strict=False)
        )
        soft = soft[max(0, -top) : self.high - top, max(0, -left) : self.wide - left]
        if soft.size:
            fallen = Stencil(np.asarray(soft, np.uint8), max(0, left), max(0, top))
            kernels.darkened(self._under(fallen), fallen.cover, 0.42)

    # Light and air ----------------------------------------------------------------------------------------------------

    def shadow(self, outline: Points, *, soft: float, strength: float) -> None:
        """Let a shadow with the given outline fall on what is there."""
        shape = self.stencil([outline], margin=int(soft * 2) + 1)
        if shape is not None:
            blurred = np.asarray(cv2.GaussianBlur(shape.cover, (0, 0), soft), np.uint8)
            kernels.darkened(self._under(shape), blurred, strength)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Add a soft light around a point."""
        top, bottom = max(0, int(y - radius * 2)), min(self.high, int(y + radius * 2) + 1)
        left, right = max(0, int(x - radius * 2)), min(self.wide, int(x + radius * 2) + 1)
        if bottom > top and right > left:
            there = self._planes[top:bottom, left:right]
            kernels.brightened(there, top, left, x, y, radius, np.array(colour, np.float32), strength)

    def veil(self, cover: Plane, colour: Colour) -> None:
        """Lay mist of a colour over everything: ``cover`` (h, w) or (h, 1), 0 … 1."""
        everywhere = np.broadcast_to(cover, (self.high, self.wide)).astype(np.float32)
        kernels.veiled(self._planes, everywhere, np.array(colour, np.float32))

    def dim(self, cover: Plane) -> None:
        """Take light away: ``cover`` (h, w), 0 … 1."""
        self._planes[..., SHADE] *= 1 - cover

    def finish(self) -> Rendering:
        """Light the picture and hand over its planes."""
        shape = (self.high, self.wide)
        colour, lit = np.empty((2, *shape, 3), np.float32)
        rest = np.empty((6, *shape), np.float32)
        light, sun, air = (np.array(one, np.float32) for one in (self.light, self.palette.light, self.palette.ambient))
        kernels.lighted(self._planes, light, sun, air, colour, lit, rest)
        tone, across, down, bulge, gloss, ink = rest
        for number, drawn in enumerate(self._subjects, 1):
            left, top, right, bottom = drawn.box
            whole = max((right - left) * (bottom - top), 1.0)
            within = max(min(right, self.wide) - max(left, 0), 0) * max(min(bottom, self.high) - max(top, 0), 0)
            drawn.inside = min(1.0, within / whole)
            drawn.seen = np.count_nonzero(self._subject == number) / max(drawn.pixels, 1) * drawn.inside
        return Rendering(
            colour=colour,
            lit=lit,
            tone=tone,
            across=across,
            down=down,
            bulge=bulge,
            gloss=gloss,
            ink=ink,
            flow=self._flow,
            part=self._part,
            subject=self._subject,
            light=self.light,
            palette=self.palette,
            moods=self.moods,
            subjects=tuple(self._subjects),
        )


def _around(boxes: Sequence[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    """Return the box around the boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _limit(shape: Stencil, within: Stencil) -> None:
    """Cut a shape's coverage down to what lies inside another, in place."""
    kernels.limited(shape.cover, shape.top, shape.left, within.cover, within.top, within.left)


def _swollen(cover: npt.NDArray[np.uint8], swell: float) -> Plane:
    """Return the normal (across, down) and the height of a cushion over what is covered: (3, h, w)."""
    small = 1 if cover.size < 12_000 else (2 if cover.size < 50_000 else 4)
    solid = (cover[::small, ::small] > 127).astype(np.uint8)
    distance = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5), np.float32) * small
    radius = min(float(distance.max()), swell) or 1.0  # a shape goes on beyond the canvas: only its own edge is one
    near = 1 - np.minimum(distance * np.float32(1 / radius), 1)
    height = np.sqrt(1 - near * near) * np.float32(radius)
    if radius > 2:
        side = 2 * round(math.sqrt(6 * max(0.6, radius * 0.22 / small) ** 2 + 1) / 2 - 0.5) + 1
        height = np.asarray(cv2.blur(cv2.blur(height, (side, side)), (side, side)), np.float32)
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=-0.125 / small)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=-0.125 / small)
    length = 1 / np.sqrt(across * across + down * down + 1)
    planes = [across * length, down * length, height]
    if small > 1:
        way = cv2.INTER_CUBIC if small == 2 else cv2.INTER_LINEAR
        planes = [cv2.resize(plane, cover.shape[::-1], interpolation=way) for plane in planes]
    return np.stack(planes).astype(np.float32)


def _wobble(count: int, amount: float, rng: np.random.Generator) -> Points:
    knots = rng.normal(0, amount, (max(4, count // 9), 2))
    return np.resize(smooth(knots, steps=max(2, count // len(knots) + 1)), (count, 2))
