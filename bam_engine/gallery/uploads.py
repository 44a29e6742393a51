"""Uploaded images to search for similar ones, stored under a short id that fits into a URL.

In:  the content of an image file. Out: an id; the vector by the encoder in use, and a thumbnail. Only the most recently
used are stored, in the cache folder: an upload is not part of the collection and can be repeated.
"""

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived
from bam_engine.collection import decode_image
from bam_engine.errors import DiskFull, NotFound
from bam_engine.gallery.search import image_vector
from bam_engine.workspace.core import Workspace

MAX_UPLOADS = 200
"""Uploads on disk for each encoder; the least recently used is removed first."""

_ID = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, eq=False)
class Upload:
    """An uploaded image: its unit vector (d,) float32, and a thumbnail as WebP."""

    vector: NDArray[np.float32]
    picture: bytes


def save(workspace: Workspace, content: bytes) -> str:
    """Store the vector and thumbnail of an image file and return their id, 20 letters and digits, a digest of the file.

    Raises
    ------
    EmbeddingError
        The file is too large, cannot be read as an image, or has no usable vector.
    DiskFull
        The cache cannot be written.
    """
    upload_id = hashlib.sha256(content).hexdigest()[:20]
    path = _path(workspace, upload_id)
    if derived.read(path, upload_id) is not None:
        with contextlib.suppress(OSError):
            os.utime(path)
        return upload_id
    vector = image_vector(workspace, content)
    thumbnail = workspace.thumbnails.render(decode_image(content, size=workspace.thumbnails.size)).data
    try:
        derived.write_arrays(path, {"vector": vector, "picture": np.frombuffer(thumbnail, np.uint8)}, upload_id)
        _drop_old(path)
    except OSError as error:
        raise DiskFull(
            f"The uploaded image cannot be saved in {path.parent}: {error.strerror}. Free some disk space."
        ) from error
    return upload_id


def upload_of(workspace: Workspace, upload_id: str) -> Upload:
    """Return an uploaded image.

    Raises
    ------
    NotFound
        There is none of this id for the encoder in use: it was removed, or uploaded with another encoder.
    """
    path = _path(workspace, upload_id)
    stored = derived.read_arrays(path, upload_id) if _ID.fullmatch(upload_id) else None
    if stored is None:
        raise NotFound("The uploaded image is no longer stored. Upload it again.")
    with contextlib.suppress(OSError):
        os.utime(path)
    return Upload(stored["vector"], stored["picture"].tobytes())


def _path(workspace: Workspace, upload_id: str) -> Path:
    return workspace.cache / "uploads" / workspace.choice.key / f"{upload_id}.npz"


def _drop_old(newest: Path) -> None:
    files = sorted(newest.parent.glob("[0-9a-f]*.npz"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files[MAX_UPLOADS:]:
        if file != newest:
            file.unlink(missing_ok=True)
