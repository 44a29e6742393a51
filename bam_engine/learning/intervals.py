"""How sure a share is: exact, weighted and by-project intervals.

In:  counts, or who is a member and who is a hit, with sampling weights and project codes.
Out: intervals. Knows nothing of scores, images or rounds.

Two kinds stand here. :func:`clopper_pearson` is exact for a simple random sample of images.
:func:`proportions` gives the
same numbers when every image counts once, and widens them when weights differ or projects repeat (Korn and Graubard).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A range that holds the true value with the confidence that was asked."""

    low: float
    high: float


@dataclass(frozen=True)
class Proportions:
    """One share per question, each (c,): estimate (nan without members), interval, and the count it is worth."""

    value: Floats
    low: Floats
    high: Floats
    n_effective: Floats


def exact_bounds(k: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the two-sided Clopper-Pearson limits of ``k`` out of ``n``, elementwise; counts may be fractional.

    Without observations (``n`` 0) the limits are 0 and 1.
    """
    tail = (1 - checked_confidence(confidence)) / 2
    return _lower(k, n, tail), 1 - _lower(np.subtract(n, k), n, tail)


def lower_bound(k: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95) -> Floats:
    """Return the one-sided exact lower limit of ``k`` out of ``n``, elementwise.

    Examples
    --------
    >>> [bool(lower_bound(k, n) >= 0.90) for k, n in ((95, 100), (96, 100), (188, 200), (371, 400))]
    [False, True, True, True]
    """
    return _lower(k, n, 1 - checked_confidence(confidence))


def _lower(k: npt.ArrayLike, n: npt.ArrayLike, tail: float) -> Floats:
    from scipy.special import betaincinv

    hits, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    some = hits > 0
    low: Floats = np.where(some, betaincinv(np.where(some, hits, 1), np.where(some, trials - hits, 0) + 1, tail), 0.0)
    return low


def labels_to_certify(
    share: float, target: float = 0.90, confidence: float = 0.95, *, design_effect: float = 1.0
) -> int | None:
    """Return how many labels show ``target`` if ``share`` are positive; None if none ever do.

    The smallest ``n`` whose one-sided exact lower limit for ``share * n`` out of ``n`` reaches the target: a sample of
    that size shows it in about half of all cases.

    Examples
    --------
    >>> labels_to_certify(1.0), labels_to_certify(0.95), labels_to_certify(0.90)
    (29, 107, None)
    """
    if not target < share <= 1:
        return None

    def enough(n: int) -> bool:
        worth = n / design_effect
        return bool(lower_bound(share * worth, worth, confidence) >= target)

    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def clopper_pearson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return the exact binomial interval of ``k`` out of ``n`` (Clopper and Pearson, 1934).

    It covers the true share at least as often as ``confidence`` says, for independent draws and, being then too wide,
    for draws without replacement.

    Examples
    --------
    >>> clopper_pearson(9, 10)
    Interval(low=0.554983..., high=0.997471...)
    """
    _check_counts(k, n)
    low, high = exact_bounds(k, n, confidence)
    return Interval(float(low), float(high))


def wilson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of ``k`` out of ``n``: shorter than the exact one, right only on average."""
    from scipy.special import ndtri

    _check_counts(k, n)
    z = float(ndtri(1 - (1 - checked_confidence(confidence)) / 2))
    if n == 0:
        return Interval(0.0, 1.0)
    share, shrink = k / n, 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / shrink
    half = z / shrink * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(0.0 if k == 0 else float(middle - half), 1.0 if k == n else float(middle + half))


def _check_counts(k: float, n: float) -> None:
    if not 0 <= k <= n:
        raise LearningError(f"a share needs 0 <= k <= n; k is {k} and n is {n}.")


def checked_confidence(confidence: float) -> float:
    """Return ``confidence`` if it lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise LearningError(f"a confidence lies between 0 and 1; {confidence} was asked. Use 0.95, say.")
    return confidence


def proportions(
    hits: npt.NDArray[np.bool_],
    members: npt.NDArray[np.bool_],
    *,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Proportions:
    """Return what share of the members are hits, for many questions over the same sample at once.

    Parameters
    ----------
    hits, members : (c, n) bool
        Question by image. A hit that is no member does not count.
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities, in any unit. None: every image counts once.
    groups : (n,) int, optional
        The project of each image.

    Returns
    -------
    Shares
        Without weights and without a repeated project the interval is Clopper-Pearson's, exact. Otherwise the count is
        divided by the design effect before (Korn and Graubard, 1998): the ratio's linearised variance between
        projects over the binomial one, never below 1, so that the interval never gets shorter than the exact one. A
        share of 0 or 1 shows no variance; then each project counts as one observation (intra-project correlation 1).

    Examples
    --------
    >>> found = proportions(np.array([[1, 1, 0, 0]], bool), np.array([[1, 1, 1, 1]], bool), groups=[0, 0, 1, 1])
    >>> found.value, found.n_effective
    (array([0.5]), array([1.]))
    """
    n = members.shape[1]
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    code = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    count = members.sum(axis=1).astype(np.float64)
    total = members @ weight
    there = total > 0
    value = np.divide((hits & members) @ weight, total, out=np.full(len(total), np.nan), where=there)
    plain = weights is None and (groups is None or len(np.unique(code)) == n)
    worth = count if plain else _effective(hits, members, weight, code, value, count)
    low, high = exact_bounds(np.where(there, value, 0) * worth, worth, confidence)
    return Proportions(value, low, high, worth)


def _effective(
    hits: npt.NDArray[np.bool_],
    members: npt.NDArray[np.bool_],
    weight: Floats,
    code: npt.NDArray[np.intp],
    value: Floats,
    count: Floats,
) -> Floats:
    """Return how many independent images each question's members are worth."""
    centre = np.where(count > 0, value, 0.0)[:, None]
    mass = _by_group(members * weight, code)
    residual = _by_group(np.where(members, hits - centre, 0.0) * weight, code)
    clusters = np.maximum((mass > 0).sum(axis=1), 1)
    there = count > 0
    total = np.where(there, mass.sum(axis=1), 1.0)
    kish = total**2 / np.where(there, (mass**2).sum(axis=1), 1.0)
    variance = (residual**2).sum(axis=1) / total**2 * clusters / np.maximum(clusters - 1, 1)
    binomial = centre[:, 0] * (1 - centre[:, 0])
    varies = (binomial > 1e-12) & (variance > 1e-12 * binomial)
    worth = np.where(varies, np.divide(binomial, variance, out=kish.copy(), where=varies), kish)
    return np.where(there, np.clip(worth, np.minimum(1.0, count), count), 0.0)


def _by_group(values: Floats, code: npt.NDArray[np.intp]) -> Floats:
    """Return the sums of the columns of each group, (c, g)."""
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    summed: Floats = np.add.reduceat(values[:, order], starts, axis=1)
    return summed


def cluster_bootstrap(
    statistic: Callable[[npt.NDArray[np.intp]], float],
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    repeats: int = 1000,
) -> Interval:
    """Return the percentile interval of any statistic, drawing whole projects with replacement.

    Parameters
    ----------
    statistic : callable
        Takes positions in the sample (repeats allowed) and returns a number; nan (undefined) draws are left out.
    groups : (n,) int
        The project of each image of the sample.

    Notes
    -----
    Approximate, and of no use where the sample shows no variation: a share of 1 gives the interval [1, 1]. For shares
    use :func:`proportions`.
    """
    tail = (1 - checked_confidence(confidence)) / 2
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    if len(code) == 0:
        raise LearningError("an interval needs at least one labelled image; none is there. Label some first.")
    members = np.split(np.argsort(code, kind="stable"), np.flatnonzero(np.diff(np.sort(code))) + 1)
    values = np.array(
        [
            statistic(np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))]))
            for _ in range(repeats)
        ]
    )
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))
