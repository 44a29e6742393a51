"""How far people agree: who gave which image the same answer, and how often luck alone would do that.

In:  the answers of several annotators. Out: a table of who said what, raw agreement, Cohen's kappa, Krippendorff's
alpha, and the counts behind each, which add up over images so that any set of images can be drawn again for an
interval. Knows nothing of projects, names and decisions: an adjudicator's decision is no vote and is not among the
answers.

*Unsure* is an answer like the others unless it is left out on request (``unsure="missing"``). To count it is the
stricter way: whoever is unsure about what another is sure of does not agree with them.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.answers import NEGATIVE, POSITIVE, UNSURE, WITHDRAWN, Answers
from bam_engine.errors import AnnotationError

Unsure = Literal["value", "missing"]
Counts = NDArray[np.float64]

NO, YES, IN_DOUBT, SILENT = 0, 1, 2, -1  # the codes of a table; SILENT is no answer at all
KINDS_OF_ANSWER = 3
FEWEST = 2  # images that two people must share before anything is said of their agreement

_WORDS = {NO: "no", YES: "yes", IN_DOUBT: "unsure"}


class Undefined(AnnotationError):
    """The measure has no value for these answers; the message says why, and what would give it one."""


@dataclass(frozen=True, eq=False)
class Table:
    """Who said what: ``codes`` int8 (m, a), 0 no, 1 yes, 2 unsure, -1 nothing.

    ``rows`` (m,) and ``annotators`` (a,) ascend; each has at least one answer.
    """

    rows: NDArray[np.int64]
    annotators: NDArray[np.int64]
    codes: NDArray[np.int8]


def tabulate(answers: Answers, *, unsure: Unsure = "value") -> Table:
    """Return the table of who said what.

    Parameters
    ----------
    answers
        In the order in which they were given where an annotator answered an image more than once: the last one counts,
        and one that is withdrawn (-2) leaves nothing.
    unsure
        ``"value"``: an answer of its own. ``"missing"``: as if it had not been given.

    Raises
    ------
    AnnotationError
        An answer is none of 1, 0, -1, -2.

    Examples
    --------
    >>> said = Answers(np.array([7, 7, 9]), np.array([1, 2, 1]), np.array([1, -1, 0], np.int8))
    >>> tabulate(said).codes.tolist()
    [[1, 2], [0, -1]]
    """
    strange = np.setdiff1d(answers.answers, [POSITIVE, NEGATIVE, UNSURE, WITHDRAWN])
    if len(strange):
        raise AnnotationError(f"{strange[0]} is not an answer: use 1 (positive), 0 (negative), -1 (unsure) or -2.")
    rows, row_of = np.unique(answers.rows, return_inverse=True)
    people, person_of = np.unique(answers.annotators, return_inverse=True)
    cell = row_of * len(people) + person_of
    last = len(cell) - 1 - np.unique(cell[::-1], return_index=True)[1]
    said = answers.answers[last]
    code = np.where(said >= 0, said, np.where((said == UNSURE) & (unsure == "value"), IN_DOUBT, SILENT))
    codes = np.full((len(rows), len(people)), SILENT, dtype=np.int8)
    codes[row_of[last], person_of[last]] = code
    there = codes != SILENT
    kept, who = there.any(axis=1), there.any(axis=0)
    return Table(rows[kept].astype(np.int64), people[who].astype(np.int64), codes[np.ix_(kept, who)])


def counts(table: Table) -> NDArray[np.int64]:
    """Return how many said no, yes and unsure about each image, (m, 3)."""
    kinds = np.arange(KINDS_OF_ANSWER)
    found: NDArray[np.int64] = (table.codes[:, :, None] == kinds).sum(axis=1, dtype=np.int64)
    return found


def shared(table: Table, first: int, second: int) -> NDArray[np.int64]:
    """Return the positions of the images that two annotators, by their columns, both answered."""
    both = (table.codes[:, first] != SILENT) & (table.codes[:, second] != SILENT)
    return np.flatnonzero(both).astype(np.int64)


def pairs(table: Table) -> list[tuple[int, int]]:
    """Return the columns of every two annotators who share at least one image."""
    there = (table.codes != SILENT).astype(np.int64)
    together = there.T @ there
    return [(i, j) for i, j in combinations(range(len(table.annotators)), 2) if together[i, j]]


@dataclass(frozen=True, eq=False)
class Compared:
    """Every two answers to one image: the image's position, whether they are the same, and how many it has.

    Three arrays (p,); an image that k people answered is there k (k - 1) / 2 times, with ``people`` = k.
    """

    images: NDArray[np.int64]
    same: NDArray[np.bool_]
    people: NDArray[np.int64]


def compare(table: Table) -> Compared:
    """Return every two answers to one image.

    Raises
    ------
    Undefined
        One person alone has answered, nobody shares an image, or fewer than two images are shared.
    """
    people = counts(table).sum(axis=1)
    _check_shared(table, int((people > 1).sum()))
    images, same = [], []
    for first, second in pairs(table):
        both = shared(table, first, second)
        images.append(both)
        same.append(table.codes[both, first] == table.codes[both, second])
    where = np.concatenate(images)
    return Compared(where, np.concatenate(same), people[where])


def raw_agreement(table: Table) -> float:
    """Return how often two people who answered the same image said the same, each image counting once.

    Raises
    ------
    Undefined
        As :func:`compare`.

    Examples
    --------
    >>> said = Answers(np.array([7, 7, 9, 9]), np.array([1, 2, 1, 2]), np.array([1, 1, 1, 0], np.int8))
    >>> raw_agreement(tabulate(said))
    0.5
    """
    found = compare(table)
    return float(np.average(found.same, weights=2 / (found.people * (found.people - 1))))


# Two people


def contingency(table: Table, first: int, second: int) -> tuple[NDArray[np.int64], Counts]:
    """Return the images that two annotators share and a one-hot table of each, (n,) and (n, 3, 3).

    Summed over images it is the table of what the first said (down) against what the second said (across).
    """
    both = shared(table, first, second)
    found = np.zeros((len(both), KINDS_OF_ANSWER, KINDS_OF_ANSWER))
    found[np.arange(len(both)), table.codes[both, first], table.codes[both, second]] = 1
    return both, found


def kappa_expected_disagreement(contingencies: Counts) -> Counts:
    """Return the share of images on which luck alone would make two people differ, by table in (..., 3, 3)."""
    total = contingencies.sum(axis=(-2, -1))
    alike = (contingencies.sum(axis=-1) * contingencies.sum(axis=-2)).sum(axis=-1)
    return 1 - _divided(alike, total**2)


def kappa_of(contingencies: Counts) -> Counts:
    """Return Cohen's kappa of each table in (..., 3, 3); nan where it is undefined."""
    return 1 - _divided(differing(contingencies), kappa_expected_disagreement(contingencies))


def differing(tables: Counts) -> Counts:
    """Return the share of each table in (..., 3, 3) that lies off its diagonal; nan of an empty one."""
    return 1 - _divided(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))


def _divided(share: Counts, whole: Counts) -> Counts:
    result: Counts = np.full(np.shape(whole), np.nan)
    np.divide(share, whole, out=result, where=np.asarray(whole) > 1e-12)  # below it is rounding, not luck
    return result


def cohen_kappa(table: Table, first: int, second: int) -> float:
    """Return the agreement of two annotators beyond luck: 1 in all, 0 as by luck, below 0 less than by luck.

    Luck is what two people would share who gave their own numbers of yes, no and unsure blindly (Cohen, "A coefficient
    of agreement for nominal scales", 1960). Computed by scikit-learn.

    Raises
    ------
    Undefined
        They share fewer than two images, or gave one and the same answer to all of them: luck alone would then agree
        in all, and nothing is left to be better at.
    """
    from sklearn.metrics import cohen_kappa_score

    both = shared(table, first, second)
    if len(both) < FEWEST:
        raise Undefined(_too_few(len(both)))
    mine, theirs = table.codes[both, first], table.codes[both, second]
    _check_varied(np.concatenate([mine, theirs]), "kappa")
    return float(cohen_kappa_score(mine, theirs, labels=list(_WORDS)))


# Any number of people


def coincidences(table: Table) -> tuple[NDArray[np.int64], Counts]:
    """Return the images that several people answered and the coincidences of each, (n,) and (n, 3, 3).

    An image that k people answered adds 1 / (k - 1) for each ordered pair of its answers, so that it weighs as much as
    it has answers.
    """
    said = counts(table).astype(np.float64)
    several = np.flatnonzero(said.sum(axis=1) > 1).astype(np.int64)
    said = said[several]
    ordered = said[:, :, None] * said[:, None, :] - said[:, :, None] * np.eye(KINDS_OF_ANSWER)
    return several, ordered / (said.sum(axis=1) - 1)[:, None, None]


def alpha_expected_disagreement(coincided: Counts) -> Counts:
    """Return the share of pairs that differ among answers drawn from all those given, by matrix in (..., 3, 3)."""
    each = coincided.sum(axis=-1)
    total = each.sum(axis=-1)
    return _divided(total**2 - (each**2).sum(axis=-1), total * (total - 1))


def alpha_of(coincided: Counts) -> Counts:
    """Return Krippendorff's nominal alpha of each coincidence matrix in (..., 3, 3); nan where it is undefined."""
    return 1 - _divided(differing(coincided), alpha_expected_disagreement(coincided))


def krippendorff_alpha(table: Table) -> float:
    """Return the agreement of all annotators beyond luck: 1 in all, 0 as by luck, below 0 less than by luck.

    Any number of people, any of whom may have skipped any image; images that one person alone answered count nowhere
    (Krippendorff, *Content Analysis*, 2004, chapter 11; nominal). Computed by the package ``krippendorff``. Luck is
    what two answers would share that are drawn from all answers given.

    Raises
    ------
    Undefined
        As :func:`compare`, or every answer to the shared images is the same.
    """
    import krippendorff

    said = counts(table)
    people = said.sum(axis=1)
    _check_shared(table, int((people > 1).sum()))
    both = people > 1
    _check_varied(table.codes[both][table.codes[both] != SILENT], "alpha")
    return float(krippendorff.alpha(value_counts=said[both], level_of_measurement="nominal"))


def majority_of_others(table: Table, column: int) -> NDArray[np.int8]:
    """Return what more of the others say than say the opposite about each image, (m,): 1, 0, or -1 for neither."""
    others = np.delete(table.codes, column, axis=1)
    yes, no = ((others == code).sum(axis=1) for code in (YES, NO))
    found: NDArray[np.int8] = np.where(yes > no, YES, np.where(no > yes, NO, SILENT)).astype(np.int8)
    return found


def _check_shared(table: Table, images: int) -> None:
    if len(table.annotators) == 0:
        raise Undefined("nobody has answered yet, so there is nothing to compare. Answer some images first.")
    if len(table.annotators) == 1:
        raise Undefined(
            "one person alone has answered, so there is nothing to compare. Let a second person answer the same images."
        )
    if images < FEWEST:
        raise Undefined(_too_few(images))


def _too_few(images: int) -> str:
    if images == 0:
        return "no image was answered by two people, so there is nothing to compare. Let two answer the same images."
    return f"{images} image alone was answered by two people; at least {FEWEST} are needed. Let two answer more."


def _check_varied(codes: NDArray[np.int8], measure: str) -> None:
    kinds = np.unique(codes)
    if len(kinds) == 1:
        raise Undefined(
            f"every answer to the shared images is “{_WORDS[int(kinds[0])]}”, so luck would agree as well and "
            f"{measure} has no value. Share images of the other kind too."
        )
