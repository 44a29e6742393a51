"""Images that were removed from the collection, and how they come back.

In:  rows. Out: which rows are removed, and the removals, each with its reason and date. Nothing is deleted: a row stays
the place of its image in every array, and its answers are kept. An image is removed by one removal at a time, so that
undoing that removal is exact.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine.database import images, insert_new, lock, now, removals, removed_images, snapshot_of
from bam_engine.errors import CollectionError, NotFound
from bam_engine.formatting import count

_CHUNK = 500  # rows in one IN list
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Removed:
    """The removed rows, ascending, and a number that identifies the set; 0 for none."""

    rows: Rows
    version: int

    def without(self, rows: Rows) -> Rows:
        """Return those of ``rows`` that are in the collection, in their order."""
        return rows[~np.isin(rows, self.rows)] if len(self.rows) else rows


@dataclass(frozen=True)
class Removal:
    """Images that were removed at once: why, when, and how many of them have not come back."""

    id: int
    reason: str
    made_at: str
    images: int


def removed(engine: sa.Engine) -> Removed:
    """Return the images that are not in the collection any more."""
    return snapshot_of(engine).read("removed images", [removed_images], lambda connection, _: _read(connection))


def _read(connection: sa.Connection) -> Removed:
    rows = np.array(list(connection.scalars(sa.select(removed_images.c.row).order_by(removed_images.c.row))), np.int64)
    rows.setflags(write=False)
    return Removed(rows, zlib.crc32(rows.tobytes()) or 1 if len(rows) else 0)


class Removals:
    """The removals of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def removed(self) -> Removed:
        """Return the images that are not in the collection any more."""
        return removed(self._engine)

    def all(self) -> list[Removal]:
        """Return the removals that are not wholly undone, newest first."""
        left = snapshot_of(self._engine).read("images of removals", [removed_images], lambda c, _: _counts(c))
        stored = reversed(snapshot_of(self._engine).rows(removals))
        return [Removal(one.id, one.reason, one.made_at, left[one.id]) for one in stored if one.id in left]

    def rows_of(self, removal_id: int) -> Rows:
        """Return the rows of a removal that have not come back, ascending."""
        of_it = sa.select(removed_images.c.row).where(removed_images.c.removal_id == removal_id)
        with self._engine.connect() as connection:
            return np.array(sorted(connection.scalars(of_it)), np.int64)

    def remove(self, rows: Iterable[int] | Rows, *, reason: str) -> Removal:
        """Remove images from the collection: they are asked, shown, counted and exported no more.

        Parameters
        ----------
        rows
            The images; those that are removed already stay with their own removal.
        reason
            What was removed, in a few words for the list of removals.

        Raises
        ------
        CollectionError
            None of the rows is in the collection.
        """
        wanted = np.unique(np.fromiter(rows, np.int64))
        with self._engine.begin() as connection:
            lock(connection, removals)
            n = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(images.c.row) + 1, 0))) or 0
            wanted = wanted[(wanted >= 0) & (wanted < n)]
            made_at = now()
            added = connection.execute(sa.insert(removals).values(reason=reason, made_at=made_at)).inserted_primary_key
            removal_id = int(added[0]) if added else 0
            new = insert_new(
                connection, removed_images, [{"row": row, "removal_id": removal_id} for row in wanted.tolist()]
            )
            if not new:
                raise CollectionError(f"None of {count(len(wanted), 'image')} to remove is in the collection.")
        return Removal(removal_id, reason, made_at, new)

    def undo(self, removal_id: int) -> int:
        """Bring back every image of a removal that has not come back; return how many there were.

        Raises
        ------
        NotFound
            There is no such removal.
        """
        if removal_id not in {one.id for one in snapshot_of(self._engine).rows(removals)}:
            raise NotFound(f"There is no removal {removal_id}. Choose one from the list of removals.")
        with self._engine.begin() as connection:
            lock(connection, removals)
            return connection.execute(
                sa.delete(removed_images).where(removed_images.c.removal_id == removal_id)
            ).rowcount

    def bring_back(self, rows: Iterable[int] | Rows) -> int:
        """Bring removed images back, whichever removal they belong to; return how many there were."""
        wanted = np.unique(np.fromiter(rows, np.int64)).tolist()
        with self._engine.begin() as connection:
            lock(connection, removals)
            deletions = (
                sa.delete(removed_images).where(removed_images.c.row.in_(wanted[start : start + _CHUNK]))
                for start in range(0, len(wanted), _CHUNK)
            )
            return sum(connection.execute(deletion).rowcount for deletion in deletions)


def _counts(connection: sa.Connection) -> dict[int, int]:
    counted = sa.select(removed_images.c.removal_id, sa.func.count().label("n")).group_by(removed_images.c.removal_id)
    return {line.removal_id: line.n for line in connection.execute(counted)}
