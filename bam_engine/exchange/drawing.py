"""A drawing of a few lines, areas and words, as SVG or PNG, without a browser and without a plotting library.

In:  marks at pixel places, from the top left. Out: text of an SVG element or file, or the bytes of a PNG. Knows nothing
of what is drawn. ``INK`` and ``PAPER`` follow the page an SVG is put into, so that one drawing serves light and dark.
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
_LETTERS = str.maketrans({"–": "-", "≥": ">=", "\u00a0": " "})  # Pillow's own font has no such glyphs
_SMOOTH = 2  # shapes are drawn this much larger and scaled down


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
    """A circle; where ``hollow`` its inside is paper."""

    at: Point
    radius: float
    colour: str = ACCENT
    hollow: bool = False


@dataclass(frozen=True)
class Words:
    """One line of text on the baseline ``at``; ``upward`` turns it a quarter to the left."""

    at: Point
    text: str
    size: float = 12.0
    anchor: Anchor = "start"
    colour: str = INK
    opacity: float = 1.0
    bold: bool = False
    upward: bool = False


Mark = Line | Area | Dot | Words


@dataclass
class Drawing:
    """Marks on a sheet of ``width`` by ``height`` pixels, later ones above earlier ones; ``title`` says what it is."""

    width: float
    height: float
    title: str
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        """Put marks on top."""
        self.marks.extend(marks)


def text_width(text: str, size: float = 12.0) -> float:
    """Return about how wide ``text`` is: enough room for it in the usual fonts."""
    return 0.57 * size * len(text)


def svg_element(drawing: Drawing) -> str:
    """Return the drawing as an ``<svg>`` element for a page: transparent, in the page's own text colour."""
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
    if isinstance(mark, Words):
        turn = f' transform="rotate(-90 {_place(mark.at, " ")})"' if mark.upward else ""
        weight = ' font-weight="600"' if mark.bold else ""
        return (
            f'<text x="{mark.at[0]:.1f}" y="{mark.at[1]:.1f}" font-size="{mark.size:g}" text-anchor="{mark.anchor}" '
            f'fill="{colour}" opacity="{mark.opacity:g}"{weight}{turn}>{escape(mark.text)}</text>'
        )
    if isinstance(mark, Dot):
        inside = colours[PAPER] if mark.hollow else colour
        return (
            f'<circle cx="{mark.at[0]:.1f}" cy="{mark.at[1]:.1f}" r="{mark.radius:g}" fill="{inside}" '
            f'stroke="{colour}" stroke-width="1.8"/>'
        )
    points = " ".join(_place(point, ",") for point in mark.points)
    if isinstance(mark, Area):
        return f'<polygon points="{points}" fill="{colour}" opacity="{mark.opacity:g}"/>'
    dash = f' stroke-dasharray="{mark.dash:g}"' if mark.dash else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{mark.width:g}" '
        f'opacity="{mark.opacity:g}"{dash}/>'
    )


def _place(point: Point, between: str) -> str:
    return f"{point[0]:.1f}{between}{point[1]:.1f}"


def png_file(drawing: Drawing, *, scale: int = 3) -> bytes:
    """Return the drawing as a PNG, dark on white, ``scale`` pixels for each of its own: 3 is 288 to the inch."""
    from PIL import Image, ImageDraw

    width, height = round(drawing.width * scale), round(drawing.height * scale)
    sheet = Image.new("RGB", (width * _SMOOTH, height * _SMOOTH), _ON_PAPER[PAPER])
    pen = ImageDraw.Draw(sheet, "RGBA")
    for mark in drawing.marks:
        if not isinstance(mark, Words):
            _shape(pen, mark, scale * _SMOOTH)
    sheet = sheet.resize((width, height), Image.Resampling.LANCZOS)
    for mark in drawing.marks:
        if isinstance(mark, Words):
            _letters(sheet, mark, scale)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True, dpi=(96 * scale, 96 * scale))
    return buffer.getvalue()


def _shape(pen: "ImageDraw.ImageDraw", mark: Line | Area | Dot, scale: int) -> None:
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
    """Return the dashes of the line through ``points``, each as long as the gap after it."""
    pieces: list[list[Point]] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        whole = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
        for start in range(int(whole // (2 * length)) + 1):
            a, b = 2 * length * start / whole, min(1.0, 2 * length * (start + 0.5) / whole)
            if a < 1:
                pieces.append([(x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))])
    return pieces


def _letters(sheet: "Image.Image", mark: Words, scale: int) -> None:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(mark.size * scale)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
    text, place = mark.text.translate(_LETTERS), (mark.at[0] * scale, mark.at[1] * scale)
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
    """Return the colour that faint letters have on paper: Pillow draws letters without their opacity."""
    red, green, blue, _ = _rgba(colour, 1.0)
    return (
        round(255 + opacity * (red - 255)),
        round(255 + opacity * (green - 255)),
        round(255 + opacity * (blue - 255)),
    )
