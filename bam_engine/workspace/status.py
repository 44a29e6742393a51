"""Where the whole workspace stands, and what should be done next."""

from dataclasses import dataclass

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute, readable
from bam_engine.workspace import asking, audits, certification, demo, rounds, tasks
from bam_engine.workspace.audits import AuditResult
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.demo import Truth
from bam_engine.workspace.rounds import AttributeState
from bam_engine.workspace.simulated import who_answered
from bam_engine.workspace.thresholds import KeptThreshold, current_threshold

STEPS = {
    "embed": ("embed", "Embed the images", "the images have no vectors yet."),
    "draw_validation": ("rounds", "Draw a validation sample", "{name} needs a validation sample to be judged on."),
    "label_validation": (
        "annotate",
        "Label the validation sample",
        "the validation sample of {name} waits for answers.",
    ),
    "start_round": ("rounds", "Start the next round", "{name} is ready for its next round."),
    "label_round": ("annotate", "Label the round", "round {round} of {name} waits for answers."),
    "train": ("rounds", "Train", "round {round} of {name} is labelled: train on it."),
    "decide": ("threshold", "Choose the threshold", "{name} has had its rounds: choose its threshold."),
    "audit": ("audit", "Audit", "{name} has a threshold: audit it on a fresh sample."),
    "done": ("export", "Export the dataset", "every attribute is decided and audited."),
}

REPORT = ("report", "Read its report", "{name} is decided and audited: its report holds the evidence.")

Share = tuple[float, float, float]


@dataclass(frozen=True)
class AttributeLine:
    """One attribute at a glance; shares are (value, low, high)."""

    name: str
    rounds: int
    labels: int
    precision: Share | None
    recall: Share | None
    accepted: int | None
    audited: Share | None
    step: str
    step_key: str
    round: int
    truth: Truth | None = None  # in a demo

    @property
    def begun(self) -> bool:
        """Whether anything was drawn or asked for it."""
        return self.step_key not in ("embed", "draw_validation") or self.rounds > 0


@dataclass(frozen=True)
class Overview:
    """The whole workspace at a glance, and the one thing to do next.

    ``by_people`` and ``simulated`` count answers; ``generated`` says that the images are those of a demo.
    """

    images: int
    embedded: int
    encoder: str
    unreadable: int
    by_people: int
    simulated: int
    generated: bool
    attributes: tuple[AttributeLine, ...]
    next_text: str
    next_page: str
    next_action: str
    next_attribute: str | None


def overview(workspace: Workspace) -> Overview:
    """Gather where everything stands."""
    images = len(workspace.catalogue)
    embedded = len(workspace.vectors())
    begun = _begun(workspace)
    lines = tuple(
        _line(workspace, attribute) if attribute.id in begun else _untouched(attribute, embedded)
        for attribute in workspace.attributes.all()
    )
    said, made = who_answered(workspace), demo.demo(workspace)
    text, page, action, name = _next(images, embedded, lines)
    return Overview(
        images=images,
        embedded=embedded,
        encoder=workspace.choice.spec,
        unreadable=len(workspace.catalogue.problems("ingest")),
        by_people=said.people,
        simulated=said.simulated,
        generated=made is not None,
        attributes=lines,
        next_text=text,
        next_page=page,
        next_action=action,
        next_attribute=name,
    )


def _next(images: int, embedded: int, lines: tuple[AttributeLine, ...]) -> tuple[str, str, str, str | None]:
    if images == 0:
        return "the collection is empty.", "images", "Add a folder of images", None
    if embedded < images:
        return f"{images - embedded:,} images have no vectors yet.", "embed", "Embed the images", None
    if not lines:
        return "there are no attributes yet.", "attributes", "Define the first attribute", None
    open_lines = [line for line in lines if line.step_key != "done"]
    begun = [line for line in open_lines if line.begun]
    line = (begun or open_lines or list(lines))[0]
    page, action, text = STEPS[line.step_key]
    name = line.name if open_lines else None
    return text.format(name=readable(line.name), round=line.round), page, action, name


def _begun(workspace: Workspace) -> set[int]:
    """Return the ids of the attributes that anything was drawn for."""
    held, turns = db.validation_images.c, db.rounds.c
    query = sa.union(sa.select(held.attribute_id).distinct(), sa.select(turns.attribute_id))
    with workspace.engine.connect() as connection:
        return set(connection.execute(query).scalars())


def _untouched(attribute: Attribute, embedded: int) -> AttributeLine:
    step = "draw_validation" if embedded else "embed"
    return AttributeLine(attribute.name, 0, 0, None, None, None, None, STEPS[step][1], step, 0)


def _line(workspace: Workspace, attribute: Attribute) -> AttributeLine:
    found = rounds.state(workspace, attribute)
    threshold = current_threshold(workspace, attribute)
    audit = audits.latest_result(workspace, attribute)
    step = _step(found, threshold, audit)
    evidence = None if threshold is None else threshold.evidence
    rows, _ = asking.training_labels(workspace, attribute)
    return AttributeLine(
        name=attribute.name,
        rounds=sum(turn.model is not None for turn in found.rounds),
        labels=len(rows),
        precision=None if evidence is None else (evidence.precision, evidence.precision_low, evidence.precision_high),
        recall=None if evidence is None else (evidence.recall, evidence.recall_low, evidence.recall_high),
        accepted=None if evidence is None else evidence.n_accepted,
        audited=None if audit is None or audit.precision is None else audit.share,
        step=STEPS[step][1],
        step_key=step,
        round=found.rounds[-1].number if found.rounds else 0,
        truth=demo.truth_of(workspace, attribute, with_rounds=False) if found.model is not None else None,
    )


def next_step(workspace: Workspace, state: AttributeState) -> tuple[str, str, str]:
    """Return the page, the button and the words of what comes next for one attribute, whatever the others need."""
    attribute = state.attribute
    step = _step(state, current_threshold(workspace, attribute), audits.latest_result(workspace, attribute))
    page, action, text = REPORT if step == "done" else STEPS[step]
    number = state.rounds[-1].number if state.rounds else 0
    return page, action, text.format(name=readable(attribute.name), round=number)


def _step(state: AttributeState, threshold: KeptThreshold | None, audit: AuditResult | None) -> str:
    if state.step != "decide" or threshold is None or not threshold.kept:
        return state.step
    return "done" if audit is not None and audit.complete else "audit"


def waiting_tasks(
    workspace: Workspace, attribute: Attribute, annotator: str, *, adjudicating: bool = False
) -> list[tasks.Task]:
    """Return the tasks that need this annotator now, the most urgent first: validation, the open round, a
    certification, the audit.

    Disputed images come before them all for someone who is ``adjudicating``, and not at all for others: an answer to
    them is final, so nobody should come by it unawares.
    """
    found = rounds.state(workspace, attribute)
    candidates = [tasks.adjudication_task(workspace, attribute)] if adjudicating else []
    candidates += [tasks.validation_task(workspace, attribute)]
    candidates += [found.rounds[-1].task] if found.rounds else []
    certifying = certification.waiting_task(workspace, attribute)
    candidates += [certifying] if certifying is not None else []
    audit = audits.open_audit_task(workspace, attribute)
    candidates += [audit] if audit is not None else []
    who = workspace.annotations.annotator(annotator)
    return [task for task in candidates if len(tasks.rows_for(workspace, task, who))]
