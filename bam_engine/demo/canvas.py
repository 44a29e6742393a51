"""The canvas: painted back to front, it knows of every pixel its colour, its form, its shadow and whose it is.

In:  outlines and colours. Out: a :class:`Rendering`, the planes from which each medium makes its own picture. A form is
swollen from its outline: the further from the edge, the higher, as a cushion. Knows no subject and no medium.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from bam_engine.demo.kernels import ACROSS, BULGE, COLOUR, DOWN, GLOSS, INK, NO_FORM, PLANES, SHADE, blend
from bam_engine.demo.noise import Plane, blur
from bam_engine.demo.palette import Colour, Palette
from bam_engine.demo.shapes import Points, smooth

_SHIFT = 4  # fractional bits of OpenCV's coordinates


@dataclass(frozen=True)
class LineStyle:
    """How outlines are drawn: width and wobble in pixels, how many passes of the pen."""

    width: float
    wobble: float = 0.0
    passes: int = 1


@dataclass(frozen=True)
class Stencil:
    """The place that a shape covers: its coverage 0 … 1 and the corner where that lies."""

    cover: Plane
    left: int
    top: int


@dataclass(frozen=True)
class Rendering:
    """What a medium works from; all (h, w) float32 unless said otherwise.

    ``colour`` and ``lit`` are (h, w, 3): the plain colours, and those in their light. ``tone`` is the light alone, 0 to
    about 1.1. ``across`` and ``down`` are the surface's normal, ``bulge`` its height in pixels, ``flow`` the direction of
    strokes in radians. ``ink`` is the outlines' coverage. ``part`` and ``subject`` number the topmost shape and subject
    of each pixel; ``subject`` is 0 on the background.
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
    subjects: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        high, wide = self.tone.shape
        return high, wide

    def area(self, name: str) -> float:
        """Return the share of the picture that shows the subjects called ``name``."""
        numbers = [number + 1 for number, other in enumerate(self.subjects) if other == name]
        return float(np.isin(self.subject, numbers).mean()) if numbers else 0.0


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
    ) -> None:
        self.high, self.wide = shape
        self.palette, self.rng, self.line = palette, rng, line
        norm = math.sqrt(light[0] ** 2 + light[1] ** 2 + 0.7**2)
        self.light = (light[0] / norm, light[1] / norm, 0.7 / norm)
        self._planes = np.zeros((*shape, PLANES), np.float32)
        self._planes[..., COLOUR] = palette.sky[1]
        self._planes[..., SHADE] = 1
        self._part = np.zeros(shape, np.int32)
        self._flow = np.zeros(shape, np.float32)
        self._subject = np.zeros(shape, np.uint8)
        self._subjects: list[str] = []
        self._now = 0
        self._parts = 0

    @property
    def unit(self) -> float:
        """The shorter side in pixels."""
        return float(min(self.high, self.wide))

    @contextmanager
    def drawing(self, name: str) -> Iterator[None]:
        """Let what is drawn inside belong to a new subject called ``name``; a subject inside another stays the outer's."""
        outer = self._now
        self._subjects.append(name)
        self._now = len(self._subjects)
        yield
        self._now = outer

    # Shapes ---------------------------------------------------------------------------------------------------------

    def stencil(self, outlines: Sequence[Points], margin: int = 0) -> Stencil | None:
        """Return what the outlines cover (even-odd, so that an outline inside another is a hole), or None off canvas."""
        low = np.min([outline.min(axis=0) for outline in outlines], axis=0)
        high = np.max([outline.max(axis=0) for outline in outlines], axis=0)
        if not np.isfinite(low).all() or not np.isfinite(high).all():
            return None
        left, top = max(0, math.floor(low[0]) - 1 - margin), max(0, math.floor(low[1]) - 1 - margin)
        right, bottom = min(self.wide, math.ceil(high[0]) + 2 + margin), min(self.high, math.ceil(high[1]) + 2 + margin)
        if right - left < 1 or bottom - top < 1:
            return None
        cover = np.zeros((bottom - top, right - left), np.uint8)
        scale = 1 << _SHIFT
        moved = [np.clip((outline - (left, top)) * scale, -2e6, 2e6).round().astype(np.int32) for outline in outlines]
        cv2.fillPoly(cover, moved, 255, cv2.LINE_AA, _SHIFT)
        return Stencil(cover.astype(np.float32) * np.float32(1 / 255), left, top)

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
        blend(
            self._planes[place],
            self._part[place],
            self._subject[place],
            self._flow[place],
            shape.cover,
            np.array(colour, np.float32),
            np.array(fade or colour, np.float32),
            across,
            form,
            np.array([opacity, gloss, np.nan if flow is None else flow, within is not None], np.float32),
            np.array([self._parts, self._now], np.int64),
        )
        if self.line is not None:
            self._ink(outlines, shape, line, ink, within)
        return shape

    def _ink(self, outlines: Sequence[Points], shape: Stencil, line: float, ink: float, within: Stencil | None) -> None:
        if ink > 0:
            high, wide = shape.cover.shape
            there = self._planes[shape.top : shape.top + high, shape.left : shape.left + wide, INK]
            np.maximum(there, shape.cover * np.float32(ink), out=there)
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
            along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
            across = np.stack([-along[:, 1], along[:, 0]], axis=1)
            across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
            shaded = 0.75 - 0.45 * (across @ np.array(self.light[:2])) * np.sign(_signed_area(path) or 1)
            half = (style.width * weight * 0.5 * shaded / (1 + 0.4 * turn))[:, None]
            band = self.stencil([path + across * half, path - across * half])
            if band is None:
                continue
            if within is not None:
                _limit(band, within)
            high, wide = band.cover.shape
            there = self._planes[band.top : band.top + high, band.left : band.left + wide, INK]
            np.maximum(there, band.cover * np.float32(1 - 0.35 * turn), out=there)

    def _throw(self, shape: Stencil, lift: float) -> None:
        """Darken what lies under a shape, away from the light."""
        pad = int(lift * 2.2) + 2
        shift = np.array(self.light[:2]) * -lift
        left, top = shape.left - pad + round(shift[0]), shape.top - pad + round(shift[1])
        soft = blur(np.pad(shape.cover, pad), lift * 0.75)
        cut = (slice(max(0, -top), self.high - top), slice(max(0, -left), self.wide - left))
        soft = soft[cut]
        if soft.size:
            top, left = max(0, top), max(0, left)
            there = self._planes[top : top + soft.shape[0], left : left + soft.shape[1], SHADE]
            there *= 1 - np.float32(0.42) * soft

    # Light and air ----------------------------------------------------------------------------------------------------

    def shadow(self, outline: Points, *, soft: float, strength: float) -> None:
        """Let a shadow with the given outline fall on what is there."""
        shape = self.stencil([outline], margin=int(soft * 2) + 1)
        if shape is not None:
            high, wide = shape.cover.shape
            there = self._planes[shape.top : shape.top + high, shape.left : shape.left + wide, SHADE]
            there *= 1 - np.float32(strength) * blur(shape.cover, soft)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Add a soft light around a point."""
        top, bottom = max(0, int(y - radius * 2)), min(self.high, int(y + radius * 2) + 1)
        left, right = max(0, int(x - radius * 2)), min(self.wide, int(x + radius * 2) + 1)
        if bottom <= top or right <= left:
            return
        rows, columns = np.ogrid[top:bottom, left:right]
        distance = ((rows - y) ** 2 + (columns - x) ** 2).astype(np.float32) / np.float32(radius**2)
        share = (np.exp(-2.0 * distance) - np.float32(math.exp(-8))).clip(0)[..., None] * np.float32(strength)
        there = self._planes[top:bottom, left:right]
        there[..., COLOUR] += share * (np.array(colour, np.float32) - there[..., COLOUR])
        there[..., INK] *= 1 - share[..., 0]

    def veil(self, cover: Plane, colour: Colour) -> None:
        """Lay mist of a colour over everything: ``cover`` (h, w) or (h, 1), 0 … 1."""
        share = cover[..., None]
        self._planes[..., COLOUR] += share * (np.array(colour, np.float32) - self._planes[..., COLOUR])
        self._planes[..., INK] *= 1 - cover
        self._planes[..., ACROSS : DOWN + 1] *= 1 - share

    def dim(self, cover: Plane) -> None:
        """Take light away: ``cover`` (h, w), 0 … 1."""
        self._planes[..., SHADE] *= 1 - cover

    def finish(self) -> Rendering:
        """Light the picture and hand over its planes."""
        planes = self._planes
        across, down = planes[..., ACROSS], planes[..., DOWN]
        facing = np.sqrt(np.maximum(1 - across * across - down * down, 0))
        direct = across * self.light[0] + down * self.light[1] + facing * self.light[2]
        shade = planes[..., SHADE]
        tone = (shade * np.maximum(0.16 + direct * (0.84 / self.light[2]) * 0.86, 0.05)).astype(np.float32)
        np.minimum(tone, 1.15, out=tone)
        colour = np.ascontiguousarray(planes[..., COLOUR])
        sun, air = np.array(self.palette.light, np.float32), np.array(self.palette.ambient, np.float32)
        lit = colour * (
            air * np.float32(0.56) * (0.62 + 0.38 * shade[..., None]) + sun * np.float32(0.68) * tone[..., None]
        )
        ready = [np.ascontiguousarray(planes[..., which]) for which in (ACROSS, DOWN, BULGE, GLOSS, INK)]
        return Rendering(
            colour=colour,
            lit=lit.astype(np.float32),
            tone=tone,
            across=ready[0],
            down=ready[1],
            bulge=ready[2],
            gloss=ready[3],
            ink=ready[4],
            flow=self._flow,
            part=self._part,
            subject=self._subject,
            light=self.light,
            palette=self.palette,
            subjects=tuple(self._subjects),
        )


def _limit(shape: Stencil, within: Stencil) -> None:
    """Cut a shape's coverage down to what lies inside another, in place."""
    high, wide = shape.cover.shape
    top, left = shape.top - within.top, shape.left - within.left
    kept = np.zeros_like(shape.cover)
    rows = slice(max(0, top), min(within.cover.shape[0], top + high))
    columns = slice(max(0, left), min(within.cover.shape[1], left + wide))
    if rows.stop > rows.start and columns.stop > columns.start:
        kept[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = within.cover[
            rows, columns
        ]
    shape.cover[...] = shape.cover * kept


def _swollen(cover: Plane, swell: float) -> Plane:
    """Return the normal (across, down) and the height of a cushion over what is covered: (3, h, w)."""
    small = 1 if cover.size < 12_000 else (2 if cover.size < 50_000 else 4)
    solid = (cover[::small, ::small] > 0.5).astype(np.uint8)
    distance = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5), np.float32) * small
    radius = min(float(distance.max()), swell) or 1.0  # a shape goes on beyond the canvas: only its own edge is one
    near = 1 - np.minimum(distance * np.float32(1 / radius), 1)
    height = np.sqrt(1 - near * near) * np.float32(radius)
    if radius > 2:
        height = np.asarray(cv2.GaussianBlur(height, (0, 0), max(0.6, radius * 0.22 / small)), np.float32)
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=-0.125 / small)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=-0.125 / small)
    length = 1 / np.sqrt(across * across + down * down + 1)
    planes = [across * length, down * length, height]
    if small > 1:
        planes = [cv2.resize(plane, cover.shape[::-1], interpolation=cv2.INTER_CUBIC) for plane in planes]
    return np.stack(planes).astype(np.float32)


def _wobble(count: int, amount: float, rng: np.random.Generator) -> Points:
    knots = rng.normal(0, amount, (max(4, count // 9), 2))
    return np.resize(smooth(knots, steps=max(2, count // len(knots) + 1)), (count, 2))


def _signed_area(outline: Points) -> float:
    x, y = outline[:, 0], outline[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
