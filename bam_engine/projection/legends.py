"""Legends of a map, JSON-ready.

In:  a colouring. Out: a title, and a ramp with two ends or swatches with the number of images of each; the images of a
swatch.
"""

import numpy as np
from numpy.typing import NDArray

from bam_engine.formatting import decimal
from bam_engine.projection import colours
from bam_engine.projection.categories import Groups
from bam_engine.projection.shading import Colouring

_DECISIONS = {"accepted": colours.ACCEPTED, "rejected": colours.REJECTED, "not labelled": colours.UNLABELLED}
"""The values of the swatches of an attribute's decisions."""


def legend(colouring: Colouring, name: str, theme: str = "light") -> dict[str, object]:
    """Return the legend of a colouring; ``name`` is that of its attribute."""
    table = colouring.table(theme)
    if colouring.groups is not None:
        return _groups(colouring.groups, table)
    if colouring.kind == "accepted" and colouring.values is not None:
        lines = [
            (word, colours.css(table, block * colours.BLOCK), int(np.count_nonzero(colouring.values == value)))
            for (word, value), block in zip(_DECISIONS.items(), (3, 2, 1), strict=True)
        ]
        return colours.swatch_legend(name, lines)
    if colouring.kind == "score":
        low, high = decimal(colouring.low), decimal(colouring.high)
        return colours.ramp_legend(table, title=f"Score: {name}", first=2, low=low, high=high)
    title = "Images" if colouring.kind == "density" else "Images, by logarithm"
    return colours.ramp_legend(table, title=title, first=1, low="few", high="many")


def points_of_swatch(colouring: Colouring, label: str) -> NDArray[np.int64] | None:
    """Return the points of a swatch, ascending; None where the legend has no such swatch."""
    if colouring.groups is not None and label in colouring.groups.names:
        return np.flatnonzero(colouring.groups.codes == colouring.groups.names.index(label))
    if colouring.kind == "accepted" and colouring.values is not None and label in _DECISIONS:
        return np.flatnonzero(colouring.values == _DECISIONS[label])
    return None


def _groups(groups: Groups, table: colours.Table) -> dict[str, object]:
    """Return the legend of groups: the named ones in order, then "others" and "none"; empty groups are left out."""
    order = [*range(2, len(groups.names)), 1, 0]
    lines = [
        (groups.names[code], colours.css(table, (code + 1) * colours.SHADES), groups.counts[code])
        for code in order
        if groups.counts[code]
    ]
    return colours.swatch_legend(groups.title, lines)
