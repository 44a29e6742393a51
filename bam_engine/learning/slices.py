"""What random samples of a collection tell of a part of it, a *slice*: precision, prevalence, recall, differences.

In:  a :class:`Frame`, which says of every image what is known of it and which samples hold it, and a mask. Out:
:class:`Figures` with intervals. Knows no store, and not what the mask means: it has to be chosen without looking at the
labels of the samples.
"""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from bam_engine.learning.intervals import Proportions, exact_bounds, fewest, population_bounds, proportions
from bam_engine.learning.recall_interval import recall_from

Mask = npt.NDArray[np.bool_]
Figure = tuple[float, float, float]
"""A value, nan where nothing is measured, and its limits."""

HALF_WIDTH = 0.05
"""An interval that reaches farther on average to either side of its value rests on too few labels."""

_BORROWED = 10  # labels of the whole that a planned proportion weighs as much as
_UNKNOWN: Figure = (float("nan"), 0.0, 1.0)


class State(IntFlag):
    """What is known of an image."""

    DELIVERED = 1
    ABOVE = 2
    """Its score is at or above the threshold."""
    YES = 4
    NO = 8
    """People have labelled it, and not positive."""
    COVERED = 16
    """The evidence for the threshold is about it."""
    KNOWN = 32
    """It was labelled before the sample for the precision was drawn, which stands for the other covered ones."""
    DRAWABLE = 64
    """The random draw could hold it."""
    ASKED = 128
    """It was labelled before the random draw, and so could not."""


_BANDS = 16
_BAND = 256  # the state of an image has the number of its band from this bit on


def bands_of(chances: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
    """Return the part of states (m,) that says how likely a certification was to ask about each image.

    Images whose chances differ by less than a factor of two are in one band, from 1; those that it could not ask about
    are in band 0. One rate for all would let a few labels of many images stand beside many labels of few.

    Examples
    --------
    >>> (bands_of(np.array([1.0, 0.6, 0.5, 0.02])) // 256).tolist()
    [1, 1, 2, 6]
    """
    band = 1 + np.floor(-np.log2(chances) + 1e-9).astype(np.int64)
    return (np.minimum(band, _BANDS - 1) * _BAND).astype(np.uint16)


@dataclass(frozen=True, eq=False)
class Sampled:
    """Labelled images of a sample: rows, whether each is positive, its project, and its weight; each (n,)."""

    rows: npt.NDArray[np.int64]
    positive: Mask
    groups: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64] | None = None

    def within(self, inside: Mask) -> "Sampled":
        """Return those that a mask over the sample selects."""
        weights = None if self.weights is None else self.weights[inside]
        return Sampled(self.rows[inside], self.positive[inside], self.groups[inside], weights)


@dataclass(frozen=True, eq=False)
class Frame:
    """What is known of all N images.

    Attributes
    ----------
    states : (N,) uint16
        Of :class:`State`, with :func:`bands_of`.
    precise, random
        The samples that tell precision and prevalence.
    groups : (N,) int
        Projects.
    drawn
        Rows of the random draw, whether they are labelled or not.
    asked, chances : (m,)
        Rows that a certification could have asked about, and how likely it was to.
    """

    states: npt.NDArray[np.uint16]
    precise: Sampled
    random: Sampled
    groups: npt.NDArray[np.int64]
    drawn: npt.NDArray[np.int64]
    asked: npt.NDArray[np.int64]
    chances: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """What is known of a slice.

    Attributes
    ----------
    images, accepted, by_people
        Images of the slice, those that are delivered, and those of them that people have labelled positive.
    not_covered
        Delivered images that the figures are not about.
    precision, prevalence, recall
        (value, low, high): of what is delivered, positive; of all images, positive; of the positives, delivered.
    labels, random_labels
        Labelled images of the samples that the precision and the prevalence rest on.
    more, more_random
        About how many further random ones would narrow each to :data:`HALF_WIDTH`, of the delivered images without a
        label and of all images; 0 where it is narrow enough.
    """

    images: int
    accepted: int
    by_people: int
    not_covered: int
    precision: Figure
    prevalence: Figure
    recall: Figure
    labels: int
    random_labels: int
    more: int = 0
    more_random: int = 0


class SliceCounts:
    """The images of a slice by their states, and its share of the samples, from which figures follow.

    Parameters
    ----------
    frame
    inside : (N,) bool
        The images of the slice.
    """

    def __init__(self, frame: Frame, inside: Mask) -> None:
        self._number = np.bincount(frame.states[inside], minlength=_BANDS * _BAND)
        groups = frame.groups[inside]
        self._one_project = bool(len(groups)) and bool((groups == groups[0]).all())
        self._codes = np.arange(len(self._number))
        self.precise = frame.precise.within(inside[frame.precise.rows])
        self.random = frame.random.within(inside[frame.random.rows])
        state = frame.states[self.precise.rows]
        self._above, self._band = (state & State.ABOVE) > 0, state // _BAND
        self._below = (frame.states[self.random.rows] & State.ABOVE) == 0

    def count(self, with_: int, without: int = 0) -> int:
        """Return how many images are in all states of ``with_`` and in none of ``without``, both of :class:`State`."""
        chosen = ((self._codes & with_) == with_) & ((self._codes & without) == 0)
        return int(self._number[chosen].sum())

    @property
    def images(self) -> int:
        """The number of images."""
        return int(self._number.sum())

    @property
    def labels(self) -> int:
        """The number of sampled images that tell the precision."""
        return int(self._above.sum())

    @property
    def unlabelled(self) -> int:
        """The number of covered images that are delivered without a label."""
        return self.count(State.COVERED | State.ABOVE, State.YES | State.NO)

    @property
    def delivered(self) -> int:
        """The number of covered images that are delivered."""
        return self.count(State.COVERED | State.YES) + self.unlabelled

    def precision(self, confidence: float = 0.95) -> Figure:
        """Return the precision of what is delivered.

        As :func:`~bam_engine.learning.evaluation.delivered_precision` for the whole: images that people have labelled
        count as they are, and the sample stands for those that score at least the threshold. The parts that were
        sampled by themselves have the known numbers of their images in the slice, and limits of their own, which are
        combined by MOVER (Zou and Donner, 2008). A part without a label could have any precision.
        """
        right = self._right(confidence)
        found = self.count(State.COVERED | State.YES)
        delivered = self.delivered
        if not delivered:
            return _UNKNOWN
        value, low, high = ((found + each) / delivered for each in right)
        return value, low, high

    def _right(self, confidence: float) -> Figure:
        """Return how many of the images that are delivered without a label are positive."""
        unlabelled = self.unlabelled
        if not unlabelled:
            return 0.0, 0.0, 0.0
        known = self.count(State.COVERED | State.ABOVE | State.KNOWN | State.YES)
        shift = known - self.count(State.COVERED | State.ABOVE | State.YES)
        above = self._positives_above(confidence)
        value, low, high = (float(np.clip(each + shift, 0, unlabelled)) for each in above)
        return value, low, high

    def _positives_above(self, confidence: float) -> Figure:
        """Return how many images from the threshold on that the sample stands for are positive."""
        others, outside = State.COVERED | State.ABOVE, State.KNOWN
        parts = [(self._in_band(band, others, outside), self._above & (self._band == band)) for band in range(_BANDS)]
        measured = [(size, self._proportion(self.precise, members, confidence)) for size, members in parts if size]
        sizes, values, lows, highs = (
            np.array([(size, each.value[0], each.low[0], each.high[0]) for size, each in measured]).reshape(-1, 4).T
        )
        seen = ~np.isnan(values)
        if not seen.any():
            return float("nan"), 0.0, float(sizes.sum())
        values = np.where(seen, values, np.average(values[seen], weights=sizes[seen]))
        total = float(sizes @ values)
        below = float(np.sqrt(((sizes * (values - lows)) ** 2).sum()))
        beyond = float(np.sqrt(((sizes * (highs - values)) ** 2).sum()))
        return total, total - below, total + beyond

    def _in_band(self, band: int, with_: int, without: int) -> int:
        codes, number = self._codes[:_BAND], self._number[band * _BAND : (band + 1) * _BAND]
        return int(number[((codes & with_) == with_) & ((codes & without) == 0)].sum())

    def _proportion(self, sample: Sampled, members: Mask, confidence: float) -> Proportions:
        """Return the proportion among some of a sample; a slice of one project stands for no other projects."""
        return proportions(
            sample.positive[None, :],
            members[None, :],
            weights=sample.weights,
            groups=None if self._one_project else sample.groups,
            confidence=confidence,
        )

    def _drawn(self, with_: int = 0, without: int = 0) -> int:
        """Return as :meth:`count` how many of the images there were at the random draw."""
        return self.count(State.DRAWABLE | with_, without) + self.count(State.ASKED | with_, without)

    def prevalence(self, confidence: float = 0.95) -> Figure:
        """Return the proportion of positives among the images that there were at the random draw.

        The draw stands for what it could hold; what was labelled before counts as it is. The limits are narrowed to
        what all labels leave possible.
        """
        drawable, asked = self.count(State.DRAWABLE), self.count(State.ASKED)
        if not drawable + asked:
            return _UNKNOWN
        rate = self._proportion(self.random, np.ones(len(self.random.rows), bool), confidence)
        before = self.count(State.ASKED | State.YES)
        fewest = before + self.count(State.DRAWABLE | State.YES)
        most = drawable + asked - self.count(State.ASKED | State.NO) - self.count(State.DRAWABLE | State.NO)
        positive = (float(part[0]) * drawable + before for part in (rate.value, rate.low, rate.high))
        if not drawable:
            positive = (each for each in (before, before, before))
        value, low, high = (float(np.clip(each, fewest, most)) / (drawable + asked) for each in positive)
        return value, low, high

    def recall(self, confidence: float = 0.95) -> Figure:
        """Return the recall of what is delivered; the rule is that of ``recall_of``, at one cut.

        Misses are counted on the random draw below the threshold alone, with exact limits for a finite population.
        """
        below = self.count(State.DRAWABLE, State.ABOVE)
        drawn, hits = int(self._below.sum()), int((self.random.positive & self._below).sum())
        few, many = population_bounds(hits, drawn, below, confidence)
        before = self.count(State.ASKED | State.YES, State.ABOVE)
        found = before + self.count(State.DRAWABLE | State.YES, State.ABOVE)
        unknown = self._drawn(without=State.ABOVE | State.YES | State.NO)
        rate = hits / drawn if drawn else (0.0 if not below else float("nan"))
        missed = tuple(float(np.clip(each + before - found, 0, unknown)) for each in (rate * below, few, many))
        there = self._drawn(State.ABOVE, State.YES | State.NO) / max(self.unlabelled, 1)  # the others came later
        delivered = tuple(self._drawn(State.YES) + min(there, 1.0) * each for each in self._right(confidence))
        if not missed[2] + delivered[2]:
            return _UNKNOWN
        if np.isnan(missed[0]) or np.isnan(delivered[0]):
            middle = [(each[1] + each[2]) / 2 if np.isnan(each[0]) else each[0] for each in (missed, delivered)]
            limits = recall_from((middle[0], missed[1], missed[2]), (middle[1], delivered[1], delivered[2]))
            return float("nan"), limits[1], limits[2]
        return recall_from((missed[0], missed[1], missed[2]), (delivered[0], delivered[1], delivered[2]))

    def more(self, of_all: Figure, confidence: float = 0.95) -> int:
        """Return about how many further labels of delivered images would narrow the precision to ``HALF_WIDTH``.

        ``of_all`` is the precision of the whole, which the precision planned with leans on where labels are few. Never
        more than there are: once all are labelled, the precision is known.
        """
        figure = self.precision(confidence)
        sampled = self.count(State.COVERED | State.ABOVE, State.KNOWN)
        scale = sampled / max(self.delivered, 1)
        effective = float(self._proportion(self.precise, self._above, confidence).n_effective[0])
        return min(_more(figure, of_all, self.labels, effective, scale, confidence), self.unlabelled)

    def more_random(self, of_all: Figure, confidence: float = 0.95) -> int:
        """Return about how many further labels of random images would narrow the prevalence, as :meth:`more` does."""
        figure, drawable = self.prevalence(confidence), self.count(State.DRAWABLE)
        every = np.ones(len(self.random.rows), bool)
        effective = float(self._proportion(self.random, every, confidence).n_effective[0])
        scale = drawable / max(drawable + self.count(State.ASKED), 1)
        needed = _more(figure, of_all, len(every), effective, scale, confidence)
        return min(needed, self.count(State.DRAWABLE, State.YES | State.NO))

    def figures(self, whole: Figures | None = None, confidence: float = 0.95) -> Figures:
        """Return everything; labels that are missing are planned for with the figures of the ``whole``."""
        precision, prevalence = self.precision(confidence), self.prevalence(confidence)
        of_all = (precision, prevalence) if whole is None else (whole.precision, whole.prevalence)
        return Figures(
            images=self.images,
            accepted=self.count(State.DELIVERED),
            by_people=self.count(State.DELIVERED | State.YES),
            not_covered=self.count(State.DELIVERED, State.COVERED),
            precision=precision,
            prevalence=prevalence,
            recall=self.recall(confidence),
            labels=self.labels,
            random_labels=len(self.random.rows),
            more=self.more(of_all[0], confidence),
            more_random=self.more_random(of_all[1], confidence),
        )


def too_wide(figure: Figure) -> bool:
    """Return whether an interval is wider than :data:`HALF_WIDTH` to either side allows."""
    return (figure[2] - figure[1]) / 2 > HALF_WIDTH + 1e-9


def _more(figure: Figure, of_all: Figure, labels: int, effective: float, scale: float, confidence: float) -> int:
    """Return about how many more labels narrow an interval enough; ``labels`` tell as much as ``effective`` ones."""
    if not too_wide(figure):
        return 0
    planned = 0.5 if np.isnan(of_all[0]) else of_all[0]
    value = planned if np.isnan(figure[0]) else (labels * figure[0] + _BORROWED * planned) / (labels + _BORROWED)
    needed = labels_for_half_width(value, HALF_WIDTH / max(scale, 1e-9), confidence)
    by_design = needed * labels / effective if effective else needed
    by_width = labels * ((figure[2] - figure[1]) / 2 / HALF_WIDTH) ** 2  # parts that were sampled thinly are wide
    return int(np.ceil(max(by_design, by_width))) - labels


def labels_for_half_width(proportion: float, half_width: float = HALF_WIDTH, confidence: float = 0.95) -> int:
    """Return how many labels give an exact interval of at most this half-width if this proportion is positive.

    The half-width is half the distance of the limits (Clopper and Pearson, 1934).

    Examples
    --------
    >>> [labels_for_half_width(each) for each in (1.0, 0.95, 0.5)]
    [36, 94, 402]
    """

    def enough(n: int) -> bool:
        low, high = exact_bounds(proportion * n, n, confidence)
        return float(high - low) / 2 <= half_width

    return fewest(enough)
