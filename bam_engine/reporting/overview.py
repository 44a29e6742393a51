"""The state of the whole workspace, and the next step."""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import DIRECT, IMPORT, POSITIVE, Attribute
from bam_engine.audit import audits
from bam_engine.demo import demo_workspace
from bam_engine.demo.demo_workspace import Truth
from bam_engine.demo.simulated_annotators import count_answers
from bam_engine.guidance.guidance import Guidance, guidance_of, is_started, not_started, overall
from bam_engine.guidance.rules import Step
from bam_engine.labelling import assigning, tasks
from bam_engine.reporting.results import Overlooked, better_elsewhere, other_encoders
from bam_engine.training import extension, querying, recall, rounds
from bam_engine.training.borderline import top_accepted
from bam_engine.training.delivered import DeliveredCounts, counts_of
from bam_engine.training.diagnosis import Learned, judge
from bam_engine.training.models import latest_model
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embedded_rows

Interval = tuple[float, float, float]

_NOBODY = -1  # the id of one who has no answers


@dataclass(frozen=True)
class AttributeSummary:
    """The state of one attribute with the encoder in use; estimates are (value, low, high).

    ``guidance`` says what to do next. ``labels`` counts what a training would learn from, ``positive`` of them say yes.
    ``examples`` are rows of accepted images, those with the highest scores.
    ``delivered`` counts what is delivered at the threshold in use, as it is when asked; None without a threshold.
    ``taken_back`` says which promise of it does not hold any more. ``other_encoders`` are the names of other encoders
    with a model of it, ``better`` is a result of one of them that has more behind it.
    """

    name: str
    rounds: int
    labels: int
    precision: Interval | None
    recall: Interval | None
    delivered: DeliveredCounts | None
    audited: Interval | None
    guidance: Guidance
    truth: Truth | None = None  # in a demo
    taken_back: str = ""
    learned: Learned | None = None  # None before the first training
    other_encoders: tuple[str, ...] = ()
    better: Overlooked | None = None
    positive: int = 0
    examples: tuple[int, ...] = ()

    @property
    def step(self) -> Step:
        """The next step."""
        return self.guidance.step

    @property
    def started(self) -> bool:
        """Whether a validation sample or a round was drawn for it."""
        return is_started(self.guidance)


@dataclass(frozen=True)
class Overview:
    """The state of the workspace, and the next step.

    ``encoder`` is the spec of the encoder in use. ``by_people`` and ``simulated`` count answers; ``generated`` is true
    for a demo.
    """

    images: int
    embedded: int
    encoder: str
    unreadable: int
    by_people: int
    simulated: int
    generated: bool
    attributes: tuple[AttributeSummary, ...]
    next: Guidance


@dataclass(frozen=True)
class Waiting:
    """The images that wait for one person's answer: the name of each attribute and how many, in order of definition."""

    annotator: str
    attributes: tuple[tuple[str, int], ...]

    @property
    def images(self) -> int:
        """All images that wait; one that is asked about for two attributes counts twice."""
        return sum(images for _, images in self.attributes)


@one_flow
def overview(workspace: Workspace) -> Overview:
    """Gather the state of the workspace."""
    images = count_images(workspace)
    tried = count_images(workspace, len(workspace.vectors()))  # with a vector, or none can be computed
    started = _started(workspace)
    lines = tuple(
        _line(workspace, attribute) if attribute.id in started else _not_started(workspace, attribute, images, tried)
        for attribute in workspace.attributes.all()
    )
    answers = count_answers(workspace)
    return Overview(
        images=images,
        embedded=len(embedded_rows(workspace)),
        encoder=workspace.encoder_name(),
        unreadable=len(workspace.catalogue.problems("ingest")),
        by_people=answers.people,
        simulated=answers.simulated,
        generated=demo_workspace.demo(workspace) is not None,
        attributes=lines,
        next=overall(workspace, [line.guidance for line in lines]),
    )


def _started(workspace: Workspace) -> set[int]:
    """Return the ids of the attributes with a validation sample, a round, imported labels or direct answers."""
    given = db.assignments.c
    offered = sa.select(given.attribute_id).where(given.purpose.in_((IMPORT, DIRECT))).distinct()
    snapshot = workspace.snapshot
    unqueried = snapshot.read(
        "attributes with unqueried labels", [db.assignments], lambda connection, _: set(connection.scalars(offered))
    )
    return (
        unqueried
        | {each.attribute_id for each in snapshot.rows(db.validation_draws)}
        | {each.attribute_id for each in snapshot.rows(db.rounds)}
    )


def _not_started(workspace: Workspace, attribute: Attribute, images: int, tried: int) -> AttributeSummary:
    guidance = not_started(workspace, attribute, images, embedded=tried > 0)
    return AttributeSummary(attribute.name, 0, 0, None, None, None, None, guidance)


def _line(workspace: Workspace, attribute: Attribute) -> AttributeSummary:
    guidance = guidance_of(workspace, attribute)
    threshold, model = current_threshold(workspace, attribute), latest_model(workspace, attribute)
    verdict = judge(workspace, attribute)
    rows, answers = querying.training_labels(workspace, attribute)
    return AttributeSummary(
        name=attribute.name,
        rounds=_trained_rounds(workspace, attribute),
        labels=len(rows),
        precision=guidance.interval("precision"),
        recall=guidance.interval("recall"),
        delivered=None if threshold is None else counts_of(workspace, attribute),
        audited=guidance.interval("audited precision"),
        guidance=guidance,
        taken_back="" if threshold is None else threshold.taken_back,
        truth=demo_workspace.ground_truth(workspace, attribute, with_rounds=False) if model is not None else None,
        learned=None if verdict is None else verdict.learned,
        other_encoders=tuple(map(workspace.encoder_name, other_encoders(workspace, attribute))),
        better=better_elsewhere(workspace, attribute),
        positive=int((answers == POSITIVE).sum()),
        examples=tuple(top_accepted(workspace, attribute).tolist()),
    )


def _trained_rounds(workspace: Workspace, attribute: Attribute) -> int:
    """Return the number of the newest round that taught a model."""
    return max((each.number for each in rounds.rounds_of(workspace, attribute) if each.model is not None), default=0)


@one_flow
def waiting_tasks(
    workspace: Workspace, attribute: Attribute, annotator: str, *, adjudicating: bool = False
) -> list[tasks.Task]:
    """Return the tasks that need this annotator now, the most urgent first.

    They are validation, the open round, a certification, the audit and a recall sample. Disputed images come first for
    someone who is ``adjudicating``, and not at all for others, since an answer to them is final.
    """
    candidates = [tasks.adjudication_task(workspace, attribute)] if adjudicating else []
    candidates += _tasks(workspace, attribute)
    who = workspace.annotations.annotator(annotator)
    return [task for task in candidates if assigning.left_for(workspace, task, who)]


@one_flow
def held_by_others(workspace: Workspace, attribute: Attribute, annotator: str) -> int:
    """Return how many images this annotator would be asked about if others were not just working on them."""
    who = workspace.annotations.annotator(annotator)
    return sum(assigning.held_by_others(workspace, task, who) for task in _tasks(workspace, attribute))


@one_flow
def skipped_images(workspace: Workspace, attribute: Attribute, annotator: str) -> NDArray[np.int64]:
    """Return the rows that this annotator would be asked about had they not skipped them, ascending."""
    who = workspace.annotations.annotator(annotator)
    found = [assigning.skipped(workspace, task, who) for task in _tasks(workspace, attribute)]
    return np.unique(np.concatenate(found))


def _tasks(workspace: Workspace, attribute: Attribute) -> list[tasks.Task]:
    """Return what is asked about an attribute, whomever it needs."""
    state = rounds.state(workspace, attribute)
    found = [tasks.validation_task(workspace, attribute)]
    found += [state.rounds[-1].task] if state.rounds else []
    certifying = extension.waiting_task(workspace, attribute)
    found += [certifying] if certifying is not None else []
    audit = audits.open_audit_task(workspace, attribute)
    found += [audit] if audit is not None else []
    measuring = recall.waiting_task(workspace, attribute)
    found += [measuring] if measuring is not None else []
    return found


@one_flow
def waiting_for(workspace: Workspace, *, also: str = "") -> tuple[Waiting, ...]:
    """Return what waits for the answers of each person, as the Annotate page would give it to them, most images first.

    An image that several people could answer waits for each of them. Simulated and archived annotators are left out,
    and so are those for whom nothing waits.

    Parameters
    ----------
    also
        The name of one who may not have answered yet.
    """
    people = {one.name: one.id for one in workspace.annotators.all() if not one.simulated and not one.archived}
    if also and workspace.annotators.find(also) is None:
        people[also] = _NOBODY
    asked = _asked(workspace)
    found = [_waiting(workspace, asked, name, who) for name, who in people.items()]
    return tuple(sorted((one for one in found if one.images), key=lambda one: -one.images))


@one_flow
def waiting_of(workspace: Workspace, annotator: str) -> Waiting:
    """Return what waits for the answers of one person, who may not have answered yet."""
    known = workspace.annotators.find(annotator)
    return _waiting(workspace, _asked(workspace), annotator, _NOBODY if known is None else known.id)


_Asked = list[tuple[Attribute, list[tasks.Task]]]


def _asked(workspace: Workspace) -> _Asked:
    """Return the tasks of each attribute in which an image may need somebody."""
    started = _started(workspace)
    return [
        (each, [task for task in _tasks(workspace, each) if _may_need_somebody(workspace, task)])
        for each in workspace.attributes.all()
        if each.id in started
    ]


def _waiting(workspace: Workspace, asked: _Asked, name: str, who: int) -> Waiting:
    counts = [
        (attribute.name, sum(assigning.left_for(workspace, task, who) for task in each)) for attribute, each in asked
    ]
    return Waiting(name, tuple((attribute, images) for attribute, images in counts if images))


def _may_need_somebody(workspace: Workspace, task: tasks.Task) -> bool:
    """Return whether a task has an image without all its answers, or one that answers did not settle."""
    state = tasks.state(workspace, task)
    return state.answered < state.total or state.disputed > 0
