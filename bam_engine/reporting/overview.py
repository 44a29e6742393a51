"""The state of the whole workspace, and the next step."""

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import DIRECT, IMPORT, Attribute
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.demo import demo_workspace
from bam_engine.demo.demo_workspace import Truth
from bam_engine.demo.simulated_annotators import count_answers
from bam_engine.labelling import tasks
from bam_engine.reporting.results import Overlooked, better_elsewhere, other_encoders
from bam_engine.training import certification, querying, rounds
from bam_engine.training.delivered import DeliveredCounts, counts_of
from bam_engine.training.diagnosis import Learned, Verdict, judge
from bam_engine.training.rounds import AttributeState
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embedded_rows

Step = Literal[
    "add_images",
    "embed",
    "add_attribute",
    "draw_validation",
    "label_validation",
    "start_round",
    "label_round",
    "train",
    "diagnose",
    "decide",
    "audit",
    "done",
]
"""The steps of the work, in order."""

Interval = tuple[float, float, float]


@dataclass(frozen=True)
class NextStep:
    """The next step; the command line and the pages put it into words.

    ``attribute`` is the name of the attribute, or None where the step concerns the whole workspace ("done" does once
    every attribute is done). ``round`` is the number of its newest round, 0 before the first. ``images`` counts the
    images that are left to embed.
    """

    step: Step
    attribute: str | None = None
    round: int = 0
    images: int = 0


@dataclass(frozen=True)
class AttributeSummary:
    """The state of one attribute with the encoder in use; estimates are (value, low, high).

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
    step: Step
    round: int
    truth: Truth | None = None  # in a demo
    taken_back: str = ""
    learned: Learned | None = None  # None before the first training
    other_encoders: tuple[str, ...] = ()
    better: Overlooked | None = None

    @property
    def started(self) -> bool:
        """Whether a validation sample or a round was drawn for it."""
        return self.step not in ("embed", "draw_validation") or self.rounds > 0


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
    next: NextStep


@one_flow
def overview(workspace: Workspace) -> Overview:
    """Gather the state of the workspace."""
    images = count_images(workspace)
    tried = count_images(workspace, len(workspace.vectors()))  # with a vector, or none can be computed
    started = _started(workspace)
    lines = tuple(
        _line(workspace, attribute) if attribute.id in started else _not_started(attribute, tried)
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
        next=_next(images, tried, lines),
    )


def _next(images: int, tried: int, lines: tuple[AttributeSummary, ...]) -> NextStep:
    if images == 0:
        return NextStep("add_images")
    if tried < images:
        return NextStep("embed", images=images - tried)
    if not lines:
        return NextStep("add_attribute")
    unfinished = [line for line in lines if line.step != "done"]
    started = [line for line in unfinished if line.started]
    if not unfinished:
        return NextStep("done")
    line = min(started or unfinished, key=lambda line: line.step == "diagnose")  # what goes on comes first
    return NextStep(line.step, line.name, line.round)


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


def _not_started(attribute: Attribute, tried: int) -> AttributeSummary:
    return AttributeSummary(attribute.name, 0, 0, None, None, None, None, "draw_validation" if tried else "embed", 0)


def _line(workspace: Workspace, attribute: Attribute) -> AttributeSummary:
    state = rounds.state(workspace, attribute)
    threshold = current_threshold(workspace, attribute)
    audit = audits.latest_result(workspace, attribute)
    verdict = judge(workspace, attribute)
    step = _step(state, verdict, threshold, audit)
    evidence = None if threshold is None else threshold.evidence
    rows, _ = querying.round_labels(workspace, attribute)
    return AttributeSummary(
        name=attribute.name,
        rounds=max((round_.number for round_ in state.rounds if round_.model is not None), default=0),
        labels=len(rows),
        precision=None if evidence is None else (evidence.precision, evidence.precision_low, evidence.precision_high),
        recall=None if evidence is None else (evidence.recall, evidence.recall_low, evidence.recall_high),
        delivered=None if evidence is None else counts_of(workspace, attribute),
        audited=None if audit is None or audit.precision is None else audit.precision_interval,
        step=step,
        round=state.rounds[-1].number if state.rounds else 0,
        taken_back="" if threshold is None else threshold.taken_back,
        truth=demo_workspace.ground_truth(workspace, attribute, with_rounds=False) if state.model is not None else None,
        learned=None if verdict is None else verdict.learned,
        other_encoders=tuple(map(workspace.encoder_name, other_encoders(workspace, attribute))),
        better=better_elsewhere(workspace, attribute),
    )


@one_flow
def next_step(workspace: Workspace, state: AttributeState) -> NextStep:
    """Return the next step of one attribute, whatever the others need."""
    attribute = state.attribute
    threshold, audit = current_threshold(workspace, attribute), audits.latest_result(workspace, attribute)
    step = _step(state, judge(workspace, attribute), threshold, audit)
    return NextStep(step, attribute.name, state.rounds[-1].number if state.rounds else 0)


def _step(
    state: AttributeState, verdict: Verdict | None, threshold: AttributeThreshold | None, audit: AuditResult | None
) -> Step:
    """Return the next step: no further round is asked for where it cannot help, or where the cause is another."""
    learned = None if verdict is None else verdict.learned
    step = "decide" if state.step == "start_round" and learned == "fully" else state.step
    if step == "decide" and threshold is not None and threshold.saved:
        return "done" if audit is not None and audit.complete else "audit"
    return "diagnose" if step in ("start_round", "decide") and learned == "no" else step


@one_flow
def waiting_tasks(
    workspace: Workspace, attribute: Attribute, annotator: str, *, adjudicating: bool = False
) -> list[tasks.Task]:
    """Return the tasks that need this annotator now, the most urgent first.

    They are validation, the open round, a certification and the audit. Disputed images come first for someone who is
    ``adjudicating``, and not at all for others, since an answer to them is final.
    """
    state = rounds.state(workspace, attribute)
    candidates = [tasks.adjudication_task(workspace, attribute)] if adjudicating else []
    candidates += [tasks.validation_task(workspace, attribute)]
    candidates += [state.rounds[-1].task] if state.rounds else []
    certifying = certification.waiting_task(workspace, attribute)
    candidates += [certifying] if certifying is not None else []
    audit = audits.open_audit_task(workspace, attribute)
    candidates += [audit] if audit is not None else []
    who = workspace.annotations.annotator(annotator)
    return [task for task in candidates if len(tasks.rows_for(workspace, task, who))]
