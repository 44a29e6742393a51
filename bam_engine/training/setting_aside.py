"""Setting aside the answers of a person and bringing them back: what each changes, before it is done.

In:  a person, and an attribute or all. Out: for each attribute how many labels change and whether its guarantee still
holds. What is shown is computed as it will be computed: by the same functions, on the answers that would count then.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bam_engine.annotation import NO_LABEL, SKIPPED, Annotator, Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.set_aside import SetAsideAct, supposing
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class Effect:
    """What happens to the labels and to the guarantee of an attribute.

    Attributes
    ----------
    answers
        How many answers of the person would be set aside, or would count again: their newest to each image.
    labelled
        How many images have a label now.
    lost, gained, changed
        How many images lose their label, get one, or get the opposite one.
    guaranteed, then_guaranteed
        Whether the threshold in use guarantees a precision or a recall now, and whether it would then.
    """

    attribute: Attribute
    answers: int
    labelled: int
    lost: int
    gained: int
    changed: int
    guaranteed: bool
    then_guaranteed: bool

    @property
    def guarantee_lost(self) -> bool:
        """Whether a guarantee that holds now would not hold then."""
        return self.guaranteed and not self.then_guaranteed

    @property
    def text(self) -> str:
        """What would happen, in a sentence."""
        labels = [
            f"{number:,} {words}"
            for number, words in ((self.lost, "lost"), (self.gained, "gained"), (self.changed, "changed"))
            if number
        ]
        changes = ", ".join(labels) or "none changes"
        words = f"{count(self.answers, 'answer')}; of {count(self.labelled, 'label')}, {changes}"
        if self.guaranteed != self.then_guaranteed:
            words += f"; the guarantee {'would not hold any more' if self.guaranteed else 'would hold again'}"
        return words


@one_flow
def set_aside_of(workspace: Workspace, attribute: Attribute) -> dict[int, int]:
    """Return how many answers of each person about an attribute are set aside, by id; nobody without one."""
    every, counted = (answer_log(workspace.engine, attribute.id, set_aside=each) for each in (True, False))
    aside = every.annotators[~np.isin(every.ids, counted.ids) & (every.answers != SKIPPED)]
    people, numbers = np.unique(aside, return_counts=True)
    return dict(zip(people.tolist(), numbers.tolist(), strict=True))


@one_flow
def set_aside_by_annotator(workspace: Workspace) -> dict[int, int]:
    """Return how many answers of each person are set aside, by id; nobody without one."""
    total: Counter[int] = Counter()
    for attribute in workspace.attributes.all():
        total.update(set_aside_of(workspace, attribute))
    return dict(total)


@one_flow
def effects(
    workspace: Workspace, annotator: Annotator, attribute: Attribute | None = None, *, counted: bool = False
) -> list[Effect]:
    """Return what setting aside a person's answers would change; with ``counted``, what bringing them back would.

    Parameters
    ----------
    attribute
        About which the answers are; None for all. Attributes of which nothing would change hands are left out.
    """
    chosen = [attribute] if attribute is not None else workspace.attributes.all()
    would_be = workspace.set_aside_answers.would_be(annotator.id, [one.id for one in chosen], counted=counted)
    result = []
    for one in chosen:
        before, log = _state(workspace, one), answer_log(workspace.engine, one.id)
        with supposing(would_be):
            then = answer_log(workspace.engine, one.id)
            more, fewer = (then, log) if counted else (log, then)
            mine = (more.annotators == annotator.id) & ~np.isin(more.ids, fewer.ids) & (more.answers != SKIPPED)
            if not mine.any():
                continue
            after = _state(workspace, one)
        result.append(_effect(one, len(np.unique(more.rows[mine])), before, after))
    return result


_State = tuple[dict[int, int], bool]


def _state(workspace: Workspace, attribute: Attribute) -> _State:
    """Return the settled labels by row, and whether the threshold in use guarantees anything."""
    agreed, threshold = tasks.labels(workspace, attribute), current_threshold(workspace, attribute)
    settled = agreed.labels != NO_LABEL
    labels = dict(zip(agreed.rows[settled].tolist(), agreed.labels[settled].tolist(), strict=True))
    evidence = None if threshold is None else threshold.evidence
    return labels, evidence is not None and (evidence.certified or evidence.recall_target is not None)


def _effect(attribute: Attribute, answers: int, before: _State, after: _State) -> Effect:
    (labels, guaranteed), (then, then_guaranteed) = before, after
    both = labels.keys() & then.keys()
    return Effect(
        attribute,
        answers=answers,
        labelled=len(labels),
        lost=len(labels.keys() - then.keys()),
        gained=len(then.keys() - labels.keys()),
        changed=sum(labels[row] != then[row] for row in both),
        guaranteed=guaranteed,
        then_guaranteed=then_guaranteed,
    )


def set_aside(
    workspace: Workspace, annotator: Annotator, attribute: Attribute | None = None, *, by: str | None = None
) -> SetAsideAct:
    """Set aside what a person has answered so far about an attribute, or about all; :func:`undo` undoes it.

    Nothing is deleted: labels, agreement and guarantees leave these answers out until they are brought back. What the
    person answers later counts.

    Parameters
    ----------
    by
        The name of whoever does it.
    """
    actor = None if by is None else workspace.annotators.actor(by)
    ids, about = _subject(workspace, annotator, attribute)
    return workspace.set_aside_answers.set_aside(annotator.id, ids, about=about, by=actor)


def bring_back(workspace: Workspace, annotator: Annotator, attribute: Attribute | None = None) -> SetAsideAct:
    """Let a person's answers about an attribute, or about all, count again; :func:`undo` undoes it."""
    ids, about = _subject(workspace, annotator, attribute)
    return workspace.set_aside_answers.bring_back(annotator.id, ids, about=about)


def undo(workspace: Workspace, act: SetAsideAct) -> None:
    """Undo either, unless some of it was set aside or brought back again since: that raises TooLate."""
    workspace.set_aside_answers.undo(act)


def _subject(workspace: Workspace, annotator: Annotator, attribute: Attribute | None) -> tuple[list[int], str]:
    """Return the ids of the attributes that are meant, archived ones included, and whose answers about what."""
    if attribute is not None:
        return [attribute.id], f"{annotator.name}: {attribute.name}"
    every = [*workspace.attributes.all(), *workspace.attributes.archived()]
    return [one.id for one in every], f"{annotator.name}: all attributes"
