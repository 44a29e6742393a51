"""When to stop: the change that the last round brought, and whether another is likely to help."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count, decimal
from bam_engine.learning.comparison import MIN_PROJECTS, compare_models

Outcome = Literal["likely", "unlikely", "unknown"]

MIN_GAIN = 0.01  # the gain in average precision that makes a round worthwhile
STABLE_KAPPA = 0.95  # of successive decisions, in two consecutive rounds


_WORDS = {
    "likely": "Another round is likely to help.",
    "unlikely": "Another round is unlikely to help.",
    "unknown": "Whether another round helps cannot be told.",
}


@dataclass(frozen=True)
class Change:
    """What a round changed.

    ``gain`` is the change in average precision on the validation set, with its 95% limits. The ``n`` validation images
    have positives from ``positive_projects`` projects. ``flipped`` of the ``decided`` images of the collection changed
    sides of the decision threshold; ``kappa`` is Cohen's kappa of the two models' decisions (1960).
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
    """Whether another round is likely to help, unlikely to, or the data cannot tell; and the reason in one sentence."""

    outcome: Outcome
    reason: str

    @property
    def summary(self) -> str:
        """Two sentences for the person who decides."""
        return f"{_WORDS[self.outcome]} {self.reason}"


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
    repeats: int = 1000,
) -> Change:
    """Measure the change between two models.

    Parameters
    ----------
    before, after : (n,)
        Scores of the same validation images by the earlier and by the later model.
    labels, groups, weights : (n,)
        Labels, projects, and inverse inclusion probabilities (None: all equal).
    decided_before, decided_after : (N,) bool
        The decisions of the two models on the same images of the collection.

    The gain and its limits are those of :func:`~bam_engine.learning.comparison.compare_models`.

    Raises
    ------
    LearningError
        No validation image is positive, or the input is inconsistent.
    """
    if decided_before.shape != decided_after.shape:
        raise LearningError(
            f"Decisions of shapes {decided_before.shape} and {decided_after.shape} cannot be compared. Give the same "
            "images."
        )
    found = compare_models(
        before, after, labels, groups=groups, weights=weights, rng=rng, confidence=confidence, repeats=repeats
    )
    return Change(
        gain=found.gain,
        low=found.low,
        high=found.high,
        n=found.n,
        positive_projects=found.positive_projects,
        flipped=int((decided_before != decided_after).sum()),
        decided=len(decided_after),
        kappa=_kappa(decided_before, decided_after),
    )


def _kappa(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Return Cohen's kappa of two sets of decisions; 1 if they agree on every image."""
    agreement = float(np.mean(one == other)) if len(one) else 1.0
    by_chance = float(one.mean() * other.mean() + (~one).mean() * (~other).mean()) if len(one) else 1.0
    return 1.0 if agreement == 1 else (agreement - by_chance) / (1 - by_chance)


def advise(changes: Sequence[Change]) -> Advice:
    """Advise whether another round is likely to raise average precision by 0.01.

    Parameters
    ----------
    changes
        One for each round from the second on, oldest first; the last two count.

    Returns
    -------
    Advice
        "unlikely" if the upper limit of the last gain is below 0.01, with positives from at least ten projects, since
        gains rarely grow again; or if decisions on the collection have stabilised, with kappa of at least 0.95 in both
        of the last two rounds (after Bloodgood and Vijay-Shanker, 2009, who require a mean of 0.99 over smaller steps).
        "likely" only if the gain of the last round exceeds chance: its lower limit is above 0, with positives from at
        least ten projects. "unknown" otherwise, mostly because the validation set is too small.

    Notes
    -----
    This is a forecast, not a guarantee; ``benchmarks/stopping.py`` measures how often it was right.

    Examples
    --------
    >>> advise([]).outcome
    'unknown'
    """
    if not changes:
        return Advice("unknown", "A second trained round is needed to measure a change.")
    last = changes[-1]
    if last.high < MIN_GAIN and last.positive_projects >= MIN_PROJECTS:
        return Advice("unlikely", f"The last round raised average precision by less than {MIN_GAIN} (95% limit).")
    if len(changes) > 1 and all(each.kappa >= STABLE_KAPPA for each in changes[-2:]):
        return Advice(
            "unlikely", f"Decisions have stabilised: kappa {decimal(changes[-2].kappa)}, then {decimal(last.kappa)}."
        )
    if last.low > 0 and last.positive_projects >= MIN_PROJECTS:
        return Advice("likely", "The gain of the last round exceeds chance.")
    low, high = (decimal(limit, 3, signed=True) for limit in (last.low, last.high))
    return Advice(
        "unknown",
        f"The validation set is too small to tell: its positives come from "
        f"{count(last.positive_projects, 'project')}, and "
        f"the change of the last round lies between {low} and {high}.",
    )
