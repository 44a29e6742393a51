"""From labelled embeddings to scores: one linear classifier an attribute.

In:  embeddings (n, d) and labels (n,); then the vectors of the whole collection (N, d), float16 on disk.
Out: a model of d + 1 numbers, and scores (N,). Knows nothing of where labels come from or what is asked next.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import checked_labels
from bam_engine.learning.logistic import Spectrum, fit_many, spectrum_of
from bam_engine.learning.query import decision_threshold
from bam_engine.learning.threads import single_threaded_blas
from bam_engine.progress import Report, silent

Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

_C_GRID = (0.1, 1.0, 10.0, 100.0)  # C, for features whose vectors have a length of about 1
_DEFAULT_C = 10.0  # when there are too few labels to compare: the best or next to it on real embeddings
_MIN_TO_FOLD = 5
_MIN_TO_TUNE = 20  # with fewer of a class the log-loss of the folds prefers too strong a penalty
_MAX_FOLDS = 4
_MAX_IMBALANCE = 10.0
_SPAN = 32_768  # rows that one thread scores at a time
_MAX_WORKERS = 4
_CONSTANT = 10.0  # the feature of the intercept
_FOLD_TOLERANCE = 1e-2  # 5e-5 of log-loss in all
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class FeatureScaling:
    """Where the embeddings lie and how wide they are, feature by feature: mean and scale, each (d,)."""

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """``score = vector @ coefficients + intercept``: the log-odds under balanced classes; only the order is promised.

    ``decision_threshold`` is the score that best parts the labelled positives from the negatives, judged on
    images that the
    fold's classifier had not seen: where the next question tells most. ``seed`` made the folds; with the same labels
    it makes the same model.
    """

    coefficients: npt.NDArray[np.float32]
    intercept: float
    c: float
    n_positive: int
    n_negative: int
    seed: int
    decision_threshold: float


@dataclass(frozen=True)
class _Choice:
    """The strength, the scores (n,) by the folds that had not seen the image, and the folds' mean coefficients (d,)."""

    c: float
    unseen: npt.NDArray[np.float64] | None
    start: npt.NDArray[np.float64] | None


def feature_scaling(vectors: Vectors) -> FeatureScaling:
    """Return mean and scale of a sample of the collection (n, d); a few thousand rows do.

    The scale is the standard deviation times the root of d, so that standardised vectors have a length of about 1
    whatever the encoder. Features that hardly vary are not blown up.
    """
    sample = np.asarray(vectors, dtype=np.float64)
    spread = sample.std(axis=0)
    floor = max(0.01 * float(np.sqrt(np.mean(spread**2))), 1e-6)
    return FeatureScaling(sample.mean(axis=0), np.maximum(spread, floor) * np.sqrt(sample.shape[1]))


def train(
    embeddings: Vectors,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    moments: FeatureScaling | None = None,
    rng: np.random.Generator,
) -> LinearModel:
    """Fit a logistic regression on standardised embeddings and fold the standardisation into its coefficients.

    Parameters
    ----------
    embeddings : (n, d)
        The labelled images, in any order that is the same next time.
    labels : (n,) of 0 and 1
    groups : (n,) int, optional
        Projects; no project lies in two folds when the regularisation is chosen.
    moments : FeatureScaling, optional
        Of the collection (:func:`feature_scaling`). None: those of the labelled images, which are few and not typical.

    Notes
    -----
    From five labels of each class on, ``decision_threshold`` is judged on folds the classifier has not seen;
    from 20 on, the
    strength C comes from a grid by the log-loss on these folds. Classes are weighted to balance, by a factor of at
    most 10. The last fit starts where the folds arrived. The last round's model is no part of it: the same labels and
    seed make the same model whatever came before.

    Raises
    ------
    LearningError
        One class is missing, or the input does not fit together.
    """
    features, label = np.asarray(embeddings, dtype=np.float64), checked_labels(labels)
    if features.ndim != 2 or len(features) != len(label):
        raise LearningError(f"{len(label)} labels were given with embeddings of shape {features.shape}.")
    if not np.isfinite(features).all():
        raise LearningError("some embeddings of labelled images are not finite numbers. Embed the collection again.")
    _check_both_classes(label)
    seed = int(rng.integers(2**31))
    moments = feature_scaling(features) if moments is None else moments
    features = (features - moments.mean) / moments.scale
    group = np.arange(len(label)) if groups is None else np.asarray(groups)
    folds = assign_folds(label, group, np.random.default_rng(seed))
    features = _with_constant(features)
    with single_threaded_blas():
        spectrum = spectrum_of(features)
        choice = _choose_c(features, label, folds, spectrum)
        fitted = _fit(features, label, choice, spectrum)
    scores = features @ fitted if choice.unseen is None else choice.unseen
    coefficients = fitted[:-1] / moments.scale
    return LinearModel(
        coefficients=coefficients.astype(np.float32),
        intercept=float(fitted[-1] * _CONSTANT - moments.mean @ coefficients),
        c=choice.c,
        n_positive=int(label.sum()),
        n_negative=int((~label).sum()),
        seed=seed,
        decision_threshold=decision_threshold(scores, label),
    )


def _check_both_classes(label: npt.NDArray[np.bool_]) -> None:
    n_positive, n = int(label.sum()), len(label)
    if n == 0:
        raise LearningError("no image is labelled yet. Label a batch first.")
    if n_positive == 0:
        raise LearningError(
            f"all {n} labelled images are negative: a classifier needs a positive one too. "
            "Ask a batch that looks for it: from a text prompt or from example images."
        )
    if n_positive == n:
        raise LearningError(
            f"all {n} labelled images are positive: a classifier needs a negative one too. "
            "Ask a spread or a random batch."
        )


def _fit(
    features: npt.NDArray[np.float64], label: npt.NDArray[np.bool_], choice: _Choice, spectrum: Spectrum
) -> npt.NDArray[np.float64]:
    """Return the coefficients (d,) on all labels, starting where the folds arrived."""
    weight = _weight_of_each(label, np.ones(len(label), bool))
    found = fit_many(
        features,
        label,
        weight[:, None],
        [choice.c],
        spectrum=spectrum,
        start=None if choice.start is None else choice.start[:, None],
        tolerance=_TOLERANCE,
    )
    return np.asarray(found[:, 0], np.float64)


def _with_constant(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the features with the one for the intercept: so large that the penalty on it is negligible."""
    return np.column_stack([features, np.full(len(features), _CONSTANT)])


def _class_weights(label: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the weights of a negative and a positive: balanced up to a factor, one on average."""
    share = float(label.mean())
    ratio = float(np.clip((1 - share) / share, 1 / _MAX_IMBALANCE, _MAX_IMBALANCE))
    unit = 1 / (1 - share + share * ratio)
    return unit, unit * ratio


def assign_folds(
    label: npt.NDArray[np.bool_], group: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.intp] | None:
    """Return the fold of each image, whole groups together and both classes spread; None where there are too few."""
    code = np.unique(group, return_inverse=True)[1]
    has_positive = np.bincount(code, weights=label) > 0
    has_negative = np.bincount(code, weights=~label) > 0
    n_folds = min(_MAX_FOLDS, int(has_positive.sum()), int(has_negative.sum()))
    if n_folds < 2 or min(label.sum(), (~label).sum()) < _MIN_TO_FOLD:
        return None
    shuffled = rng.permutation(len(has_positive))
    dealt = np.empty(len(shuffled), dtype=np.intp)
    dealt[shuffled[np.argsort(~has_positive[shuffled], kind="stable")]] = np.arange(len(shuffled)) % n_folds
    fold = dealt[code]
    both = all(len(np.unique(label[fold != f])) == 2 for f in range(n_folds))
    return fold if both else None


def _choose_c(
    features: npt.NDArray[np.float64],
    label: npt.NDArray[np.bool_],
    folds: npt.NDArray[np.intp] | None,
    spectrum: Spectrum,
) -> _Choice:
    """Return the strength of least balanced log-loss on unseen folds, and what the folds found there."""
    if folds is None:
        return _Choice(_DEFAULT_C, None, None)
    narrow = features.astype(np.float32)  # half the time; the folds are compared, not kept
    taught = folds[:, None] != np.arange(folds.max() + 1)
    weight = np.where(taught, np.stack([_weight_of_each(label, part) for part in taught.T], axis=1), 0)
    enough = min(label.sum(), (~label).sum()) >= _MIN_TO_TUNE
    strengths = _C_GRID if enough else (_DEFAULT_C,)
    found = fit_many(
        narrow,
        label,
        np.tile(weight, len(strengths)),
        np.repeat(strengths, taught.shape[1]),
        spectrum=spectrum,
        tolerance=_FOLD_TOLERANCE,
    )
    scores = (narrow @ found).reshape(len(label), len(strengths), -1)
    unseen = scores[np.arange(len(label)), :, folds].astype(np.float64)
    margin = np.where(label[:, None], unseen, -unseen)
    losses = _weight_of_each(label, np.ones(len(label), bool)) @ np.logaddexp(0, -margin)
    best = int(np.argmin(losses))
    own = found.reshape(len(found), len(strengths), -1)[:, best]
    return _Choice(strengths[best], unseen[:, best], own.mean(axis=1, dtype=np.float64))


def _weight_of_each(label: npt.NDArray[np.bool_], part: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the weight of every image when those of ``part`` teach."""
    negative, positive = _class_weights(label[part])
    return np.where(label, positive, negative)


def widen(vectors: Vectors, wide: npt.NDArray[np.float32]) -> None:
    """Copy into ``wide``; finite float16 by integer operations, several times as fast as numpy's conversion.

    Sign-extended to 32 bits and shifted by 13, the parts of a float16 stand where a float32 has them; only the bias of
    the exponent is 112 too small, which a multiplication mends, for subnormal numbers as well.
    """
    if vectors.dtype != np.float16:
        np.copyto(wide, vectors, casting="same_kind")
        return
    bits = wide.view(np.int32)
    np.copyto(bits, vectors.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, np.int32(-0x70002000), out=bits)  # 0x8FFFE000: sign, exponent, mantissa
    np.multiply(wide, np.float32(2.0**112), out=wide)


def score_all(
    vectors: Vectors, model: LinearModel, *, block: int = 512, report: Report = silent
) -> npt.NDArray[np.float32]:
    """Return the score of every image, (N,) float32.

    Parameters
    ----------
    vectors : (N, d) float16
        May be a memory map larger than the memory. Images that could not be embedded (all zero) are scored like the
        others; whoever makes the pool leaves them out.
    block : int
        Rows widened to float32 at a time. 512 rows stay in the processor's cache: several times the speed of widening
        the whole.
    """
    scores: npt.NDArray[np.float32] = score_many(vectors, [model], block=block, report=report)[0]
    return scores


def score_many(
    vectors: Vectors, models: Sequence[LinearModel], *, block: int = 512, report: Report = silent
) -> npt.NDArray[np.float32]:
    """Return the scores (k, N) float32 of every image by each of ``k`` models, reading the vectors once.

    The parameters are those of :func:`score_all`. Reading and widening is done once for all of them, so twenty models
    take two or three times as long as one.
    """
    for model in models:
        if vectors.ndim != 2 or vectors.shape[1] != len(model.coefficients):
            raise LearningError(
                f"the model was trained on vectors of {len(model.coefficients)} numbers, the collection's have shape "
                f"{vectors.shape}. Train it again with this encoder."
            )
    n = len(vectors)
    weights = np.stack([model.coefficients for model in models], axis=1) if models else np.empty((vectors.shape[1], 0))
    intercepts = np.array([model.intercept for model in models], np.float32)
    scores = np.empty((len(models), n), np.float32)

    def score(start: int) -> int:
        end = min(start + _SPAN, n)
        _score_span(vectors[start:end], weights.astype(np.float32), intercepts, scores[:, start:end], block)
        return end

    with single_threaded_blas():
        workers = ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS))
        try:
            for end in workers.map(score, range(0, n, _SPAN)):
                report(end, n, "scoring")
        finally:
            workers.shutdown(cancel_futures=True)
    return scores


def _score_span(
    vectors: Vectors,
    weights: npt.NDArray[np.float32],
    intercepts: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    block: int,
) -> None:
    wide = np.empty((block, vectors.shape[1]), np.float32)
    for start in range(0, len(vectors), block):
        part = wide[: min(block, len(vectors) - start)]
        widen(vectors[start : start + block], part)
        scores[:, start : start + len(part)] = np.matmul(part, weights).T
    scores += intercepts[:, None]
