"""The inner loop of looking for words in names, compiled.

In:  folded text as bytes, where its lines end, words. Out: how well each line matches. Imports numba, so it is imported
inside functions only; it releases the interpreter while it looks.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

WHOLE, BEGINNING, INSIDE, NONE = 0, 1, 2, -1


@njit(nogil=True)
def grade(text: Any, ends: Any, words: Any, word_ends: Any, pivots: Any, found: Any, first: int, stop: int) -> None:
    """Write into ``found`` how well the lines ``first`` to ``stop`` match: the sum over the words, or -1.

    A word counts 0 where it stands as a whole word, 1 where a word begins with it, 2 inside of one; where it stands
    several times, the best counts. A line without one of the words does not match. ``pivots`` are the places of each
    word's rarest letter: it is looked for first.
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
        found[line] = total


@njit(nogil=True)
def _best(text: Any, begin: int, end: int, word: Any, pivot: int) -> int:
    """Return the best way in which ``word`` stands in a line."""
    best, rarest = NONE, word[pivot]
    for at in range(begin + pivot, end - len(word) + pivot + 1):
        if text[at] != rarest or not _stands(text, at - pivot, word):
            continue
        start, after = at - pivot, at - pivot + len(word)
        if start > begin and _in_word(text[start - 1]):
            grade_here = INSIDE
        elif after < end and _in_word(text[after]):
            grade_here = BEGINNING
        else:
            return WHOLE
        if best == NONE or grade_here < best:
            best = grade_here
    return best


@njit(nogil=True)
def _stands(text: Any, start: int, word: Any) -> bool:
    for i in range(len(word)):  # noqa: SIM110 (numba compiles no generators)
        if text[start + i] != word[i]:
            return False
    return True


@njit(nogil=True)
def _in_word(byte: int) -> bool:
    """Whether a byte of folded UTF-8 belongs to a word: a letter, a digit, or anything beyond ASCII."""
    return bool(np.uint8(byte) >= 128 or 48 <= byte <= 57 or 97 <= byte <= 122)
