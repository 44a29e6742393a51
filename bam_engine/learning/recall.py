"""From scores to a decision: the strictest threshold that keeps a promised recall.

In:  scores and labels of a random validation set, which draw each image came with, its project.
Out: one cut and its evidence. Knows nothing of images, rounds or pages.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import checked_sample
from bam_engine.learning.intervals import Floats, checked_confidence

_SPENT = 0.9  # of the risk that is left is spent by each draw that could show anything


@dataclass(frozen=True)
class RecallThreshold:
    """The strictest cut that certainly keeps a recall.

    ``value`` is None where nothing but accepting everything would; ``missing`` is then about how many more images have
    to be drawn at random and labelled, None where no positive has been seen yet. ``n_positive`` positives were seen,
    ``n_below`` of them score below the cut: images, in the draws by which the cut was shown.
    """

    value: float | None
    target: float
    confidence: float
    n_positive: int
    n_below: int
    missing: int | None

    @property
    def evidence(self) -> str:
        """One or two sentences for the person who decides."""
        seen = f"{self.n_positive} positives are among the random validation images"
        if self.value is not None:
            return (
                f"Recall is at least {self.target:g} with {100 * self.confidence:.4g}% confidence when scores of at "
                f"least {self.value:.3f} are accepted: {seen}, {self.n_below} of them below."
            )
        more = "" if self.missing is None else f" Label about {self.missing:,} more random images."
        return f"No cut can be sure of a recall of {self.target:g} yet: {seen}.{more}"


def certify_recall(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    groups: npt.ArrayLike | None = None,
    draws: npt.ArrayLike | None = None,
) -> RecallThreshold:
    """Return the highest cut that keeps ``target`` of the positives, for a random sample of images.

    The positives of a random sample are a random sample of the positives. So the chance that more than a share
    ``1 - target`` of all positives scores below the ``j``-th lowest of ``n`` seen is at most that of fewer than ``j``
    binomial hits: the cut is the highest such score whose chance is at most ``1 - confidence`` (a one-sided tolerance
    limit, Wilks, 1941). It holds for whatever curve, is valid although the cut is chosen by the sample, and needs 29
    positives for 0.90 at 95 %.

    **What holds with projects.** The promise is about the images of the collection that was drawn from, near-copies
    among them, and not about further makers. For a simple random sample it is exact whatever resembles what: only the
    draw is random. :func:`~bam_engine.learning.draw_validation` gives every image the same probability too and spreads
    them over the projects. That is a stratification: how many images come from a part of the collection varies no more
    than in a simple random sample, and sums of independent draws with unequal probabilities have lighter tails than
    the binomial (Hoeffding, 1956). So a sample drawn so needs no ``groups``; ``benchmarks/guarantee.py`` measures it
    on projects of very unequal sizes whose images all score alike.

    Labels spent by score would not save many: whoever must rule out, whatever the curve, that a tenth of ``P``
    positives hides among ``M`` images of low score has to look at ``ln(20) M / (P / 10)``, about ``30 M / P`` of them;
    this looks at ``29 N / P`` of all ``N``.

    Parameters
    ----------
    groups : (n,) int, optional
        Projects, where whole projects were drawn instead of images. All images of a project then count as saying the
        same: the ``n`` positives are worth ``n² / sum(n_g²)`` independent ones (Kish, 1965; intra-project correlation
        1), and the share below is that of the images. Never a higher cut than without. Approximate where sizes differ
        much; the benchmark measures it.
    draws : (n,) int, optional
        Which draw each image came with, rising from the first, where the sample was topped up after somebody had
        looked. Every draw is then a look at all images so far and has its own part of the risk: nine tenths of what
        the earlier ones have left, so that all looks together break the promise with at most ``1 - confidence``. A
        look whose positives are too few to show anything at its part spends nothing: that depends on their number
        alone, not on their scores. The highest cut of all looks is returned, so labels never take a cut back; 30
        positives do for the first, for 0.90 at 95 %.

    Raises
    ------
    LearningError
        The input does not fit together, or the target is not between 0 and 1.

    Examples
    --------
    >>> certify_recall(range(100), [1] * 100).value
    4.0
    """
    if not 0 < target < 1:
        raise LearningError(f"a recall target lies between 0 and 1; {target:g} was asked. Use 0.90, say.")
    sample = checked_sample(scores, labels, None, groups)
    draw = np.zeros(len(sample.labels), np.int64) if draws is None else np.asarray(draws, dtype=np.int64)
    if draw.shape != sample.labels.shape:
        raise LearningError(f"{len(sample.labels)} labels were given with {draw.size} draws: give one per image.")
    left, spent = 1 - checked_confidence(confidence), 1.0 if draws is None else _SPENT
    found: list[tuple[float, int, int]] = []
    for number in np.unique(draw):
        drawn = sample.labels & (draw <= number)
        positive = np.sort(sample.scores[drawn])
        worth = len(positive) if sample.groups is None else _worth(sample.groups[drawn])
        if worth == 0 or target**worth > spent * left:
            continue
        below = _most_below(positive, worth, target, spent * left)
        found.append((float(positive[below]), len(positive), below))
        left -= spent * left
    n = int(sample.labels.sum())
    if not found:
        fewest = int(np.ceil(np.log(spent * left) / np.log(target)))
        worth = n if sample.groups is None else _worth(sample.groups[sample.labels])
        missing = int(np.ceil((fewest - worth) * len(sample.labels) / worth)) if n else None
        return RecallThreshold(None, target, confidence, n, 0, missing)
    value, seen, below = max(found)
    return RecallThreshold(value, target, confidence, seen, below, 0)


def _worth(groups: npt.NDArray[np.int64]) -> float:
    """Return how many independent images these are worth, if those of a project all say the same."""
    if len(groups) == 0:
        return 0.0
    sizes = np.unique(groups, return_counts=True)[1]
    return float(len(groups) ** 2 / (sizes**2).sum())


def _most_below(positive: Floats, worth: float, target: float, risk: float) -> int:
    """Return the place, in rising order, of the highest score that is still certain; the lowest is."""
    from scipy.special import betainc

    below = np.searchsorted(positive, positive)  # with ties: strictly below
    above = 1 - below / len(positive)
    chance = [betainc(above * n, (1 - above) * n + 1, target) for n in (worth, float(len(positive)))]
    passed = np.maximum(*chance) <= risk * (1 + 1e-9)
    last = len(passed) if passed.all() else int(np.argmin(passed))
    return int(below[max(last - 1, 0)])
