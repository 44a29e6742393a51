"""Validation of assignments and answers before they are stored.

In:  untrusted input. Out: the same, or an :class:`~bam_engine.errors.AnnotationError` that says what is wrong.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bam_engine.annotation.answers import NewAnswer
from bam_engine.errors import AnnotationError

MAX_ROW = 2**31 - 1
_UID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def checked_rows(rows: Iterable[int]) -> tuple[int, ...]:
    """Return the rows of an assignment in their order, if all are valid and unique."""
    order = tuple(int(row) for row in rows)
    if not order:
        raise AnnotationError("An assignment needs at least one image.")
    if len(set(order)) < len(order):
        repeated = next(row for row, times in Counter(order).items() if times > 1)
        raise AnnotationError(f"Row {repeated} occurs twice in the assignment. List each image once.")
    if min(order) < 0 or max(order) > MAX_ROW:
        raise AnnotationError(f"Rows are numbered from 0, but the assignment has rows {min(order)} to {max(order)}.")
    return order


def not_in_assignment(row: object) -> AnnotationError:
    """Return the error for an answer to a row outside the assignment."""
    return AnnotationError(f"Row {str(row)[:60]} is not in this assignment. Reload the page to see its images.")


def check_uid(uid: object) -> None:
    """Refuse what cannot name an answer of a browser."""
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise AnnotationError(
            f"{str(uid)[:60]!r} is not a valid uid. Use 1 to 100 letters, digits or _ . : - (such as a UUID)."
        )


def check_answers(answers: Sequence[NewAnswer], words: Mapping[int, str]) -> None:
    """Refuse invalid answers; ``words`` maps the valid ones to their names."""
    for answer in answers:
        check_uid(answer.uid)
        if not _is_whole(answer.row) or not 0 <= answer.row <= MAX_ROW:
            raise not_in_assignment(answer.row)
        if not _is_whole(answer.answer) or answer.answer not in words:
            known = ", ".join(f"{number} ({word})" for number, word in words.items())
            raise AnnotationError(f"{str(answer.answer)[:60]!r} is not an answer. Use one of {known}.")
        if answer.seen is not None and (not _is_whole(answer.seen) or answer.seen not in words):
            raise AnnotationError(
                f"{str(answer.seen)[:60]!r} is not an answer to be replaced. Use one of {', '.join(map(str, words))}."
            )
        if answer.seconds is not None and not _is_duration(answer.seconds):
            raise AnnotationError(
                f"{str(answer.seconds)[:60]!r} is not a duration. Give the seconds as a number of at least 0."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_duration(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return False
    try:
        seconds = float(value)
    except OverflowError:
        return False
    return math.isfinite(seconds) and seconds >= 0
