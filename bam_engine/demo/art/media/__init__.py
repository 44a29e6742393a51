"""The media: each turns the same scene into a picture by its own physics in small.

In:  a :class:`Rendering`, the seed of a studio's hand, a random generator. Out: pixels (h, w, 3), uint8. Knows no
subject.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.canvas import LineStyle, Rendering
from bam_engine.demo.art.media import comic, digital, drawing, oil, other, watercolor
from bam_engine.demo.art.media.paper import Pixels, readable, scanned

_Line = Callable[[np.random.Generator, float], LineStyle | None]
_Render = Callable[[Rendering, np.random.Generator, np.random.Generator], Pixels]


@dataclass(frozen=True)
class Medium:
    """How its outlines are drawn, how it is laid down, and what it is called in a title."""

    line: _Line
    render: _Render
    title: str


def _no_line(hand: np.random.Generator, size: float) -> None:
    return None


MEDIA: dict[str, Medium] = {
    "3d_graphics": Medium(_no_line, digital.solid, "3-D rendering"),
    "comic": Medium(comic.line, comic.render, "comic"),
    "graphite": Medium(drawing.pencil_line, drawing.graphite, "pencil drawing"),
    "oilpaint": Medium(_no_line, oil.render, "oil painting"),
    "pen_ink": Medium(drawing.ink_line, drawing.ink, "pen and ink"),
    "vectorart": Medium(digital.vector_line, digital.vector, "vector drawing"),
    "watercolor": Medium(watercolor.line, watercolor.render, "watercolour"),
    "cut paper": Medium(_no_line, other.cut_paper, "cut paper"),
    "pastel": Medium(_no_line, other.pastel, "pastel"),
    "charcoal": Medium(drawing.pencil_line, drawing.charcoal, "charcoal drawing"),
    "coloured pencil": Medium(drawing.pencil_line, drawing.coloured_pencil, "coloured pencil"),
    "gouache": Medium(_no_line, oil.gouache, "gouache"),
    "digital painting": Medium(_no_line, oil.digital, "digital painting"),
    "pixels": Medium(_no_line, other.pixels, "pixel picture"),
}


def line_style(medium: str, hand: int, size: float) -> LineStyle | None:
    """Return how a studio outlines in a medium; ``size`` is the picture's shorter side in pixels."""
    return MEDIA[medium].line(np.random.default_rng([hand, 1]), size)


def render(rendering: Rendering, medium: str, hand: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Lay a scene down in a medium."""
    picture = MEDIA[medium].render(rendering, np.random.default_rng([hand, 2]), rng)
    picture = readable(scanned(picture, np.random.default_rng([hand, 3]), rng))
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
