"""Missing images: those that cannot be shown, because they have neither a thumbnail nor a readable file.

Nothing is stored: an image whose file reappears is part of its tasks again.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import Image, Problem
from bam_engine.errors import BamError
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_REASONS = Kind[str]("reasons why an image cannot be shown", of="image", until="its file changes", limit=100_000)


def missing_images(workspace: Workspace, rows: Iterable[int]) -> NDArray[np.int64]:
    """Return those of ``rows`` that cannot be shown, in their order: no thumbnail, and no readable file."""
    return np.array([row for row, _ in _failures(workspace, rows)], np.int64)


def missing_image_problems(workspace: Workspace, rows: Iterable[int]) -> list[Problem]:
    """Return the files of those of ``rows`` that cannot be shown, with the reason."""
    return [problem for _, problem in _failures(workspace, rows)]


def _failures(workspace: Workspace, rows: Iterable[int]) -> list[tuple[int, Problem]]:
    without = [int(row) for row in rows if not workspace.thumbnails.has(int(row))]
    reasons = [(image, _reason(workspace, image)) for image in workspace.catalogue.images(without)]
    return [(image.row, Problem(image.uri, reason, "show")) for image, reason in reasons if reason]


def _reason(workspace: Workspace, image: Image) -> str:
    """Return why an image without a thumbnail cannot be shown, or "". Each version of a file is tried once."""
    try:
        status = image.path.stat()
    except OSError as error:
        return f"The file was not found ({error.strerror})."
    version = (status.st_mtime_ns, status.st_size)
    return workspace.memory.get(_REASONS, image.row, version, lambda: _try(workspace, image))


def _try(workspace: Workspace, image: Image) -> str:
    try:
        workspace.thumbnails.ensure(image.row, image.path)
    except BamError as error:
        return str(error)
    return ""
