"""Which rows are in the collection. Whatever asks, shows, counts or exports images asks here first.

A removed image keeps its row, so arrays over rows keep their length; what they hold of it is left out.
"""

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.removals import Removed
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_MEMBERS = Kind[NDArray[np.bool_]](
    "masks of the collection", of="number of rows", until="an image is removed or comes back", limit=4
)


def removed(workspace: Workspace) -> Removed:
    """Return the rows that were removed from the collection."""
    return workspace.removals.removed()


def members(workspace: Workspace, n: int | None = None) -> NDArray[np.bool_]:
    """Return which of the first ``n`` rows, by default all, are in the collection: bool (n,), read-only."""
    n = len(workspace.catalogue) if n is None else n
    gone = removed(workspace)

    def make() -> NDArray[np.bool_]:
        inside = np.ones(n, bool)
        inside[gone.rows[gone.rows < n]] = False
        inside.flags.writeable = False
        return inside

    return workspace.memory.get(_MEMBERS, n, gone.version, make)


def member_rows(workspace: Workspace) -> NDArray[np.int64]:
    """Return the rows in the collection, ascending."""
    return np.flatnonzero(members(workspace))


def count_images(workspace: Workspace, n: int | None = None) -> int:
    """Return how many of the first ``n`` rows, by default all, are in the collection."""
    n = len(workspace.catalogue) if n is None else n
    return n - int(np.searchsorted(removed(workspace).rows, n))


def without_removed(workspace: Workspace, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values over all rows (…, n) with nan for removed images; the same array if there are none."""
    rows = removed(workspace).rows
    rows = rows[rows < values.shape[-1]]
    if not len(rows):
        return values
    values = np.array(values)
    values[..., rows] = np.nan
    return values
