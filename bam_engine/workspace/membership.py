"""Which rows are in the collection. Whatever asks, shows, counts or exports images asks here first.

A removed image keeps its row, so arrays over rows keep their length; what they hold of it is left out.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.buckets import check_address, is_address
from bam_engine.collection.missing_files import find_missing
from bam_engine.collection.removals import Removed
from bam_engine.errors import NotFound
from bam_engine.formatting import count
from bam_engine.progress import Report, silent
from bam_engine.typed_paths import typed_path
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


def count_without_file(workspace: Workspace) -> int:
    """Return how many images of the collection have no readable file, as far as is known."""
    present = workspace.catalogue.present()
    return int((members(workspace, len(present)) & ~present).sum())


def without_file(workspace: Workspace) -> str:
    """Return a sentence that says which images no sample holds and no promise is about; "" if there are none."""
    number = count_without_file(workspace)
    if not number:
        return ""
    them = "it" if number == 1 else "them"
    return f"{count(number, 'image')} without a readable file: in no sample, and no number here speaks of {them}."


def without_removed(workspace: Workspace, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values over all rows (…, n) with nan for removed images; the same array if there are none."""
    rows = removed(workspace).rows
    rows = rows[rows < values.shape[-1]]
    if not len(rows):
        return values
    values = np.array(values)
    values[..., rows] = np.nan
    return values


def rows_at(workspace: Workspace, path: str | Path) -> NDArray[np.int64]:
    """Return the rows of the image at a path, or of all images below a folder, ascending, removed ones included.

    Raises
    ------
    BamError
        The path is empty.
    NotFound
        There is no image.
    """
    if is_address(str(path)):
        typed = check_address(str(path))
        places = {typed}
    else:
        typed = os.path.abspath(typed_path(str(path)))  # noqa: PTH100  (keeps links, which resolve() follows)
        places = {typed, os.path.realpath(typed)}
    rows = set(workspace.catalogue.rows_of(places).values())
    rows.update(*map(workspace.catalogue.rows_below, places))
    if not rows:
        raise NotFound(f"No image of the collection is at {typed} or below it. Give the path of an image or a folder.")
    return np.array(sorted(rows), np.int64)


def missing_member_rows(
    workspace: Workspace, *, among: NDArray[np.int64] | None = None, report: Report = silent
) -> NDArray[np.int64]:
    """Return the rows of the collection whose files do not exist any more, ascending; ``among`` these, if given."""
    rows = member_rows(workspace) if among is None else removed(workspace).without(np.unique(among))
    paths = workspace.catalogue.paths()
    return rows[find_missing([paths[row] for row in rows], report=report)]
