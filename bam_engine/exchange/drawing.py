"""A drawing of lines, areas and text as SVG or PNG, without a browser or a plotting library.

Coordinates are pixels from the top left. ``INK`` and ``PAPER`` follow the page that an SVG is placed in, so that one
drawing serves light and dark themes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

INK, PAPER, ACCENT, SECOND = "ink", "paper", "#0f8f88", "#c2703d"
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

_ON_PAPER = {INK: "#1f2422", PAPER: "#ffffff"}
_IN_PAGE = {INK: "currentColor", PAPER: "var(--paper, #fff)"}
_FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_PLAIN_GLYPHS = str.maketrans({"–": "-", "−": "-", "≥": ">=", "\u00a0": " "})  # glyphs that Pillow's default font lacks
_SMOOTH = 2  # supersampling of shapes


@dataclass(frozen=True)
class Line:
    """A line through ``points``; ``dash`` is the length of its dashes and gaps, 0 for none."""

    points: Sequence[Point]
    colour: str = INK
    width: float = 1.0
    opacity: float = 1.0
    dash: float = 0.0


@dataclass(frozen=True)
class Area:
    """A filled polygon."""

    points: Sequence[Point]
    colour: str = ACCENT
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A circle, filled with paper if ``hollow``."""

    at: Point
    radius: float
    colour: str = ACCENT
    hollow: bool = False


@dataclass(frozen=True)
class Text:
    """One line of text on the baseline ``at``; ``upward`` rotates it a quarter turn to the left."""

    at: Point
    text: str
    size: float = 12.0
    anchor: Anchor = "start"
    colour: str = INK
    opacity: float = 1.0
    bold: bool = False
    upward: bool = False


Mark = Line | Area | Dot | Text


@dataclass
class Drawing:
    """Marks on a sheet of ``width`` by ``height`` pixels, later ones on top; ``title`` is the accessible name."""

    width: float
    height: float
    title: str
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        """Add marks on top."""
        self.marks.extend(marks)


def text_width(text: str, size: float = 12.0) -> float:
    """Estimate the width of ``text``, generously for common fonts."""
    return 0.57 * size * len(text)


def svg_element(drawing: Drawing) -> str:
    """Return the drawing as an ``<svg>`` element: transparent, in the text colour of the page."""
    return _svg(drawing, _IN_PAGE, "")


def svg_file(drawing: Drawing) -> bytes:
    """Return the drawing as an SVG file, dark on white."""
    sheet = f'<rect width="{drawing.width:g}" height="{drawing.height:g}" fill="#ffffff"/>'
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + _svg(drawing, _ON_PAPER, sheet) + "\n").encode()


def _svg(drawing: Drawing, colours: dict[str, str], sheet: str) -> str:
    size = f"{drawing.width:g} {drawing.height:g}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{drawing.width:g}" '
        f'height="{drawing.height:g}" role="img" font-family="{_FONT}">'
    )
    body = "".join(_element(mark, colours) for mark in drawing.marks)
    return f"{head}<title>{escape(drawing.title)}</title>{sheet}{body}</svg>"


def _element(mark: Mark, colours: dict[str, str]) -> str:
    colour = colours.get(mark.colour, mark.colour)
    if isinstance(mark, Text):
        rotation = f' transform="rotate(-90 {_coordinates(mark.at, " ")})"' if mark.upward else ""
        weight = ' font-weight="600"' if mark.bold else ""
        return (
            f'<text x="{mark.at[0]:.1f}" y="{mark.at[1]:.1f}" font-size="{mark.size:g}" text-anchor="{mark.anchor}" '
            f'fill="{colour}" opacity="{mark.opacity:g}"{weight}{rotation}>{escape(mark.text)}</text>'
        )
    if isinstance(mark, Dot):
        inside = colours[PAPER] if mark.hollow else colour
        return (
            f'<circle cx="{mark.at[0]:.1f}" cy="{mark.at[1]:.1f}" r="{mark.radius:g}" fill="{inside}" '
            f'stroke="{colour}" stroke-width="1.8"/>'
        )
    points = " ".join(_coordinates(point, ",") for point in mark.points)
    if isinstance(mark, Area):
        return f'<polygon points="{points}" fill="{colour}" opacity="{mark.opacity:g}"/>'
    dash = f' stroke-dasharray="{mark.dash:g}"' if mark.dash else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{mark.width:g}" '
        f'opacity="{mark.opacity:g}"{dash}/>'
    )


def _coordinates(point: Point, between: str) -> str:
    return f"{point[0]:.1f}{between}{point[1]:.1f}"


def png_file(drawing: Drawing, *, scale: int = 3) -> bytes:
    """Return the drawing as a PNG, dark on white; a ``scale`` of 3 is 288 pixels per inch."""
    from PIL import Image, ImageDraw

    width, height = round(drawing.width * scale), round(drawing.height * scale)
    sheet = Image.new("RGB", (width * _SMOOTH, height * _SMOOTH), _ON_PAPER[PAPER])
    pen = ImageDraw.Draw(sheet, "RGBA")
    for mark in drawing.marks:
        if not isinstance(mark, Text):
            _draw_shape(pen, mark, scale * _SMOOTH)
    sheet = sheet.resize((width, height), Image.Resampling.LANCZOS)
    for mark in drawing.marks:
        if isinstance(mark, Text):
            _draw_text(sheet, mark, scale)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True, dpi=(96 * scale, 96 * scale))
    return buffer.getvalue()


def _draw_shape(pen: "ImageDraw.ImageDraw", mark: Line | Area | Dot, scale: int) -> None:
    colour = _rgba(mark.colour, 1.0 if isinstance(mark, Dot) else mark.opacity)
    if isinstance(mark, Dot):
        x, y, reach = mark.at[0] * scale, mark.at[1] * scale, (mark.radius + 0.9) * scale
        inside = _rgba(PAPER, 1.0) if mark.hollow else colour
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), inside, colour, round(1.8 * scale))
        return
    points = [(x * scale, y * scale) for x, y in mark.points]
    if isinstance(mark, Area):
        pen.polygon(points, colour)
        return
    for piece in _dashes(points, mark.dash * scale) if mark.dash else [points]:
        pen.line(piece, colour, max(1, round(mark.width * scale)), joint="curve")


def _dashes(points: Sequence[Point], length: float) -> list[list[Point]]:
    """Split the line through ``points`` into dashes, each as long as the gap after it."""
    pieces: list[list[Point]] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        whole = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
        for start in range(int(whole // (2 * length)) + 1):
            a, b = 2 * length * start / whole, min(1.0, 2 * length * (start + 0.5) / whole)
            if a < 1:
                pieces.append([(x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))])
    return pieces


def _draw_text(sheet: "Image.Image", mark: Text, scale: int) -> None:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(mark.size * scale)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
    text, place = mark.text.translate(_PLAIN_GLYPHS), (mark.at[0] * scale, mark.at[1] * scale)
    thick = round(0.022 * mark.size * scale) if mark.bold else 0
    ink = _on_white(mark.colour, mark.opacity)
    if not mark.upward:
        ImageDraw.Draw(sheet, "RGBA").text(place, text, ink, font, anchor, stroke_width=thick)
        return
    side = 2 * int(font.getlength(text) + mark.size * scale)
    slip = Image.new("RGBA", (side, side), (*ink, 0))
    ImageDraw.Draw(slip).text((side / 2, side / 2), text, ink, font, anchor, stroke_width=thick)
    slip = slip.rotate(90)
    sheet.paste(slip, (round(place[0] - side / 2), round(place[1] - side / 2)), slip)


def _rgba(colour: str, opacity: float) -> tuple[int, int, int, int]:
    code = _ON_PAPER.get(colour, colour).lstrip("#")
    red, green, blue = (int(code[place : place + 2], 16) for place in (0, 2, 4))
    return red, green, blue, round(255 * opacity)


def _on_white(colour: str, opacity: float) -> tuple[int, int, int]:
    """Blend a colour with white: Pillow ignores the opacity of text."""
    red, green, blue, _ = _rgba(colour, 1.0)
    return (
        round(255 + opacity * (red - 255)),
        round(255 + opacity * (green - 255)),
        round(255 + opacity * (blue - 255)),
    )
