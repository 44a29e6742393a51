"""Accepted answers: those that agree with the settled label of their image."""

from bam_engine.annotation import NO_LABEL, TASK_PURPOSES, Attribute
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@one_flow
def accepted_answers(workspace: Workspace, attribute: Attribute, annotator_id: int) -> int:
    """Return how many answers of an annotator to tasks agree with the label that their image has now.

    The label counts as it is settled, by their own vote too: where one vote is required, an answer is accepted at once.
    *Unsure*, imported labels, bulk answers and direct answers are not accepted answers. The number falls where a label
    changes.
    """
    given = workspace.annotations.answers(attribute.id, purposes=TASK_PURPOSES)
    own = given.annotators == annotator_id
    labels = tasks.labels_of(tasks.labels(workspace, attribute), given.rows[own])
    return int(((labels != NO_LABEL) & (labels == given.answers[own])).sum())


@one_flow
def all_accepted_answers(workspace: Workspace, annotator_id: int) -> int:
    """Return :func:`accepted_answers`, of all attributes together."""
    return sum(accepted_answers(workspace, attribute, annotator_id) for attribute in workspace.attributes.all())
