"""The answers that a person gave last and may still change as votes, blind as they were given.

Answers of rounds teach and can be changed at any time. Those of the validation sample can until there is a model: from
then on its scores are known, and a vote that is changed because of them would flatter it. Certifications and audits are
about scores. There, a direct answer corrects the label (:mod:`bam_engine.labelling.direct_answers`).
"""

from dataclasses import dataclass

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class LastAnswers:
    """An assignment and its answers by row, in the order in which they were asked for; ``title`` is its task's."""

    assignment_id: str
    title: str
    answers: dict[int, int]


@one_flow
def last_answers(workspace: Workspace, attribute: Attribute, annotator: str) -> LastAnswers | None:
    """Return what ``annotator`` answered last about ``attribute`` and may change; None if there is nothing."""
    known = workspace.annotators.find(annotator)
    if known is None:
        return None
    state = rounds.state(workspace, attribute)
    candidates = [each.task for each in reversed(state.rounds)]
    if state.model is None:
        candidates.append(tasks.validation_task(workspace, attribute))
    for task in candidates:
        given = workspace.annotations.last_assignment(attribute.id, known.id, task.purpose, task.source_id)
        answered = {} if given is None else workspace.annotations.answered_rows(given.id)
        if given is not None and answered:
            return LastAnswers(given.id, task.title, {row: answered[row] for row in given.rows if row in answered})
    return None
