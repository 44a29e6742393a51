"""Precision and recall where answers may be wrong, by how often people differ about the same images.

In:  how many people said yes to each labelled image, and what the images stand for. Out: the precision and recall of
what is delivered, and how often answers are right, each with an interval. Knows nothing of who answered.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count, percent_interval
from bam_engine.learning.intervals import Floats, checked_confidence

Ints = npt.NDArray[np.int64]
Estimate = tuple[float, float, float]
"""A value with its limits: (value, low, high)."""

_ERRORS, _PREVALENCES = 24, 80  # points of the grid on each axis
_DRAWS = 4000
_NOTHING = 1e-8  # of the highest density: beyond, the grid is not refined
_TINY = 1e-300  # keeps the logarithm of an impossible answer finite


@dataclass(frozen=True, eq=False)
class AnsweredImages:
    """Labelled images, in groups that share a prevalence, and the images that they stand for.

    Attributes
    ----------
    yes, answers : (n,) int
        How many people said yes to each image, and how many answered; unsure is not a yes.
    delivered : (n,) bool
        Whether it is delivered.
    group : (n,) int
        From 0. A group is a random sample of some images, or stands for none but its own.
    member : (n,) int
        The group whose ``others`` hold the image, for one that was labelled for another purpose; -1 for none.
    weights : (n,) float
        How much an image tells of the prevalence of its group: 1, or less where images resemble each other.
    above : (g,) bool
        Whether the images of each group score at or above the threshold.
    others : (g,) int
        How many images each group is a random sample of, without its own.
    """

    yes: Ints
    answers: Ints
    delivered: npt.NDArray[np.bool_]
    group: Ints
    member: Ints
    weights: Floats
    above: npt.NDArray[np.bool_]
    others: Ints

    def __post_init__(self) -> None:
        if ((self.yes < 0) | (self.yes > self.answers)).any():
            raise LearningError("More people said yes to an image than answered about it. Count each answer once.")


@dataclass(frozen=True)
class ErrorCorrection:
    """Precision and recall of what is delivered, corrected for wrong answers.

    ``sensitivity`` is the fraction of positive images to which a person says yes, ``specificity`` that of all others to
    which a person does not. ``n`` images were answered by several people.
    """

    precision: Estimate
    recall: Estimate
    sensitivity: Estimate
    specificity: Estimate
    n: int

    @property
    def summary(self) -> str:
        """What it shows, by which answers, and what it assumes, in sentences."""
        value, low, high = self.specificity
        return (
            f"Corrected for wrong answers: precision {percent_interval(*self.precision)}, recall "
            f"{percent_interval(*self.recall)}. By {count(self.n, 'image')} with answers of several people, one "
            f"person says yes to {percent_interval(*self.sensitivity)} of the positive images and to "
            f"{percent_interval(1 - value, 1 - high, 1 - low)} of the others. This assumes that people err "
            "independently of each other, and on every image as often; it certifies nothing."
        )


def correct_for_errors(images: AnsweredImages, confidence: float = 0.95) -> ErrorCorrection:
    """Return the precision and recall of what is delivered if answers may be wrong.

    Returns
    -------
    ErrorCorrection
        Medians of the posterior distribution, and limits.

    Notes
    -----
    **Model.** An image is positive with the prevalence of its group. Everybody says yes to a positive image with the
    same sensitivity, and to another one does not with the same specificity, independently of each other (Hui and
    Walter, "Estimating the error rates of diagnostic tests", 1980: the answers of two people determine both if two
    groups differ in their prevalence). Who was asked further because the first ones differed does not matter: the
    answers that decided it are among the data.

    **Interval.** The posterior distribution, as Joseph, Gyorkos and Coupal, "Bayesian estimation of disease prevalence
    and the parameters of diagnostic tests in the absence of a gold standard" (1995), but on a grid, so that it is the
    same each time. The priors of the prevalences are Jeffreys'; those of the error rates, which are below a half, have
    the same form near 0. For either limit of precision and recall, the priors of the sampled prevalences lean to its
    side by half an observation: limits of a proportion are then those of Clopper and Pearson. Positives among images
    without a label follow from the prevalence of the group that stands for them, less what was labelled among them for
    another purpose. ``benchmarks/answer_errors.py`` measures how often the interval holds the truth.

    **Assumptions.** People err independently of each other, and as often on every image. Where all stumble over the
    same images, their answers agree, and nothing shows it.

    Examples
    --------
    Two people about 90 images above a threshold and 110 below; of 21 images one of them said yes.

    >>> images = AnsweredImages(
    ...     yes=np.repeat([2, 1, 1, 0], [80, 10, 11, 99]),
    ...     answers=np.full(200, 2),
    ...     delivered=np.arange(200) < 80,
    ...     group=np.repeat([0, 1], [90, 110]),
    ...     member=np.full(200, -1),
    ...     weights=np.ones(200),
    ...     above=np.array([True, False]),
    ...     others=np.array([0, 1000]),
    ... )
    >>> found = correct_for_errors(images)
    >>> [round(each, 2) for each in found.sensitivity], [round(each, 2) for each in found.recall]
    ([0.94, 0.9, 0.97], [0.87, 0.62, 0.9])
    """
    tail = (1 - checked_confidence(confidence)) / 2
    columns = np.stack([images.group, images.yes, images.answers, images.delivered, images.member])
    (group, yes, answers, delivered, member), cell_of = np.unique(columns, axis=1, return_inverse=True)
    n, mass = np.bincount(cell_of.reshape(-1)), np.bincount(cell_of.reshape(-1), images.weights).astype(np.float64)
    cells = _Cells(group, yes, answers - yes, delivered == 1, member, n, mass)
    low, middle, high = (_drawn(images, cells, lean) for lean in (-1, 0, 1))
    return ErrorCorrection(
        precision=_limits(low.precision, middle.precision, high.precision, tail),
        recall=_limits(low.recall, middle.recall, high.recall, tail),
        sensitivity=_limits(1 - middle.missing, 1 - middle.missing, 1 - middle.missing, tail),
        specificity=_limits(1 - middle.false, 1 - middle.false, 1 - middle.false, tail),
        n=int((images.answers > 1).sum()),
    )


def _limits(low: Floats, middle: Floats, high: Floats, tail: float) -> Estimate:
    """Return the median, and a quantile of each of two distributions; nan and no limits where there is no value."""
    if np.isnan(middle).all():
        return float("nan"), 0.0, 1.0
    value = float(np.nanmedian(middle))
    return value, min(value, float(np.nanquantile(low, tail))), max(value, float(np.nanquantile(high, 1 - tail)))


@dataclass(frozen=True, eq=False)
class _Cells:
    """Kinds of images, each (k,): ``n`` of them, which tell as much as a ``mass`` of independent ones."""

    group: Ints
    yes: Ints
    no: Ints
    delivered: npt.NDArray[np.bool_]
    member: Ints
    n: Ints
    mass: Floats


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Draws from the posterior, each (r,): error rates, and precision and recall of what is delivered."""

    missing: Floats
    false: Floats
    precision: Floats
    recall: Floats


def _drawn(images: AnsweredImages, cells: _Cells, lean: int) -> _Drawn:
    """Draw from the posterior; a ``lean`` of -1 or 1 leans towards a low or a high precision and recall."""
    rng = np.random.default_rng(0)
    missing, false, prevalence = _posterior(cells, lean * np.where(images.above, 1, -1) * (images.others > 0), rng)
    positive = prevalence[:, cells.group] * (1 - missing) ** cells.yes * missing**cells.no
    negative = (1 - prevalence[:, cells.group]) * false**cells.yes * (1 - false) ** cells.no
    right = rng.binomial(cells.n, positive / np.maximum(positive + negative, _TINY))
    found, delivered = right[:, cells.delivered].sum(axis=1).astype(np.float64), float(cells.n[cells.delivered].sum())
    total = right.sum(axis=1).astype(np.float64)
    for each, size in enumerate(images.others.tolist()):
        inside = cells.member == each
        unlabelled = max(0, size - int(cells.n[inside].sum()))
        hits = np.clip(rng.binomial(size, prevalence[:, each]) - right[:, inside].sum(axis=1), 0, unlabelled)
        total += hits
        if images.above[each]:
            found, delivered = found + hits, delivered + unlabelled
    unknown = np.full(len(found), np.nan)
    return _Drawn(
        missing[:, 0],
        false[:, 0],
        precision=found / delivered if delivered else unknown,
        recall=np.divide(found, total, out=unknown, where=total > 0),
    )


def _posterior(cells: _Cells, lean: Ints, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Draw from the posterior: rates of a missed and of a false yes, each (r, 1), and prevalences (r, g).

    The grid is even under the prior, for which each axis is in [0, 1]: first all of it, then where the posterior is.
    The prior of a prevalence is Jeffreys'; with a ``lean`` (g,) of -1 or 1 it has half an observation less on the side
    from which it leans.
    """
    coarse = _Grid.over(cells, lean, np.array([[0.0, 1.0]] * (2 + len(lean))))
    return _Grid.over(cells, lean, coarse.support()).draw(rng)


@dataclass(frozen=True, eq=False)
class _Grid:
    """The posterior on a grid: ``axes`` of the two rates and of each prevalence, and the limits of their cells.

    ``pair`` (e, e) is that of the two rates, ``inside`` (e, e, p) for each group that of its prevalence given these.
    """

    limits: Floats
    axes: list[Floats]
    pair: Floats
    inside: list[Floats]

    @classmethod
    def over(cls, cells: _Cells, lean: Ints, limits: Floats) -> "_Grid":
        """Compute it between the limits (2 + groups, 2) of each axis."""
        points = [_ERRORS] * 2 + [_PREVALENCES] * (len(limits) - 2)
        axes = [low + (high - low) * (np.arange(n) + 0.5) / n for (low, high), n in zip(limits, points, strict=True)]
        missing, false = _rate(axes[0])[:, None, None], _rate(axes[1])[:, None]
        logs = [
            np.tile(each / 2 * np.log(share / (1 - share)), (_ERRORS, _ERRORS, 1))
            for each, share in zip(lean, map(_prevalence, axes[2:]), strict=True)
        ]
        for group, yes, no, mass in zip(cells.group, cells.yes, cells.no, cells.mass, strict=True):
            share = _prevalence(axes[2 + group])
            positive, negative = (1 - missing) ** yes * missing**no, false**yes * (1 - false) ** no
            logs[group] += mass * np.log(np.maximum(share * positive + (1 - share) * negative, _TINY))
        tops = [each.max(axis=-1, keepdims=True) for each in logs]
        inside = [np.exp(each - top) for each, top in zip(logs, tops, strict=True)]
        pair = sum(np.log(each.sum(axis=-1)) + top[..., 0] for each, top in zip(inside, tops, strict=True))
        pair = np.exp(pair - np.max(pair))
        return cls(limits, axes, pair, inside)

    def support(self) -> Floats:
        """Return the limits of each axis between which the posterior lies, a step wider."""
        shares = [np.einsum("ij,ijk->k", self.pair / each.sum(axis=-1), each) for each in self.inside]
        marginals = [self.pair.sum(axis=1), self.pair.sum(axis=0), *shares]
        found = []
        for (low, high), marginal in zip(self.limits, marginals, strict=True):
            some, step = np.flatnonzero(marginal > _NOTHING * marginal.max()), (high - low) / len(marginal)
            found.append([max(low, low + (some[0] - 1) * step), min(high, low + (some[-1] + 2) * step)])
        return np.array(found)

    def draw(self, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Draw the two rates, each (r, 1), and the prevalences (r, groups)."""
        chance = np.cumsum(self.pair.reshape(-1))
        i, j = np.divmod(np.searchsorted(chance, (np.arange(_DRAWS) + 0.5) / _DRAWS * chance[-1]), _ERRORS)
        places = [i, j]
        for each in self.inside:
            up_to = np.cumsum(each[i, j], axis=-1)
            places.append((up_to < rng.random((_DRAWS, 1)) * up_to[:, -1:]).sum(axis=-1))
        steps = (self.limits[:, 1] - self.limits[:, 0]) / [len(axis) for axis in self.axes]
        missing, false, *shares = (
            axis[at] + step * (rng.random(_DRAWS) - 0.5)
            for axis, at, step in zip(self.axes, places, steps, strict=True)
        )
        return _rate(missing)[:, None], _rate(false)[:, None], np.stack([_prevalence(each) for each in shares], axis=1)


def _rate(place: Floats) -> Floats:
    """Return the error rate at a place on its axis, of equal prior probability along it."""
    return 0.5 * place**2


def _prevalence(place: Floats) -> Floats:
    """Return the prevalence at a place on its axis; even on it is Jeffreys' prior."""
    share: Floats = np.sin(np.pi / 2 * place) ** 2
    return share
