"""Compiled inner loop of the name search.

In:  folded text as bytes, the ends of its lines, words. Out: a match grade per line. This module imports numba, so
import it inside functions only. The kernels release the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

WHOLE, BEGINNING, INSIDE, NONE = 0, 1, 2, -1


@njit(nogil=True)
def grade(text: Any, ends: Any, words: Any, word_ends: Any, pivots: Any, grades: Any, first: int, stop: int) -> None:
    """Write the match grades of the lines ``first`` to ``stop`` into ``grades``: the sum over the words, or -1.

    A word scores 0 as a whole word, 1 as a prefix, 2 inside a word; its best occurrence counts. A line that lacks one
    of the words does not match. ``pivots`` are the positions of each word's rarest letter, which is searched first.
    """
    for line in range(first, stop):
        begin, end = ends[line - 1] + 1 if line else 0, ends[line]
        total = 0
        for number in range(len(word_ends)):
            word = words[word_ends[number - 1] if number else 0 : word_ends[number]]
            best = _best(text, begin, end, word, pivots[number])
            if best == NONE:
                total = NONE
                break
            total += best
        grades[line] = total


@njit(nogil=True)
def _best(text: Any, begin: int, end: int, word: Any, pivot: int) -> int:
    """Return the best grade of ``word`` in a line."""
    best, rarest = NONE, word[pivot]
    for at in range(begin + pivot, end - len(word) + pivot + 1):
        if text[at] != rarest or not _matches(text, at - pivot, word):
            continue
        start, after = at - pivot, at - pivot + len(word)
        if start > begin and _in_word(text[start - 1]):
            grade_at = INSIDE
        elif after < end and _in_word(text[after]):
            grade_at = BEGINNING
        else:
            return WHOLE
        if best == NONE or grade_at < best:
            best = grade_at
    return best


@njit(nogil=True)
def _matches(text: Any, start: int, word: Any) -> bool:
    for i in range(len(word)):  # noqa: SIM110 (numba does not compile generators)
        if text[start + i] != word[i]:
            return False
    return True


@njit(nogil=True)
def _in_word(byte: int) -> bool:
    """Return whether a byte of folded UTF-8 belongs to a word: a letter, a digit, or any non-ASCII byte."""
    return bool(np.uint8(byte) >= 128 or 48 <= byte <= 57 or 97 <= byte <= 122)
