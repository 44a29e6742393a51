"""Random samples with known inclusion probabilities, and the split between validation and training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ValidationSample:
    """Rows (n,) in random order and their inclusion probabilities (n,); weight by one over these."""

    rows: Rows
    probabilities: npt.NDArray[np.float64]


def draw_validation(
    pool: int | npt.ArrayLike,
    count: int,
    *,
    rng: np.random.Generator,
    groups: npt.ArrayLike | None = None,
    exclude: npt.ArrayLike | None = None,
) -> ValidationSample:
    """Draw a random validation sample without replacement, spread over the projects.

    Parameters
    ----------
    pool : int or (m,) rows
        The size of the collection, or the rows that may be drawn. Leave out images without an embedding.
    count : int
    groups : (N,) int, optional
        The project of each row of the collection. None: a simple random sample.
    exclude : rows, optional
        Never drawn, such as labelled images.

    Notes
    -----
    Every image has the same probability, so precision on the sample estimates precision on the pool. Spreading the
    sample over the projects (:func:`spread_over_projects`) spends fewer labels on near-copies.

    Raises
    ------
    LearningError
        There are fewer than ``count`` images.
    """
    rows = np.arange(pool, dtype=np.int64) if isinstance(pool, int) else np.unique(np.asarray(pool, dtype=np.int64))
    if exclude is not None:
        rows = np.setdiff1d(rows, np.unique(np.asarray(exclude, dtype=np.int64)), assume_unique=True)
    if not 0 < count <= len(rows):
        advice = f"Draw 1 to {len(rows):,}." if len(rows) else "Add images first."
        raise LearningError(
            f"Cannot draw a validation set of {counted(count, 'image')}: {len(rows):,} can be drawn. {advice}"
        )
    project = rows if groups is None else np.asarray(groups)[rows]
    drawn = rng.permutation(spread_over_projects(rows, project, count, rng=rng))
    return ValidationSample(drawn, np.full(count, count / len(rows)))


def spread_over_projects(rows: Rows, groups: npt.ArrayLike, count: int, *, rng: np.random.Generator) -> Rows:
    """Return ``count`` of the rows, each with probability ``count / m``, spread over the projects.

    Parameters
    ----------
    rows : (m,) int
    groups : (m,) int
        The project of each row.

    Notes
    -----
    Systematic sampling with equal probabilities (Madow, 1949): images are laid out project by project, with the
    projects and the images within each in random order, and every ``m / count``-th image is taken from a random start.
    A project of ``p`` images contributes ``p * count / m`` of them, rounded up or down: at most one unless it holds
    more than a ``count``-th of all images. Without projects this is a simple random sample.
    """
    if count == 0:
        return rows[:0]
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    place = rng.permutation(code.max() + 1)[code]  # projects in random order
    line = np.lexsort((rng.random(len(rows)), place))
    steps = (rng.random() + np.arange(count)) * (len(rows) / count)
    chosen = np.minimum(steps.astype(np.int64), len(rows) - 1)  # rounding may reach the end
    return rows[line[chosen]]


def inclusion_probabilities(
    frame: npt.ArrayLike, drawn: npt.ArrayLike, at: npt.ArrayLike, *, cuts: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the probability with which a certification drew an image of each score.

    Stricter cuts are sampled more densely.

    Parameters
    ----------
    frame, drawn : (N,) and (n,)
        The scores of the images that could be drawn and of those that were, at random between any two cuts.
    at : (m,)
        The scores to evaluate; nan gives 0.
    cuts : (c,)
        The edges of the bands of equal sampling density.

    Notes
    -----
    The fraction drawn of each band, as in post-stratification, made monotone by isotonic regression (Barlow et al.,
    1972): images drawn for a looser cut also count for the stricter ones, so a band is never sampled less densely than
    a looser one. The certification draws where the outcome is undecided, so densities depend on the labels and weighted
    estimates are approximate; ``benchmarks/coverage.py`` measures how good they are. What is certified does not depend
    on them.
    """
    from sklearn.isotonic import IsotonicRegression

    edges = np.unique(np.asarray(cuts, dtype=np.float64))[::-1]
    available = np.bincount(_bands(edges, frame), minlength=len(edges) + 1)
    sampled = np.bincount(_bands(edges, drawn), minlength=len(edges) + 1)
    nonempty = available > 0
    fraction = np.zeros(len(available))
    if nonempty.any():
        decreasing = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
        places = np.arange(len(available))
        decreasing.fit(places[nonempty], sampled[nonempty] / available[nonempty], sample_weight=available[nonempty])
        fraction = decreasing.predict(places)
    scores = np.asarray(at, dtype=np.float64)
    bands = _bands(edges, np.nan_to_num(scores))
    probability: npt.NDArray[np.float64] = np.where(np.isnan(scores), 0.0, fraction[bands])
    return probability


def _bands(edges: npt.NDArray[np.float64], scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the band of each score: 0 at and above the highest edge, one more below each edge."""
    return np.searchsorted(-edges, -np.asarray(scores, dtype=np.float64), side="left")


def training_pool(n: int, validation_rows: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Rows:
    """Return the rows that rounds may query, ascending.

    Projects with a validation image are left out, since their other images may be near-copies of it. If that would
    leave less than half of the collection (few large projects), only the validation images themselves are left out.

    Parameters
    ----------
    n : int
        The size of the collection.
    validation_rows : rows
    groups : (n,) int, optional
        The project of each row.
    """
    held = np.zeros(n, dtype=bool)
    held[np.asarray(validation_rows, dtype=np.int64)] = True
    if groups is not None:
        code = np.asarray(groups)
        if code.shape != (n,):
            raise LearningError(
                f"Project codes of shape {code.shape} do not match {counted(n, 'image')}. Give one code for each."
            )
        related = np.isin(code, code[held])
        if np.count_nonzero(~related) >= n / 2:
            held = related
    return np.flatnonzero(~held).astype(np.int64)
