"""A selection as a CSV table, one row per image.

In:  rows. Out: the text of a CSV file, a block at a time, so that a selection of any size needs little memory.
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.spreadsheets import write_lines
from bam_engine.training.models import scores_by_name
from bam_engine.workspace.core import Workspace

BLOCK = 2000
"""Images per block."""

COLUMNS = ("row", "uri", "file", "title", "project")
"""Columns before the scores; the column of an attribute is ``NAME_score``, as in an export of the dataset."""


def csv_blocks(
    workspace: Workspace, rows: Sequence[int] | NDArray[np.int64], *, raw_text: bool = False
) -> Iterator[str]:
    """Yield the CSV file of ``rows`` in their order: a header, then a row for each image; a missing score is empty.

    The column ``file`` is "ok", "missing" or "replaced". No text starts a formula in a spreadsheet
    (:mod:`bam_engine.spreadsheets`), unless ``raw_text`` is asked for.

    Raises
    ------
    NotFound
        The collection has no such row.
    """
    scores = scores_by_name(workspace)
    yield _lines([[*COLUMNS, *(f"{name}_score" for name in scores)]], raw_text)
    rows = np.asarray(rows, np.int64)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        columns = [[_number(values, int(row)) for values in scores.values()] for row in block]
        images = zip(workspace.catalogue.images(block.tolist()), columns, strict=True)
        lines = (
            [image.row, image.uri, image.status, image.title, image.project_id, *numbers] for image, numbers in images
        )
        yield _lines(lines, raw_text)


def _number(scores: NDArray[np.float32], row: int) -> float | None:
    score = float(scores[row]) if row < len(scores) else math.nan
    return round(score, 6) if math.isfinite(score) else None


def _lines(lines: Iterable[Sequence[object]], raw_text: bool) -> str:
    file = io.StringIO()
    write_lines(file, lines, raw_text=raw_text)
    return file.getvalue()
