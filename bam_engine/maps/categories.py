"""The categories that colour a map: project, problem of the picture, label, region, disagreement.

In:  a workspace, a map. Out: for each category a function that returns its groups, called when the category is shown.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute, readable
from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.gallery import problems
from bam_engine.labelling import label_states
from bam_engine.maps.layout_store import points_of
from bam_engine.maps.regions import regions_of
from bam_engine.projection.categories import Categories
from bam_engine.projection.density_regions import RegionTree, find_regions
from bam_engine.workspace.core import Workspace

MAX_REGIONS = 30
"""The regions shown are those of the finest level with at most so many."""

GetCategories = Callable[[], Categories]


def categories_of(workspace: Workspace, map_id: str) -> dict[str, GetCategories]:
    """Return the categories of a map by name, as in ``category-NAME``.

    ``problem`` exists where pictures were measured, and ``disagreement-ATTRIBUTE`` where annotators disagree on at
    least one image.
    """
    categories: dict[str, GetCategories] = {
        "project": partial(_projects, workspace),
        "cluster": partial(_regions, workspace, map_id),
    }
    if problems.version(workspace)[1]:
        categories["problem"] = partial(_problems, workspace)
    for attribute in workspace.attributes.all():
        categories[f"label-{attribute.name}"] = partial(_labels, workspace, attribute)
        if len(label_states.states(workspace, attribute).rows["disagreed"]):
            categories[f"disagreement-{attribute.name}"] = partial(_disagreement, workspace, attribute)
    return categories


def _projects(workspace: Workspace) -> Categories:
    names, codes = workspace.catalogue.project_names()
    return Categories("Project", names, codes, none="no project")


def _problems(workspace: Workspace) -> Categories:
    """The first problem of each picture, in the order in which filters list them."""
    flags = problems.flags(workspace, len(workspace.catalogue))
    codes = np.full(len(flags), -1, np.int8)
    codes[flags == problems.IS_MEASURED] = len(PROBLEMS)
    for place in reversed(range(len(PROBLEMS))):
        codes[flags >> place & 1 == 1] = place
    return Categories("Problem of the picture", (*PROBLEMS, problems.NONE), codes, none=problems.NOT_MEASURED)


def _labels(workspace: Workspace, attribute: Attribute) -> Categories:
    n = len(workspace.catalogue)
    states = label_states.states(workspace, attribute)
    codes = np.full(n, -1, np.int8)
    names = ("yes", "no", "unsure", "waiting", "disputed")
    for code, name in enumerate(("waiting", "disputed"), 3):
        _put(codes, states.rows[name], code)
    for code, answer in enumerate((1, 0, -1)):
        _put(codes, states.marked[states.answers == answer], code)
    return Categories(f"Label: {readable(attribute.name)}", names, codes, none="unlabelled", roles=names)


def _disagreement(workspace: Workspace, attribute: Attribute) -> Categories:
    n = len(workspace.catalogue)
    states = label_states.states(workspace, attribute)
    codes = np.full(n, -1, np.int8)
    for rows in states.rows.values():
        _put(codes, rows, 1)
    _put(codes, states.rows["disagreed"], 0)
    names = ("annotators disagree", "labelled, no disagreement")
    title = f"Disagreement: {readable(attribute.name)}"
    return Categories(title, names, codes, none="unlabelled", roles=("disputed", "calm"))


def _regions(workspace: Workspace, map_id: str) -> Categories:
    """The regions of the finest level with at most ``MAX_REGIONS``, with their names on the map where they have one."""
    places, rows = points_of(workspace, map_id)
    tree = find_regions(places)
    level = _level(tree)
    numbers = [number for number, region in enumerate(tree.regions) if region.level == level]
    named = {(region.x, region.y, region.count): region.name for region in regions_of(workspace, map_id)}
    names = []
    for position, number in enumerate(numbers, 1):
        region = tree.regions[number]
        names.append(named.get((region.x, region.y, region.count), f"region {position}"))
    codes = np.full(1 + int(rows.max(initial=-1)), -1, np.int64)
    membership = tree.membership[level]
    codes[rows] = np.where(membership >= 0, membership - (numbers[0] if numbers else 0), -1)
    return Categories("Region of the map", tuple(names), codes, none="between regions")


def _level(tree: RegionTree) -> int:
    counts = np.bincount([region.level for region in tree.regions], minlength=len(tree.membership))
    few = np.flatnonzero((counts > 0) & (counts <= MAX_REGIONS))
    return int(few[-1]) if few.size else 0


def _put(codes: NDArray[np.int8], rows: NDArray[np.int64], code: int) -> None:
    codes[rows[rows < len(codes)]] = code
