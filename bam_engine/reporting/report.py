"""The evidence for one attribute in one record: what a reader needs to judge whether its labels can be trusted.

An unfinished attribute has a report too; ``missing`` lists what it lacks.
"""

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from bam_engine import __version__
from bam_engine import database as db
from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, Attribute, Consensus
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.errors import LearningError
from bam_engine.formatting import count
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.labelling import agreement, tasks
from bam_engine.labelling.drawn_images import validation_images
from bam_engine.labelling.guideline_examples import GuidelineExample, examples_of
from bam_engine.learning import ErrorCorrection
from bam_engine.reporting.examples import ExampleGroup, example_groups
from bam_engine.reporting.results import other_encoders, results_of
from bam_engine.training import certification_history, extension, recall, rounds
from bam_engine.training.certification_history import CertificationSummary
from bam_engine.training.delivered import DeliveredCounts, counts_of
from bam_engine.training.diagnosis import diagnose
from bam_engine.training.error_correction import correction_at
from bam_engine.training.evaluation import Evaluation, evaluate
from bam_engine.training.models import TrainedModel, latest_model
from bam_engine.training.score_counts import labelled_scores
from bam_engine.training.setting_aside import set_aside_of
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.training.validation import count_never_drawn, draw_facts
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images, without_file
from bam_engine.workspace.vectors import embedded_rows

EXAMPLES = 12  # images of each group
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "timm", "open_clip_torch", "pillow", "SQLAlchemy", "streamlit")

Interval = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class AnnotatorSummary:
    """One annotator of the attribute and the counts of their answers."""

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
    """One draw of validation images: its number from 0, its time and size, and the labels so far.

    ``seed`` is None for a draw from before seeds were stored, and ``left_out``, the number of images without a readable
    file that could not be drawn, for one from before they were counted.
    """

    number: int
    made_at: str
    seed: int | None
    left_out: int | None
    images: int
    positive: int
    negative: int


@dataclass(frozen=True)
class RoundSummary:
    """One round: how its images were selected, and the model trained on them.

    ``reasons`` counts why images were selected, most common first. The fields from ``model_id`` on are None before the
    training. ``labels`` and ``n_positive`` count the labels of all rounds up to this one, ``flipped`` the images whose
    decision changed. Estimates are measured on the validation set, and None where it does not suffice: those of the
    newest round by the labels of now, those of earlier ones when they were trained.
    """

    number: int
    strategy: str
    seed: int
    made_at: str
    queried: int
    answered: int
    positive: int
    reasons: tuple[tuple[str, int], ...]
    model_id: int | None
    trained_at: str | None
    labels: int | None
    n_positive: int | None
    regularisation: float | None
    average_precision: Interval | None
    precision: Interval | None
    recall: Interval | None
    flipped: int | None


@dataclass(frozen=True)
class AttributeReport:
    """One attribute with all its evidence.

    ``scores`` holds those of all scored images, ``labelled`` those of the labelled ones by name; both are empty
    before the first training. ``threshold`` is the current one, suggested or saved, and ``delivered`` counts what it
    delivers. ``audits`` are oldest first. ``agreement`` holds (measure, formatted value). ``versions`` lists (program,
    version), this one first. ``never_drawn`` counts the images that could not be drawn when the validation set was
    extended. ``without_file`` says how many images have no readable file, so that no number is about them; "" if all
    have one. ``diagnosis`` says in sentences whether it learns, what the last round brought, and the likely causes
    where it does not, and ``guidance`` what to do next. All is about the ``encoder`` in use, given by its key and its
    name; ``other_results`` says in sentences what others have. ``recall_sample`` says on what the recall at the
    threshold was measured, where a sample was drawn below it; "" otherwise. ``correction`` is the precision and recall
    at the threshold corrected for wrong answers, None where too few images were answered by several people.
    ``extended`` says over how many images that came later the guarantee of the threshold is extended; "" over none.
    """

    attribute: Attribute
    workspace: str
    made_at: str
    images: int
    embedded: int
    projects: int
    encoder: str
    redundancy: int
    judging_redundancy: int
    annotators: tuple[AnnotatorSummary, ...]
    set_aside: int
    validation: tasks.TaskState
    draws: tuple[ValidationDraw, ...]
    rounds: tuple[RoundSummary, ...]
    evaluation: Evaluation | None
    threshold: AttributeThreshold | None
    threshold_at: str | None
    delivered: DeliveredCounts | None
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
    without_file: str = ""
    diagnosis: tuple[str, ...] = ()
    encoder_name: str = ""
    other_results: tuple[str, ...] = ()
    guideline_examples: tuple[GuidelineExample, ...] = ()
    recall_sample: str = ""
    correction: ErrorCorrection | None = None
    extended: str = ""
    guidance: Guidance = field(kw_only=True)

    @property
    def threshold_words(self) -> str:
        """What is known of the threshold, with advice unless the attribute is finished; "" without a threshold."""
        if self.threshold is None:
            return ""
        words = self.threshold.finding if self.guidance.step == "done" else self.threshold.summary
        return f"{words} {self.extended}".rstrip()

    @property
    def audit(self) -> AuditResult | None:
        """The newest audit of the current threshold."""
        current = [one for one in self.audits if one.current]
        return current[-1] if current else None


@one_flow
def gather(workspace: Workspace, attribute: Attribute, *, examples: int = EXAMPLES) -> AttributeReport:
    """Gather the evidence for ``attribute``, with up to ``examples`` images of each group."""
    agreed = tasks.labels(workspace, attribute)
    model = latest_model(workspace, attribute)
    threshold, measuring = current_threshold(workspace, attribute), recall.current(workspace, attribute)
    evaluation, problem = _evaluation(workspace, attribute, model, threshold)
    validation = tasks.state(workspace, tasks.validation_task(workspace, attribute))
    results = tuple(audits.results(workspace, attribute))
    scores = labelled_scores(workspace, attribute, model)
    guidance = guidance_of(workspace, attribute)
    round_summaries = _rounds(workspace, attribute, guidance)
    diagnosis = None if guidance.step == "done" else diagnose(workspace, attribute)
    return AttributeReport(
        attribute=attribute,
        workspace=workspace.id,
        made_at=db.now(),
        images=count_images(workspace),
        embedded=len(embedded_rows(workspace)),
        projects=int(workspace.catalogue.projects().max(initial=-1)) + 1,
        encoder=workspace.choice.key,
        redundancy=workspace.redundancy,
        judging_redundancy=workspace.judging_redundancy,
        annotators=annotators_of(workspace, attribute),
        set_aside=sum(set_aside_of(workspace, attribute).values()),
        validation=validation,
        draws=_draws(workspace, attribute, agreed),
        rounds=round_summaries,
        evaluation=evaluation,
        threshold=threshold,
        threshold_at=_threshold_time(workspace, threshold),
        delivered=None if threshold is None else counts_of(workspace, attribute),
        scores=scores.every,
        labelled=scores.by_name,
        audits=results,
        examples=() if model is None else example_groups(workspace, attribute, agreed, threshold, examples),
        missing=_missing(workspace, model, validation, round_summaries, threshold, results, problem),
        versions=versions(),
        schema=db.SCHEMA_VERSION,
        agreement=agreement_lines(workspace, attribute),
        certifications=certification_history.history(workspace, attribute),
        never_drawn=count_never_drawn(workspace, attribute),
        without_file=without_file(workspace),
        diagnosis=() if diagnosis is None else diagnosis.lines,
        encoder_name=workspace.encoder_name(),
        other_results=_other_results(workspace, attribute),
        guideline_examples=examples_of(workspace, attribute),
        recall_sample="" if measuring is None or measuring.shown is None else measuring.summary,
        correction=None if threshold is None else correction_at(workspace, attribute, threshold.evidence),
        extended="" if threshold is None else extension.words(workspace, attribute, threshold),
        guidance=guidance,
    )


def _other_results(workspace: Workspace, attribute: Attribute) -> tuple[str, ...]:
    if not other_encoders(workspace, attribute):
        return ()
    others = [result for result in results_of(workspace, attribute) if not result.in_use]
    return tuple(f"With {one.source} (model {one.model.id}): {one.words}." for one in others)


def agreement_lines(workspace: Workspace, attribute: Attribute) -> tuple[tuple[str, str], ...]:
    """Return by measure the agreement of all annotators and of every pair; nothing where no image is shared."""
    measured = agreement.measure(workspace, attribute)
    if measured.shared == 0:
        return ()
    of_all = (("Raw agreement", measured.raw.text), ("Krippendorff's alpha", measured.alpha.text))
    pairs = ((f"Cohen's kappa of {pair.first} and {pair.second}", pair.kappa.text) for pair in measured.pairs)
    left_out = (("Answers", measured.not_counted),) if measured.settling else ()
    return (*of_all, *pairs, *left_out)


def _evaluation(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None, threshold: AttributeThreshold | None
) -> tuple[Evaluation | None, str]:
    """Evaluate the newest model on the validation set; return the problem in words where that is not possible."""
    if model is None:
        return None, ""
    target = 0.90 if threshold is None else threshold.evidence.target
    try:
        confidence = 0.95 if threshold is None else threshold.evidence.confidence
        evaluation = evaluate(workspace, attribute, model, target=target, confidence=confidence)
    except LearningError as error:
        return None, str(error)
    return evaluation, "" if threshold is not None else evaluation.no_threshold


def annotators_of(workspace: Workspace, attribute: Attribute) -> tuple[AnnotatorSummary, ...]:
    """Return who has answered about an attribute, and how often."""
    answers = workspace.annotations.answers(attribute.id)
    summaries = []
    for who in workspace.annotations.annotators():
        mine = answers.answers[answers.annotators == who.id]
        counts = [int((mine == answer).sum()) for answer in (POSITIVE, NEGATIVE, UNSURE)]
        if sum(counts):
            summaries.append(AnnotatorSummary(who.name, who.simulated, *counts))
    return tuple(summaries)


def _draws(workspace: Workspace, attribute: Attribute, agreed: Consensus) -> tuple[ValidationDraw, ...]:
    sample = validation_images(workspace, attribute)
    draws = []
    for number in np.unique(sample.draws).tolist():
        drawn = sample.rows[sample.draws == number]
        labels = tasks.labels_of(agreed, drawn)
        made_at = str(sample.made_at[sample.draws == number][0])
        positive, negative = int((labels == POSITIVE).sum()), int((labels == NEGATIVE).sum())
        seed, left_out = draw_facts(workspace, attribute, number)
        draws.append(ValidationDraw(number, made_at, seed, left_out, len(drawn), positive, negative))
    return tuple(draws)


def _rounds(workspace: Workspace, attribute: Attribute, guidance: Guidance) -> tuple[RoundSummary, ...]:
    """Return the rounds; the newest model is measured by the labels of now, as everything else of the report is."""
    stored = workspace.snapshot.rows_with(db.rounds.c.attribute_id, attribute.id)
    times = {record.id: record.made_at for record in stored}
    summaries = []
    for record in rounds.rounds_of(workspace, attribute):
        why = Counter(reason for reason, _ in rounds.reasons(workspace, record).values())
        model = record.model
        measured = None if model is None else model.measurement
        summaries.append(
            RoundSummary(
                number=record.number,
                strategy=record.strategy,
                seed=record.seed,
                made_at=times[record.id],
                queried=record.state.total,
                answered=record.state.answered,
                positive=record.state.positive,
                reasons=tuple(why.most_common()),
                model_id=None if model is None else model.id,
                trained_at=None if model is None else model.made_at,
                labels=None if model is None else model.data.labels,
                n_positive=None if model is None else model.n_positive,
                regularisation=None if model is None else model.regularisation,
                average_precision=None if measured is None else measured.average_precision_interval,
                precision=None if measured is None else measured.precision_interval,
                recall=None if measured is None else measured.recall_interval,
                flipped=None if measured is None else measured.flipped,
            )
        )
    if summaries and summaries[-1].model_id is not None:
        average_precision, precision, recalled = map(guidance.interval, ("average precision", "precision", "recall"))
        summaries[-1] = replace(
            summaries[-1], average_precision=average_precision, precision=precision, recall=recalled
        )
    return tuple(summaries)


def _threshold_time(workspace: Workspace, threshold: AttributeThreshold | None) -> str | None:
    if threshold is None or threshold.id is None:
        return None
    (stored,) = workspace.snapshot.rows_with(db.thresholds.c.id, threshold.id)
    return str(stored.made_at)


def _missing(
    workspace: Workspace,
    model: TrainedModel | None,
    validation: tasks.TaskState,
    summaries: Sequence[RoundSummary],
    threshold: AttributeThreshold | None,
    results: Sequence[AuditResult],
    problem: str,
) -> tuple[str, ...]:
    """Return what this report lacks, in the order in which it can be added."""
    current = [one for one in results if one.current]
    saved = threshold is not None and threshold.saved
    last = summaries[-1] if summaries else None
    checks = (
        (len(workspace.vectors()) == 0, "The images are not embedded."),
        (validation.total == 0, "There is no validation sample, so precision and recall are unknown."),
        (
            validation.total > 0 and not validation.complete,
            f"Only {validation.answered:,} of {count(validation.total, 'validation image')} "
            f"{'is' if validation.answered == 1 else 'are'} labelled.",
        ),
        (model is None, "No model is trained, so no image has a score."),
        (
            last is not None and last.answered < last.queried,
            f"Round {last.number if last else 0} is not fully labelled; this report does not include it.",
        ),
        (bool(problem), problem),
        (threshold is not None and not saved, "No threshold has been chosen; the one shown is a suggestion."),
        (saved and not current, "The threshold is not audited."),
        (bool(current) and not current[-1].complete, "The audit of the threshold is not finished."),
    )
    return tuple(message for applies, message in checks if applies)


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of this program, of Python and of the libraries that its results depend on."""
    found = [("bam", __version__), ("Python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)
