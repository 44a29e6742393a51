"""The figures of slices as people read them: in a table, and in sentences of the command line."""

import numpy as np

from bam_engine.formatting import MINUS, NOTHING, percent_interval, percent_range
from bam_engine.learning.slices import Figure, Figures
from bam_engine.reporting.slices import Slice, Slices

HEAD = ("slice", "accepted", "precision", "against the others", "prevalence", "recall", "labels · random")
"""The columns of :func:`table_of`; the last one has the labels that precision and prevalence rest on."""


def table_of(found: Slices) -> list[list[str]]:
    """Return a line for the whole and one for each slice."""
    return [_line("all images", found.whole, None), *(_line(each.name, each.figures, each) for each in found.slices)]


def _line(name: str, found: Figures | None, one: Slice | None) -> list[str]:
    if found is None:
        return [name, *[NOTHING] * (len(HEAD) - 1)]
    compared = NOTHING if one is None or one.apart is None else points(one.apart) + ", differs" * one.differs
    return [
        name,
        f"{found.accepted:,} of {found.images:,}",
        interval(found.precision),
        compared,
        interval(found.prevalence),
        interval(found.recall),
        f"{found.labels:,} · {found.random_labels:,}",
    ]


def interval(figure: Figure) -> str:
    """Return a proportion with its interval; where it is not measured, what the labels leave possible.

    Examples
    --------
    >>> interval((0.9, 0.8, 0.95)), interval((float("nan"), 0.25, 1.0))
    ('90% (80–95%)', 'unknown (25–100%)')
    """
    return f"unknown ({percent_range(*figure[1:])})" if np.isnan(figure[0]) else percent_interval(*figure)


def points(figure: Figure) -> str:
    """Return a difference of proportions with its interval, in percentage points.

    Examples
    --------
    >>> points((-0.12, -0.2, 0.01))
    '−12 (−20 to +1)'
    """
    value, low, high = (f"{100 * each:+.0f}".replace("-", MINUS) for each in figure)
    return f"{value} ({low} to {high})"
