"""What the images of a map are told apart by: project, label, area, disagreement.

In:  a workspace, a map. Out: for each name of a category a function that finds its groups, called when somebody looks.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute, readable
from bam_engine.labelling import label_states
from bam_engine.maps.layout_store import points_of
from bam_engine.maps.regions import regions_of
from bam_engine.projection.categories import Categories
from bam_engine.projection.density_regions import RegionTree, find_regions
from bam_engine.workspace.core import Workspace

MAX_REGIONS = 30
"""Areas are those of the finest level that has no more."""

Find = Callable[[], Categories]


def categories_of(workspace: Workspace, map_id: str) -> dict[str, Find]:
    """Return what ``category-NAME`` may be on a map, and how each is found.

    ``disagreement-ATTRIBUTE`` is there where somebody said yes and somebody no.
    """
    found: dict[str, Find] = {"project": partial(_projects, workspace), "cluster": partial(_areas, workspace, map_id)}
    for attribute in workspace.attributes.all():
        found[f"label-{attribute.name}"] = partial(_labels, workspace, attribute)
        if len(label_states.states(workspace, attribute).rows["disagreed"]):
            found[f"disagreement-{attribute.name}"] = partial(_disagreement, workspace, attribute)
    return found


def _projects(workspace: Workspace) -> Categories:
    names, codes = workspace.catalogue.project_names()
    return Categories("Project", names, codes, none="no project")


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
    names = ("people disagree", "labelled, nobody disagrees")
    title = f"Disagreement: {readable(attribute.name)}"
    return Categories(title, names, codes, none="unlabelled", roles=("disputed", "calm"))


def _areas(workspace: Workspace, map_id: str) -> Categories:
    """The areas of the finest level with few enough, by their names on the map where they have one."""
    places, rows = points_of(workspace, map_id)
    land = find_regions(places)
    level = _level(land)
    numbers = [at for at, area in enumerate(land.areas) if area.level == level]
    named = {(region.x, region.y, region.count): region.name for region in regions_of(workspace, map_id)}
    names = []
    for place, at in enumerate(numbers, 1):
        area = land.areas[at]
        names.append(named.get((area.x, area.y, area.count), f"area {place}"))
    codes = np.full(1 + int(rows.max(initial=-1)), -1, np.int64)
    inside = land.inside[level]
    codes[rows] = np.where(inside >= 0, inside - (numbers[0] if numbers else 0), -1)
    return Categories("Area of the map", tuple(names), codes, none="between the areas")


def _level(land: RegionTree) -> int:
    counts = np.bincount([area.level for area in land.areas], minlength=len(land.inside))
    few = np.flatnonzero((counts > 0) & (counts <= MAX_REGIONS))
    return int(few[-1]) if few.size else 0


def _put(codes: NDArray[np.int8], rows: NDArray[np.int64], code: int) -> None:
    codes[rows[rows < len(codes)]] = code
