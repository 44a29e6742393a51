"""Accepted answers: those that agree with the settled label of their image."""

from collections import Counter

from bam_engine.annotation import NO_LABEL, TASK_PURPOSES, Attribute
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@one_flow
def accepted_answers(workspace: Workspace, attribute: Attribute) -> Counter[int]:
    """Return how many answers of each annotator to tasks agree with the label that their image has now, by id.

    The label counts as it is settled, by their own vote too: where one vote is required, an answer is accepted at once.
    *Unsure*, imported labels, bulk answers and direct answers are not accepted answers. The number falls where a label
    changes.
    """
    given = workspace.annotations.answers(attribute.id, purposes=TASK_PURPOSES)
    labels = tasks.labels_of(tasks.labels(workspace, attribute), given.rows)
    return Counter(given.annotators[(labels != NO_LABEL) & (labels == given.answers)].tolist())


@one_flow
def all_accepted_answers(workspace: Workspace) -> Counter[int]:
    """Return :func:`accepted_answers`, of all attributes together."""
    found: Counter[int] = Counter()
    for attribute in workspace.attributes.all():
        found += accepted_answers(workspace, attribute)
    return found
