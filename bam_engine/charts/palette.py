"""The colours of charts, light and dark.

The colours of marks have a contrast of at least 3:1 to the ground of either theme, those of words at least 4.5:1, as
WCAG 2.2 asks for (1.4.11 and 1.4.3); grid lines and bands only support them.
"""

from dataclasses import dataclass
from typing import Literal

from bam_engine.charts.chart import Colour

Theme = Literal["light", "dark"]

PALE = 0.2
"""The opacity of bands and of the ground of histograms."""


@dataclass(frozen=True)
class Palette:
    """The ground, the colours of words and grid lines, and the colours of marks by name."""

    paper: str
    ink: str
    label: str
    grid: str

    def colour(self, name: Colour) -> str:
        """Return the colour of a mark."""
        return self.ink if name == "ink" else _MARKS[name]


_MARKS = {"accent": "#0f8f88", "second": "#c2703d", "quiet": "#8a8f8c"}

PALETTES: dict[Theme, Palette] = {
    "light": Palette(paper="#ffffff", ink="#1f2422", label="#5d6461", grid="#dddbd2"),
    "dark": Palette(paper="#15181a", ink="#e7e8e4", label="#a3aaa6", grid="#353b3d"),
}

PAGE = Palette(paper="var(--paper)", ink="var(--ink)", label="var(--quiet)", grid="var(--line)")
"""The colours of the HTML page around an SVG, which follow its theme."""
