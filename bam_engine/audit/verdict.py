"""Whether an audit keeps a promised precision, and what it would take to show it.

In:  the estimate of an audit's accepted half and the target. Out: a verdict with its evidence in words. Knows nothing
of images, thresholds or the database.
"""

from dataclasses import dataclass

from bam_engine.audit.estimate import Estimate, positives_to_certify, size_to_certify

SIZES = (100, 200, 400)  # audits to compare with


@dataclass(frozen=True)
class Verdict:
    """What an audit says of a promised precision.

    ``met`` is True when the audit shows the target to be reached, False when it shows the opposite, None while that is
    open. ``needed`` of the judged images would have had to be positive, with this design effect; None where not even
    all would do. ``sizes`` says the same of audits of 100, 200 and 400 independent images. ``enough`` is how many would
    have to be judged if the share stayed as it is, None where it is not above the target; ``available`` is how many
    accepted images there were to draw from. ``waiting`` images of the audit are not judged yet: until it is whole it
    says nothing, since whoever stops when it looks good is wrong more often than the confidence allows.
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
        """How many more images than now would have to be judged; None where no number would do."""
        return None if self.enough is None else max(0, self.enough - self.estimate.n)

    @property
    def evidence(self) -> str:
        """Two to four sentences for the person who decides."""
        if self.waiting:
            return (
                f"The audit is not finished: {self.estimate.k} of {self.estimate.n} judged images are positive, "
                f"{self.waiting} of both halves wait. Whether it keeps {self.target:g} is open until all are judged."
            )
        return f"{self._verdict} {self._whole}".rstrip()

    @property
    def _whole(self) -> str:
        """Say where nothing was left to draw: then the limits speak of further images alone."""
        if self.estimate.n < self.available:
            return ""
        return (
            f"Every accepted image that nobody had answered about is judged: for these, {self.estimate.value:.3f} is "
            "no estimate. The limits are for further images like them."
        )

    @property
    def _verdict(self) -> str:
        found = self.estimate
        seen = f"{found.k} of {found.n} judged images are positive"
        sure = f"with {found.confidence:.0%} confidence"
        if self.met:
            return f"The audit keeps {self.target:g}: {seen}, so the precision is at least {found.bound:.3f} {sure}."
        if self.met is False:
            return (
                f"The audit contradicts {self.target:g}: {seen}, so the precision is at most {found.high:.3f} {sure}. "
                "Choose a stricter threshold, or label another round."
            )
        return f"The audit leaves {self.target:g} open: {seen}. {self._needed} {self._advice}"

    @property
    def _needed(self) -> str:
        if self.needed is None:
            return f"Not even all of {self.estimate.n} would show it."
        return f"To be sure, {self.needed} of {self.estimate.n} are needed."

    @property
    def _advice(self) -> str:
        if self.enough is None:
            return (
                "A share that is not above the target never shows it, however many images are judged: "
                "choose a stricter threshold, or label another round."
            )
        if self.enough > self.available:
            return (
                f"If the share stays {self.estimate.value:.3f}, {self.enough:,} images would have to be judged; only "
                f"{self.available:,} accepted ones were there to draw from. Choose a stricter threshold."
            )
        return (
            f"If the share stays {self.estimate.value:.3f}, an audit of {self.enough:,} accepted images, {self.more:,} "
            "more than here, shows it in about half of all cases. Set the size before the first answer is seen."
        )


def verdict(estimate: Estimate, target: float, *, available: int, waiting: int = 0) -> Verdict:
    """Return what ``estimate``, of the accepted half of an audit, says of a precision of at least ``target``.

    With ``waiting`` images not judged yet the verdict is open: an exact test holds for the size that was set before.

    Raises
    ------
    AuditError
        The target does not lie between 0 and 1.

    Examples
    --------
    >>> found = verdict(estimate_precision([1] * 93 + [0] * 7), 0.90, available=4000)
    >>> found.met, found.needed, found.sizes
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
        needed=positives_to_certify(estimate.n, target, confidence, design_effect=effect),
        sizes=tuple((n, positives_to_certify(n, target, confidence)) for n in SIZES),
        enough=enough,
        available=available,
        waiting=waiting,
    )
