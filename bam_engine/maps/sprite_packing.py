"""The pictures of a map made ready before anybody comes to see them.

In:  a map. Out: a job that gives every image its cell, and fills the sprites with the pictures that the first zoom
with pictures shows, where they were not packed when their thumbnails were made: no visitor waits while a tile's 64
thumbnails are decoded. It works half of the time, and not at all while tiles are asked for: those come first, and pack
what they need themselves.
"""

import hashlib
import time

import numpy as np
from numpy.typing import NDArray

from bam_engine.jobs import Job
from bam_engine.maps import view_cache
from bam_engine.maps.layout_store import list_layouts
from bam_engine.progress import Report, silent
from bam_engine.projection import MapView
from bam_engine.workspace.core import Workspace

MAX_PICTURES = 100_000
"""Pictures packed for one map, 1.8 kB each; those of the fullest places first."""

_REST = 2.0  # seconds since a tile or the image under the pointer was asked for
_LOOK = 0.2  # seconds between looks whether that is long enough
_TOLD = 50  # pictures between two reports


def start(workspace: Workspace, map_id: str) -> Job:
    """Pack the pictures of a map in the background, once for its points and scores; return the job.

    Raises
    ------
    NotFound
        There is no such map.
    """
    view = view_cache.current_view(workspace, map_id)
    seen = hashlib.sha256("|".join(view.version_of(kind) for kind in _kinds(view)).encode()).hexdigest()[:12]
    return workspace.jobs.start_once(
        f"sprites-{map_id}-{seen}",
        "Preparing the pictures of the map",
        lambda report: pack(workspace, map_id, report=report),
    )


def start_newest(workspace: Workspace) -> Job | None:
    """Pack the pictures of the map that the Map page opens first; None where there is no map."""
    records = list_layouts(workspace)
    return start(workspace, records[0].id) if records else None


def pack(
    workspace: Workspace, map_id: str, *, limit: int = MAX_PICTURES, considerate: bool = True, report: Report = silent
) -> int:
    """Pack up to ``most`` pictures of a map and return how many were new; an image without a picture is passed over.

    Parameters
    ----------
    considerate : bool
        Leave half of the time, and all of it while tiles are asked for, to others.

    Raises
    ------
    NotFound
        There is no such map.
    Stopped
        Asked to stop; what is packed stays.
    """
    view = view_cache.current_view(workspace, map_id)
    report(0, None, "a cell for every image")
    view.arrangement()  # seconds for millions, which the first visitor of the deepest zoom would wait
    rows, packed = shown_first(view, limit), 0
    for number, row in enumerate(rows.tolist()):
        if number % _TOLD == 0:
            report(number, len(rows), "packing pictures")
        while considerate and time.monotonic() - view.last_request < _REST:
            report(number, len(rows), "waiting until nobody looks at the map")
            time.sleep(_LOOK)
        begun = time.monotonic()
        if view.pack_sprite(row):
            packed += 1
            if considerate:
                time.sleep(time.monotonic() - begun)
    report(len(rows), len(rows), "all are packed")
    return packed


def shown_first(view: MapView, limit: int) -> NDArray[np.int64]:
    """Return the rows (k,) that the first zoom with pictures shows: as many by density as by the score of each
    attribute, ``most`` in all, those of the fullest cells first.
    """
    kinds = _kinds(view)
    each = [view.first_pictures(kind)[: max(1, limit // len(kinds))] for kind in kinds]
    rows = np.concatenate(each)
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)][:limit]


def _kinds(view: MapView) -> list[str]:
    return ["density", *(kind for kind in view.kinds() if kind.startswith("score-"))]
