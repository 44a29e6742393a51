"""The classifier: a logistic regression on embeddings, one for each attribute, and the collection's scores."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.learning.evaluation import checked_labels
from bam_engine.learning.products import BLOCK, Vectors, products
from bam_engine.learning.threads import single_threaded_blas
from bam_engine.progress import Report, silent

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]

_C_GRID = (0.1, 1.0, 10.0, 100.0)  # for feature vectors of about unit length
_DEFAULT_C = 10.0  # with too few labels to tune C: the best or second best on real embeddings
_MIN_TO_FOLD = 5
_MIN_TO_TUNE = 20  # with fewer of a class, cross-validated log-loss prefers too strong a penalty
_MAX_FOLDS = 4
_MAX_IMBALANCE = 10.0
_FOLD_TOLERANCE = 5e-5  # largest component of the mean gradient at which a fit ends
_TOLERANCE = 1e-6
_MAX_ITERATIONS = 1000
_COLUMNS = 256  # features whose scaling is computed at a time, so that they fit into the processor's cache


@dataclass(frozen=True)
class FeatureScaling:
    """Mean and scale of each feature of the embeddings, each (d,)."""

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """A linear classifier: ``score = vector @ coefficients + intercept``.

    Scores are log-odds under balanced classes; only their order is meaningful for the collection. ``c`` is the inverse
    regularisation, scikit-learn's ``C``. ``decision_threshold`` is the score that best separates the labelled positives
    from the negatives, measured on images that the fold's classifier had not seen; uncertainty sampling may start
    there. ``seed`` made the folds: with the same labels it gives the same model.
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
    """The chosen C, the out-of-fold scores (n,), and the mean coefficients (d + 1,) of the folds."""

    c: float
    out_of_fold: npt.NDArray[np.float64] | None
    start: npt.NDArray[np.float64] | None


def feature_scaling(vectors: Vectors) -> FeatureScaling:
    """Return the mean and scale of each feature, from a sample of the collection (n, d); a few thousand rows suffice.

    The scale is the standard deviation times the square root of d, so that standardised vectors have about unit length
    for any encoder. Features with almost no variance are not amplified.
    """
    d = vectors.shape[1]
    mean, deviation = np.empty(d), np.empty(d)
    for start in range(0, d, _COLUMNS):
        part = slice(start, start + _COLUMNS)
        sample = np.asarray(vectors[:, part], dtype=np.float64)
        mean[part], deviation[part] = sample.mean(axis=0), sample.std(axis=0)
    floor = max(0.01 * float(np.sqrt(np.mean(deviation**2))), 1e-6)
    return FeatureScaling(mean, np.maximum(deviation, floor) * np.sqrt(d))


def train(
    embeddings: Vectors,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    scaling: FeatureScaling | None = None,
    rng: np.random.Generator,
) -> LinearModel:
    """Fit a regularised logistic regression on standardised embeddings.

    Parameters
    ----------
    embeddings : (n, d)
        The labelled images, in a reproducible order.
    labels : (n,) of 0 and 1
    groups : (n,) int, optional
        Projects. Folds keep the images of a project together when C is chosen.
    scaling : FeatureScaling, optional
        Of the collection (:func:`feature_scaling`). None: of the labelled images, which are few and not representative.
    rng : numpy.random.Generator
        Draws the seed of the folds.

    Returns
    -------
    LinearModel
        On unstandardised vectors: the standardisation is folded into its coefficients.

    Raises
    ------
    LearningError
        Only one class is labelled, or the input is inconsistent.

    Notes
    -----
    With at least 5 labels of each class, ``decision_threshold`` is measured on out-of-fold scores; with at least 20, C
    is chosen from a grid by out-of-fold log-loss. Classes are weighted to balance, by a factor of at most 10. The final
    fit starts from the folds' mean. Earlier models have no influence: the same labels and seed give the same model.
    """
    features, label = np.asarray(embeddings, dtype=np.float64), checked_labels(labels)
    if features.ndim != 2 or len(features) != len(label):
        raise LearningError(
            f"{len(label):,} labels do not match embeddings of shape {features.shape}. Give one label for each."
        )
    if not np.isfinite(features).all():
        raise LearningError("Some embeddings of labelled images are not finite. Compute the embeddings again.")
    _check_both_classes(label)
    seed = int(rng.integers(2**31))
    scaling = feature_scaling(features) if scaling is None else scaling
    features = (features - scaling.mean) / scaling.scale
    group = np.arange(len(label)) if groups is None else np.asarray(groups)
    folds = assign_folds(label, group, np.random.default_rng(seed))
    with single_threaded_blas():
        choice = _choose_c(features, label, folds)
        fitted = _fit(features, label, choice.c, start=choice.start, tolerance=_TOLERANCE)
    scores = features @ fitted[:-1] + fitted[-1] if choice.out_of_fold is None else choice.out_of_fold
    coefficients = fitted[:-1] / scaling.scale
    return LinearModel(
        coefficients=coefficients.astype(np.float32),
        intercept=float(fitted[-1] - scaling.mean @ coefficients),
        c=choice.c,
        n_positive=int(label.sum()),
        n_negative=int((~label).sum()),
        seed=seed,
        decision_threshold=decision_threshold(scores, label),
    )


def out_of_fold_scores(
    embeddings: Vectors,
    labels: npt.ArrayLike,
    model: LinearModel,
    *,
    groups: npt.ArrayLike,
    scaling: FeatureScaling,
) -> npt.NDArray[np.float64] | None:
    """Return the score of each labelled image by a classifier that did not learn from its project, (n,).

    The classifiers are those of the folds of ``model``, which was trained on the same labels; the class boundary is 0.
    None where there are too few labels for folds.
    """
    features = ((np.asarray(embeddings, np.float64) - scaling.mean) / scaling.scale).astype(np.float32)
    label = checked_labels(labels)
    folds = assign_folds(label, np.asarray(groups), np.random.default_rng(model.seed))
    if folds is None:
        return None
    scores = np.empty(len(label))
    with single_threaded_blas():
        for fold in range(int(folds.max()) + 1):
            unseen = folds == fold
            fitted = _fit(features[~unseen], label[~unseen], model.c, start=None, tolerance=_FOLD_TOLERANCE)
            scores[unseen] = features[unseen] @ fitted[:-1] + fitted[-1]
    return scores


def decision_threshold(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the score that best separates labelled positives from negatives.

    It minimises the balanced error (fraction of positives below plus fraction of negatives above) and lies half-way
    between the two scores next to it; of several equally good cuts, the middle one is taken. If only one class is
    present, it is the end of the scores beyond which the other class must lie.

    Parameters
    ----------
    scores, labels : (n,)

    Raises
    ------
    LearningError
        There are no images.

    Examples
    --------
    >>> decision_threshold([-3, -1, 2, 4], [0, 0, 1, 1])
    0.5
    """
    score, label = np.asarray(scores, dtype=np.float64), np.asarray(labels).astype(bool)
    if len(score) == 0:
        raise LearningError("A decision threshold needs labelled images, and there are none. Label a batch first.")
    if label.all() or not label.any():
        return float(score.min() if label.all() else score.max())
    values, index = np.unique(score, return_inverse=True)
    positives_below = np.cumsum(np.bincount(index, weights=label))[:-1] / label.sum()
    negatives_below = np.cumsum(np.bincount(index, weights=~label))[:-1] / (~label).sum()
    if len(values) == 1:
        return float(values[0])
    error = positives_below + 1 - negatives_below
    best = np.flatnonzero(error <= error.min() + 1e-12)
    cut = best[len(best) // 2]
    return float((values[cut] + values[cut + 1]) / 2)


def _check_both_classes(label: npt.NDArray[np.bool_]) -> None:
    n_positive, n = int(label.sum()), len(label)
    if n == 0:
        raise LearningError("No images are labelled yet. Label a batch first.")
    every = "The only labelled image is" if n == 1 else f"All {counted(n, 'labelled image')} are"
    if n_positive == 0:
        raise LearningError(
            f"{every} negative, and a classifier needs positives too. Start a round from a text or from example images."
        )
    if n_positive == n:
        raise LearningError(
            f"{every} positive, and a classifier needs negatives too. Start a round with diverse or random images."
        )


def _fit(
    features: Floats,
    label: npt.NDArray[np.bool_],
    c: float,
    *,
    start: Floats | None,
    tolerance: float,
) -> Floats:
    """Return the coefficients (d + 1,) of the logistic regression in the features' precision, the intercept last."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=c, tol=tolerance, max_iter=_MAX_ITERATIONS, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start[None, :-1], start[-1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fit that stops early is still a classifier
        model.fit(features, label, _sample_weights(label))
    return np.append(model.coef_[0], model.intercept_)


def _class_weights(label: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the weights of a negative and a positive: balanced up to a factor of 10, one on average."""
    fraction = float(label.mean())
    ratio = float(np.clip((1 - fraction) / fraction, 1 / _MAX_IMBALANCE, _MAX_IMBALANCE))
    unit = 1 / (1 - fraction + fraction * ratio)
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
    features: npt.NDArray[np.float64], label: npt.NDArray[np.bool_], folds: npt.NDArray[np.intp] | None
) -> _Choice:
    """Return the C with the least balanced out-of-fold log-loss, with its scores and mean coefficients."""
    if folds is None:
        return _Choice(_DEFAULT_C, None, None)
    single = features.astype(np.float32)  # half the time; the folds are only compared
    grid = _C_GRID if min(label.sum(), (~label).sum()) >= _MIN_TO_TUNE else (_DEFAULT_C,)
    n_folds = int(folds.max()) + 1
    out_of_fold = np.empty((len(grid), len(label)))
    mean = np.zeros((len(grid), features.shape[1] + 1))
    for fold in range(n_folds):
        taught, unseen = folds != fold, folds == fold
        trained_on, label_of, coefficients = single[taught], label[taught], None
        for number, c in enumerate(grid):  # each starts from the one before
            coefficients = _fit(trained_on, label_of, c, start=coefficients, tolerance=_FOLD_TOLERANCE)
            out_of_fold[number, unseen] = single[unseen] @ coefficients[:-1] + coefficients[-1]
            mean[number] += coefficients / n_folds
    losses = np.logaddexp(0, np.where(label, -out_of_fold, out_of_fold)) @ _sample_weights(label)
    best = int(np.argmin(losses))
    return _Choice(grid[best], out_of_fold[best], mean[best])


def _sample_weights(label: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the weight of each image when a classifier trains on all of them."""
    negative, positive = _class_weights(label)
    return np.where(label, positive, negative)


def score_all(
    vectors: Vectors, model: LinearModel, *, block: int = BLOCK, report: Report = silent
) -> npt.NDArray[np.float32]:
    """Return the score of every image, (N,) float32.

    Parameters
    ----------
    vectors : (N, d) float16
        May be a memory map larger than RAM. All-zero vectors (images without an embedding) get a score like any other;
        callers leave them out.
    block : int
        Rows widened to float32 at a time. 512 rows fit into the processor's cache, which is several times as fast as
        widening everything at once.
    """
    scores: npt.NDArray[np.float32] = score_many(vectors, [model], block=block, report=report)[0]
    return scores


def score_many(
    vectors: Vectors, models: Sequence[LinearModel], *, block: int = BLOCK, report: Report = silent
) -> npt.NDArray[np.float32]:
    """Return the scores (k, N) float32 of every image by each of ``k`` models, reading the vectors once.

    Parameters as for :func:`score_all`. Twenty models take two or three times as long as one.

    Raises
    ------
    LearningError
        A model was trained on vectors of another length.
    """
    for model in models:
        if vectors.ndim != 2 or vectors.shape[1] != len(model.coefficients):
            raise LearningError(
                f"The model was trained on vectors of {len(model.coefficients)} components, but the collection's have "
                f"shape {vectors.shape}. Train again with this encoder."
            )
    coefficients = [model.coefficients for model in models] or [np.empty((0, vectors.shape[1]), np.float32)]
    weights = np.vstack(coefficients).astype(np.float32).T
    scores = np.empty((len(models), len(vectors)), np.float32)
    products(vectors, weights, out=scores.T, block=block, report=report, message="scoring")
    scores += np.array([[model.intercept] for model in models], np.float32).reshape(-1, 1)
    return scores
