"""The verdict of an audit: whether it shows that a target precision is met, and what it would take.

The target is one of everything that is delivered: of the images labelled yes, which are known, and of those that the
classifier accepts, from which the audit was drawn.
"""

from dataclasses import dataclass, replace

from bam_engine.audit.estimate import Estimate, positives_to_certify, size_to_certify
from bam_engine.formatting import count, percent, percent_at_least, percent_at_most, percent_interval

SIZES = (100, 200, 400)
"""Sizes of audits to compare with."""


@dataclass(frozen=True)
class Verdict:
    """What an audit shows about the target precision of what is delivered.

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
    known : int
        Images that were delivered by people when the audit was drawn, and are still labelled yes.
    unjudged : int
        Images of that time that are still delivered without enough answers of people.
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
    known: int = 0
    unjudged: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether people have judged all that was delivered, so that nothing is left to estimate."""
        return self._all_labelled and not self.unjudged

    @property
    def _all_labelled(self) -> bool:
        """Whether every accepted image that could be drawn is labelled; others may be delivered all the same."""
        return not self.waiting and self.estimate.n >= self.available and not self.estimate.absent

    @property
    def bound(self) -> float:
        """The one-sided lower limit of the precision of what is delivered, with which the target is compared."""
        return of_delivered(self.estimate.bound, self.available, self.known)

    @property
    def delivered(self) -> tuple[float, float, float]:
        """The precision of what was delivered when the audit was drawn, as (value, low, high).

        It is exact once people have judged all of it, and not below a target that is met. Accepted images that could
        not be drawn, being without a file or in an open round, are left out.
        """
        found = self.estimate
        limits = (found.value, found.value) if self.exhausted else (found.low, found.high)
        value, low, high = (of_delivered(each, self.available, self.known) for each in (found.value, *limits))
        return value, max(low, self.target) if self.met and not self.exhausted else low, high

    @property
    def more(self) -> int | None:
        """How many more images than now an audit would need; None if no number suffices."""
        return None if self.enough is None else max(0, self.enough - self.estimate.n)

    @property
    def summary(self) -> str:
        """Two to four sentences for the person who decides."""
        if self.waiting:
            has = "has" if self.waiting == 1 else "have"
            return (
                f"The audit is not finished: {self._seen}, and {count(self.waiting, 'image')} of both halves {has} no "
                f"label yet. Whether {percent(self.target)} precision is met stays open until all are labelled."
            )
        if self.exhausted:
            return self._exhausted
        return self._outcome if self.met is not None else f"{self._outcome} {self._with_known}".rstrip()

    @property
    def _seen(self) -> str:
        k, n = self.estimate.k, self.estimate.n
        seen = f"{k:,} of {count(n, 'labelled image')} {'is' if 1 in (k, n) else 'are'} positive"
        if not self.estimate.absent:
            return seen
        counts = "counts" if self.estimate.absent == 1 else "count"
        return (
            f"{seen}, and {count(self.estimate.absent, 'image')} that cannot be looked at any more {counts} against it"
        )

    @property
    def _exhausted(self) -> str:
        """Say that people have judged all that was delivered: nothing is estimated, and what is wrong is out."""
        wrong = self.estimate.n - self.estimate.k
        words = (
            f"Target met: {self._seen}, and these are all that were accepted without a label. For them, "
            f"{percent(self.estimate.value)} is exact."
        )
        if not wrong:
            return words
        return f"{words} {'The other one is' if wrong == 1 else 'The others are'} not delivered any more."

    @property
    def _so(self) -> str:
        """Lead from what was seen to the precision: with known images, it is that of all that is delivered."""
        if not self.known:
            return ", so precision is"
        return f". With {count(self.known, 'image')} labelled yes by people, the precision of what is delivered is"

    @property
    def _with_known(self) -> str:
        """Say what the known images make of the precision of all that is delivered."""
        if not self.known:
            return ""
        return (
            f"With {count(self.known, 'image')} labelled yes by people, that puts the precision of what is delivered "
            f"at {percent_interval(*self.delivered)}."
        )

    @property
    def _outcome(self) -> str:
        target, confidence = percent(self.target), percent_at_least(self.estimate.confidence)
        if self.met:
            low = percent_at_least(self.delivered[1])
            return f"Target met: {self._seen}{self._so} at least {low} with {confidence} confidence."
        if self.met is False:
            return (
                f"Target missed: {self._seen}{self._so} at most {percent_at_most(self.delivered[2])} with {confidence} "
                f"confidence, below {target}. Choose a stricter threshold, or improve the classifier."
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
        if self._all_labelled:
            return (
                f"All that could be drawn are labelled, but {count(self.unjudged, 'image is', 'images are')} still "
                "delivered without enough answers of people. Ask people about those, and nothing is left to estimate."
            )
        precision = percent(self.estimate.value)
        if self.enough is None:
            return (
                "A precision that is not above the target cannot be certified by any number of images: choose a "
                "stricter threshold, or improve the classifier."
            )
        if self.enough > self.available:
            return (
                f"At {precision}, an audit would need {count(self.enough, 'image')}, but only "
                f"{count(self.available, 'accepted image')} could be drawn. Audit all of them, and nothing is left "
                "to estimate."
            )
        if self.estimate.absent and not self.more:
            return "An audit of the images that are left may show more: draw another."
        return (
            f"At {precision}, an audit of {count(self.enough, 'accepted image')}, {self.more:,} more than this one, "
            "certifies it in about half of all cases. Set the size before the first label is seen."
        )


def of_delivered(proportion: float, available: int, known: int) -> float:
    """Return the precision of what is delivered, if a ``proportion`` of the ``available`` images is positive.

    ``known`` further images are labelled yes. A limit of the proportion becomes a limit of the precision, exactly.
    """
    return (known + available * proportion) / (known + available)


def verdict(
    estimate: Estimate, target: float, *, available: int, waiting: int = 0, known: int = 0, unjudged: int = 0
) -> Verdict:
    """Return what the estimate of an audit's accepted half shows about a precision of at least ``target``.

    While ``waiting`` images have no label the verdict is open: an exact test holds for the size set beforehand. The
    precision is that of what was delivered when the audit was drawn: of the ``available`` images, and of ``known`` ones
    that people have labelled yes. What enough people find to be wrong is not delivered any more, so what is delivered
    afterwards is at least as precise. Where all that could be drawn is labelled and no ``unjudged`` image is still
    delivered, the target is met.

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
    share = target - (1 - target) * known / available  # that the available images must reach
    enough: int | None = None
    needed: int | None = 0
    if share > 0:
        needed = positives_to_certify(estimate.tested, share, confidence, design_effect=effect)
        if estimate.value > share:
            enough = size_to_certify(estimate.value, share, confidence, design_effect=effect)
    found = Verdict(
        estimate=estimate,
        target=target,
        met=None if waiting else estimate.meets(share),
        needed=needed,
        sizes=tuple((n, positives_to_certify(n, target, confidence)) for n in SIZES),
        enough=enough,
        available=available,
        waiting=waiting,
        known=known,
        unjudged=unjudged,
    )
    return replace(found, met=True) if found.exhausted else found
