"""Groups of duplicates, of which a person keeps one image or all: found, ordered, ranked, and dropped.

In:  what the search for near-duplicates found, the labels, and what was kept. Out: groups of rows, the image that is
suggested to be kept of each, and a removal. An image whose bytes are in the collection is not added twice, so exact
duplicates are files of other bytes that the encoder cannot tell apart. A dropped image is removed as any other is: its
answers stay stored with it, nothing is copied to the image that is kept, and it comes back as it was.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.removals import Removal
from bam_engine.errors import CollectionError, NotFound
from bam_engine.formatting import count
from bam_engine.gallery import kept_duplicates, near_duplicates
from bam_engine.labelling.label_states import label_version, states
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_encoder
from bam_engine.workspace.membership import members, removed
from bam_engine.workspace.memory import Kind

Rows = NDArray[np.int64]

Level = Literal["exact", "near"]
State = Literal["open", "disagreeing", "kept"]
Order = Literal["size", "similarity"]
LEVELS: tuple[Level, ...] = get_args(Level)
STATES: tuple[State, ...] = get_args(State)
ORDERS: tuple[Order, ...] = get_args(Order)

RULE = "one with a readable file, then most labels, then most pixels, then first by path"
"""Which image of a group is suggested to be kept; no two images have one path."""


@dataclass(frozen=True, eq=False)
class DuplicateGroups:
    """Groups of two images or more.

    Attributes
    ----------
    rows : (m,) int64
        The images, group after group.
    starts : (g + 1,) int64
        Where each group starts in ``rows``, and their end.
    distances : (g,) float32
        How far an image is from being a copy of the first that the search found of its group, the largest of all: 0 for
        exact duplicates, 1 at most (:func:`bam_engine.learning.picture_comparison.difference`).
    disagreeing : (g,) bool
        Whether one image is labelled yes and another one no, for the same attribute. Bulk answers are no labels.
    kept : (g,) bool
        Whether somebody keeps all of them.
    """

    rows: Rows
    starts: Rows
    distances: NDArray[np.float32]
    disagreeing: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> Rows:
        return self.rows[self.starts[place] : self.starts[place + 1]]

    @property
    def sizes(self) -> Rows:
        """How many images each group has (g,)."""
        return np.diff(self.starts)

    @property
    def extra(self) -> int:
        """How many images would be dropped if one of each group was kept."""
        return len(self.rows) - len(self)

    def take(self, places: Rows) -> "DuplicateGroups":
        """Return the groups at ``places`` (k,), in that order."""
        sizes = self.sizes[places]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        at = np.repeat(self.starts[places] - starts[:-1], sizes) + np.arange(starts[-1])
        return DuplicateGroups(
            self.rows[at], starts, self.distances[places], self.disagreeing[places], self.kept[places]
        )

    def only(self, state: State) -> "DuplicateGroups":
        """Return the groups to be decided, those of them with disagreeing labels, or the ones that are kept."""
        inside = self.kept if state == "kept" else ~self.kept & (self.disagreeing | (state == "open"))
        return self.take(np.flatnonzero(inside))

    def ordered(self, order: Order) -> "DuplicateGroups":
        """Return the groups with disagreeing labels first, then by ``order``, then by their lowest row.

        The largest group comes first, or the one with the smallest distance.
        """
        by = self.distances if order == "similarity" else -self.sizes
        return self.take(np.lexsort((np.arange(len(self)), by, ~self.disagreeing)))


_GROUPS = Kind[DuplicateGroups](
    "groups of duplicates", of="level", until="a search ends, or an image, a label or a decision changes", limit=2
)


@one_encoder
def duplicate_groups(workspace: Workspace, level: Level) -> DuplicateGroups:
    """Return the groups of the last search with two images or more in the collection, by their lowest row.

    Raises
    ------
    NotFound
        There was no search with the encoder in use yet.
    """
    attributes = workspace.attributes.all()
    version = (
        near_duplicates.groups_version(workspace),
        len(workspace.catalogue),
        removed(workspace).version,
        kept_duplicates.version(workspace),
        [(each.id, *label_version(workspace, each)) for each in attributes],
    )
    return workspace.memory.get(_GROUPS, (workspace.choice.key, level), version, lambda: _grouped(workspace, level))


def _grouped(workspace: Workspace, level: Level) -> DuplicateGroups:
    found = near_duplicates.last_search(workspace)
    if found is None:
        raise NotFound("Duplicates have not been searched for yet. Search for them first.")
    n = len(found.groups)
    first = found.identical if level == "exact" else found.groups
    rows = np.flatnonzero(members(workspace, n))
    rows = rows[np.bincount(first[rows], minlength=n)[first[rows]] > 1]
    rows = rows[np.argsort(first[rows], kind="stable")]
    starts = np.append(np.flatnonzero(np.diff(first[rows], prepend=-1)), len(rows))
    number = np.full(n, -1, np.int64)
    number[rows] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    if not len(rows):
        return DuplicateGroups(rows, starts, np.empty(0, np.float32), np.empty(0, bool), np.empty(0, bool))
    apart = found.distances[rows] if level == "near" else np.zeros(len(rows), np.float32)
    together = kept_duplicates.kept_with(workspace, n)[rows]
    lowest, highest = (each.reduceat(together, starts[:-1]) for each in (np.minimum, np.maximum))
    groups = DuplicateGroups(
        rows,
        starts,
        np.maximum.reduceat(apart, starts[:-1]),
        _disagreeing(workspace, number, len(starts) - 1),
        (lowest == highest) & (lowest >= 0),
    )
    return groups.take(np.argsort(rows[starts[:-1]]))


def _disagreeing(workspace: Workspace, number: Rows, groups: int) -> NDArray[np.bool_]:
    """Return which of the groups have a yes and a no; ``number`` is the group of each row, or -1."""
    disagreeing = np.zeros(groups, bool)
    for attribute in workspace.attributes.all():
        labels = states(workspace, attribute).rows
        both = np.ones(groups, bool)
        for answer in ("positive", "negative"):
            inside = number[labels[answer][labels[answer] < len(number)]]
            one = np.zeros(groups, bool)
            one[inside[inside >= 0]] = True
            both &= one
        disagreeing |= both
    return disagreeing


def ranked(workspace: Workspace, groups: DuplicateGroups) -> DuplicateGroups:
    """Return the groups with their images in the order of :data:`RULE`: the first of each is suggested to be kept."""
    rows = groups.rows
    images = workspace.catalogue.images(rows)
    by_path = sorted(range(len(rows)), key=lambda place: images[place].uri)
    path = np.empty(len(rows), np.int64)
    path[by_path] = np.arange(len(rows))
    pixels = np.array([image.width * image.height for image in images], np.int64)
    present = workspace.catalogue.present()[rows]
    number = np.repeat(np.arange(len(groups)), groups.sizes)
    order = np.lexsort((path, -pixels, -labels_of(workspace, rows), ~present, number))
    return DuplicateGroups(rows[order], groups.starts, groups.distances, groups.disagreeing, groups.kept)


def labels_of(workspace: Workspace, rows: Rows) -> Rows:
    """Return for how many attributes each of ``rows`` is labelled yes or no (m,); bulk answers are no labels."""
    labels = np.zeros(len(rows), np.int64)
    for attribute in workspace.attributes.all():
        known = states(workspace, attribute).rows
        labels += np.isin(rows, known["positive"]) | np.isin(rows, known["negative"])
    return labels


def keep_one(workspace: Workspace, rows: Rows, row: int, *, by: int | None = None) -> Removal:
    """Keep one image of a group and drop the others; undo it by the removal that is returned.

    Raises
    ------
    CollectionError
        The image is not one of the group, or was removed meanwhile, or all others were.
    """
    if row not in rows:
        raise CollectionError(f"Image {row} is not one of the group. Choose one of its {count(len(rows), 'image')}.")
    name = workspace.catalogue.image(row).name
    others = rows[rows != row]
    return workspace.removals.remove(others, reason=f"duplicates of {name}", by=by, keeping=[row])


def keep_suggested(workspace: Workspace, groups: DuplicateGroups, *, by: int | None = None) -> Removal:
    """Keep the suggested image of each group and drop the others, all at once.

    Raises
    ------
    CollectionError
        There are no groups, or images of them were removed meanwhile.
    """
    if not len(groups):
        raise CollectionError("There are no groups of duplicates to drop images of.")
    order = ranked(workspace, groups)
    is_first = np.zeros(len(order.rows), bool)
    is_first[order.starts[:-1]] = True
    return workspace.removals.remove(
        order.rows[~is_first],
        reason=f"duplicates of {count(len(groups), 'image')}",
        by=by,
        keeping=order.rows[is_first],
    )
