"""The facet of tags: which images have one of some tags, and how many images of a query have each.

In:  a workspace. Out: masks, counts, and the tags of images, which may have several.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.workspace.core import Workspace

Mask = NDArray[np.bool_]


def tag_mask(workspace: Workspace, tags: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images have at least one of the tags; no image has a tag that is not there."""
    by_tag, inside = workspace.tags.rows_by_tag(), np.zeros(n, bool)
    for tag in tags:
        rows = by_tag.get(tag, np.empty(0, np.int64))
        inside[rows[rows < n]] = True
    return inside


def tag_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` have each tag, in alphabetical order."""
    return {tag: int(mask[rows[rows < len(mask)]].sum()) for tag, rows in workspace.tags.rows_by_tag().items()}


def tags_at(workspace: Workspace, rows: NDArray[np.int64]) -> dict[int, list[str]]:
    """Return the tags of those of ``rows`` (m,) that have any, in alphabetical order, by their place in ``rows``."""
    tags: dict[int, list[str]] = {}
    for tag, tagged in workspace.tags.rows_by_tag().items():
        for place in np.flatnonzero(np.isin(rows, tagged)).tolist():
            tags.setdefault(place, []).append(tag)
    return tags
