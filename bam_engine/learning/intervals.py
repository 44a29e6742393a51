"""Confidence intervals of proportions: exact, weighted, and with images clustered by project.

:func:`clopper_pearson` is exact for a simple random sample of images. :func:`proportions` gives the same limits if all
images have the same weight, and widens them if weights differ or projects repeat (Korn and Graubard, 1998).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Confidence limits."""

    low: float
    high: float


@dataclass(frozen=True)
class Proportions:
    """Proportions, each (c,): the estimate (nan without members), its limits, and the effective sample size."""

    value: Floats
    low: Floats
    high: Floats
    n_effective: Floats


def exact_bounds(k: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the two-sided Clopper-Pearson limits of ``k`` out of ``n``, elementwise; counts may be fractional.

    Without observations (``n`` 0) the limits are 0 and 1 (Clopper and Pearson, 1934).
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


def upper_bound_at_any_time(k: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95) -> Floats:
    """Return an upper limit of a proportion from ``k`` out of ``n``, elementwise, which may be asked at every ``n``.

    With probability ``confidence``, the limits at all ``n`` hold together: whoever looks until a limit is low enough
    is misled no more often than whoever looks once. An exact interval holds at one ``n`` that was fixed before. For
    independent observations in their order.

    Notes
    -----
    The likelihood ratio of all proportions together, mixed by a uniform prior, against one of them is a martingale
    under that one, so it ever reaches 1/(1 - confidence) with probability 1 - confidence at most (Robbins, "Statistical
    methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41, 1970). The limit is the
    proportion above ``k / n`` at which it does; 1 where ``k`` is ``n``.

    Examples
    --------
    >>> upper_bound_at_any_time([0, 10, 20], [5, 20, 20]).round(3).tolist()
    [0.616, 0.796, 1.0]
    """
    from scipy.special import betaln, xlog1py, xlogy

    hits, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    enough = -np.log(1 - checked_confidence(confidence))
    evidence = betaln(hits + 1, trials - hits + 1)
    low, high = hits / np.maximum(trials, 1), np.ones(hits.shape)
    for _ in range(50):
        middle = (low + high) / 2
        excluded = evidence - xlogy(hits, middle) - xlog1py(trials - hits, -middle) >= enough
        low, high = np.where(excluded, low, middle), np.where(excluded, middle, high)
    return high


def population_bounds(
    k: npt.ArrayLike, n: npt.ArrayLike, population: npt.ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the two-sided exact limits of how many items of a finite population are hits, elementwise.

    ``k`` of ``n`` items drawn without replacement are hits. The limits are the fewest and the most hits in the
    population with which so extreme a count is not too unlikely (hypergeometric; Wright, *Exact confidence bounds when
    sampling from small finite universes*, 1991). They are never wider than those of Clopper and Pearson, and meet where
    everything was drawn.

    Examples
    --------
    >>> low, high = population_bounds([0, 0, 1], [0, 200, 10], [50, 10_000, 10])
    >>> low.tolist(), high.tolist()
    ([0.0, 0.0, 1.0], [50.0, 180.0, 1.0])
    """
    from scipy.stats import hypergeom

    hits, drawn, size = (
        each.astype(np.int64) for each in np.broadcast_arrays(np.asarray(k), np.asarray(n), np.asarray(population))
    )
    tail = (1 - checked_confidence(confidence)) / 2
    fewest, most = hits, size - (drawn - hits)

    def boundary(possible: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]]) -> npt.NDArray[np.int64]:
        """Return the fewest hits in the population that are ``possible``, which all higher numbers are too."""
        below, at = fewest - 1, most.copy()
        while (undecided := at - below > 1).any():
            middle = (below + at) // 2
            inside = possible(np.clip(middle, fewest, most))
            at, below = np.where(undecided & inside, middle, at), np.where(undecided & ~inside, middle, below)
        return at

    low = boundary(lambda total: hypergeom.sf(hits - 1, size, total, drawn) > tail)
    too_many = boundary(lambda total: hypergeom.cdf(hits, size, total, drawn) <= tail)
    excluded = hypergeom.cdf(hits, size, too_many, drawn) <= tail
    return low.astype(np.float64), np.where(excluded, too_many - 1, most).astype(np.float64)


def labels_to_certify(
    proportion: float, target: float = 0.90, confidence: float = 0.95, *, design_effect: float = 1.0
) -> int | None:
    """Return how many labels certify ``target`` if this proportion of them is positive; None if no number does.

    The smallest ``n`` for which the one-sided exact lower limit of ``proportion * n`` out of ``n`` reaches the target.
    A sample of that size certifies it in about half of all cases.

    Parameters
    ----------
    proportion, target, confidence : float
        Between 0 and 1.
    design_effect : float
        Images that carry as much information as one independent image.

    Examples
    --------
    >>> labels_to_certify(1.0), labels_to_certify(0.95), labels_to_certify(0.90)
    (29, 107, None)
    """
    if not target < proportion <= 1:
        return None

    def enough(n: int) -> bool:
        effective = n / design_effect
        return bool(lower_bound(proportion * effective, effective, confidence) >= target)

    return fewest(enough)


def fewest(enough: Callable[[int], bool]) -> int:
    """Return the smallest positive number that is enough, where every larger one is, too.

    Examples
    --------
    >>> fewest(lambda n: n * n >= 50)
    8
    """
    few, many = 0, 1
    while not enough(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def clopper_pearson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return the exact binomial interval of ``k`` out of ``n`` (Clopper and Pearson, 1934).

    It covers the true proportion with at least probability ``confidence`` for independent draws. For draws without
    replacement it is conservative.

    Examples
    --------
    >>> clopper_pearson(9, 10)
    Interval(low=0.554983..., high=0.997471...)
    """
    _check_counts(k, n)
    low, high = exact_bounds(k, n, confidence)
    return Interval(float(low), float(high))


def wilson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of ``k`` out of ``n`` (1927): shorter than exact, right only on average."""
    from scipy.special import ndtri

    _check_counts(k, n)
    z = float(ndtri(1 - (1 - checked_confidence(confidence)) / 2))
    if n == 0:
        return Interval(0.0, 1.0)
    observed, shrink = k / n, 1 + z**2 / n
    middle = (observed + z**2 / (2 * n)) / shrink
    half = z / shrink * np.sqrt(observed * (1 - observed) / n + z**2 / (4 * n**2))
    return Interval(0.0 if k == 0 else float(middle - half), 1.0 if k == n else float(middle + half))


def _check_counts(k: float, n: float) -> None:
    if not 0 <= k <= n:
        raise LearningError(f"A proportion needs 0 <= k <= n, but k is {k} and n is {n}.")


def checked_confidence(confidence: float) -> float:
    """Return ``confidence`` if it lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise LearningError(f"Confidence must be between 0 and 1, not {confidence:g}. Use 0.95, for example.")
    return confidence


def proportions(
    hits: npt.NDArray[np.bool_],
    members: npt.NDArray[np.bool_],
    *,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Proportions:
    """Return the proportion of members that are hits, for many subsets of the same sample at once.

    Parameters
    ----------
    hits, members : (c, n) bool
        Subset by image. A hit that is not a member does not count.
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities, in any unit. None: all equal.
    groups : (n,) int, optional
        The project of each image.
    strata : (n,) int, optional
        Parts of the collection that were sampled by themselves. Their proportions get limits of their own, which are
        combined by MOVER (Zou and Donner, 2008): a few images of a part that was sampled thinly would vary little by
        chance among all others.

    Returns
    -------
    Shares
        Without weights and repeated projects the interval is Clopper-Pearson's, exact. Otherwise the count is first
        divided by the design effect (Korn and Graubard, 1998): the linearised variance of the ratio between projects
        over the binomial variance, never below 1, so that the interval is never shorter than the exact one. A
        proportion of 0 or 1 shows no variance; each project then counts as one observation (intra-project correlation
        1).

    Examples
    --------
    >>> estimate = proportions(np.array([[1, 1, 0, 0]], bool), np.array([[1, 1, 1, 1]], bool), groups=[0, 0, 1, 1])
    >>> estimate.value, estimate.n_effective
    (array([0.5]), array([1.]))
    """
    if strata is not None:
        return _stratified(hits, members, np.asarray(strata), weights, groups, confidence)
    n = members.shape[1]
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    code = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    count = members.sum(axis=1).astype(np.float64)
    total = members @ weight
    nonempty = total > 0
    value = np.divide((hits & members) @ weight, total, out=np.full(len(total), np.nan), where=nonempty)
    simple = weights is None and (groups is None or len(np.unique(code)) == n)
    effective = count if simple else _effective_size(hits, members, weight, code, value, count)
    low, high = exact_bounds(np.where(nonempty, value, 0) * effective, effective, confidence)
    return Proportions(value, low, high, effective)


def _stratified(
    hits: npt.NDArray[np.bool_],
    members: npt.NDArray[np.bool_],
    strata: npt.NDArray[np.int64],
    weights: npt.ArrayLike | None,
    groups: npt.ArrayLike | None,
    confidence: float,
) -> Proportions:
    """Combine the proportions of all strata, each with the weight of its members."""
    insides = [members & (strata == each) for each in np.unique(strata)]
    parts = [proportions(hits, inside, weights=weights, groups=groups, confidence=confidence) for inside in insides]
    weight = np.ones(members.shape[1]) if weights is None else np.asarray(weights, dtype=np.float64)
    mass = np.array([inside @ weight for inside in insides]).reshape(len(parts), len(members))
    total = mass.sum(axis=0)
    share = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
    value, low, high = (
        np.array([getattr(part, name) for part in parts]).reshape(mass.shape) for name in ("value", "low", "high")
    )
    inside_value = np.nan_to_num(value)
    combined = np.where(total > 0, (share * inside_value).sum(axis=0), np.nan)
    below = np.sqrt(((share * (inside_value - low)) ** 2).sum(axis=0))
    above = np.sqrt(((share * (high - inside_value)) ** 2).sum(axis=0))
    return Proportions(
        combined,
        np.where(total > 0, np.maximum(combined - below, 0), 0.0),
        np.where(total > 0, np.minimum(combined + above, 1), 1.0),
        np.array([part.n_effective for part in parts]).reshape(mass.shape).sum(axis=0),
    )


def _effective_size(
    hits: npt.NDArray[np.bool_],
    members: npt.NDArray[np.bool_],
    weight: Floats,
    code: npt.NDArray[np.intp],
    value: Floats,
    count: Floats,
) -> Floats:
    """Return the effective sample size (c,) of each subset."""
    centre = np.where(count > 0, value, 0.0)[:, None]
    mass = _by_group(members * weight, code)
    residual = _by_group(np.where(members, hits - centre, 0.0) * weight, code)
    clusters = np.maximum((mass > 0).sum(axis=1), 1)
    nonempty = count > 0
    total = np.where(nonempty, mass.sum(axis=1), 1.0)
    kish = total**2 / np.where(nonempty, (mass**2).sum(axis=1), 1.0)
    variance = (residual**2).sum(axis=1) / total**2 * clusters / np.maximum(clusters - 1, 1)
    binomial = centre[:, 0] * (1 - centre[:, 0])
    varies = (binomial > 1e-12) & (variance > 1e-12 * binomial)
    effective = np.where(varies, np.divide(binomial, variance, out=kish.copy(), where=varies), kish)
    return np.where(nonempty, np.clip(effective, np.minimum(1.0, count), count), 0.0)


def _by_group(values: Floats, code: npt.NDArray[np.intp]) -> Floats:
    """Return the column sums of each group, (c, g)."""
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
    """Return the percentile bootstrap interval of a statistic, resampling whole projects.

    Parameters
    ----------
    statistic : callable
        Takes positions in the sample, possibly repeated, and returns a number; nan (undefined) is left out.
    groups : (n,) int
        The project of each image of the sample.

    Notes
    -----
    Approximate, and useless if the sample shows no variation: a proportion of 1 gives the interval [1, 1]. For
    proportions use :func:`proportions`.

    Raises
    ------
    LearningError
        There are no images.
    """
    tail = (1 - checked_confidence(confidence)) / 2
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    if len(code) == 0:
        raise LearningError("An interval needs at least one labelled image, and there are none. Label some first.")
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
