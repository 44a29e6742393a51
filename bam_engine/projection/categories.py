"""Groups of images as a map shows them: the largest by name, the rest as "others".

In:  a group for each image row. Out: the groups of the points, their names, roles and counts. Knows nothing of pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError
from bam_engine.projection.colours import MAX_GROUPS

OTHERS = "others"


@dataclass(frozen=True, eq=False)
class Categories:
    """A category, such as the project, and its value for each image.

    Attributes
    ----------
    title : str
        The name of the category, such as ``Project``.
    names : tuple of str
        The names of its values.
    codes : (n,) array of int
        By image row, the index of its name; -1, and rows beyond the end, have no value.
    none : str
        What images without a value are called.
    roles : tuple of str, optional
        A fixed colour for each name (see :func:`.colours.groups`), in this order; without it, larger groups come first.
    """

    title: str
    names: tuple[str, ...]
    codes: ArrayLike
    none: str = "none"
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups on one map: ``codes`` (m,) uint8 by point, and the name, role and number of points of each code.

    Code 0 is "none", 1 is "others"; named groups follow, largest first, so that the rarer is on top where marks meet.
    """

    title: str
    codes: NDArray[np.uint8]
    names: tuple[str, ...]
    roles: tuple[str, ...]
    counts: tuple[int, ...]


def grouped(rows: NDArray[np.int64], categories: Categories) -> Groups:
    """Return the groups of the points with image ``rows`` (m,): the 12 largest, ties by index, the rest as others.

    Raises
    ------
    ProjectionError
        A code has no name, or there are more fixed roles than colours.
    """
    by_row = np.asarray(categories.codes)
    count = len(categories.names)
    if by_row.size and not (by_row.min() >= -1 and by_row.max() < count):
        raise ProjectionError(
            f"Group codes must be -1 to {count - 1}; these run from {by_row.min()} to {by_row.max()}."
        )
    if categories.roles and (len(categories.roles) != count or count > MAX_GROUPS):
        raise ProjectionError(
            f"{count} groups need as many fixed colours, not {len(categories.roles)}, and at most {MAX_GROUPS}."
        )
    own = np.full(len(rows), -1, np.int64)
    known = rows < len(by_row)
    own[known] = by_row[rows[known]]
    sizes = np.bincount(own[own >= 0], minlength=count)
    order = np.arange(count) if categories.roles else np.argsort(-sizes, kind="stable")
    shown = order[:MAX_GROUPS]
    new = np.ones(count + 1, np.uint8)  # the last entry is for -1
    new[shown] = 2 + np.arange(len(shown))
    new[-1] = 0
    codes = new[own]
    return Groups(
        categories.title,
        codes,
        (categories.none, OTHERS, *(categories.names[at] for at in shown)),
        ("none", "others", *(categories.roles or [str(place) for place in range(len(shown))])),
        tuple(np.bincount(codes, minlength=2 + len(shown)).tolist()),
    )
