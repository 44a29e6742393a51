"""Groups that images belong to, as a map shows them: the largest by name, the rest as "others".

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
    """What each image of the collection is.

    Attributes
    ----------
    title : str
        What is told apart: ``Project``.
    names : tuple of str
    codes : (n,) array of int
        By image row the number of its name; -1, and rows beyond the end: none of them.
    none : str
        What those are called.
    roles : tuple of str, optional
        A fixed colour for each name (see :func:`.colours.groups`), in a fixed order; without, the larger come first.
    """

    title: str
    names: tuple[str, ...]
    codes: ArrayLike
    none: str = "none"
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups on one map: ``codes`` (m,) uint8 by point, and for each code its name, role and count of points.

    Code 0 is "none", 1 "others"; then the named ones from the largest to the smallest, so that where two marks meet the
    rarer is seen.
    """

    title: str
    codes: NDArray[np.uint8]
    names: tuple[str, ...]
    roles: tuple[str, ...]
    counts: tuple[int, ...]


def grouped(rows: NDArray[np.int64], categories: Categories) -> Groups:
    """Return the groups of the points with these image ``rows`` (m,): the 12 largest, the rest as others.

    Of two as large the first named is the larger.

    Raises
    ------
    ProjectionError
        A code has no name, or there are more fixed roles than colours.
    """
    by_row = np.asarray(categories.codes)
    count = len(categories.names)
    if by_row.size and not (by_row.min() >= -1 and by_row.max() < count):
        raise ProjectionError(
            f"groups are numbered -1 to {count - 1}; these run from {by_row.min()} to {by_row.max()}."
        )
    if categories.roles and (len(categories.roles) != count or count > MAX_GROUPS):
        raise ProjectionError(f"{count} groups were given {len(categories.roles)} colours; at most {MAX_GROUPS} fit.")
    own = np.full(len(rows), -1, np.int64)
    known = rows < len(by_row)
    own[known] = by_row[rows[known]]
    sizes = np.bincount(own[own >= 0], minlength=count)
    order = np.arange(count) if categories.roles else np.argsort(-sizes, kind="stable")
    shown = order[:MAX_GROUPS]
    new = np.ones(count + 1, np.uint8)  # the last is that of -1
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
