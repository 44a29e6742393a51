"""The facets of images: the properties that a query may name by their values, whatever the attribute."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.gallery import facets, problems
from bam_engine.gallery.categories import category_counts, category_mask
from bam_engine.gallery.dimensions import dimension_counts, dimension_mask
from bam_engine.gallery.problems import problem_counts, problem_mask
from bam_engine.gallery.tag_facet import tag_counts, tag_mask
from bam_engine.workspace.core import Workspace

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Facet:
    """One property of images.

    ``mask`` takes a workspace, values and the number n of images, and returns which of them have one of the values,
    bool (n,). ``counts`` takes a workspace and such a mask, and returns how many of its images have each value.
    """

    mask: Callable[[Workspace, Sequence[str], int], Mask]
    counts: Callable[[Workspace, Mask], dict[str, int]]


def _category(kind: str) -> Facet:
    return Facet(
        lambda workspace, values, n: category_mask(workspace, kind, values, n),
        lambda workspace, mask: category_counts(workspace, kind, mask),
    )


def _dimension(kind: str) -> Facet:
    return Facet(
        lambda workspace, values, n: dimension_mask(workspace, kind, values, n),
        lambda workspace, mask: dimension_counts(workspace, kind, mask),
    )


FACETS = {
    "tag": Facet(tag_mask, tag_counts),
    "project": _category("project"),
    "colour": Facet(facets.in_colours, facets.colour_counts),
    "year": Facet(facets.in_years, facets.year_counts),
    "size": _dimension("size"),
    "shape": _dimension("shape"),
    "problem": Facet(problem_mask, problem_counts),
    "format": _category("format"),
    "licence": _category("licence"),
}
"""The facets by the field of the query that names their values."""


def version(workspace: Workspace) -> list[int]:
    """Return a version that changes whenever a facet of an image may."""
    return [*facets.version(workspace), *problems.version(workspace), workspace.tags.version]
