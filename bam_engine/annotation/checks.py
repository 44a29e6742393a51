"""What may be stored as an assignment or an answer.

In:  what was sent. Out: the same, or an :class:`~bam_engine.errors.AnnotationError` that says what is wrong with it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bam_engine.annotation.answers import NewAnswer
from bam_engine.errors import AnnotationError

LARGEST_ROW = 2**31 - 1
_UID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def checked_rows(rows: Iterable[int]) -> tuple[int, ...]:
    """Return the rows of an assignment in their order, if each is a row and there once."""
    order = tuple(int(row) for row in rows)
    if not order:
        raise AnnotationError("an assignment without images cannot be answered: give at least one row.")
    if len(set(order)) < len(order):
        twice = next(row for row, times in Counter(order).items() if times > 1)
        raise AnnotationError(f"row {twice} is in the assignment twice: give each image once.")
    if min(order) < 0 or max(order) > LARGEST_ROW:
        raise AnnotationError(f"rows are numbered from 0: {min(order)} to {max(order)} were given.")
    return order


def not_in_assignment(row: object) -> AnnotationError:
    """Return the error that says that ``row`` was not asked."""
    return AnnotationError(f"row {str(row)[:60]} is not in this assignment: reload the page to see which are.")


def check_answers(answers: Sequence[NewAnswer], words: Mapping[int, str]) -> None:
    """Refuse answers that cannot be; ``words`` are the answers that can."""
    for answer in answers:
        if not isinstance(answer.uid, str) or not _UID.fullmatch(answer.uid):
            raise AnnotationError(
                f"{str(answer.uid)[:60]!r} is not a uid: use 1 to 100 letters, digits or any of _ . : - (a UUID)."
            )
        if not _is_whole(answer.row) or not 0 <= answer.row <= LARGEST_ROW:
            raise not_in_assignment(answer.row)
        if not _is_whole(answer.answer) or answer.answer not in words:
            known = ", ".join(f"{number} ({word})" for number, word in words.items())
            raise AnnotationError(f"{str(answer.answer)[:60]!r} is not an answer: use one of {known}.")
        if answer.seconds is not None and not _is_duration(answer.seconds):
            raise AnnotationError(f"{str(answer.seconds)[:60]!r} is no number of seconds: give one of at least 0.")


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
