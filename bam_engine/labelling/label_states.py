"""The label state of every image for an attribute.

In:  an attribute. Out: the rows in each state. ``tasks`` and ``bulk`` define the labels.
"""

import zlib
from dataclasses import dataclass
from itertools import chain

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.consensus import rule
from bam_engine.labelling import bulk, tasks
from bam_engine.labelling.drawn_images import certification_images, stored_recall_samples, validation_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

MARKS = {1: "yes", 0: "no", -1: "unsure"}


@dataclass(frozen=True, eq=False)
class LabelStates:
    """The rows in each state except ``unlabelled``, and the labels to show on images.

    ``marked`` are the rows to mark, ascending, with their ``answers``: 1 yes, 0 no, -1 unsure; ``in_bulk`` is True for
    bulk answers.
    """

    rows: dict[str, Rows]
    marked: Rows
    answers: NDArray[np.int8]
    in_bulk: Mask

    def mask(self, state: str, n: int) -> Mask:
        """Return a mask of the images in a state, bool (n,)."""
        inside = np.full(n, state == "unlabelled")
        if state == "unlabelled":
            for rows in self.rows.values():
                inside[rows[rows < n]] = False
        else:
            rows = self.rows[state]
            inside[rows[rows < n]] = True
        return inside

    def marks(self, rows: Rows) -> list[str]:
        """Return the mark of each of ``rows``: ``yes``, ``no`` or ``unsure``, plus `` in bulk``, or an empty string."""
        if not len(self.marked):
            return [""] * len(rows)
        place = np.minimum(np.searchsorted(self.marked, rows), len(self.marked) - 1)
        is_marked = self.marked[place] == rows
        return [
            MARKS[int(self.answers[at])] + (" in bulk" if self.in_bulk[at] else "") if marked else ""
            for at, marked in zip(place, is_marked, strict=True)
        ]


_STATES = Kind[LabelStates]("label states", of="attribute", until="a label may have changed", limit=1000)


def states(workspace: Workspace, attribute: Attribute) -> LabelStates:
    """Return the label states of all images, cached until the next answer.

    ``positive`` and ``negative``: agreed or decided. ``disputed``: enough votes, but neither agreement nor a decision.
    ``unsure``: all votes are unsure, or decided as unsure. ``waiting``: needs another vote. ``bulk``: bulk answers
    only. These states are exclusive; ``unlabelled`` is every other image. ``disagreed`` overlaps with them: at least
    one yes and one no.
    """
    version = label_version(workspace, attribute)
    return workspace.memory.get(_STATES, attribute.id, version, lambda: _states(workspace, attribute))


def _states(workspace: Workspace, attribute: Attribute) -> LabelStates:
    agreed = tasks.labels(workspace, attribute)
    votes = agreed.counts.sum(axis=1)
    unsettled = ~agreed.settled & ~agreed.decided
    unsure = ~agreed.settled & (agreed.decided | (agreed.counts[:, 2] == votes))
    disputed = unsettled & ~unsure & (votes >= np.maximum(2, agreed.required))
    in_bulk, bulk_answers = bulk.current_answers(workspace, attribute)
    bulk_only = ~np.isin(in_bulk, agreed.rows)
    voted = agreed.settled | unsure
    marked = np.concatenate([agreed.rows[voted], in_bulk[bulk_only]])
    order = np.argsort(marked)
    return LabelStates(
        rows={
            "positive": agreed.rows[agreed.labels == 1],
            "negative": agreed.rows[agreed.labels == 0],
            "unsure": agreed.rows[unsure],
            "waiting": agreed.rows[unsettled & ~unsure & ~disputed],
            "disputed": agreed.rows[disputed],
            "disagreed": agreed.rows[(agreed.counts[:, 0] > 0) & (agreed.counts[:, 1] > 0)],
            "bulk": in_bulk[bulk_only],
        },
        marked=marked[order],
        answers=np.concatenate([agreed.labels[voted], bulk_answers[bulk_only]])[order],
        in_bulk=np.repeat([False, True], [int(voted.sum()), int(bulk_only.sum())])[order],
    )


def last_answer(workspace: Workspace, attribute: Attribute | None = None) -> str:
    """Return the unique id of the last answer, to an attribute or at all; "" before the first.

    Unlike its number, another answer does not get it after a backup was restored.
    """
    table = db.annotations.c
    query = sa.select(table.uid).order_by(table.id.desc()).limit(1)
    if attribute is not None:
        query = query.where(table.attribute_id == attribute.id)
    name = ("last answer", None if attribute is None else attribute.id)
    return workspace.snapshot.read(name, [db.annotations], lambda connection, _: connection.scalar(query) or "")


def label_version(workspace: Workspace, attribute: Attribute) -> list[int]:
    """Return numbers that change whenever a label may have changed.

    They are the id of the attribute's last answer, the rule by which answers become labels, the number of its
    validation images and of the images that its certifications have queried, how many annotators must agree on an
    image, and on one that judges, which of those who answered count for another, how many images each recall sample
    asks about, as negative numbers, if images were removed, which, and if answers are set aside, which. The same state
    of the labels has the same numbers in every process.
    """
    log, gone = answer_log(workspace.engine, attribute.id), removed(workspace)
    certifications = workspace.snapshot.rows_with(db.certifications.c.attribute_id, attribute.id)
    samples = stored_recall_samples(workspace, attribute)
    return [
        log.last,
        rule(),
        len(validation_images(workspace, attribute).rows),
        sum(len(certification_images(workspace, each.id).rows) for each in certifications),
        workspace.redundancy,
        workspace.judging_redundancy,
        *chain.from_iterable(log.merges),
        *(-1 - each.asked for each in samples),
        *([gone.version] if gone.version else []),
        *([zlib.crc32(repr(log.set_aside).encode())] if log.set_aside else []),
    ]
