"""Who is held out to judge, and who may teach.

In:  how many images there are, which are taken, their projects. Out: rows. Knows nothing of scores or labels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ValidationSample:
    """Rows in random order and the probability with which each was to be drawn; weigh by one over it."""

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
    """Draw ``count`` images at random, without replacement, spread over the projects.

    Parameters
    ----------
    pool : int or (m,) rows
        The collection's size, or the rows that may be drawn. Leave out images that could not be embedded.
    groups : (N,) int, optional
        The project of each row of the collection. None: a simple random sample.
    exclude : rows, optional
        Never drawn: images labelled already.

    Notes
    -----
    Images are drawn with equal probability, not projects: precision on the sample is precision on the pool. They are
    spread by :func:`spread_over_projects`, so that near-copies take no more of the labels than they must.

    Raises
    ------
    LearningError
        Fewer images are there than asked.
    """
    rows = np.arange(pool, dtype=np.int64) if isinstance(pool, int) else np.unique(np.asarray(pool, dtype=np.int64))
    if exclude is not None:
        rows = np.setdiff1d(rows, np.asarray(exclude, dtype=np.int64), assume_unique=False)
    if not 0 < count <= len(rows):
        way_out = f"Ask for 1 to {len(rows)}." if len(rows) else "Add images first."
        raise LearningError(f"a validation set of {count} images was asked, {len(rows)} can be drawn. {way_out}")
    project = rows if groups is None else np.asarray(groups)[rows]
    drawn = rng.permutation(spread_over_projects(rows, project, count, rng=rng))
    return ValidationSample(drawn, np.full(count, count / len(rows)))


def spread_over_projects(rows: Rows, groups: npt.ArrayLike, count: int, *, rng: np.random.Generator) -> Rows:
    """Return ``count`` of the rows, each with probability ``count / m``, spread over the projects.

    Parameters
    ----------
    rows : (m,) int
    groups : (m,) int
        The project of each of them.

    Notes
    -----
    Systematic sampling with equal probability (Madow, 1949): images are laid in a row, project after project, the
    projects and the images within them in random order, and every ``m / count``-th is taken from a random start. A
    project of ``p`` images gives ``p * count / m`` of them, rounded up or down: at most one as long as it holds no more
    than a ``count``-th of them all. Without projects this is a simple random sample.
    """
    if count == 0:
        return rows[:0]
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    place = rng.permutation(code.max() + 1)[code]  # the projects in random order
    line = np.lexsort((rng.random(len(rows)), place))
    steps = (rng.random() + np.arange(count)) * (len(rows) / count)
    taken = np.minimum(steps.astype(np.int64), len(rows) - 1)  # rounding may reach the end
    return rows[line[taken]]


def inclusion_probabilities(
    frame: npt.ArrayLike, drawn: npt.ArrayLike, at: npt.ArrayLike, *, cuts: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return how likely an image of each score was to be drawn by a certification, which draws more at stricter cuts.

    Parameters
    ----------
    frame, drawn : (N,) and (n,)
        The scores of all images that could be drawn, and of those that were: at random between any two cuts.
    at : (m,)
        The scores asked about; nan gives 0.
    cuts : (c,)
        Where the density may change.

    Notes
    -----
    The share drawn of each band, as in stratification after the draw, made monotone: whatever a looser cut asks for
    counts for the stricter ones too, so a band is never drawn from less densely than a looser one (isotonic
    regression; Barlow et al., 1972). The densities of a sample that grew where the decision was open depend on its
    labels, so estimates weighted by it are approximate (``benchmarks/coverage.py`` says how good they are); what is
    certified does not rest on them.
    """
    from sklearn.isotonic import IsotonicRegression

    edges = np.unique(np.asarray(cuts, dtype=np.float64))[::-1]
    there = np.bincount(_bands(edges, frame), minlength=len(edges) + 1)
    taken = np.bincount(_bands(edges, drawn), minlength=len(edges) + 1)
    some = there > 0
    share = np.zeros(len(there))
    if some.any():
        falling = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
        places = np.arange(len(there))
        falling.fit(places[some], taken[some] / there[some], sample_weight=there[some])
        share = falling.predict(places)
    scores = np.asarray(at, dtype=np.float64)
    bands = _bands(edges, np.nan_to_num(scores))
    found: npt.NDArray[np.float64] = np.where(np.isnan(scores), 0.0, share[bands])
    return found


def _bands(edges: npt.NDArray[np.float64], scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the band of each score: 0 from the highest edge up, one more below each."""
    return np.searchsorted(-edges, -np.asarray(scores, dtype=np.float64), side="left")


def training_pool(n: int, validation_rows: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Rows:
    """Return the rows that may be asked for training, ascending.

    No project that has an image in the validation set may teach: its other images are near-copies of the answer.
    Where that would leave less than half of the collection (few large projects), only the images themselves stay out.

    Parameters
    ----------
    n : int
        The collection's size.
    groups : (n,) int, optional
        The project of each row.
    """
    held = np.zeros(n, dtype=bool)
    held[np.asarray(validation_rows, dtype=np.int64)] = True
    if groups is not None:
        code = np.asarray(groups)
        if code.shape != (n,):
            raise LearningError(f"{n} images were given with project codes of shape {code.shape}.")
        related = np.isin(code, code[held])
        if np.count_nonzero(~related) >= n / 2:
            held = related
    return np.flatnonzero(~held).astype(np.int64)
