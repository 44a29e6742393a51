"""Drawn images that cannot be looked at any more, and what is known of them.

In:  the rows of a sample as it was drawn. Out: those that were removed since, with the labels that they had, and those
whose file went missing before they were labelled. Both count against whatever is claimed of the sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import (
    NEGATIVE,
    NO_LABEL,
    TASK_PURPOSES,
    Answers,
    Attribute,
    Consensus,
    Decisions,
    consensus,
    judged_labels,
)
from bam_engine.annotation.answer_log import whole_answer_log
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AbsentImages:
    """Rows (m,), ascending, and their labels, int8 (m,): 1 positive, 0 answered but not positive, -1 not answered.

    ``negative`` (m,) are those on which people agreed on a no.
    """

    rows: Rows
    labels: NDArray[np.int8]
    negative: NDArray[np.bool_]


def absent_images(workspace: Workspace, attribute: Attribute, drawn: Rows) -> AbsentImages:
    """Return those of the ``drawn`` images that were removed since, or lost their file before they were labelled."""
    gone = np.intersect1d(drawn, removed(workspace).rows)
    agreed = tasks.blind_labels(workspace, attribute)
    answered = agreed.rows[judged_labels(agreed) != NO_LABEL]
    lost = missing_images(workspace, np.setdiff1d(drawn, np.union1d(gone, answered)).astype(np.int64))
    rows = np.union1d(gone, lost).astype(np.int64)
    labels, was_removed = np.full(len(rows), -1, np.int8), np.isin(rows, gone)
    before = _consensus_of_removed(workspace, attribute, gone)
    labels[was_removed] = tasks.judged_labels_of(before, gone)
    return AbsentImages(rows, labels, was_removed & (tasks.labels_of(before, rows) == NEGATIVE))


def covered_rows(workspace: Workspace, attribute: Attribute, rows: Rows) -> Rows:
    """Return what is left of a population, with what counts against claims about it, ascending.

    Removed images leave it, unless somebody was asked about them and they have no positive label. So a removal that
    followed from the labels does not help a claim, and one that did not leaves a random sample of what is left.
    """
    gone = np.intersect1d(rows, removed(workspace).rows)
    if not len(gone):
        return rows
    asked_about = np.union1d(
        whole_answer_log(workspace.engine, attribute.id, set_aside=True).rows,
        np.union1d(queried_rows(workspace, attribute), held_out_rows(workspace, attribute)),
    )
    absent = absent_images(workspace, attribute, np.intersect1d(gone, asked_about).astype(np.int64))
    return np.setdiff1d(rows, np.setdiff1d(gone, absent.rows[absent.labels != 1])).astype(np.int64)


def count_absent(workspace: Workspace, rows: Rows, agreed: Consensus) -> int:
    """Return how many of ``rows``, which count as not positive, do so only because they cannot be looked at."""
    answered = judged_labels(agreed) != NO_LABEL
    return len(np.setdiff1d(rows, agreed.rows[answered]))


def _consensus_of_removed(workspace: Workspace, attribute: Attribute, rows: Rows) -> Consensus:
    """Return the labels that removed images, ascending, had by the answers to tasks."""
    log = whole_answer_log(workspace.engine, attribute.id)
    votes, decisions = log.votes(TASK_PURPOSES), log.decisions()
    mine, decided = np.isin(votes.rows, rows), np.isin(decisions.rows, rows)
    return consensus(
        Answers(votes.rows[mine], votes.annotators[mine], votes.answers[mine]),
        redundancy=tasks.redundancy(workspace, attribute),
        decisions=Decisions(
            decisions.rows[decided], decisions.annotators[decided], decisions.answers[decided], decisions.ids[decided]
        ),
    )
