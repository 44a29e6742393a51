"""The answers that a person gave last and may still change as votes, blind as they were given.

Answers of rounds teach and can be changed at any time. Those of the validation sample can until there is a model: from
then on its scores are known, and a vote that is changed because of them would flatter it. Certifications and audits are
about scores. There, a direct answer corrects the label (:mod:`bam_engine.labelling.direct_answers`).
"""

from dataclasses import dataclass

from bam_engine.annotation import Attribute
from bam_engine.labelling import gold, tasks
from bam_engine.training import rounds
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class LastAnswer:
    """An answer to an image, and the assignment to which it was given."""

    row: int
    answer: int
    assignment_id: str


@dataclass(frozen=True)
class LastAnswers:
    """The answers to one task in the order in which they were asked for; ``title`` is the task's."""

    title: str
    answers: tuple[LastAnswer, ...]


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
        given = workspace.annotations.answers(attribute.id, purposes=[task.purpose])
        own = given.annotators == known.id
        answers = dict(zip(given.rows[own].tolist(), given.answers[own].tolist(), strict=True))
        golden = gold.answers_to_gold(workspace, attribute, known.id, set_aside=False)
        found = {
            row: LastAnswer(row, said[row], one.id)
            for one in workspace.annotations.assignments_of(attribute.id, known.id, task.purpose, task.source_id)
            for row in one.rows
            if row in (said := golden if row in one.gold else answers)
        }
        if found:
            return LastAnswers(task.title, tuple(found.values()))
    return None
