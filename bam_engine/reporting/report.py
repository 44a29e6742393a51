"""All that is known of one attribute, gathered from every room: what a reader needs to trust its labels, or not to.

Wires the stores to one record. An attribute that is half done gives a record too: ``missing`` says what is not there
yet. Nothing is drawn or written here.
"""

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import __version__
from bam_engine import database as db
from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, Attribute, Consensus
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.errors import LearningError
from bam_engine.gallery.search import ranking
from bam_engine.labelling import agreement, tasks
from bam_engine.training import certification_history, rounds
from bam_engine.training.certification_history import CertificationSummary
from bam_engine.training.decisions import is_accepted
from bam_engine.training.evaluation import Evaluation, evaluate
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.training.querying import round_labels
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.training.validation import count_never_drawn, draw_seed
from bam_engine.workspace.core import Workspace

EXAMPLES = 12  # of each group
_RANDOM_SEED = 0  # of the examples drawn at random, so that two reports show the same
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "timm", "open_clip_torch", "pillow", "SQLAlchemy", "streamlit")

Share = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class AnnotatorLine:
    """One annotator of the attribute and how often they said what."""

    name: str
    simulated: bool
    positive: int
    negative: int
    unsure: int

    @property
    def answers(self) -> int:
        return self.positive + self.negative + self.unsure


@dataclass(frozen=True)
class ValidationDraw:
    """One draw of validation images: its number from 0, when, how many, and their labels by now.

    ``seed`` is None for a draw that was made before seeds were kept.
    """

    number: int
    made_at: str
    seed: int | None
    images: int
    positive: int
    negative: int


@dataclass(frozen=True)
class RoundLine:
    """One round: how it was asked and what was learned from it.

    ``reasons`` are why the images were asked, commonest first. What follows ``model_id`` is None before the training;
    ``labels`` and ``n_positive`` are those of all rounds up to this one, ``flipped`` the images that changed sides.
    Shares are those on the validation set, None where it could not be measured.
    """

    number: int
    strategy: str
    seed: int
    made_at: str
    asked: int
    answered: int
    positive: int
    reasons: tuple[tuple[str, int], ...]
    model_id: int | None
    trained_at: str | None
    labels: int | None
    n_positive: int | None
    strength: float | None
    average_precision: Share | None
    precision: Share | None
    recall: Share | None
    flipped: int | None


@dataclass(frozen=True)
class Example:
    """One image: its row, name for people, score, and what people agreed on (``yes``, ``no``, or nothing)."""

    row: int
    name: str
    score: float
    label: str


@dataclass(frozen=True)
class ExampleGroup:
    """Images that show one side of the decision."""

    title: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class AttributeReport:
    """One attribute with all its evidence.

    ``scores`` are those of every image that has one, ``labelled`` those of the training labels by name; both are empty
    before the first training. ``threshold`` is the one in force, suggested or kept. ``audits`` are oldest first.
    ``agreement`` are (measure, value in words) of the annotators. ``versions`` name the programs that made this report,
    this one first. ``never_drawn`` images could not come in when the validation set was topped up.
    """

    attribute: Attribute
    workspace: str
    made_at: str
    images: int
    embedded: int
    projects: int
    encoder: str
    redundancy: int
    annotators: tuple[AnnotatorLine, ...]
    validation: tasks.TaskState
    draws: tuple[ValidationDraw, ...]
    rounds: tuple[RoundLine, ...]
    evaluation: Evaluation | None
    threshold: AttributeThreshold | None
    threshold_at: str | None
    scores: NDArray[np.float32]
    labelled: dict[str, NDArray[np.float32]]
    audits: tuple[AuditResult, ...]
    examples: tuple[ExampleGroup, ...]
    missing: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    schema: int
    agreement: tuple[tuple[str, str], ...] = ()
    certifications: tuple[CertificationSummary, ...] = ()
    never_drawn: int = 0

    @property
    def waits_for_audit(self) -> bool:
        """Whether a threshold was kept and its audit is all that is missing."""
        kept = self.threshold is not None and self.threshold.saved
        return kept and (self.audit is None or not self.audit.complete)

    @property
    def audit(self) -> AuditResult | None:
        """The newest audit of the threshold in force."""
        current = [one for one in self.audits if one.current]
        return current[-1] if current else None


def gather(workspace: Workspace, attribute: Attribute, *, examples: int = EXAMPLES) -> AttributeReport:
    """Return all that is known of ``attribute``, with up to ``examples`` images of each group."""
    agreed = tasks.labels(workspace, attribute)
    model = latest_model(workspace, attribute)
    threshold = current_threshold(workspace, attribute)
    evaluation, problem = _evaluation(workspace, attribute, model, threshold)
    turns = _rounds(workspace, attribute, agreed)
    validation = tasks.state(workspace, tasks.validation_task(workspace, attribute), agreed)
    audited = tuple(audits.results(workspace, attribute))
    scores, labelled = _scores(workspace, attribute, model)
    return AttributeReport(
        attribute=attribute,
        workspace=workspace.id,
        made_at=db.now(),
        images=len(workspace.catalogue),
        embedded=len(workspace.vectors()),
        projects=len(np.unique(workspace.catalogue.projects())),
        encoder=workspace.choice.key,
        redundancy=workspace.redundancy,
        annotators=_annotators(workspace, attribute),
        validation=validation,
        draws=_draws(workspace, attribute, agreed),
        rounds=turns,
        evaluation=evaluation,
        threshold=threshold,
        threshold_at=_threshold_time(workspace, threshold),
        scores=scores,
        labelled=labelled,
        audits=audited,
        examples=() if model is None else _examples(workspace, attribute, agreed, threshold, examples),
        missing=_missing(workspace, validation, turns, threshold, audited, problem),
        versions=_versions(),
        schema=db.SCHEMA_VERSION,
        agreement=_agreement(workspace, attribute),
        certifications=certification_history.history(workspace, attribute),
        never_drawn=count_never_drawn(workspace, attribute),
    )


def _agreement(workspace: Workspace, attribute: Attribute) -> tuple[tuple[str, str], ...]:
    """Return how far the annotators agree, of all and of every two; nothing where nobody shares an image."""
    found = agreement.measure(workspace, attribute)
    if found.shared == 0:
        return ()
    of_all = (("Raw agreement", found.raw.text), ("Krippendorff's alpha", found.alpha.text))
    pairs = ((f"Cohen's kappa of {pair.first} and {pair.second}", pair.kappa.text) for pair in found.pairs)
    return (*of_all, *pairs)


def _evaluation(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None, threshold: AttributeThreshold | None
) -> tuple[Evaluation | None, str]:
    """Return what the validation set says of the newest model, and what it cannot say, in words."""
    if model is None:
        return None, ""
    target = 0.90 if threshold is None else threshold.evidence.target
    try:
        sure = 0.95 if threshold is None else threshold.evidence.confidence
        found = evaluate(workspace, attribute, model, target=target, confidence=sure)
    except LearningError as error:
        return None, str(error)
    return found, "" if threshold is not None else found.no_threshold


def _annotators(workspace: Workspace, attribute: Attribute) -> tuple[AnnotatorLine, ...]:
    said = workspace.annotations.answers(attribute.id)
    lines = []
    for who in workspace.annotations.annotators():
        mine = said.answers[said.annotators == who.id]
        counts = [int((mine == answer).sum()) for answer in (POSITIVE, NEGATIVE, UNSURE)]
        if sum(counts):
            lines.append(AnnotatorLine(who.name, who.simulated, *counts))
    return tuple(lines)


def _draws(workspace: Workspace, attribute: Attribute, agreed: Consensus) -> tuple[ValidationDraw, ...]:
    table = db.validation_images.c
    query = sa.select(table.draw, table.row, table.made_at).where(table.attribute_id == attribute.id)
    with workspace.engine.connect() as connection:
        found = connection.execute(query.order_by(table.draw, table.id)).all()
    lines = []
    for number in sorted({line.draw for line in found}):
        mine = [line for line in found if line.draw == number]
        labels = tasks.labels_of(agreed, np.array([line.row for line in mine], np.int64))
        positive, negative = int((labels == POSITIVE).sum()), int((labels == NEGATIVE).sum())
        seed = draw_seed(workspace, attribute, number)
        lines.append(ValidationDraw(number, mine[0].made_at, seed, len(mine), positive, negative))
    return tuple(lines)


def _rounds(workspace: Workspace, attribute: Attribute, agreed: Consensus) -> tuple[RoundLine, ...]:
    query = sa.select(db.rounds.c.id, db.rounds.c.made_at).where(db.rounds.c.attribute_id == attribute.id)
    with workspace.engine.connect() as connection:
        times = {line.id: line.made_at for line in connection.execute(query)}
    lines = []
    for turn in rounds.rounds_of(workspace, attribute, agreed):
        why = Counter(reason for reason, _ in rounds.reasons(workspace, turn).values())
        details: dict[str, Any] = {} if turn.model is None else turn.model.details
        measured = details.get("measured") or {}
        lines.append(
            RoundLine(
                number=turn.number,
                strategy=turn.strategy,
                seed=turn.seed,
                made_at=times[turn.id],
                asked=turn.state.total,
                answered=turn.state.answered,
                positive=turn.state.positive,
                reasons=tuple(why.most_common()),
                model_id=None if turn.model is None else turn.model.id,
                trained_at=None if turn.model is None else turn.model.made_at,
                labels=details.get("labels"),
                n_positive=details.get("n_positive"),
                strength=details.get("strength"),
                average_precision=_share(measured.get("average_precision"), "value", "low", "high"),
                precision=_share(measured.get("threshold"), "precision", "precision_low", "precision_high"),
                recall=_share(measured.get("threshold"), "recall", "recall_low", "recall_high"),
                flipped=details.get("flipped"),
            )
        )
    return tuple(lines)


def _share(found: dict[str, float] | None, value: str, low: str, high: str) -> Share | None:
    return None if found is None else (found[value], found[low], found[high])


def _threshold_time(workspace: Workspace, threshold: AttributeThreshold | None) -> str | None:
    if threshold is None or threshold.id is None:
        return None
    with workspace.engine.connect() as connection:
        return connection.scalar(sa.select(db.thresholds.c.made_at).where(db.thresholds.c.id == threshold.id))


def _scores(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    if model is None:
        return np.array([], np.float32), {}
    scores = np.asarray(scores_of(workspace, attribute, model))
    rows, answers = round_labels(workspace, attribute)
    labelled = {"positive": scores[rows[answers == 1]], "negative": scores[rows[answers == 0]]}
    return scores[np.isfinite(scores)], labelled


def _examples(
    workspace: Workspace, attribute: Attribute, agreed: Consensus, threshold: AttributeThreshold | None, count: int
) -> tuple[ExampleGroup, ...]:
    """Return the best images, those nearest the threshold on both sides, and accepted and rejected ones at random."""
    order, scores = ranking(workspace, attribute), scores_of(workspace, attribute)
    groups: list[tuple[str, NDArray[np.int64]]] = [("The highest scores", order[:count])]
    if threshold is not None:
        accepted = int(is_accepted(scores[order], threshold.value).sum())
        rng = np.random.default_rng(_RANDOM_SEED)
        yes, no = order[:accepted], order[accepted:]
        groups += [
            ("Accepted, at random", rng.choice(yes, min(count, len(yes)), replace=False)),
            ("Just accepted: nearest above the threshold", yes[::-1][:count]),
            ("Just rejected: nearest below the threshold", no[:count]),
            ("Rejected, at random", rng.choice(no, min(count, len(no)), replace=False)),
        ]
    words = {1: "yes", 0: "no", -1: ""}
    made = []
    for title, rows in groups:
        labels = tasks.labels_of(agreed, rows)
        images = workspace.catalogue.images(rows.tolist())
        line = (
            Example(image.row, image.title or image.path.name, float(scores[image.row]), words[int(label)])
            for image, label in zip(images, labels, strict=True)
        )
        made.append(ExampleGroup(title, tuple(line)))
    return tuple(group for group in made if group.examples)


def _missing(
    workspace: Workspace,
    validation: tasks.TaskState,
    turns: Sequence[RoundLine],
    threshold: AttributeThreshold | None,
    audited: Sequence[AuditResult],
    problem: str,
) -> tuple[str, ...]:
    """Return what this report lacks, in the order in which it can be had."""
    current = [one for one in audited if one.current]
    trained = any(turn.model_id is not None for turn in turns)
    kept = threshold is not None and threshold.saved
    last = turns[-1] if turns else None
    checks = (
        (len(workspace.vectors()) == 0, "The images are not embedded yet."),
        (validation.total == 0, "No validation sample is drawn: precision and recall cannot be measured."),
        (
            validation.total > 0 and not validation.complete,
            f"The validation sample is not labelled: {validation.answered} of {validation.total} images are.",
        ),
        (not trained, "No round is labelled and trained: nothing is scored."),
        (
            last is not None and last.answered < last.asked,
            f"Round {last.number if last else 0} waits for answers: what stands here is without it.",
        ),
        (bool(problem), problem[:1].upper() + problem[1:]),
        (threshold is not None and not kept, "The threshold is only suggested: nobody has kept one."),
        (kept and not current, "The threshold in force is not audited."),
        (bool(current) and not current[-1].complete, "The audit of the threshold in force is not finished."),
    )
    return tuple(words for is_so, words in checks if is_so)


def _versions() -> tuple[tuple[str, str], ...]:
    found = [("bam", __version__), ("Python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)
