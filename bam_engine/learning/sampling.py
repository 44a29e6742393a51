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
    pool: int | npt.ArrayLike, count: int, *, rng: np.random.Generator, exclude: npt.ArrayLike | None = None
) -> ValidationSample:
    """Draw ``count`` images simply at random, without replacement.

    Parameters
    ----------
    pool : int or (m,) rows
        The collection's size, or the rows that may be drawn. Leave out images that could not be embedded.
    exclude : rows, optional
        Never drawn: images labelled already.

    Notes
    -----
    Single images are drawn, not projects: so every image has the same probability and precision on the sample is
    precision on the pool. That near-copies of a project say less is the intervals' matter.

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
    drawn = rng.choice(rows, size=count, replace=False)
    return ValidationSample(drawn, np.full(count, count / len(rows)))


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
