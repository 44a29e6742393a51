"""Labels as callers of the Python interface give them.

In:  a mapping from row or path to an answer in any of the usual words. Out: one answer for each row, or an error.
"""

from collections.abc import Mapping
from operator import index
from pathlib import Path
from typing import Any

import pandas as pd

from bam_engine.collection import Catalogue
from bam_engine.collection.matching import rows_of_paths
from bam_engine.errors import AnnotationError, NotFound
from bam_engine.exchange.label_tables import Vocabulary

Labels = Mapping[int | str | Path, object] | pd.Series
"""Answers by row or path: True, False, 1, 0, "yes", "no", "unsure"; None is no answer."""


def answers_of(catalogue: Catalogue, labels: Labels) -> dict[int, int]:
    """Return row → answer.

    Raises
    ------
    AnnotationError
        A value means nothing, a path matches no image or several, or an image has two labels.
    """
    words = Vocabulary()
    if not isinstance(labels, Mapping | pd.Series):
        raise AnnotationError(
            f"Labels are given as a dict or a Series, by row or path, not as a {type(labels).__name__}. "
            "Write {0: True}, for example."
        )
    given: dict[Any, object] = dict(labels.items())
    rows = _rows_of(catalogue, [str(key) for key in given if isinstance(key, str | Path)])
    answers: dict[int, int] = {}
    for key, value in given.items():
        row = rows[str(key)] if isinstance(key, str | Path) else row_of(key)
        try:
            answer = words.answer(value)
        except ValueError:
            raise AnnotationError(
                f"The label of {key} is {value!r}. Use True, False, 'yes', 'no' or 'unsure'."
            ) from None
        if answer is not None and answers.setdefault(row, answer) != answer:
            raise AnnotationError(f"Image {row} has two labels, {key!r} among them. Give each image one.")
    return answers


def _rows_of(catalogue: Catalogue, paths: list[str]) -> dict[str, int]:
    try:
        return rows_of_paths(catalogue, paths)
    except NotFound as error:
        raise AnnotationError(str(error)) from error


def row_of(key: Any) -> int:
    """Return the row that a key names which is no path."""
    try:
        return index(key)
    except TypeError:
        raise AnnotationError(
            f"{key!r} is neither a row nor a path. Give a whole number or the path of an image."
        ) from None
