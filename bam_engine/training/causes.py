"""Why an attribute does not learn: the likely causes in order, each with the figure that speaks for or against it.

Everything is measured on the validation images of :mod:`.evaluation_set`, which nothing trains on, and with the labels
of today: the nearest labelled images instead of a classifier, the vectors of other encoders, two classifiers instead of
one. What annotators and near-identical images say of the labels needs no classifier.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import POSITIVE, Attribute, consensus
from bam_engine.formatting import decimal, decimal_interval, percent, percent_interval
from bam_engine.labelling import tasks
from bam_engine.labelling.agreement import planned_answers
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Difference, FeatureScaling, Share
from bam_engine.training.evaluation_set import evaluation_set
from bam_engine.training.models import latest_model, newest_model, scores_version
from bam_engine.training.querying import training_labels
from bam_engine.training.rounds import collection_scaling, fit, is_current
from bam_engine.training.validation import ValidationSet
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import embedded_rows, stored_encoders, vectors_of

Support = Literal["for", "open", "against"]


_TITLES = {
    "encoder": "The encoder cannot see it.",
    "labels": "Labels contradict one another.",
    "question": "It is two questions.",
}


@dataclass(frozen=True)
class Cause:
    """One cause: whether the evidence speaks for or against it or leaves it open, and the evidence in a sentence.

    ``kind`` is "encoder" (it cannot see the attribute), "labels" (they contradict one another) or "question" (it is two
    questions). ``encoder`` is the key of a stored encoder that sees the attribute better, or "".
    """

    kind: Literal["encoder", "labels", "question"]
    support: Support
    evidence: str
    encoder: str = ""

    @property
    def title(self) -> str:
        """The cause in one sentence."""
        return _TITLES[self.kind]


@dataclass(frozen=True)
class _Found:
    """A cause and its place: the higher, the likelier."""

    weight: float
    cause: Cause


_CAUSES = Kind[tuple[Cause, ...]](
    "causes why it does not learn", of="attribute", until="a label, a model or a vector changes", limit=200
)


_BETTER = Kind[tuple[Cause, ...]](
    "encoders that see more", of="attribute", until="a label, a model or a vector changes", limit=1000
)


def causes(workspace: Workspace, attribute: Attribute) -> tuple[Cause, ...]:
    """Return the three causes, the likeliest first.

    First comes what a comparison shows: another encoder that does better with the same labels, then two classifiers
    that do better than one. Next come labels that agree hardly more than guessing, then an encoder whose nearest images
    tell nothing. What could not be judged keeps this order: encoder, labels, two questions. Last is what the evidence
    speaks against. () before the first training.
    """
    model = latest_model(workspace, attribute)
    if model is None:
        return ()
    stored = [(key, len(workspace.vectors(key))) for key in stored_encoders(workspace)]
    version = (label_version(workspace, attribute), scores_version(workspace, model), stored)
    return workspace.memory.get(_CAUSES, attribute.id, version, lambda: _causes(workspace, attribute))


def better_encoder(workspace: Workspace, attribute: Attribute) -> tuple[Cause, ...]:
    """Return the encoder as the one cause where an attribute learns and stays far from perfect; () without evidence.

    The evidence is another stored encoder that does better with the same labels, or that the encoder in use is the
    descriptors, which show little of what is depicted.
    """
    model = latest_model(workspace, attribute)
    if model is None:
        return ()
    stored = [(key, len(workspace.vectors(key))) for key in stored_encoders(workspace)]
    version = (label_version(workspace, attribute), scores_version(workspace, model), stored)

    def find() -> tuple[Cause, ...]:
        best = _best_other(workspace, attribute, _sample(workspace, attribute))
        if best is not None and best[0].shown:
            return (_better(workspace, best),)
        if best is None and workspace.choice.spec == "builtin":
            return (Cause("encoder", "open", "The descriptors show colour, texture and shape; a network shows more."),)
        return ()

    return workspace.memory.get(_BETTER, attribute.id, version, find)


def _causes(workspace: Workspace, attribute: Attribute) -> tuple[Cause, ...]:
    sample = _sample(workspace, attribute)
    found = [
        _encoder(workspace, attribute, sample),
        _labels(workspace, attribute),
        _question(workspace, attribute, sample),
    ]
    return tuple(each.cause for each in sorted(found, key=lambda each: -each.weight))


def _sample(workspace: Workspace, attribute: Attribute) -> ValidationSet:
    """Return the evaluation set, with the scores of a classifier of the labels of today."""
    sample, (rows, answers) = evaluation_set(workspace, attribute), training_labels(workspace, attribute)
    if is_current(workspace, attribute, newest_model(workspace, attribute)) or len(np.unique(answers)) < 2:
        return sample
    model = fit(workspace, rows, answers, np.random.default_rng(0))
    return replace(sample, scores=learning.score_all(_vectors(workspace, sample.rows), model))


def _encoder(workspace: Workspace, attribute: Attribute, sample: ValidationSet) -> _Found:
    best = _best_other(workspace, attribute, sample)
    if best is not None and best[0].shown:
        return _Found(4, _better(workspace, best))
    nearest = _nearest(workspace, attribute, sample)
    better = learning.beats_guessing(nearest)
    also = ""
    if best is not None:
        also = f" With the same labels, {workspace.encoder_name(best[1])} is not shown to do better: {_gain(best[0])}."
    words = (
        f"The {learning.NEAREST} labelled images most like each one tell it with an average precision of "
        f"{decimal_interval(nearest.value, nearest.low, nearest.high)}; guessing gives {decimal(nearest.guessing)}."
        f"{also}"
    )
    if better:
        return _Found(-1, Cause("encoder", "against", words))
    return _Found(2, Cause("encoder", "for", words)) if better is False else _Found(1, Cause("encoder", "open", words))


def _best_other(workspace: Workspace, attribute: Attribute, sample: ValidationSet) -> tuple[Difference, str] | None:
    """Return the largest gain by another stored encoder, with its key; None without one that can be compared."""
    others = [
        (gain, key)
        for key in stored_encoders(workspace)
        if key != workspace.choice.key and (gain := _with_encoder(workspace, attribute, sample, key)) is not None
    ]
    return max(others, key=lambda each: each[0].gain, default=None)


def _better(workspace: Workspace, best: tuple[Difference, str]) -> Cause:
    words = f"With the same labels, {workspace.encoder_name(best[1])} does better by {_gain(best[0])}."
    return Cause("encoder", "for", words, best[1])


def _with_encoder(workspace: Workspace, attribute: Attribute, sample: ValidationSet, key: str) -> Difference | None:
    """Compare the classifier with one on the vectors of another encoder, on the images that both have vectors of."""
    with workspace.using(key):
        rows, answers = training_labels(workspace, attribute)
        kept = sample.subset(np.isin(sample.rows, embedded_rows(workspace)))
        if len(np.unique(answers)) < 2 or not (kept.labels == POSITIVE).any():
            return None
        model = fit(workspace, rows, answers, np.random.default_rng(0))
        scores = learning.score_all(np.asarray(vectors_of(workspace)[kept.rows]), model)
    return _compared(kept, scores)


def _nearest(workspace: Workspace, attribute: Attribute, sample: ValidationSet) -> Share:
    rows, answers = training_labels(workspace, attribute)
    taught, unseen = _vectors(workspace, rows), _vectors(workspace, sample.rows)
    scores = learning.scores_by_neighbours(taught, answers == POSITIVE, unseen, _scaling(workspace))
    options: dict[str, Any] = {"groups": sample.groups, "weights": sample.weights, "rng": np.random.default_rng(0)}
    limits = learning.average_precision_limits(scores, sample.labels, **options)
    value = learning.average_precision(scores, sample.labels, weights=sample.weights)
    positive, n = int((sample.labels == POSITIVE).sum()), len(sample.labels)
    return Share(value, limits.low, limits.high, learning.guessing_precision(positive, n))


def _labels(workspace: Workspace, attribute: Attribute) -> _Found:
    told = list(_agreements(workspace, attribute))
    if not told:
        words = (
            "No image with a yes was answered by two people, and no two labelled images are nearly identical, so this "
            "cannot be judged."
        )
        return _Found(0.5, Cause("labels", "open", words))
    words = " ".join(sentence for _, sentence in told)
    judged = [learning.beats_guessing(share) for share, _ in told]
    if False in judged:
        return _Found(2.5, Cause("labels", "for", words))
    if None in judged:
        return _Found(0.5, Cause("labels", "open", words))
    return _Found(-1.5, Cause("labels", "against", words))


def _agreements(workspace: Workspace, attribute: Attribute) -> Iterator[tuple[Share, str]]:
    """Yield what annotators say of the same image, and what labels say of near-identical images, each in a sentence."""
    votes = consensus(planned_answers(workspace, attribute), redundancy=1).counts
    people = learning.positive_agreement(votes[:, 0], votes[:, 0] + votes[:, 1])
    if people is not None:
        yield people, f"Where one person says yes, another does in {_against_guessing(people)}."
    labels = tasks.labels(workspace, attribute)
    rows, yes = labels.rows[labels.settled], labels.labels[labels.settled] == POSITIVE
    for key in stored_encoders(workspace):
        with workspace.using(key):
            embedded = embedded_rows(workspace)
            inside = np.isin(rows, embedded)
            if not inside.any():
                continue
            pairs = learning.near_identical(vectors_of(workspace), rows[inside], embedded)
        same = learning.positive_agreement(yes[inside][pairs].sum(axis=1), np.full(len(pairs), 2))
        if same is not None:
            name = workspace.encoder_name(key)
            yield (
                same,
                f"Of images nearly identical by {name}, where one is yes, another is in {_against_guessing(same)}.",
            )


def _question(workspace: Workspace, attribute: Attribute, sample: ValidationSet) -> _Found:
    rows, answers = training_labels(workspace, attribute)
    taught, unseen = _vectors(workspace, rows), _vectors(workspace, sample.rows)
    projects = workspace.catalogue.projects()[rows]
    scores = learning.scores_by_groups(taught, answers == POSITIVE, projects, unseen, _scaling(workspace))
    if scores is None:
        words = (
            f"The positives do not fall into two groups of at least {learning.MIN_IN_GROUP}, so this cannot be judged."
        )
        return _Found(-2, Cause("question", "open", words))
    difference = _compared(sample, scores)
    if difference.shown:
        words = f"Two classifiers, each for one half of the positives, do better than one by {_gain(difference)}."
        return _Found(3, Cause("question", "for", words))
    words = f"Two classifiers, each for one half of the positives, are not shown to do better: {_gain(difference)}."
    return _Found(-3, Cause("question", "against", words))


def _compared(sample: ValidationSet, scores: NDArray[np.floating]) -> Difference:
    return learning.compare_models(
        sample.scores,
        scores,
        sample.labels,
        groups=sample.groups,
        weights=sample.weights,
        rng=np.random.default_rng(0),
    )


def _scaling(workspace: Workspace) -> FeatureScaling:
    return collection_scaling(workspace, np.random.default_rng(0))


def _vectors(workspace: Workspace, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.asarray(vectors_of(workspace)[rows], np.float32)


def _gain(difference: Difference) -> str:
    return decimal_interval(difference.gain, difference.low, difference.high, signed=True)


def _against_guessing(share: Share) -> str:
    interval = percent_interval(share.value, share.low, share.high)
    return f"{interval} of cases; guessing gives {percent(share.guessing)}"
