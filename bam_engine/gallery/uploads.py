"""Pictures that somebody brought along to find their likes, under a short name that fits into a URL.

In:  the content of an image file. Out: an id; the vector by the encoder in use, and a small copy to show. Kept under
the cache, the last used ones only: such a picture is no part of the collection, and whoever has it can bring it again.
"""

import contextlib
import hashlib
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import decode_image
from bam_engine.errors import DiskFull, NotFound
from bam_engine.files import replacing
from bam_engine.gallery.search import image_vector
from bam_engine.workspace.core import Workspace

KEPT = 200
"""Pictures kept on the disk for each encoder; the one used longest ago goes first."""

_ID = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, eq=False)
class Upload:
    """A picture that was brought along: its unit vector (d,) float32, and a small copy as WebP."""

    vector: NDArray[np.float32]
    picture: bytes


def save(workspace: Workspace, content: bytes) -> str:
    """Keep what is to be known of an image file and return its id, 20 letters and digits; the same file has the same.

    Raises
    ------
    EmbeddingError
        The file is too large, cannot be read as an image, or the encoder makes nothing of it.
    DiskFull
        The cache cannot be written.
    """
    upload_id = hashlib.sha256(content).hexdigest()[:20]
    path = _path(workspace, upload_id)
    if path.exists():
        os.utime(path)
        return upload_id
    vector = image_vector(workspace, content)
    small = workspace.thumbnails.draw(decode_image(content, size=workspace.thumbnails.size)).data
    try:
        with replacing(path) as temporary:
            np.savez(temporary, vector=vector, picture=np.frombuffer(small, np.uint8))
        _drop_old(path)
    except OSError as error:
        raise DiskFull(f"the picture cannot be kept in {path.parent}: {error.strerror}. Free some room.") from error
    return upload_id


def upload_of(workspace: Workspace, upload_id: str) -> Upload:
    """Return what is known of a picture that was kept.

    Raises
    ------
    NotFound
        There is none of this id by the encoder in use: it was never kept, was dropped, or came under another encoder.
    """
    try:
        if not _ID.fullmatch(upload_id):
            raise ValueError(upload_id)
        with _path(workspace, upload_id).open("rb") as file, np.load(file) as kept:
            found = Upload(kept["vector"], kept["picture"].tobytes())
        with contextlib.suppress(OSError):
            os.utime(_path(workspace, upload_id))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise NotFound("the picture whose likes are looked for is not kept any more: give it again.") from error
    return found


def _path(workspace: Workspace, upload_id: str) -> Path:
    return workspace.cache / "uploads" / workspace.choice.key / f"{upload_id}.npz"


def _drop_old(newest: Path) -> None:
    files = sorted(newest.parent.glob("[0-9a-f]*.npz"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files[KEPT:]:
        if file != newest:
            file.unlink(missing_ok=True)
