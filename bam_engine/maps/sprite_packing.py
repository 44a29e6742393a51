"""A background job that prepares the pictures of a map before they are needed.

In:  a map. Out: a job that assigns every image its cell and packs the sprites that the first zoom with pictures shows,
unless they were packed with their thumbnails: a user need not wait while a tile's 64 thumbnails are decoded. The job
works half of the time, and pauses while tiles are requested, which pack what they need themselves.
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
from bam_engine.team import Role
from bam_engine.workspace.core import Workspace

MAX_PICTURES = 100_000
"""Pictures packed for one map, 1.8 kB each, those of the fullest cells first."""

_IDLE = 2.0  # seconds since the last request for a tile or the image under the pointer
_POLL = 0.2  # seconds between checks whether the map is idle
_REPORT_EVERY = 50  # pictures


def start(workspace: Workspace, map_id: str) -> Job:
    """Start packing the pictures of a map in the background, once for its points and scores; return the job.

    Raises
    ------
    NotFound
        There is no such map.
    """
    view = view_cache.current_view(workspace, map_id)
    version = hashlib.sha256("|".join(view.version_of(kind) for kind in _kinds(view)).encode()).hexdigest()[:12]
    return workspace.jobs.start_once(
        f"sprites-{map_id}-{version}",
        "Preparing the pictures of the map",
        lambda report: pack(workspace, map_id, report=report),
        least=Role.VIEWER,
    )


def start_newest(workspace: Workspace) -> Job | None:
    """Start packing the pictures of the newest map, which is opened first; None where there is no map."""
    records = list_layouts(workspace)
    return start(workspace, records[0].id) if records else None


def pack(
    workspace: Workspace, map_id: str, *, limit: int = MAX_PICTURES, considerate: bool = True, report: Report = silent
) -> int:
    """Pack up to ``limit`` pictures of a map and return how many were new; images without a picture are skipped.

    Parameters
    ----------
    considerate : bool
        Work half of the time, and pause while tiles are requested.

    Raises
    ------
    NotFound
        There is no such map.
    Stopped
        By ``report``; packed pictures stay.
    """
    view = view_cache.current_view(workspace, map_id)
    report(0, None, "arranging images")
    view.arrangement()  # seconds for millions of images, otherwise spent at the first tile of the deepest zoom
    rows, packed = first_pictures(view, limit), 0
    for number, row in enumerate(rows.tolist()):
        if number % _REPORT_EVERY == 0:
            report(number, len(rows), "packing pictures")
        while considerate and time.monotonic() - view.last_request < _IDLE:
            report(number, len(rows), "waiting until the map is idle")
            time.sleep(_POLL)
        started = time.monotonic()
        if view.pack_sprite(row):
            packed += 1
            if considerate:
                time.sleep(time.monotonic() - started)
    report(len(rows), len(rows), "packed")
    return packed


def first_pictures(view: MapView, limit: int) -> NDArray[np.int64]:
    """Return up to ``limit`` rows that the first zoom with pictures shows, those of the fullest cells first.

    As many come from the view by density as from the view by the score of each attribute.
    """
    kinds = _kinds(view)
    each = [view.first_pictures(kind)[: max(1, limit // len(kinds))] for kind in kinds]
    rows = np.concatenate(each)
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)][:limit]


def _kinds(view: MapView) -> list[str]:
    return ["density", *(kind for kind in view.kinds() if kind.startswith("score-"))]
