"""Missing images, about which nobody is asked: those whose file is gone, holds something else, or cannot be read.

That a file is gone or replaced is in the catalogue since its folder was last added; whether one without a thumbnail can
be read is tried. An image whose file reappears is part of its tasks again.
"""

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import FILE_STATES, Image, Problem
from bam_engine.collection.buckets import BucketObject
from bam_engine.errors import BamError, BucketUnavailable
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_REASONS = Kind[str]("reasons why an image cannot be shown", of="image", until="its file changes", limit=100_000)


def missing_images(workspace: Workspace, rows: Iterable[int]) -> NDArray[np.int64]:
    """Return those of ``rows`` about which nobody is asked, in their order."""
    return np.array([row for row, _ in _failures(workspace, rows)], np.int64)


def missing_image_problems(workspace: Workspace, rows: Iterable[int]) -> list[Problem]:
    """Return the files of those of ``rows`` about which nobody is asked, with the reason."""
    return [problem for _, problem in _failures(workspace, rows)]


def _failures(workspace: Workspace, rows: Iterable[int]) -> list[tuple[int, Problem]]:
    present = workspace.catalogue.present()
    doubtful = [int(row) for row in rows if not present[row] or not workspace.thumbnails.has(int(row))]
    reasons = [(image, _reason(workspace, image)) for image in workspace.catalogue.images(doubtful)]
    return [(image.row, Problem(image.last_path, reason, "show")) for image, reason in reasons if reason]


def _reason(workspace: Workspace, image: Image) -> str:
    """Return why nobody is asked about an image, or "". Each version of a file is tried once."""
    if image.status in FILE_STATES:
        return FILE_STATES[image.status]
    if isinstance(image.path, BucketObject):
        return _of_version(workspace, image, image.stamp)
    try:
        status = image.path.stat()
    except OSError as error:
        where = "was not found" if isinstance(error, FileNotFoundError | NotADirectoryError) else "cannot be reached"
        return f"The file {where} ({error.strerror})."
    return _of_version(workspace, image, (status.st_mtime_ns, status.st_size))


def _of_version(workspace: Workspace, image: Image, version: Hashable) -> str:
    try:
        return workspace.memory.get(_REASONS, image.row, version, lambda: _try(workspace, image))
    except BucketUnavailable as error:  # it may answer the next time
        return str(error)


def _try(workspace: Workspace, image: Image) -> str:
    try:
        workspace.thumbnails.ensure(image.row, image.path)
    except BucketUnavailable:
        raise
    except BamError as error:
        return str(error)
    return ""
