"""Images that were removed from the collection, and how they come back.

In:  rows. Out: which rows are removed, and the removals, each with its reason and date, who removed the images, and who
brought them back. Nothing is deleted: a row stays the place of its image in every array, and its answers are kept. An
image is removed by one removal at a time, so that undoing that removal is exact.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine.database import (
    images,
    insert_new,
    insert_row,
    lock,
    log_activity,
    now,
    removals,
    removed_images,
    returns,
    snapshot_of,
)
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
class Return:
    """Images of one removal that came back at once: how many, when, and the id of the annotator who did it."""

    images: int
    made_at: str
    annotator_id: int | None


@dataclass(frozen=True)
class Removal:
    """Images that were removed at once: why, when, by whom (an annotator's id), and how many have not come back."""

    id: int
    reason: str
    made_at: str
    annotator_id: int | None
    images: int
    returns: tuple[Return, ...] = ()

    def history(self, names: Mapping[int, str]) -> str:
        """Return when and by whom the images were removed and brought back; ``names`` are those of the annotators."""
        steps = [f"removed {_signed(self.made_at, self.annotator_id, names)}"]
        steps += [
            f"{one.images:,} brought back {_signed(one.made_at, one.annotator_id, names)}" for one in self.returns
        ]
        return "; ".join(steps)


def _signed(made_at: str, annotator_id: int | None, names: Mapping[int, str]) -> str:
    date = f"on {made_at[:10]}"
    return date if annotator_id is None else f"by {names[annotator_id]} {date}"


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
        """Return all removals, newest first; those that are wholly undone have no image left."""
        snapshot = snapshot_of(self._engine)
        left = snapshot.read("images of removals", [removed_images], lambda c, _: _counts(c))
        back: dict[int, list[Return]] = {}
        for one in snapshot.rows(returns):
            back.setdefault(one.removal_id, []).append(Return(one.images, one.made_at, one.annotator_id))
        return [
            Removal(one.id, one.reason, one.made_at, one.annotator_id, left.get(one.id, 0), tuple(back.get(one.id, ())))
            for one in reversed(snapshot.rows(removals))
        ]

    def rows_of(self, removal_id: int) -> Rows:
        """Return the rows of a removal that have not come back, ascending."""
        of_it = sa.select(removed_images.c.row).where(removed_images.c.removal_id == removal_id)
        with self._engine.connect() as connection:
            return np.array(sorted(connection.scalars(of_it)), np.int64)

    def remove(
        self,
        rows: Iterable[int] | Rows,
        *,
        reason: str,
        by: int | None = None,
        keeping: Iterable[int] | Rows = (),
    ) -> Removal:
        """Remove images from the collection: they are asked, shown, counted and exported no more.

        Parameters
        ----------
        rows
            The images; those that are removed already stay with their own removal.
        reason
            What was removed, in a few words for the list of removals.
        by
            The annotator who removes them, by id, if known.
        keeping
            Images for whose sake the others go: if somebody has removed one of these meanwhile, nothing is removed.

        Raises
        ------
        CollectionError
            None of the rows is in the collection, or one to keep is not.
        """
        wanted = np.unique(np.fromiter(rows, np.int64))
        with self._engine.begin() as connection:
            lock(connection, removals)
            n = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(images.c.row) + 1, 0))) or 0
            wanted = wanted[(wanted >= 0) & (wanted < n)]
            _check_kept(connection, np.unique(np.fromiter(keeping, np.int64)))
            made_at = now()
            removal_id = insert_row(connection, removals, {"reason": reason, "annotator_id": by, "made_at": made_at})
            new = insert_new(
                connection, removed_images, [{"row": row, "removal_id": removal_id} for row in wanted.tolist()]
            )
            if not new:
                raise CollectionError(f"None of {count(len(wanted), 'image')} to remove is in the collection.")
            log_activity(connection, "removed images", f"{count(new, 'image')}: {reason}")
        return Removal(removal_id, reason, made_at, by, new)

    def undo(self, removal_id: int, *, by: int | None = None) -> int:
        """Bring back every image of a removal that has not come back; return how many there were.

        ``by`` is the id of the annotator who does it, if known.

        Raises
        ------
        NotFound
            There is no such removal.
        """
        if removal_id not in {one.id for one in snapshot_of(self._engine).rows(removals)}:
            raise NotFound(f"There is no removal {removal_id}. Choose one from the list of removals.")
        return self._bring_back([removed_images.c.removal_id == removal_id], by)

    def bring_back(self, rows: Iterable[int] | Rows, *, by: int | None = None) -> int:
        """Bring removed images back, whichever removal they belong to; return how many there were.

        ``by`` is the id of the annotator who does it, if known.
        """
        wanted = np.unique(np.fromiter(rows, np.int64)).tolist()
        return self._bring_back(_among(wanted), by)

    def _bring_back(self, conditions: Iterable[sa.ColumnElement[bool]], by: int | None) -> int:
        """Bring back the images that meet one of ``conditions``, and store how many of each removal came back."""
        numbers: Counter[int] = Counter()
        with self._engine.begin() as connection:
            lock(connection, removals)
            for condition in conditions:
                numbers.update(_counts(connection, condition))
                connection.execute(sa.delete(removed_images).where(condition))
            if numbers:
                back = {"annotator_id": by, "made_at": now()}
                lines = [{"removal_id": key, "images": number, **back} for key, number in sorted(numbers.items())]
                connection.execute(sa.insert(returns), lines)
                log_activity(connection, "brought back images", count(numbers.total(), "image"))
        return numbers.total()


def _among(rows: list[int]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which a removed image is one of ``rows``."""
    return [removed_images.c.row.in_(rows[start : start + _CHUNK]) for start in range(0, len(rows), _CHUNK)]


def _check_kept(connection: sa.Connection, rows: Rows) -> None:
    for condition in _among(rows.tolist()):
        gone = connection.scalar(sa.select(sa.func.count()).select_from(removed_images).where(condition))
        if gone:
            raise CollectionError(
                f"Somebody has removed {count(gone, 'image')} that you want to keep, so nothing was removed. Look "
                "at the images again."
            )


def _counts(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> dict[int, int]:
    """Return how many images of each removal are removed and meet the conditions."""
    of_each = sa.select(removed_images.c.removal_id, sa.func.count().label("n")).where(*conditions)
    return {line.removal_id: line.n for line in connection.execute(of_each.group_by(removed_images.c.removal_id))}
