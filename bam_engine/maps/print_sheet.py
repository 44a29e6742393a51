"""A view of a map for print: a sheet with the map, its names, its legend and a caption.

In:  a :class:`Sheet`. Out: a PNG of the paper's size, or an SVG with the map as a picture and all text as text. Sheets
always use the light theme.
"""

import base64
import io
import math
import re
import time
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from bam_engine.errors import ProjectionError
from bam_engine.formatting import count
from bam_engine.gallery import selections
from bam_engine.maps import regions, view_cache
from bam_engine.maps.layout_store import layout_of
from bam_engine.progress import Report, silent
from bam_engine.projection import MapView
from bam_engine.projection.picture_tiles import REPRESENTATIVES
from bam_engine.projection.stitching import Box, stitch
from bam_engine.workspace.core import Workspace

if TYPE_CHECKING:
    from PIL import Image, ImageFont

PAPERS = {"a4-landscape": (297, 210), "a4-portrait": (210, 297), "a3-landscape": (420, 297), "a3-portrait": (297, 420)}
"""Width and height in millimetres."""

MIN_DPI, MAX_DPI = 72, 300
MARGIN, FOOT = 10.0, 13.0  # millimetres
_UNIT = 96 / 25.4  # CSS pixels per millimetre; sheets are laid out in CSS pixels
_FAINT = 0.3  # opacity of points beneath pictures, as on the screen
_NAME, _TEXT, _SMALL = 15.0, 13.0, 11.5
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf")
_COLOUR = re.compile(r"rgb\((\d+) (\d+) (\d+) / ([\d.]+)\)")


@dataclass(frozen=True)
class Sheet:
    """A request for a sheet: the centre and zoom of a view of ``width`` x ``height`` pixels, and the paper.

    The sheet shows the whole view, and more of the map where the paper has another aspect ratio.
    """

    map_id: str
    x: float
    y: float
    zoom: float
    width: float
    height: float
    colour: str = "density"
    selection: str = ""
    representative: str = "best"
    paper: str = "a4-landscape"
    dpi: float = 300
    names: bool = True

    def check(self) -> None:
        """Raise ``ProjectionError`` if a value is invalid."""
        bounds = {
            "x": (self.x, -2, 3),
            "y": (self.y, -2, 3),
            "zoom": (self.zoom, 0, 16),
            "width": (self.width, 1, 20_000),
            "height": (self.height, 1, 20_000),
            "dpi": (self.dpi, MIN_DPI, MAX_DPI),
        }
        for name, (value, least, most) in bounds.items():
            if not least <= value <= most:
                raise ProjectionError(
                    f"A sheet cannot be drawn with {name} {value:g}. It must be a number from {least} to {most}."
                )
        if self.paper not in PAPERS:
            raise ProjectionError(f"There is no paper {self.paper[:40]!r}. Choose one of {', '.join(PAPERS)}.")
        if self.representative not in REPRESENTATIVES:
            known = ", ".join(REPRESENTATIVES)
            raise ProjectionError(f"There are no pictures {self.representative[:40]!r}. Choose one of {known}.")


@dataclass(frozen=True)
class _Text:
    x: float
    y: float
    text: str
    size: float
    middle: bool = False
    bold: bool = False
    halo: bool = False


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    fill: tuple[int, int, int]
    opacity: float = 1.0
    line: bool = False


_Mark = _Text | _Box


@dataclass(frozen=True, eq=False)
class _Page:
    """A laid-out sheet: its size, the frame of the map, the map, and the marks above it, in CSS pixels."""

    size: tuple[float, float]
    frame: Box
    picture: "Image.Image"
    photographic: bool
    marks: tuple[_Mark, ...]


def file_name(sheet: Sheet) -> str:
    """Return a file name without extension, of ASCII letters and digits."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"map-{sheet.colour}-{sheet.paper}")[:80]


def png(workspace: Workspace, sheet: Sheet, *, report: Report = silent) -> bytes:
    """Return a sheet as a PNG file, with its resolution.

    Raises
    ------
    ProjectionError
        A value of the sheet is invalid.
    NotFound
        There is no such map, colour or selection.
    Stopped
        By ``report``, between two tiles.
    """
    from PIL import Image

    page = _lay_out(workspace, sheet, report)
    scale = sheet.dpi / 96
    paper = Image.new("RGB", (round(page.size[0] * scale), round(page.size[1] * scale)), "white")
    paper.paste(page.picture, (round(page.frame[0] * scale), round(page.frame[1] * scale)))
    for mark in page.marks:
        _draw(paper, mark, scale)
    file = io.BytesIO()
    paper.save(file, "PNG", dpi=(sheet.dpi, sheet.dpi), compress_level=4)
    return file.getvalue()


def svg(workspace: Workspace, sheet: Sheet, *, report: Report = silent) -> bytes:
    """Return a sheet as an SVG file, the map as a picture, names and legend as text; raises like :func:`png`."""
    page = _lay_out(workspace, sheet, report)
    file = io.BytesIO()
    kind = "jpeg" if page.photographic else "png"
    page.picture.save(file, kind.upper(), **({"quality": 90} if page.photographic else {"compress_level": 6}))
    left, top, right, bottom = page.frame
    across, down = PAPERS[sheet.paper]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}mm" height="{down}mm" '
        f'viewBox="0 0 {page.size[0]:.2f} {page.size[1]:.2f}" '
        "font-family=\"system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\">",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<image x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" height="{bottom - top:.2f}" '
        f'preserveAspectRatio="none" href="data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"/>',
        *(_element(mark) for mark in page.marks),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def _lay_out(workspace: Workspace, sheet: Sheet, report: Report) -> _Page:
    sheet.check()
    view = view_cache.current_view(workspace, sheet.map_id)
    view.colouring(sheet.colour)  # raises for an unknown colour before anything is drawn
    selected = selections.rows_of(workspace, sheet.selection) if sheet.selection else None
    across, down = (side * _UNIT for side in PAPERS[sheet.paper])
    edge = MARGIN * _UNIT
    frame = (edge, edge, across - edge, down - edge - FOOT * _UNIT)
    width, height = frame[2] - frame[0], frame[3] - frame[1]
    world = 256 * 2**sheet.zoom
    scale = min(width * world / sheet.width, height * world / sheet.height)  # CSS pixels along a side of the whole map
    box = (
        sheet.x - width / scale / 2,
        sheet.y - height / scale / 2,
        sheet.x + width / scale / 2,
        sheet.y + height / scale / 2,
    )
    size = round(width * sheet.dpi / 96), round(height * sheet.dpi / 96)
    close = sheet.zoom >= view.picture_from_zoom
    layers = [(sheet.colour, _FAINT), (f"pictures-{sheet.colour}", 1.0)] if close else [(sheet.colour, 1.0)]
    tile, enlarged = partial(_tile, view, sheet), _zooms_less(sheet, close)
    picture = stitch(tile, layers, box=box, size=size, enlarged=enlarged, report=report)
    legend = _legend(dict(view.legend(sheet.colour)), frame)
    names = _names(workspace, sheet, box, frame, legend) if sheet.names else []
    caption = _caption(workspace, sheet, view, None if selected is None else len(selected))
    foot = [_Text(edge, frame[3] + 18 + 17 * number, line, _SMALL) for number, line in enumerate(caption)]
    line = _Box(frame[0], frame[1], width, height, (200, 200, 196), line=True)
    return _Page((across, down), frame, picture, close, (*names, *legend, line, *foot))


def _zooms_less(sheet: Sheet, close: bool) -> int:
    """Return by how many zooms to enlarge pictures, which would be tiny at a high resolution."""
    return 1 if close and sheet.dpi > 200 else 0


def _tile(view: MapView, sheet: Sheet, kind: str, z: int, x: int, y: int) -> bytes:
    return view.tile(kind, z, x, y, only=sheet.selection or None, representative=sheet.representative)


def _caption(workspace: Workspace, sheet: Sheet, view: MapView, selected: int | None) -> list[str]:
    parts = [layout_of(workspace, sheet.map_id).title, f"colour: {view.legend(sheet.colour)['title']}"]
    if selected is not None:
        parts.append(f"in colour: {count(selected, 'selected image')}")
    day = time.strftime("%Y-%m-%d")
    return [" · ".join(parts), f"Centre x {sheet.x:.4f}, y {sheet.y:.4f}, zoom {sheet.zoom:g} · drawn on {day}"]


def _legend(legend: dict[str, Any], frame: Box) -> list[_Mark]:
    """Lay out the legend at the lower left of the map."""
    swatches = legend.get("swatches") or []
    width = 20 + max(190.0, _width(str(legend["title"]), _TEXT), *(24 + _width(s["label"], _SMALL) for s in swatches))
    height = 34 + (36 if legend.get("ramp") else 18 * len(swatches))
    x, y = frame[0] + 12, frame[3] - 12 - height
    marks: list[_Mark] = [
        _Box(x, y, width, height, (255, 255, 255), 0.88),
        _Box(x, y, width, height, (200, 200, 196), line=True),
        _Text(x + 10, y + 20, str(legend["title"]), _TEXT, bold=True),
    ]
    if legend.get("ramp"):
        step = 180 / len(legend["ramp"])
        for place, colour in enumerate(legend["ramp"]):
            fill, opacity = _colour(colour)
            marks.append(_Box(x + 10 + step * place, y + 29, step + 0.4, 10, fill, opacity))
        marks.append(_Text(x + 10, y + 55, str(legend["low"]), _SMALL))
        marks.append(_Text(x + 190 - _width(str(legend["high"]), _SMALL), y + 55, str(legend["high"]), _SMALL))
    for place, swatch in enumerate(swatches):
        fill, opacity = _colour(swatch["colour"])
        marks.append(_Box(x + 10, y + 30 + 18 * place, 11, 11, fill, opacity))
        marks.append(_Text(x + 28, y + 40 + 18 * place, str(swatch["label"]), _SMALL))
    return marks


def _colour(css: str) -> tuple[tuple[int, int, int], float]:
    match = _COLOUR.fullmatch(css)
    if match is None:
        return (136, 136, 136), 1.0
    red, green, blue = (int(part) for part in match.groups()[:3])
    return (red, green, blue), float(match[4])


def _names(workspace: Workspace, sheet: Sheet, box: Box, frame: Box, legend: list[_Mark]) -> list[_Mark]:
    """Lay out the names that the screen shows at this zoom, larger regions first, without overlaps."""
    zoom = round(sheet.zoom)
    shown = [one for one in regions.regions_of(workspace, sheet.map_id) if one.from_zoom <= zoom <= one.to_zoom]
    panel = legend[0]
    taken: list[Box] = []
    if isinstance(panel, _Box):
        taken.append((panel.x, panel.y, panel.x + panel.width, panel.y + panel.height))
    marks: list[_Mark] = []
    for one in sorted(shown, key=lambda region: (-region.count, region.name)):
        x = frame[0] + (one.x - box[0]) / (box[2] - box[0]) * (frame[2] - frame[0])
        y = frame[1] + (one.y - box[1]) / (box[3] - box[1]) * (frame[3] - frame[1])
        half = _width(one.name, _NAME) / 2 + 4
        place = (x - half, y - _NAME, x + half, y + _NAME / 2)
        inside = frame[0] < place[0] and place[2] < frame[2] and frame[1] < place[1] and place[3] < frame[3]
        if inside and not any(_overlap(place, other) for other in taken):
            taken.append(place)
            marks.append(_Text(x, y + _NAME / 3, one.name, _NAME, middle=True, bold=True, halo=True))
    return marks


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _element(mark: _Mark) -> str:
    """Return a mark as an SVG element."""
    if isinstance(mark, _Box):
        place = f'x="{mark.x:.2f}" y="{mark.y:.2f}" width="{mark.width:.2f}" height="{mark.height:.2f}"'
        colour = "#{:02x}{:02x}{:02x}".format(*mark.fill)
        look = f'fill="none" stroke="{colour}"' if mark.line else f'fill="{colour}" fill-opacity="{mark.opacity:.2f}"'
        return f"<rect {place} {look}/>"
    look = ' text-anchor="middle"' if mark.middle else ""
    look += ' font-weight="600"' if mark.bold else ""
    look += ' stroke="#fff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"' if mark.halo else ""
    words = escape("".join(letter for letter in mark.text if letter.isprintable()))
    return f'<text x="{mark.x:.2f}" y="{mark.y:.2f}" font-size="{mark.size}" fill="#1f2422"{look}>{words}</text>'


def _draw(paper: "Image.Image", mark: _Mark, scale: float) -> None:
    """Draw one mark on a PNG's paper."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(paper, "RGBA")
    if isinstance(mark, _Box):
        place = (
            mark.x * scale,
            mark.y * scale,
            (mark.x + mark.width) * scale,
            (mark.y + mark.height) * scale,
        )
        if mark.line:
            pen.rectangle(place, outline=mark.fill, width=max(1, math.floor(scale)))
        else:
            pen.rectangle(place, fill=(*mark.fill, round(255 * mark.opacity)))
        return
    font = _font(mark.size * scale)
    at, anchor = (mark.x * scale, mark.y * scale), "ms" if mark.middle else "ls"
    if mark.halo:
        pen.text(at, mark.text, "white", font, anchor, stroke_width=max(1, round(2 * scale)), stroke_fill="white")
    thick = max(0, round(0.022 * mark.size * scale)) if mark.bold else 0
    pen.text(at, mark.text, (31, 36, 34), font, anchor, stroke_width=thick, stroke_fill=(31, 36, 34))


def _width(text: str, size: float) -> float:
    """Return the width of ``text`` in the font of a PNG, with some room for the fonts of those who open an SVG."""
    return 1.05 * _font(size).getlength(text)


def _font(size: float) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    """Return an installed font with a large character set, or else Pillow's own."""
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
