"""Which images can be put before people at all: those with a thumbnail, or a file to make one from.

Wires ``collection`` to the tasks. Nothing is stored: an image whose file comes back is asked about again.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import Problem
from bam_engine.collection.catalogue import Image
from bam_engine.errors import BamError
from bam_engine.workspace.core import Workspace


def missing_images(workspace: Workspace, rows: Iterable[int]) -> NDArray[np.int64]:
    """Return those of ``rows`` that cannot be shown, in their order: no thumbnail, and the file is gone or damaged."""
    return np.array([row for row, _ in _failures(workspace, rows)], np.int64)


def missing_image_problems(workspace: Workspace, rows: Iterable[int]) -> list[Problem]:
    """Return the files of those of ``rows`` that cannot be shown, and why."""
    return [problem for _, problem in _failures(workspace, rows)]


def _failures(workspace: Workspace, rows: Iterable[int]) -> list[tuple[int, Problem]]:
    bare = [int(row) for row in rows if not workspace.thumbnails.has(int(row))]
    found = [(image, _reason(workspace, image)) for image in workspace.catalogue.images(bare)]
    return [(image.row, Problem(image.uri, reason, "show")) for image, reason in found if reason]


def _reason(workspace: Workspace, image: Image) -> str:
    """Return why an image without a thumbnail cannot be shown, or "". A file is tried once."""
    try:
        about = image.path.stat()
    except OSError as error:
        return f"the file is gone ({error.strerror})"
    key, version = f"shown:{image.row}", (about.st_mtime_ns, about.st_size)
    kept = workspace.memory_cache.get(key)
    if kept is None or kept[0] != version:
        kept = workspace.memory_cache[key] = (version, _try(workspace, image))
    return str(kept[1])


def _try(workspace: Workspace, image: Image) -> str:
    try:
        workspace.thumbnails.ensure(image.row, image.path)
    except BamError as error:
        return str(error)
    return ""
