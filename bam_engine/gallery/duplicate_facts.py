"""What each image of a group of duplicates carries, for a person who chooses between them.

In:  groups with their images ranked. Out: sizes, paths, labels, captions and tags of the first images of each, why the
first is suggested, and what the others have that it has not.
"""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.collection import Image
from bam_engine.collection.originals import size_of
from bam_engine.errors import BucketUnavailable
from bam_engine.gallery.duplicates import DuplicateGroups, ranked
from bam_engine.gallery.tag_facet import tags_at
from bam_engine.labelling.label_states import LabelStates, states
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

Rows = NDArray[np.int64]
_WAITING = {"waiting": "waits for votes", "disputed": "disputed"}


@dataclass(frozen=True)
class Duplicate:
    """An image of a group: ``size`` is that of its file in bytes, None if it cannot be read.

    ``labels`` are pairs of an attribute's name and ``yes``, ``no`` or ``unsure``, in bulk or not, or what is missing to
    a label.
    """

    image: Image
    size: int | None
    labels: tuple[tuple[str, str], ...]
    captions: int
    tags: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class DescribedGroup:
    """A group: all of its rows, the first of which is suggested for ``reason``, and its first images.

    ``disagreeing`` are the attributes of which one image is labelled yes and another one no. ``only_others`` is what
    other images have and the suggested one has not, in words.
    """

    rows: Rows
    duplicates: tuple[Duplicate, ...]
    reason: str
    distance: float
    kept: bool
    disagreeing: tuple[str, ...]
    only_others: tuple[str, ...]


@one_flow
def describe(workspace: Workspace, groups: DuplicateGroups, *, most: int) -> list[DescribedGroup]:
    """Return the groups with their images ranked and the first ``most`` images of each described."""
    order = ranked(workspace, groups)
    known = [(attribute, states(workspace, attribute)) for attribute in workspace.attributes.all()]
    return [_described(workspace, order, place, known, most) for place in range(len(order))]


def _described(
    workspace: Workspace,
    groups: DuplicateGroups,
    place: int,
    known: list[tuple[Attribute, LabelStates]],
    most: int,
) -> DescribedGroup:
    rows = groups[place]
    captions, tags = _captions(workspace, rows), tags_at(workspace, rows)
    yes_no = [(each.name, _in(labels, rows, "positive"), _in(labels, rows, "negative")) for each, labels in known]
    others = [name for name, yes, no in yes_no if (yes | no).any() and not (yes | no)[0]]
    if captions[1:].any() and not captions[0]:
        others.append("captions")
    others += sorted({f"“{tag}”" for at, of_one in tags.items() if at for tag in of_one if tag not in tags.get(0, [])})
    marks = [(attribute.name, _marks(labels, rows[:most])) for attribute, labels in known]
    images = workspace.catalogue.images(rows[:most])
    labels = sum((yes.astype(int) + no for _, yes, no in yes_no), np.zeros(len(rows), int))
    return DescribedGroup(
        rows,
        tuple(
            Duplicate(
                image,
                _size(image),
                tuple((name, of_all[at]) for name, of_all in marks if of_all[at]),
                int(captions[at]),
                tuple(tags.get(at, ())),
            )
            for at, image in enumerate(images)
        ),
        _reason(workspace, rows, labels),
        float(groups.distances[place]),
        bool(groups.kept[place]),
        tuple(name for name, yes, no in yes_no if yes.any() and no.any()),
        tuple(others),
    )


def _in(labels: LabelStates, rows: Rows, state: str) -> NDArray[np.bool_]:
    return np.isin(rows, labels.rows[state])


def _marks(labels: LabelStates, rows: Rows) -> list[str]:
    """Return the label of each image in words, or why it has none although somebody answered."""
    marks = labels.marks(rows)
    for state, words in _WAITING.items():
        marks = [
            mark or (words if inside else "") for mark, inside in zip(marks, _in(labels, rows, state), strict=True)
        ]
    return marks


def _captions(workspace: Workspace, rows: Rows) -> Rows:
    """Return how many captions each image has that are not hidden (m,)."""
    table = db.captions
    numbers: dict[int, int] = {}
    with workspace.engine.connect() as connection:
        for start in range(0, len(rows), 500):
            among = table.c.row.in_(rows[start : start + 500].tolist()), table.c.hidden_at.is_(None)
            query = sa.select(table.c.row, sa.func.count()).where(*among).group_by(table.c.row)
            numbers.update((row, number) for row, number in connection.execute(query))
    return np.array([numbers.get(row, 0) for row in rows.tolist()], np.int64)


def _size(image: Image) -> int | None:
    try:
        return size_of(image.path)
    except (OSError, ValueError, BucketUnavailable):
        return None


def _reason(workspace: Workspace, rows: Rows, labels: Rows) -> str:
    """Return what sets the first image apart from the next one, which has most in common with it."""
    present = workspace.catalogue.present()[rows[:2]]
    one, other = (image.width * image.height for image in workspace.catalogue.images(rows[:2]))
    if present[0] != present[1]:
        return "readable file"
    if labels[0] != labels[1]:
        return "most labels"
    return "most pixels" if one != other else "first by path"
