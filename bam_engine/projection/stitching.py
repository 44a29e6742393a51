"""Stitches tiles into one large picture of a part of a map.

In:  a function that draws a tile, the layers, the part and the size. Out: a PIL image on white. Knows nothing of paper,
names or legends.
"""

import io
import math
from collections.abc import Callable, Sequence

from PIL import Image

from bam_engine.errors import NotFound
from bam_engine.progress import Report, silent
from bam_engine.projection.tiles import DEEPEST, TILE

Box = tuple[float, float, float, float]
DrawTile = Callable[[str, int, int, int], bytes]

MAX_TILES = 1200
"""Tiles of one layer; a part that needs more is drawn from a lower zoom."""


def stitch(
    tile: DrawTile,
    layers: Sequence[tuple[str, float]],
    *,
    box: Box,
    size: tuple[int, int],
    enlarged: int = 0,
    report: Report = silent,
) -> Image.Image:
    """Return the part ``box`` (left, top, right, bottom) of a map as an RGB picture of ``size`` pixels.

    Parameters
    ----------
    tile : callable
        Kind, zoom, x and y to the tile as an image file; raises ``NotFound`` where there is none.
    layers
        Kinds of tiles from bottom to top, each with its opacity.
    enlarged : int
        Use a zoom that is lower by this number, so that everything on the tiles is larger.

    Raises
    ------
    Stopped
        By ``report``, before a tile.

    Notes
    -----
    Tiles are scaled by at most the square root of two, unless they are enlarged. Beyond the map the picture is white.
    """
    zoom = max(0, zoom_for(box, size) - enlarged)
    left, top, right, bottom = box
    scale = size[0] / (right - left)
    sheet = Image.new("RGB", size, "white")
    columns, lines = _span(left, right, zoom), _span(top, bottom, zoom)
    total, done = len(layers) * len(lines) * len(columns), 0
    for kind, opacity in layers:
        for line in lines:
            for column in columns:
                report(done, total, "drawing")
                done += 1
                edges = [round((place / 2**zoom - left) * scale) for place in (column, column + 1)]
                ends = [round((place / 2**zoom - top) * scale) for place in (line, line + 1)]
                _put(sheet, tile, (kind, zoom, column, line), (edges[0], ends[0], edges[1], ends[1]), opacity)
    return sheet


def zoom_for(box: Box, size: tuple[int, int]) -> int:
    """Return the zoom whose tiles are closest to the requested size, or a lower one with fewer tiles."""
    left, top, right, bottom = box
    zoom = min(DEEPEST, max(0, round(math.log2(size[0] / (right - left) / TILE))))
    while zoom and len(_span(left, right, zoom)) * len(_span(top, bottom, zoom)) > MAX_TILES:
        zoom -= 1
    return zoom


def _span(low: float, high: float, zoom: int) -> range:
    """Return the columns of tiles that touch [low, high)."""
    whole = 2**zoom
    return range(max(0, math.floor(low * whole)), min(whole, math.ceil(high * whole)))


def _put(
    sheet: Image.Image, tile: DrawTile, address: tuple[str, int, int, int], place: Box | tuple[int, ...], opacity: float
) -> None:
    try:
        content = tile(*address)
    except NotFound:
        return
    with Image.open(io.BytesIO(content)) as opened:
        if opened.size != (TILE, TILE):  # an empty tile
            return
        drawn = opened.convert("RGBA")
    x, y, right, bottom = (int(part) for part in place)
    if drawn.size != (right - x, bottom - y):
        drawn = drawn.resize((max(1, right - x), max(1, bottom - y)), Image.Resampling.BICUBIC)
    alpha = drawn.getchannel("A")
    sheet.paste(drawn.convert("RGB"), (x, y), alpha if opacity >= 1 else alpha.point(lambda value: value * opacity))
