"""A selection as a table: its images with what is known of them, a line each.

In:  rows. Out: the lines of a CSV file, a block at a time, so that a selection of any size needs little memory.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.training.models import scores_by_name
from bam_engine.workspace.core import Workspace

BLOCK = 2000
"""Images whose lines are made at once."""

COLUMNS = ("row", "uri", "title", "project")
"""What stands before the scores; an attribute's column is called ``NAME_score``, as in an export of the dataset."""


def csv_blocks(workspace: Workspace, rows: Sequence[int] | NDArray[np.int64]) -> Iterator[str]:
    """Yield the CSV file of ``rows`` in their order: a line of names, then a line for each image.

    A score is empty where an image has none.

    Raises
    ------
    NotFound
        The collection has no such row.
    """
    scores = scores_by_name(workspace)
    yield _lines([[*COLUMNS, *(f"{name}_score" for name in scores)]])
    asked = np.asarray(rows, np.int64)
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        told = [[_number(values, int(row)) for values in scores.values()] for row in block]
        yield _lines(
            [image.row, image.uri, image.title, image.project_id, *numbers]
            for image, numbers in zip(workspace.catalogue.images(block.tolist()), told, strict=True)
        )


def _number(scores: NDArray[np.float32], row: int) -> float | None:
    score = float(scores[row]) if row < len(scores) else math.nan
    return round(score, 6) if math.isfinite(score) else None


def _lines(lines: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    return file.getvalue()
