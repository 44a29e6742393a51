"""Duplicates that somebody wants to keep all of: stored, so that nobody is asked about them again.

In:  the images of a group. Out: for every image, with which ones it was kept. A group is kept as long as all of its
images were kept together: once another one joins it, it is asked about again.
"""

from collections.abc import Iterable

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine.database import images, kept_duplicates, lock, log_activity, now
from bam_engine.database.writing import insert_into
from bam_engine.errors import CollectionError, NotFound
from bam_engine.formatting import count
from bam_engine.workspace.core import Workspace

_BLOCK = 500  # rows in one statement
Rows = NDArray[np.int64]


def keep_together(workspace: Workspace, rows: Iterable[int] | Rows, *, by: int | None = None) -> int:
    """Keep all images of a group, as somebody has looked at them; return how many they are.

    Parameters
    ----------
    by
        The annotator who keeps them, by id, if known.

    Raises
    ------
    CollectionError
        They are fewer than two.
    NotFound
        One of them is no image.
    """
    together = np.unique(np.fromiter(rows, np.int64)).tolist()
    if len(together) < 2:
        raise CollectionError(f"{count(len(together), 'image')} cannot be kept together. Choose two or more.")
    with workspace.engine.begin() as connection:
        lock(connection, kept_duplicates)
        last = connection.scalar(sa.select(sa.func.max(images.c.row)))
        if last is None or together[0] < 0 or together[-1] > last:
            raise NotFound(f"There is no image {together[0] if together[0] < 0 else together[-1]}.")
        common = {"first_row": together[0], "annotator_id": by, "made_at": now()}
        insert = insert_into(connection, kept_duplicates)
        newer = {name: insert.excluded[name] for name in common}
        replacing = insert.on_conflict_do_update(index_elements=["row"], set_=newer)
        connection.execute(replacing, [{"row": row, **common} for row in together])
        log_activity(connection, "kept duplicates", count(len(together), "image"))
    return len(together)


def ask_again(workspace: Workspace, rows: Iterable[int] | Rows) -> int:
    """Forget that images were kept with their duplicates; return of how many it was known."""
    wanted = np.unique(np.fromiter(rows, np.int64)).tolist()
    known = 0
    with workspace.engine.begin() as connection:
        lock(connection, kept_duplicates)
        for start in range(0, len(wanted), _BLOCK):
            these = kept_duplicates.c.row.in_(wanted[start : start + _BLOCK])
            known += connection.execute(sa.delete(kept_duplicates).where(these)).rowcount
        if known:
            log_activity(connection, "opened duplicates again", count(known, "image"))
    return known


def kept_with(workspace: Workspace, n: int) -> NDArray[np.int32]:
    """Return the lowest row with which each of the first ``n`` images was kept, int32 (n,); -1 where it was not."""
    first = np.full(n, -1, np.int32)
    for row, other in workspace.snapshot.read("kept duplicates", [kept_duplicates], lambda c, _: _read(c)):
        if row < n:
            first[row] = other
    return first


def version(workspace: Workspace) -> object:
    """Return what changes whenever duplicates are kept, or opened again."""
    return workspace.snapshot.version(kept_duplicates)


def _read(connection: sa.Connection) -> list[tuple[int, int]]:
    query = sa.select(kept_duplicates.c.row, kept_duplicates.c.first_row)
    return [(row, first) for row, first in connection.execute(query)]
