"""The verdict of an audit: whether it shows that a target precision is met, and what it would take."""

from dataclasses import dataclass

from bam_engine.audit.estimate import Estimate, positives_to_certify, size_to_certify
from bam_engine.formatting import count, percent, percent_at_least

SIZES = (100, 200, 400)
"""Sizes of audits to compare with."""


@dataclass(frozen=True)
class Verdict:
    """What an audit shows about a target precision.

    Attributes
    ----------
    met : bool or None
        True if the audit shows that the target is met, False if it shows the opposite, None if it is inconclusive.
    needed : int or None
        Labelled images that would have had to be positive, at this design effect; None if not even all would suffice.
    sizes : tuple of (int, int or None)
        The same for audits of 100, 200 and 400 independent images.
    enough : int or None
        Images that an audit would need if the precision stayed the same; None if it is not above the target.
    available : int
        Accepted images that could be drawn.
    waiting : int
        Images of the audit without a label. An unfinished audit has no verdict: stopping when it looks good would err
        more often than the confidence allows.
    """

    estimate: Estimate
    target: float
    met: bool | None
    needed: int | None
    sizes: tuple[tuple[int, int | None], ...]
    enough: int | None
    available: int
    waiting: int = 0

    @property
    def more(self) -> int | None:
        """How many more images than now an audit would need; None if no number suffices."""
        return None if self.enough is None else max(0, self.enough - self.estimate.n)

    @property
    def summary(self) -> str:
        """Two to four sentences for the person who decides."""
        if self.waiting:
            return (
                f"The audit is not finished: {self._seen}, and {count(self.waiting, 'image')} of both halves have no "
                f"label yet. Whether {percent(self.target)} precision is met stays open until all are labelled."
            )
        return f"{self._outcome} {self._exhausted}".rstrip()

    @property
    def _seen(self) -> str:
        k, n = self.estimate.k, self.estimate.n
        seen = f"{k:,} of {count(n, 'labelled image')} {'is' if 1 in (k, n) else 'are'} positive"
        if not self.estimate.absent:
            return seen
        return f"{seen}, and {count(self.estimate.absent, 'image')} that cannot be looked at any more count against it"

    @property
    def _exhausted(self) -> str:
        """Say if nothing was left to draw: then the limits are about further images only."""
        if self.estimate.n < self.available:
            return ""
        return (
            "All accepted images without an earlier label have been labelled: for these, "
            f"{percent(self.estimate.value)} is exact. The limits are for further images like them."
        )

    @property
    def _outcome(self) -> str:
        target, confidence = percent(self.target), percent_at_least(self.estimate.confidence)
        if self.met:
            bound = percent_at_least(self.estimate.bound)
            return f"Target met: {self._seen}, so precision is at least {bound} with {confidence} confidence."
        if self.met is False:
            return (
                f"Target missed: {self._seen}, so precision is at most {percent(self.estimate.high)} with {confidence} "
                f"confidence, below {target}. Choose a stricter threshold, or train another round."
            )
        return f"Inconclusive: {self._seen}. {self._needed} {self._advice}"

    @property
    def _needed(self) -> str:
        target, n = percent(self.target), self.estimate.tested
        if self.needed is None:
            return f"{count(n, 'image is', 'images are')} too few to certify {target}."
        return f"Certifying {target} takes {self.needed:,} of {n:,}."

    @property
    def _advice(self) -> str:
        precision = percent(self.estimate.value)
        if self.enough is None:
            return (
                "A precision that is not above the target cannot be certified by any number of images: choose a "
                "stricter threshold, or train another round."
            )
        if self.enough > self.available:
            return (
                f"At {precision}, an audit would need {count(self.enough, 'image')}, but only "
                f"{count(self.available, 'accepted image')} could be drawn. Choose a stricter threshold."
            )
        if self.estimate.absent and not self.more:
            return "An audit of the images that are left may show more: draw another."
        return (
            f"At {precision}, an audit of {count(self.enough, 'accepted image')}, {self.more:,} more than this one, "
            "certifies it in about half of all cases. Set the size before the first label is seen."
        )


def verdict(estimate: Estimate, target: float, *, available: int, waiting: int = 0) -> Verdict:
    """Return what the estimate of an audit's accepted half shows about a precision of at least ``target``.

    While ``waiting`` images have no label the verdict is open: an exact test holds for the size set beforehand.

    Raises
    ------
    AuditError
        The target is not between 0 and 1.

    Examples
    --------
    >>> from bam_engine.audit import estimate_precision
    >>> result = verdict(estimate_precision([1] * 93 + [0] * 7), 0.90, available=4000)
    >>> result.met, result.needed, result.sizes
    (None, 96, ((100, 96), (200, 188), (400, 371)))
    """
    confidence, effect = estimate.confidence, estimate.design_effect
    enough = None
    if estimate.value > target:
        enough = size_to_certify(estimate.value, target, confidence, design_effect=effect)
    return Verdict(
        estimate=estimate,
        target=target,
        met=None if waiting else estimate.meets(target),
        needed=positives_to_certify(estimate.tested, target, confidence, design_effect=effect),
        sizes=tuple((n, positives_to_certify(n, target, confidence)) for n in SIZES),
        enough=enough,
        available=available,
        waiting=waiting,
    )
