"""Maps as they are shown: a layout opened for tiles, with the scores and decisions of the moment.

In:  a layout kept by ``maps``. Out: a ``MapView``, opened once and again when what it shows has changed.
"""

import hashlib
import io
import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine.errors import BamError, NotThere
from bam_engine.projection import MapView
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.maps import points_of, scores_by_name
from bam_engine.workspace.models import latest_model, scores_of
from bam_engine.workspace.thresholds import current_threshold

_LOOK_AGAIN = 1.0  # seconds


def view(workspace: Workspace, map_id: str, *, fresh: bool = False) -> MapView:
    """Return the map called ``map_id``, opened once for the present scores and decisions.

    Whether those have changed is looked up at most once a second, since every tile comes through here; ``fresh`` looks
    now.

    Raises
    ------
    NotThere
        There is no such layout.
    """
    folder = workspace.cache / "layouts" / Path(map_id).name
    with workspace.lock:
        opened: MapView | None
        opened, looked = workspace.memory.get(f"map:{map_id}", (None, -math.inf))
        if opened is not None and not fresh and time.monotonic() - looked < _LOOK_AGAIN:
            return opened
        if not (folder / "about.json").exists():
            raise NotThere(f"there is no map {map_id!r}. Make one on the Map page.")
        version = map_version(workspace, map_id)
        if opened is None or opened.version != version:
            opened = _open(workspace, folder, version)
        workspace.memory[f"map:{map_id}"] = (opened, time.monotonic())
        return opened


def rows_in(workspace: Workspace, map_id: str, corners: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Return the rows of the images inside an area of a map, rising; its corners in the map's [0, 1] squared.

    Raises
    ------
    NotThere
        There is no such layout.
    ProjectionError
        An area of fewer than three corners.
    """
    return view(workspace, map_id).source.in_polygon(corners)


def _open(workspace: Workspace, folder: Path, version: str) -> MapView:
    places, rows = points_of(workspace, folder.name)
    return MapView(
        places,
        rows=rows,
        version=version,
        scores=scores_by_name(workspace),
        labels=_decisions(workspace),
        thumbnail=partial(_thumbnail, workspace),
        describe=partial(_describe, workspace),
    )


def map_version(workspace: Workspace, map_id: str) -> str:
    """Return a name that changes whenever a tile of the map would look different."""
    about = workspace.cache / "layouts" / Path(map_id).name / "about.json"
    parts = [workspace.id, str(about.stat().st_mtime_ns)]
    for attribute in workspace.attributes.all():
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            parts.append(f"{attribute.id}.{threshold.model_id}.{threshold.value:.6g}")
        elif (model := latest_model(workspace, attribute)) is not None:
            parts.append(f"{attribute.id}.{model.id}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _decisions(workspace: Workspace) -> dict[str, NDArray[np.int8]]:
    """Return 1 accepted, 0 rejected, -1 without a score, for each attribute that has a threshold."""
    found = {}
    for attribute in workspace.attributes.all():
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            scores = scores_of(workspace, attribute)
            found[attribute.name] = np.where(np.isnan(scores), -1, scores >= threshold.value).astype(np.int8)
    return found


def _thumbnail(workspace: Workspace, row: int) -> Image.Image | None:
    try:
        return Image.open(io.BytesIO(workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)))
    except BamError:  # the file is gone: the map shows an empty place
        return None


def _describe(workspace: Workspace, row: int) -> Mapping[str, Any]:
    image = workspace.catalogue.image(row)
    return {"title": image.title or Path(image.uri).name}
