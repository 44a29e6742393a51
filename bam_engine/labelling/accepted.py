"""Accepted answers: those that agree with the settled label of their image, as the first one did."""

from collections import Counter

from bam_engine.annotation import NO_LABEL, TASK_PURPOSES, Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@one_flow
def accepted_answers(workspace: Workspace, attribute: Attribute) -> Counter[int]:
    """Return how many answers of each annotator to tasks agree with the label that their image has now, by id.

    The label counts as it is settled, by their own vote too: where one vote is required, an answer is accepted at once.
    Their first answer to the image has to agree as well: one that was changed to what others had said since is not
    accepted, nor is a slip that was corrected. *Unsure*, imported labels, bulk answers and direct answers are not
    accepted answers. The number falls where a label changes.
    """
    log = answer_log(workspace.engine, attribute.id)
    given = log.votes(TASK_PURPOSES)
    first = log.answers[log.first_votes(given, TASK_PURPOSES)]
    labels = tasks.labels_of(tasks.labels(workspace, attribute), given.rows)
    accepted = (labels != NO_LABEL) & (labels == given.answers) & (labels == first)
    return Counter(given.annotators[accepted].tolist())


@one_flow
def all_accepted_answers(workspace: Workspace) -> Counter[int]:
    """Return :func:`accepted_answers`, of all attributes together."""
    found: Counter[int] = Counter()
    for attribute in workspace.attributes.all():
        found += accepted_answers(workspace, attribute)
    return found
