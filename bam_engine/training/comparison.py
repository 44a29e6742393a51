"""Encoders side by side: what the newest model on the vectors of each is worth, on the same held-out labels.

In:  an attribute. Out: the average precision of each encoder, measured as after a round, and the paired differences.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain

import numpy as np

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count, decimal_interval
from bam_engine.labelling import tasks
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Difference
from bam_engine.progress import Report, silent
from bam_engine.training import rounds
from bam_engine.training.evaluation import average_precision_of
from bam_engine.training.evaluation_set import evaluation_set
from bam_engine.training.measurements import Estimate
from bam_engine.training.models import TrainedModel, encoders_of, latest_model, scores_version
from bam_engine.training.querying import training_labels
from bam_engine.training.validation import ValidationSet
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import stored_encoders


@dataclass(frozen=True)
class EncoderResult:
    """One encoder, by its key, and its newest model for an attribute.

    ``current`` says whether the model was trained on the labels and vectors of today; if not, and ``trainable``, it can
    be. ``average_precision`` is None where nothing can be measured; ``problem`` says why.
    """

    encoder: str
    model: TrainedModel | None
    current: bool
    trainable: bool
    average_precision: Estimate | None
    problem: str = ""


@dataclass(frozen=True)
class EncoderDifference:
    """By how much the average precision of the best ``encoder`` is above that of another one."""

    encoder: str
    than: str
    difference: Difference


@dataclass(frozen=True)
class EncoderComparison:
    """The encoders of one attribute, the one in use first, measured on the same ``n`` held-out labels.

    ``differences`` are those of the ``best``, by its key, to the other encoders whose models are ``current``, and so
    have learned the same labels. Of models of different labels none is called better: ``best`` is None where no two
    have learned the same.
    """

    attribute: Attribute
    n: int
    n_positive: int
    encoders: tuple[EncoderResult, ...]
    best: str | None
    differences: tuple[EncoderDifference, ...]

    @property
    def of_different_labels(self) -> bool:
        """Whether models were measured that have not learned the same labels."""
        measured = [one.current for one in self.encoders if one.average_precision is not None]
        return len(measured) > 1 and not all(measured)


@dataclass(frozen=True)
class _Measured:
    """What newest models are worth on ``n`` held-out labels, and the best of those that learned the same labels."""

    n: int
    n_positive: int
    estimates: Mapping[str, Estimate]
    best: str | None
    differences: tuple[EncoderDifference, ...]


_COMPARISONS = Kind[_Measured](
    "encoders side by side", of="attribute", until="a label, a model or its vectors change", limit=1000
)


@one_flow
def compare_encoders(workspace: Workspace, attribute: Attribute) -> EncoderComparison:
    """Compare the encoders that have vectors, and those of earlier models, for ``attribute``.

    An image counts where the model of every encoder that can be measured has a score for it. The average precisions
    and their intervals are those of :func:`bam_engine.training.evaluation.evaluate`.
    """
    newest = {key: latest_model(workspace, attribute, key) for key in _encoders(workspace, attribute)}
    measurable = {key: model for key, model in newest.items() if model is not None and len(workspace.vectors(key))}
    current = {key for key, model in measurable.items() if rounds.is_current(workspace, attribute, model)}
    scored = [(key, scores_version(workspace, model), key in current) for key, model in measurable.items()]
    images = (len(workspace.catalogue), workspace.catalogue.missing_version)
    version = (label_version(workspace, attribute), scored, images)
    found = workspace.memory.get(
        _COMPARISONS, attribute.id, version, lambda: _measure(workspace, attribute, measurable, current)
    )
    unmeasured = "" if found.estimates else not_measurable(found.n, found.n_positive)
    return EncoderComparison(
        attribute,
        found.n,
        found.n_positive,
        tuple(
            EncoderResult(
                key,
                model,
                key in current,
                _trainable(workspace, key),
                found.estimates.get(key),
                _problem(workspace, key, model) or unmeasured,
            )
            for key, model in newest.items()
        ),
        found.best,
        found.differences,
    )


def _encoders(workspace: Workspace, attribute: Attribute) -> list[str]:
    """Return the keys of the encoders with vectors, the one in use first, and of those with models alone."""
    return list(dict.fromkeys(chain(stored_encoders(workspace), encoders_of(workspace, attribute))))


def _measure(
    workspace: Workspace, attribute: Attribute, models: Mapping[str, TrainedModel], current: Collection[str]
) -> _Measured:
    """Measure models on the same labels, and compare those that are of the labels of today."""
    samples = _common({key: evaluation_set(workspace, attribute, model) for key, model in models.items()})
    drawn = tasks.validation_task(workspace, attribute).rows
    first = next(iter(samples.values()), None)
    labels = np.empty(0, np.int8) if first is None else first.labels
    n, positive = len(labels), int((labels == 1).sum())
    if not 0 < positive < n:
        return _Measured(n, positive, {}, None, ())
    estimates = {key: average_precision_of(sample, np.isin(sample.rows, drawn)) for key, sample in samples.items()}
    comparable = [key for key in estimates if key in current or len(estimates) == 1]
    if len(comparable) < min(2, len(estimates)):
        return _Measured(n, positive, estimates, None, ())
    best = max(comparable, key=lambda key: estimates[key].value)
    return _Measured(n, positive, estimates, best, _differences(samples, best, comparable))


def _trainable(workspace: Workspace, key: str) -> bool:
    """Return whether a model can be trained on the vectors of an encoder, which needs those of all images."""
    return len(workspace.vectors(key)) >= max(len(workspace.catalogue), 1)


def _problem(workspace: Workspace, key: str, model: TrainedModel | None) -> str:
    """Return why the model of an encoder cannot be measured, or ""."""
    embedded, images = len(workspace.vectors(key)), len(workspace.catalogue)
    if not embedded:
        return "Its vectors are no longer there. Embed the collection with it again: its labels and models are kept."
    if model is None and embedded < images:
        verb = "is" if embedded == 1 else "are"
        return f"Only {embedded:,} of {count(images, 'image')} {verb} embedded with it. Embed the others first."
    return "" if model is not None else "No model is trained on it yet."


def not_measurable(n: int, positive: int) -> str:
    """Return why nothing can be measured on ``n`` labels of which none or all are positive."""
    if n == 0:
        return "No validation image is labelled, so nothing can be measured."
    kind = "positive" if positive == 0 else "negative"
    return f"None of {count(n, 'labelled validation image')} is {kind}, so nothing can be measured."


def _common(samples: Mapping[str, ValidationSet]) -> dict[str, ValidationSet]:
    """Return the samples with those of their images that all of them have, in the same order."""
    if not samples:
        return {}
    rows = reduce(np.intersect1d, (sample.rows for sample in samples.values()))
    return {key: sample.subset(np.isin(sample.rows, rows)) for key, sample in samples.items()}


def _differences(
    samples: Mapping[str, ValidationSet], best: str, comparable: Sequence[str]
) -> tuple[EncoderDifference, ...]:
    """Compare the best encoder with each of the others."""
    mine = samples[best]
    return tuple(
        EncoderDifference(
            best,
            key,
            learning.compare_models(
                samples[key].scores,
                mine.scores,
                mine.labels,
                groups=mine.groups,
                weights=mine.weights,
                rng=np.random.default_rng(0),
            ),
        )
        for key in comparable
        if key != best
    )


def comparison_lines(workspace: Workspace, found: EncoderComparison) -> list[str]:
    """Return in sentences which encoder is better, by how much, and of which that is not said."""
    lines = [difference_words(workspace, difference) for difference in found.differences]
    if found.of_different_labels:
        lines.append("Models that have learned different labels are not compared.")
    return lines


def difference_words(workspace: Workspace, found: EncoderDifference) -> str:
    """Return in a sentence which of two encoders is better, by how much, and whether that is shown."""
    difference, better, other = found.difference, *map(workspace.encoder_name, (found.encoder, found.than))
    interval = decimal_interval(difference.gain, difference.low, difference.high)
    if difference.shown:
        return f"{better} is better than {other} by {interval}."
    return f"Whether {better} is better than {other} is not shown: the difference is {interval}."


def is_relied_on(workspace: Workspace, model: TrainedModel) -> bool:
    """Return whether a threshold is saved for a model or a certification begun, which a newer model puts out of use."""
    tables = (db.thresholds, db.certifications)
    return any(workspace.snapshot.rows_with(table.c.model_id, model.id) for table in tables)


def may_train_again(workspace: Workspace, attribute: Attribute) -> bool:
    """Return whether there are labels, and no round is open, which is trained on once its last label has come."""
    played = rounds.rounds_of(workspace, attribute)
    return (not played or played[-1].state.complete) and len(training_labels(workspace, attribute)[0]) > 0


@one_flow
def models_behind(workspace: Workspace, attributes: Sequence[Attribute] | None = None) -> list[tuple[Attribute, str]]:
    """Return the attributes, of those given or all, and encoders whose newest model is to be trained again or missing.

    It is not of the labels of today, it can be trained, and nobody relies on it (:func:`is_relied_on`). Left out are
    attributes with an open round, and those without labels (:func:`may_train_again`).
    """
    return [
        (attribute, key)
        for attribute in (workspace.attributes.all() if attributes is None else attributes)
        if may_train_again(workspace, attribute)
        for key in _encoders(workspace, attribute)
        if _trainable(workspace, key) and _is_behind(workspace, attribute, latest_model(workspace, attribute, key))
    ]


def _is_behind(workspace: Workspace, attribute: Attribute, model: TrainedModel | None) -> bool:
    return model is None or not (is_relied_on(workspace, model) or rounds.is_current(workspace, attribute, model))


def train_behind(
    workspace: Workspace, attributes: Sequence[Attribute] | None = None, *, report: Report = silent
) -> list[str]:
    """Train the models of :func:`models_behind`; return why those could not be trained that could not, one each.

    Raises
    ------
    Stopped
        By ``report``; finished models are kept.
    """
    behind, problems = models_behind(workspace, attributes), []
    for done, (attribute, key) in enumerate(behind):
        report(done, len(behind), f"{attribute.name} with {workspace.encoder_name(key)}")
        try:
            with workspace.using(key):
                rounds.train(workspace, attribute)
        except LearningError as error:
            problems.append(str(error))
    report(len(behind), len(behind), "trained")
    return problems
