"""Compiled inner loop of the name search.

In:  folded text as bytes, the ends of its lines, words and stems. Out: a match grade per row. This module imports
numba, so import it inside functions only. The kernels release the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

WHOLE, STEM, BEGINNING, INSIDE, NONE = 0, 1 << 12, 2 << 12, 3 << 12, -1
SEPARATOR = 0x1F  # between the fields of a line


@njit(nogil=True)
def grade(text: Any, ends: Any, words: Any, stems: Any, grades: Any, first: int, stop: int) -> None:
    """Write the match grades of the rows ``first`` to ``stop`` into ``grades``: the sum over the words, or -1.

    Row ``i`` has the lines ``2 i``, its names, and ``2 i + 1``, their stems. A word scores ``WHOLE`` as a whole word,
    ``STEM`` as a word of the same stem, ``BEGINNING`` as a prefix and ``INSIDE`` inside a word, and in addition the
    number of the field; its best occurrence counts. A row that lacks one of the words does not match. ``words`` and
    ``stems`` are bytes, the ends of each word, and the position of its rarest letter, which is searched first.
    """
    for row in range(first, stop):
        begin, end, last = ends[2 * row - 1] + 1 if row else 0, ends[2 * row], ends[2 * row + 1]
        total = 0
        for number in range(len(words[1])):
            word, stem, rarest = _word(words, number), _word(stems, number), stems[2][number]
            by_stem = _best(text, begin, end, stem, rarest) if len(stem) else NONE
            best = NONE
            if by_stem != NONE or not _starts_with(word, stem):  # else the word cannot be there either
                best = _best(text, begin, end, word, words[2][number])
            if len(stem) and (best == NONE or best >= STEM):
                for found in (by_stem, _best(text, end + 1, last, stem, rarest)):
                    if found != NONE and found < STEM and (best == NONE or STEM + found < best):
                        best = STEM + found
            if best == NONE:
                total = NONE
                break
            total += best
        grades[row] = total


@njit(nogil=True)
def _word(words: Any, number: int) -> Any:
    return words[0][words[1][number - 1] if number else 0 : words[1][number]]


@njit(nogil=True)
def _starts_with(word: Any, stem: Any) -> bool:
    """Return whether there is a stem with which the word starts."""
    return 0 < len(stem) <= len(word) and _matches(word, 0, stem)


@njit(nogil=True)
def _best(text: Any, begin: int, end: int, word: Any, pivot: int) -> int:
    """Return the best grade of ``word`` in a line, of equals the first."""
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
            return int(WHOLE + _field(text, begin, start))
        if best == NONE or grade_at < best - best % STEM:
            best = grade_at + _field(text, begin, start)
    return best


@njit(nogil=True)
def _field(text: Any, begin: int, at: int) -> int:
    """Return the number of the field of a line that has the position ``at``."""
    field = 0
    for place in range(begin, at):
        field += text[place] == SEPARATOR
    return field


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
