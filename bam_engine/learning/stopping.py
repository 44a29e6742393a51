"""What the last round bought, and whether another is likely to pay.

In:  the scores of two successive models on the validation set and on the collection, labels, projects, weights.
Out: the change with its interval, and an advice in words. Knows nothing of rounds in store, people or pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import average_precision, checked_sample
from bam_engine.learning.intervals import clopper_pearson, cluster_bootstrap

Outcome = Literal["likely", "unlikely", "unknown"]

MIN_GAIN = 0.01  # a gain in average precision that is worth a round
STABLE_KAPPA = 0.95  # kappa of successive decisions, two rounds running
UNSTABLE_KAPPA = 0.80
MIN_PROJECTS = 10  # with positives; with fewer the interval of a gain is too short to argue from


@dataclass(frozen=True)
class Change:
    """What a round changed.

    ``gain`` is the change in average precision on the validation set with its 95 % limits; ``n`` images, with positives
    of ``positive_projects`` projects. ``flipped`` of ``decided`` images of the collection are on the other side of the
    separation point now; ``kappa`` is Cohen's agreement of the two models' decisions.
    """

    gain: float
    low: float
    high: float
    n: int
    positive_projects: int
    flipped: int
    decided: int
    kappa: float


@dataclass(frozen=True)
class Advice:
    """Whether another round is likely to pay, unlikely, or this cannot be told; and the reason in one sentence."""

    outcome: Outcome
    reason: str


def measure_change(
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    decided_before: npt.NDArray[np.bool_],
    decided_after: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    confidence: float = 0.95,
    repeats: int = 400,
) -> Change:
    """Measure what lies between two models.

    Parameters
    ----------
    before, after : (n,)
        Scores of the same validation images by the earlier and the later model.
    labels, groups, weights : (n,)
        Answers, projects, inverse inclusion probabilities (None: every image counts once).
    decided_before, decided_after : (N,) bool
        The decisions of the two models on the same images of the collection.

    Notes
    -----
    The interval of the gain is a percentile bootstrap over projects that draws both models' scores together: what is
    hard for both cancels out. It is approximate, and too short with few positive projects. Where no draw shows a
    difference it would collapse to a point; then up to the exact upper limit of 0 out of as many as there are positive
    projects may have changed, by 1 each at most.

    Raises
    ------
    LearningError
        No validation image is positive, or the input does not fit together.
    """
    old, new = (checked_sample(scores, labels, weights, groups) for scores in (before, after))
    if decided_before.shape != decided_after.shape:
        raise LearningError(f"decisions on {decided_before.shape} and {decided_after.shape} images cannot be compared.")
    if not new.labels.any():
        raise LearningError(f"none of the {len(new.labels)} validation images is positive, so no gain can be measured.")
    project = np.asarray(groups, dtype=np.int64)

    def difference(places: npt.NDArray[np.intp]) -> float:
        weight = None if new.weights is None else new.weights[places]
        label = new.labels[places]
        return average_precision(new.scores[places], label, weights=weight) - average_precision(
            old.scores[places], label, weights=weight
        )

    limits = cluster_bootstrap(difference, project, rng=rng, confidence=confidence, repeats=repeats)
    gain = difference(np.arange(len(project)))
    positive_projects = len(np.unique(project[new.labels]))
    unseen = clopper_pearson(0, positive_projects, confidence).high if limits.low == limits.high else 0.0
    return Change(
        gain=gain,
        low=min(limits.low, gain) - unseen,
        high=max(limits.high, gain) + unseen,
        n=len(project),
        positive_projects=positive_projects,
        flipped=int((decided_before != decided_after).sum()),
        decided=len(decided_after),
        kappa=_kappa(decided_before, decided_after),
    )


def _kappa(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Return Cohen's kappa of two sets of decisions; 1 where both say the same of every image."""
    agreed = float(np.mean(one == other)) if len(one) else 1.0
    by_chance = float(one.mean() * other.mean() + (~one).mean() * (~other).mean()) if len(one) else 1.0
    return 1.0 if agreed == 1 else (agreed - by_chance) / (1 - by_chance)


def advise(changes: Sequence[Change]) -> Advice:
    """Say whether another round is likely to raise the average precision by 0.01.

    Parameters
    ----------
    changes
        One a round from the second on, oldest first; the last two are looked at.

    Returns
    -------
    Advice
        "unlikely": the upper limit of the last gain is below 0.01, on positives of at least ten projects, for gains
        seldom grow again; or the decisions on the collection have settled, with kappa of at least 0.95 in each of the
        last two rounds (the idea of Bloodgood and Vijay-Shanker, 2009, who ask for a mean of 0.99 over smaller steps).
        "likely": there was a gain, and it is beyond chance or the decisions are still moving (kappa below 0.80).
        "unknown": neither, mostly because the validation set is too small.

    Notes
    -----
    A forecast and no guarantee: ``benchmarks/stopping.py`` counts how often it was right.
    """
    if not changes:
        return Advice("unknown", "it takes two trained rounds to see what one of them bought.")
    last = changes[-1]
    if last.high < MIN_GAIN and last.positive_projects >= MIN_PROJECTS:
        return Advice("unlikely", f"the last round raised the average precision by less than {MIN_GAIN} (95 % limit).")
    if len(changes) > 1 and all(each.kappa >= STABLE_KAPPA for each in changes[-2:]):
        return Advice("unlikely", f"the decisions have settled: kappa {changes[-2].kappa:.2f}, then {last.kappa:.2f}.")
    if last.gain > 0 and last.low > 0:
        return Advice("likely", "the gain of the last round is beyond chance.")
    if last.gain > 0 and last.kappa < UNSTABLE_KAPPA:
        return Advice("likely", f"the last round gained, and the decisions are still moving: kappa {last.kappa:.2f}.")
    several = "project" if last.positive_projects == 1 else "projects"
    return Advice(
        "unknown",
        f"the validation set is too small to tell: its positives come from {last.positive_projects} {several}, and the "
        f"change of the last round lies between {last.low:+.3f} and {last.high:+.3f}.",
    )
