"""How the label of an image stands for an attribute, for all images at once.

In:  an attribute. Out: the rows in each state. What a label is, ``tasks`` and ``bulk`` say.
"""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.labelling import bulk, tasks
from bam_engine.workspace.core import Workspace

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

MARKS = {1: "yes", 0: "no", -1: "unsure"}


@dataclass(frozen=True, eq=False)
class LabelStates:
    """The rows in each state but ``unlabelled``, and the answers that are shown on the images.

    ``marked`` are rising rows, ``answers`` theirs: 1 yes, 0 no, -1 unsure; ``in_bulk`` says that nobody looked at it.
    """

    rows: dict[str, Rows]
    marked: Rows
    answers: NDArray[np.int8]
    in_bulk: Mask

    def mask(self, state: str, n: int) -> Mask:
        """Return which of ``n`` images are in a state."""
        inside = np.full(n, state == "unlabelled")
        if state == "unlabelled":
            for rows in self.rows.values():
                inside[rows[rows < n]] = False
        else:
            rows = self.rows[state]
            inside[rows[rows < n]] = True
        return inside

    def marks(self, rows: Rows) -> list[str]:
        """Return what to write on each of ``rows``: ``yes``, ``no``, ``unsure``, with `` in bulk``, or nothing."""
        if not len(self.marked):
            return [""] * len(rows)
        place = np.minimum(np.searchsorted(self.marked, rows), len(self.marked) - 1)
        there = self.marked[place] == rows
        return [
            MARKS[int(self.answers[at])] + (" in bulk" if self.in_bulk[at] else "") if found else ""
            for at, found in zip(place, there, strict=True)
        ]


def states(workspace: Workspace, attribute: Attribute) -> LabelStates:
    """Return how every answered image stands; looked up again only after another answer.

    ``positive`` and ``negative``: people agree, or it was decided. ``disputed``: enough people answered, they do not
    agree and nobody decided. ``unsure``: all who answered were unsure, or it was decided so. ``waiting``: it needs
    another answer. ``bulk``: answered in bulk alone. These exclude one another; ``unlabelled`` is none of them.
    ``disagreed`` cuts across: somebody said yes and somebody no.
    """
    version = (label_version(workspace, attribute), attribute.id)
    kept = workspace.memory_cache.get(f"states:{attribute.id}")
    if kept is None or kept[0] != version:
        kept = workspace.memory_cache[f"states:{attribute.id}"] = (version, _states(workspace, attribute))
    found: LabelStates = kept[1]
    return found


def _states(workspace: Workspace, attribute: Attribute) -> LabelStates:
    agreed = tasks.labels(workspace, attribute)
    said = agreed.counts.sum(axis=1)
    open_ones = ~agreed.settled & ~agreed.decided
    unsure = ~agreed.settled & (agreed.decided | (agreed.counts[:, 2] == said))
    disputed = open_ones & ~unsure & (said >= max(2, workspace.redundancy))
    in_bulk, told = bulk.current_answers(workspace, attribute)
    alone = ~np.isin(in_bulk, agreed.rows)
    by_looking = agreed.settled | unsure
    marked = np.concatenate([agreed.rows[by_looking], in_bulk[alone]])
    order = np.argsort(marked)
    return LabelStates(
        rows={
            "positive": agreed.rows[agreed.labels == 1],
            "negative": agreed.rows[agreed.labels == 0],
            "unsure": agreed.rows[unsure],
            "waiting": agreed.rows[open_ones & ~unsure & ~disputed],
            "disputed": agreed.rows[disputed],
            "disagreed": agreed.rows[(agreed.counts[:, 0] > 0) & (agreed.counts[:, 1] > 0)],
            "bulk": in_bulk[alone],
        },
        marked=marked[order],
        answers=np.concatenate([agreed.labels[by_looking], told[alone]])[order],
        in_bulk=np.repeat([False, True], [int(by_looking.sum()), int(alone.sum())])[order],
    )


def label_version(workspace: Workspace, attribute: Attribute) -> list[int]:
    """Return numbers that change whenever a label may have changed.

    They are the id of the last annotation, the number of validation images, the number of images that certifications
    have queried, and how many annotators must agree.
    """
    held = db.validation_images
    last = sa.select(sa.func.coalesce(sa.func.max(db.annotations.c.id), 0))
    drawn = sa.select(sa.func.count()).select_from(held).where(held.c.attribute_id == attribute.id)
    tried, asked = db.certifications, db.certification_images
    certified = sa.select(sa.func.count()).select_from(asked.join(tried)).where(tried.c.attribute_id == attribute.id)
    with workspace.engine.connect() as connection:
        counts = [connection.scalar(query) or 0 for query in (last, drawn, certified)]
    return [*counts, workspace.redundancy]
