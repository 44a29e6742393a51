"""Patterns of answers that tell nothing of the images: always yes, always no, at random.

In:  how one person answered images of which others say yes or no. Out: the pattern, or None. All three have in common
that the answer does not depend on the image. So one figure finds them: how much more often a person says yes where
others say yes than where others say no (Youden's J, with the others in the place of the truth).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bam_engine.annotation.agreement import NO, YES, Table
from bam_engine.learning.intervals import wilson

Pattern = Literal["all yes", "all no", "random"]

FALSE_ALARM = 0.05  # at most, in a workspace in which everybody's true difference is at least LEAST
LEAST = 0.3  # a smaller difference tells too little of the images
SAME = 0.95  # of the answers that are one word, from which the pattern has its name


@dataclass(frozen=True)
class Difference:
    """How often a person says yes where others say yes, and where others say no.

    Attributes
    ----------
    yes_yes, others_yes
        To how many of the images with a yes of the others the person says yes.
    yes_no, others_no
        To how many of the images with a no of the others the person says yes.
    """

    yes_yes: int = 0
    others_yes: int = 0
    yes_no: int = 0
    others_no: int = 0

    @property
    def images(self) -> int:
        """The images of which others say yes or no."""
        return self.others_yes + self.others_no

    @property
    def yes_rate(self) -> float:
        """The fraction of these images to which the person says yes; nan without any."""
        return (self.yes_yes + self.yes_no) / self.images if self.images else float("nan")

    @property
    def value(self) -> float:
        """The difference of the two proportions, -1 to 1; nan where others say one thing only."""
        if not self.others_yes or not self.others_no:
            return float("nan")
        return self.yes_yes / self.others_yes - self.yes_no / self.others_no

    def limits(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the interval of the difference; (-1, 1) where others say one thing only.

        It joins the Wilson intervals of both proportions (Newcombe, 1998, "Interval estimation for the difference
        between independent proportions", Statistics in Medicine 17, method 10). Images count as independent: where many
        are of one project, it is too narrow.
        """
        if not self.others_yes or not self.others_no:
            return -1.0, 1.0
        first, second = self.yes_yes / self.others_yes, self.yes_no / self.others_no
        one = wilson(self.yes_yes, self.others_yes, confidence)
        two = wilson(self.yes_no, self.others_no, confidence)
        low = self.value - np.hypot(first - one.low, two.high - second)
        high = self.value + np.hypot(one.high - first, second - two.low)
        return max(float(low), -1.0), min(float(high), 1.0)


def differences(table: Table) -> dict[int, Difference]:
    """Return, for each annotator, how they differ between images with a yes and with a no of the others' majority.

    Ties of the others and images about which the person is unsure are left out.

    Examples
    --------
    >>> from bam_engine.annotation import Answers
    >>> from bam_engine.annotation.agreement import tabulate
    >>> answers = Answers(np.array([7, 7, 8, 8]), np.array([1, 2, 1, 2]), np.array([1, 1, 1, 0], np.int8))
    >>> differences(tabulate(answers))[1]
    Difference(yes_yes=1, others_yes=1, yes_no=1, others_no=1)
    """
    lead = (table.codes == YES).sum(axis=1) - (table.codes == NO).sum(axis=1)  # of yes over no, everybody counted
    result = {}
    for column, annotator in enumerate(table.annotators.tolist()):
        own = table.codes[:, column]
        yes, no = own == YES, own == NO
        others = lead - yes.astype(np.int64) + no
        positive, negative = others > 0, others < 0
        counts = (yes & positive, (yes | no) & positive, yes & negative, (yes | no) & negative)
        result[annotator] = Difference(*(int(one.sum()) for one in counts))
    return result


def pattern_of(found: Difference, tests: int) -> Pattern | None:
    """Return the pattern of a person's answers to an attribute, or None where they may well depend on the images.

    There is a pattern if the upper limit of the difference is below ``LEAST``. The limit is one-sided, at
    ``FALSE_ALARM`` shared out among all tests (Bonferroni): however many these are, a workspace of people whose true
    difference is at least ``LEAST`` in each attribute has about one chance in twenty of any false flag. ``python -m
    benchmarks flags`` measures it.

    Parameters
    ----------
    found
        From planned answers: images that were shown to a further person because others did not agree would make
        everybody look as if they guessed.
    tests
        How many differences are tested: each person in each attribute.

    Examples
    --------
    >>> pattern_of(Difference(yes_yes=60, others_yes=60, yes_no=139, others_no=140), tests=50)
    'all yes'
    >>> pattern_of(Difference(yes_yes=50, others_yes=60, yes_no=10, others_no=140), tests=50) is None
    True
    """
    _, high = found.limits(1 - 2 * FALSE_ALARM / max(tests, 1))
    if high >= LEAST:
        return None
    if found.yes_rate >= SAME:
        return "all yes"
    return "all no" if found.yes_rate <= 1 - SAME else "random"
