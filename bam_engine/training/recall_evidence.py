"""How much of all positives is delivered, with a sample drawn below the threshold for this: arrays in, arrays out.

In:  scores, labels, the sample and what it was drawn from, and the precision of the accepted images. Out: how many
positives are missed, and the recall. Knows no store; :mod:`bam_engine.training.recall_samples` gathers what it needs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import NEGATIVE, NO_LABEL, POSITIVE
from bam_engine.learning import is_accepted, is_rejected

Rows = NDArray[np.int64]
Limits = tuple[float, float, float]
"""A value with its lower and its upper limit."""


@dataclass(frozen=True, eq=False)
class DrawnBelow:
    """A random sample of each part of the images below a threshold that had no label.

    Attributes
    ----------
    population, parts : (m,)
        The rows that could be drawn, ascending, and the part of each, dense from 0.
    rows, answers : (n,)
        The sample, and how each image counts: 1 positive, 0 not, -1 if nobody can look at it any more.
    """

    population: Rows
    parts: NDArray[np.int64]
    rows: Rows
    answers: NDArray[np.int8]

    @property
    def n(self) -> int:
        """The number of images of the sample that are labelled."""
        return int((self.answers >= 0).sum())

    @property
    def positive(self) -> int:
        """How many of them are positive."""
        return int((self.answers == POSITIVE).sum())

    def positives(self, confidence: float) -> Limits:
        """Return how many images of the population are positive."""
        sizes = np.bincount(self.parts, minlength=1)
        part = self.parts[np.searchsorted(self.population, self.rows)]
        hits, drawn, lost = (
            np.bincount(part[which], minlength=len(sizes))
            for which in (self.answers == POSITIVE, self.answers >= 0, self.answers == NO_LABEL)
        )
        return learning.positives_below(hits, drawn, sizes, confidence, lost=lost)


@dataclass(frozen=True, eq=False)
class BelowAndAbove:
    """Both sides of a threshold of which a sample was drawn below.

    Attributes
    ----------
    scores, labels : (N,)
        Of the images that there were at the draw: how each counts where a sample judges, 1 positive, 0 not, -1 no
        label, -2 without a score or a file.
    """

    threshold: float
    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    drawn: DrawnBelow

    @cached_property
    def _drawable(self) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.labels), bool)
        mask[self.drawn.population] = True
        return mask

    @property
    def elsewhere(self) -> int:
        """The number of images below the threshold without a label that could not be drawn: a round asks about them."""
        below = is_rejected(self.scores, self.threshold) & (self.labels == NO_LABEL)
        return int((below & ~self._drawable).sum())

    def missed(self, confidence: float) -> Limits:
        """Return how many positives are missed: those below the threshold that people have not found.

        Images of which nothing is known, since they could not be drawn, may all be positive, or none of them.
        """
        value, low, high = self.drawn.positives(confidence)
        size, labels, elsewhere = len(self.drawn.population), self.labels[self._drawable], self.elsewhere
        found = int((labels == POSITIVE).sum())
        unknown = size - found - int((labels == NEGATIVE).sum())
        value, low, high = (float(np.clip(each - found, 0, unknown)) for each in (value, low, high))
        return value * (1 + elsewhere / size if size else 1), low, high + elsewhere

    def recall(self, precision: Limits, confidence: float) -> Limits:
        """Return the recall of what is delivered.

        Parameters
        ----------
        precision
            Of what is delivered, at ``confidence``; the value is nan where no label tells it.

        Notes
        -----
        **Estimand.** Of all positives among the images that there were at the draw, the fraction that is delivered:
        labelled positive by people, or without a label and at or above the threshold.

        **Interval.** What is labelled is known. The positives that are missed are counted on the sample alone, exactly
        for a finite population; those that are delivered are ``precision`` times the number of what is, and no
        fewer than people have found. Both are combined as in :func:`bam_engine.learning.recall_of`.

        **Assumptions.** Labels are right, and the threshold was chosen before the sample was labelled. A sample that
        grows because its interval is wide is looked at more than once; ``benchmarks/recall_sample.py`` measures what
        that costs.
        """
        found = int((self.labels == POSITIVE).sum())
        unknown = int((is_accepted(self.scores, self.threshold) & (self.labels == NO_LABEL)).sum())
        value, low, high = precision
        likely = (low + high) / 2 if np.isnan(value) else value
        delivered = [float(np.clip(each * (found + unknown), found, found + unknown)) for each in (likely, low, high)]
        return learning.recall_from(self.missed(confidence), (delivered[0], delivered[1], delivered[2]))
