"""Agreement between annotators: raw agreement, Cohen's kappa, Krippendorff's alpha.

In:  the answers of several annotators, without the decisions of adjudicators, which are not votes. Out: a table of
answers, the measures of agreement, and the per-image counts behind each, which sum over images so that intervals can be
bootstrapped.

*Unsure* is an answer like any other unless it is ignored (``unsure="missing"``). Counting it is stricter: an annotator
who is unsure disagrees with one who is sure.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.answers import NEGATIVE, POSITIVE, UNSURE, WITHDRAWN, Answers
from bam_engine.errors import AnnotationError
from bam_engine.formatting import count

Unsure = Literal["value", "missing"]
Counts = NDArray[np.float64]

NO, YES, NOT_SURE, NO_ANSWER = 0, 1, 2, -1  # the codes of a table
N_ANSWERS = 3
MIN_SHARED = 2  # images that two annotators must share to measure their agreement

_WORDS = {NO: "no", YES: "yes", NOT_SURE: "unsure"}


class Undefined(AnnotationError):
    """The measure is undefined for these answers; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Table:
    """The answers as ``codes``, int8 (m, a): 0 no, 1 yes, 2 unsure, -1 no answer.

    ``rows`` (m,) and ``annotators`` (a,) ascend; each has at least one answer.
    """

    rows: NDArray[np.int64]
    annotators: NDArray[np.int64]
    codes: NDArray[np.int8]


def planned_answers(answers: Answers, given: NDArray[np.int64], people: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which answers were asked for whatever others had said: the first ``people`` about each image.

    Whoever is asked further about an image is asked because the first ones do not agree. Their answers settle the image
    and say nothing of how often people agree: counted among the others, they make a good annotator look poor and a pair
    that differs often look as if it did less often.

    Parameters
    ----------
    answers
        By row.
    given : (m,) int
        When each person first answered the image: any numbers that ascend with time.
    people : (m,) int
        How many people each of these images is meant for.

    Examples
    --------
    >>> answers = Answers(np.array([7, 7, 7]), np.array([1, 2, 3]), np.array([1, 1, 0], np.int8))
    >>> planned_answers(answers, np.array([30, 10, 20]), np.array([2, 2, 2])).tolist()
    [False, True, True]
    """
    order = np.lexsort((given, answers.rows))
    starts = np.flatnonzero(np.diff(answers.rows[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    planned = np.zeros(len(order), bool)
    planned[order] = place < people[order]
    return planned


def tabulate(answers: Answers, *, unsure: Unsure = "value") -> Table:
    """Return the table of answers.

    Parameters
    ----------
    answers
        In chronological order: if an annotator answered an image more than once, the last answer counts, and a
        withdrawn one (-2) counts as no answer.
    unsure
        ``"value"``: unsure is an answer of its own. ``"missing"``: unsure counts as no answer.

    Raises
    ------
    AnnotationError
        An answer is not one of 1, 0, -1, -2.

    Examples
    --------
    >>> answers = Answers(np.array([7, 7, 9]), np.array([1, 2, 1]), np.array([1, -1, 0], np.int8))
    >>> tabulate(answers).codes.tolist()
    [[1, 2], [0, -1]]
    """
    unknown = np.setdiff1d(answers.answers, [POSITIVE, NEGATIVE, UNSURE, WITHDRAWN])
    if len(unknown):
        raise AnnotationError(
            f"{unknown[0]} is not an answer. Use 1 (positive), 0 (negative), -1 (unsure) or -2 (withdrawn)."
        )
    rows, row_of = np.unique(answers.rows, return_inverse=True)
    annotators, annotator_of = np.unique(answers.annotators, return_inverse=True)
    cell = row_of * len(annotators) + annotator_of
    last = len(cell) - 1 - np.unique(cell[::-1], return_index=True)[1]
    values = answers.answers[last]
    code = np.where(values >= 0, values, np.where((values == UNSURE) & (unsure == "value"), NOT_SURE, NO_ANSWER))
    codes = np.full((len(rows), len(annotators)), NO_ANSWER, dtype=np.int8)
    codes[row_of[last], annotator_of[last]] = code
    answered = codes != NO_ANSWER
    images, active = answered.any(axis=1), answered.any(axis=0)
    return Table(rows[images].astype(np.int64), annotators[active].astype(np.int64), codes[np.ix_(images, active)])


def answer_counts(table: Table) -> NDArray[np.int64]:
    """Return the number of no, yes and unsure answers to each image, (m, 3)."""
    kinds = [(table.codes == kind).sum(axis=1, dtype=np.int64) for kind in range(N_ANSWERS)]
    return np.stack(kinds, axis=1)


def shared_images(table: Table, first: int, second: int) -> NDArray[np.int64]:
    """Return the positions, ascending, of the images that the annotators in two columns both answered."""
    both = (table.codes[:, first] != NO_ANSWER) & (table.codes[:, second] != NO_ANSWER)
    return np.flatnonzero(both).astype(np.int64)


def annotator_pairs(table: Table) -> list[tuple[int, int]]:
    """Return the columns of all pairs of annotators who share at least one image."""
    answered = (table.codes != NO_ANSWER).astype(np.int64)
    together = answered.T @ answered
    return [(i, j) for i, j in combinations(range(len(table.annotators)), 2) if together[i, j]]


@dataclass(frozen=True, eq=False)
class AnswerPairs:
    """All pairs of answers to the same image: the image's position, whether they are equal, and its number of answers.

    Three arrays (p,); an image with k answers occurs k (k - 1) / 2 times, and images with fewer answers come first.
    """

    images: NDArray[np.int64]
    same: NDArray[np.bool_]
    answers: NDArray[np.int64]


def answer_pairs(table: Table) -> AnswerPairs:
    """Return all pairs of answers to the same image.

    Raises
    ------
    Undefined
        Only one annotator has answered, or fewer than two images have several answers.
    """
    n_answers = answer_counts(table).sum(axis=1)
    _check_shared(table, int((n_answers > 1).sum()))
    images, columns = np.nonzero(table.codes != NO_ANSWER)
    starts, codes = np.cumsum(n_answers) - n_answers, table.codes[images, columns]
    where, same = [], []
    for k in np.unique(n_answers[n_answers > 1]).tolist():  # images with equally many answers are paired together
        alike = np.flatnonzero(n_answers == k)
        given = codes[starts[alike][:, None] + np.arange(k)]
        first, second = np.triu_indices(k, 1)
        where.append(np.repeat(alike, len(first)))
        same.append((given[:, first] == given[:, second]).ravel())
    paired = np.concatenate(where).astype(np.int64)
    return AnswerPairs(paired, np.concatenate(same), n_answers[paired])


def raw_agreement(table: Table) -> float:
    """Return the fraction of answer pairs that agree, with equal weight for each image.

    Raises
    ------
    Undefined
        As :func:`answer_pairs`.

    Examples
    --------
    >>> answers = Answers(np.array([7, 7, 9, 9]), np.array([1, 2, 1, 2]), np.array([1, 1, 1, 0], np.int8))
    >>> raw_agreement(tabulate(answers))
    0.5
    """
    pairs = answer_pairs(table)
    return float(np.average(pairs.same, weights=2 / (pairs.answers * (pairs.answers - 1))))


# Two annotators


def contingency(table: Table, first: int, second: int) -> tuple[NDArray[np.int64], Counts]:
    """Return the images that two annotators share and the one-hot contingency table of each, (n,) and (n, 3, 3).

    The sum over images is the contingency table, with the first annotator in rows and the second in columns.
    """
    both = shared_images(table, first, second)
    tables = np.zeros((len(both), N_ANSWERS, N_ANSWERS))
    tables[np.arange(len(both)), table.codes[both, first], table.codes[both, second]] = 1
    return both, tables


def kappa_expected_disagreement(contingencies: Counts) -> Counts:
    """Return the disagreement expected by chance for each contingency table in (..., 3, 3), as a fraction of images."""
    total = contingencies.sum(axis=(-2, -1))
    agreeing = (contingencies.sum(axis=-1) * contingencies.sum(axis=-2)).sum(axis=-1)
    return 1 - _divided(agreeing, total**2)


def kappa_of(contingencies: Counts) -> Counts:
    """Return Cohen's kappa of each contingency table in (..., 3, 3); nan where it is undefined."""
    return 1 - _divided(observed_disagreement(contingencies), kappa_expected_disagreement(contingencies))


def observed_disagreement(tables: Counts) -> Counts:
    """Return the off-diagonal fraction of each table in (..., 3, 3); nan for an empty one."""
    return 1 - _divided(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))


def _divided(part: Counts, whole: Counts) -> Counts:
    result: Counts = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=result, where=np.asarray(whole) > 1e-12)  # smaller values are rounding errors
    return result


def cohen_kappa(table: Table, first: int, second: int) -> float:
    """Return Cohen's kappa of two annotators: 1 is full agreement, 0 chance level, below 0 worse than chance.

    Chance agreement is that of two annotators who give their own numbers of yes, no and unsure answers at random
    (Cohen, "A coefficient of agreement for nominal scales", 1960). Computed by scikit-learn.

    Raises
    ------
    Undefined
        They share fewer than two images, or gave the same answer to all of them, so that chance agreement is complete.
    """
    from sklearn.metrics import cohen_kappa_score

    both = shared_images(table, first, second)
    if len(both) < MIN_SHARED:
        raise Undefined(_too_few(len(both)))
    answers, other = table.codes[both, first], table.codes[both, second]
    _check_varied(np.concatenate([answers, other]), "kappa")
    return float(cohen_kappa_score(answers, other, labels=list(_WORDS)))


# Any number of annotators


def coincidences(table: Table) -> tuple[NDArray[np.int64], Counts]:
    """Return the images with several answers and the coincidence matrix of each, (n,) and (n, 3, 3).

    An image with k answers adds 1 / (k - 1) for each ordered pair of its answers, so that its total weight is k.
    """
    counts = answer_counts(table).astype(np.float64)
    several = np.flatnonzero(counts.sum(axis=1) > 1).astype(np.int64)
    counts = counts[several]
    ordered = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(N_ANSWERS)
    return several, ordered / (counts.sum(axis=1) - 1)[:, None, None]


def alpha_expected_disagreement(matrices: Counts) -> Counts:
    """Return the disagreement expected by chance for each coincidence matrix in (..., 3, 3), as a fraction of pairs."""
    each = matrices.sum(axis=-1)
    total = each.sum(axis=-1)
    return _divided(total**2 - (each**2).sum(axis=-1), total * (total - 1))


def alpha_of(matrices: Counts) -> Counts:
    """Return Krippendorff's nominal alpha of each coincidence matrix in (..., 3, 3); nan where it is undefined."""
    return 1 - _divided(observed_disagreement(matrices), alpha_expected_disagreement(matrices))


def krippendorff_alpha(table: Table) -> float:
    """Return Krippendorff's nominal alpha: 1 is full agreement, 0 chance level, below 0 worse than chance.

    Allows any number of annotators with any missing answers; images with a single answer are ignored (Krippendorff,
    *Content Analysis*, 2004, chapter 11). Chance agreement is that of two answers drawn at random from all answers.
    Computed by the package ``krippendorff``.

    Raises
    ------
    Undefined
        As :func:`answer_pairs`, or every answer to the shared images is the same.
    """
    import krippendorff

    counts = answer_counts(table)
    shared = counts.sum(axis=1) > 1
    _check_shared(table, int(shared.sum()))
    _check_varied(table.codes[shared][table.codes[shared] != NO_ANSWER], "alpha")
    return float(krippendorff.alpha(value_counts=counts[shared], level_of_measurement="nominal"))


def majority_of_others(table: Table, column: int) -> NDArray[np.int8]:
    """Return the majority answer of all other annotators to each image, int8 (m,): 1 yes, 0 no, -1 for a tie."""
    others = np.delete(table.codes, column, axis=1)
    yes, no = ((others == code).sum(axis=1) for code in (YES, NO))
    majority: NDArray[np.int8] = np.where(yes > no, YES, np.where(no > yes, NO, NO_ANSWER)).astype(np.int8)
    return majority


def beside_others(table: Table, column: int) -> tuple[NDArray[np.intp], NDArray[np.int8], NDArray[np.int8]]:
    """Return the images that an annotator answered and on which the others are not tied, by their places in the table.

    With the annotator's answers to them, and what most others say: codes, int8, as in the table.
    """
    own, others = table.codes[:, column], majority_of_others(table, column)
    places = np.flatnonzero((own != NO_ANSWER) & (others != NO_ANSWER))
    return places, own[places], others[places]


def _check_shared(table: Table, images: int) -> None:
    if len(table.annotators) == 0:
        raise Undefined("There are no answers yet. Answer some images first.")
    if len(table.annotators) == 1:
        raise Undefined(
            "Only one person has answered, so there is nothing to compare. Have a second person answer the same images."
        )
    if images < MIN_SHARED:
        raise Undefined(_too_few(images))


def _too_few(images: int) -> str:
    if images == 0:
        return "No image was answered by two people. Have two people answer the same images."
    return (
        f"Only {count(images, 'image was', 'images were')} answered by two people, but at least {MIN_SHARED} are "
        "needed. Have two people answer more of the same images."
    )


def _check_varied(codes: NDArray[np.int8], measure: str) -> None:
    kinds = np.unique(codes)
    if len(kinds) == 1:
        raise Undefined(
            f"Every answer to the shared images is “{_WORDS[int(kinds[0])]}”, so chance agreement is complete and "
            f"{measure} is undefined. Share images with other answers too."
        )
