"""What the colours of a map mean, ready for JSON.

In:  a colouring. Out: a title and a ramp with two ends, or swatches with the number of images of each.
"""

import numpy as np

from bam_engine.projection import colours
from bam_engine.projection.categories import Groups
from bam_engine.projection.shading import Colouring


def legend(made: Colouring, name: str, theme: str = "light") -> dict[str, object]:
    """Return the legend of a colouring; ``name`` is that of its attribute."""
    table = made.table(theme)
    if made.groups is not None:
        return _groups(made.groups, table)
    if made.kind == "accepted" and made.values is not None:
        words = (("accepted", colours.ACCEPTED, 3), ("rejected", colours.REJECTED, 2), ("not labelled", -1, 1))
        lines = [
            (word, colours.css(table, block * colours.BLOCK), int(np.count_nonzero(made.values == value)))
            for word, value, block in words
        ]
        return colours.swatch_legend(name, lines)
    if made.kind == "score":
        ends = f"{made.low:.3g}", f"{made.high:.3g}"
        return colours.ramp_legend(table, title=f"Score: {name}", first=2, low=ends[0], high=ends[1])
    title = "Images" if made.kind == "density" else "Images, by logarithm"
    return colours.ramp_legend(table, title=title, first=1, low="few", high="many")


def _groups(groups: Groups, table: colours.Table) -> dict[str, object]:
    """The named groups in their order, then the others and those of none, as far as there are any."""
    order = [*range(2, len(groups.names)), 1, 0]
    lines = [
        (groups.names[code], colours.css(table, (code + 1) * colours.SHADES), groups.counts[code])
        for code in order
        if groups.counts[code]
    ]
    return colours.swatch_legend(groups.title, lines)
