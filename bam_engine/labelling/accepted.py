"""Accepted answers: those that agree with the settled label of their image, as the first one did."""

from collections import Counter

from bam_engine.annotation import GOLD, NO_LABEL, TASK_PURPOSES, Attribute
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
    accepted answers. The number falls where a label changes. Answers to gold are accepted by the same rule: who did the
    work cannot know that it was to gold.
    """
    log, labels = answer_log(workspace.engine, attribute.id), tasks.labels(workspace, attribute)
    accepted: set[tuple[int, int]] = set()
    for purposes in (TASK_PURPOSES, (GOLD,)):
        given = log.votes(purposes)
        first = log.answers[log.first_votes(given, purposes)]
        said = tasks.labels_of(labels, given.rows)
        agrees = (said != NO_LABEL) & (said == given.answers) & (said == first)
        accepted.update(zip(given.rows[agrees].tolist(), given.annotators[agrees].tolist(), strict=True))
    return Counter(annotator_id for _, annotator_id in accepted)


@one_flow
def all_accepted_answers(workspace: Workspace) -> Counter[int]:
    """Return :func:`accepted_answers`, of all attributes together."""
    found: Counter[int] = Counter()
    for attribute in workspace.attributes.all():
        found += accepted_answers(workspace, attribute)
    return found
