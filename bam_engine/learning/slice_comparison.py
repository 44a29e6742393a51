"""Whether a slice differs from other images, and whether chance alone chose it: arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.learning.slices import Figure, Frame, Mask, SliceCounts, State

PICKED = 1e-4
"""A slice that holds so improbably many or few of the sampled images was picked by them."""


def difference(first: Figure, second: Figure) -> Figure:
    """Return a proportion less another one, measured on other images, with the limits of the difference.

    They are recovered from the limits of both (MOVER; Zou and Donner, 2008; for exact limits Newcombe's idea, 1998).

    Examples
    --------
    >>> [round(each, 2) for each in difference((0.8, 0.7, 0.9), (0.9, 0.85, 0.95))]
    [-0.1, -0.21, 0.01]
    """
    value = first[0] - second[0]
    low = value - np.hypot(first[0] - first[1], second[2] - second[0])
    high = value + np.hypot(first[2] - first[0], second[0] - second[1])
    return value, float(low), float(high)


def p_value(first: SliceCounts, second: SliceCounts) -> float:
    """Return the p-value of the same precision in two parts of a collection: the risk at which the limits exclude it.

    It is found by bisection, to a hundredth of itself, and is not below 1e-9.
    """

    def excluded(risk: float) -> bool:
        _, low, high = difference(first.precision(1 - risk), second.precision(1 - risk))
        return low > 0 or high < 0

    below, at = np.log(1e-9), np.log(0.999)
    if not excluded(float(np.exp(at))):
        return 1.0
    if excluded(float(np.exp(below))):
        return 1e-9
    while at - below > 0.01:
        middle = (below + at) / 2
        below, at = (below, middle) if excluded(float(np.exp(middle))) else (middle, at)
    return float(np.exp(at))


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return p-values corrected for being several (Holm, 1979).

    However the tests depend on each other, the risk that any true hypothesis is rejected at a level is at most that
    level.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    raised = np.minimum(np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)), 1.0)
    corrected = np.empty(len(given))
    corrected[order] = raised
    return corrected


@dataclass(frozen=True)
class Overlap:
    """How many images of a sample a slice holds, how many are ``expected``, and whether chance explains it."""

    sampled: int
    held: int
    expected: float
    by_chance: bool


def overlaps(frame: Frame, inside: Mask, members: Mask) -> list[Overlap]:
    """Return how a slice overlaps with the random draw, and with what a certification asked about.

    Whoever picks images by looking at those that were sampled, such as the mistakes among them, makes a slice of which
    the sample tells nothing. The test of a draw is that of the hypergeometric distribution; that of a certification,
    which asked about each image with a chance of its own, takes the number held for Poisson's, on both sides of the
    slice, among images that it more likely left out: where it asked about most, there is little to pick. The risk of
    each is at most :data:`PICKED`. Removed images, which are no ``members`` (N,), are left out.
    """
    from scipy.stats import hypergeom, poisson

    drawable = ((frame.states & State.DRAWABLE) > 0) & members
    drawn = frame.drawn[drawable[frame.drawn]]
    size, part, held = int(drawable.sum()), int((drawable & inside).sum()), int(inside[drawn].sum())
    if not size:
        return []
    likely = hypergeom(size, part, len(drawn))
    by_chance = bool(2 * min(likely.cdf(held), likely.sf(held - 1)) >= PICKED)
    found = [Overlap(len(drawn), held, len(drawn) * part / size, by_chance)]
    there = members[frame.asked] & (frame.chances <= 0.5)
    asked, chances = frame.asked[there], frame.chances[there]
    sampled = np.intersect1d(frame.precise.rows, asked)
    if len(sampled):
        chances = chances * (len(sampled) / chances.sum())  # some may not be labelled yet
        expected, held = float(chances[inside[asked]].sum()), int(inside[sampled].sum())
        sides = ((held, expected), (len(sampled) - held, len(sampled) - expected))
        tails = [min(poisson.cdf(number, mean), poisson.sf(number - 1, mean)) for number, mean in sides]
        found.append(Overlap(len(sampled), held, expected, bool(4 * min(tails) >= PICKED)))
    return found
