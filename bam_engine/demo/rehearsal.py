"""A workspace to rehearse in: for a moment, with vectors and projects of a collection and nothing that anybody entered.

In:  arrays. Out: an open workspace in a temporary folder, on which every function of the engine works. It is marked as
a demo, so that simulated annotators may answer there, never where people do.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine.collection import NewImage, Thumbnails, mark_demo
from bam_engine.embedding import encoder_key
from bam_engine.learning.products import Vectors
from bam_engine.workspace import Workspace
from bam_engine.workspace.encoders import EncoderChoice

_BLOCK = 8192  # vectors copied at a time


class _Shown(Thumbnails):
    """Thumbnails of images that can all be looked at: nobody looks, so none is drawn."""

    def has(self, row: int) -> bool:
        return True


def _forgo_durability(connection: Any, *_: object) -> None:
    """Let a commit not wait for the disk: what is rehearsed ends with its process."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def rehearsal(
    vectors: Vectors,
    projects: NDArray[np.int64] | None = None,
    *,
    encoder: str = "",
    others: Mapping[str, Vectors] = MappingProxyType({}),
    within: Path | None = None,
) -> Iterator[Workspace]:
    """Open a workspace of images that have these vectors, and remove it at the end.

    Parameters
    ----------
    vectors : (n, d)
        Read in blocks, and copied. All zero: no embedding.
    projects : (n,) int, optional
        Images with the same number are of one project. None: each is its own.
    encoder
        The spec of the encoder whose vectors they are, such as "builtin"; by default the standard one. None is opened.
    others
        Vectors of the same images by further encoders, by their specs.
    within
        The folder of the temporary one; by default that of the system.
    """
    with tempfile.TemporaryDirectory(prefix="bam-rehearsal-", dir=within) as home:
        workspace = Workspace(Path(home) / "workspace", Path(home) / "cache")
        sa.event.listen(workspace.engine, "checkout", _forgo_durability)
        try:
            workspace.thumbnails = _Shown(workspace.thumbnails.folder)
            codes = np.arange(len(vectors)) if projects is None else projects
            mark_demo(workspace.engine, count=len(vectors), seed=0, folder=Path(home) / "demo")
            workspace.catalogue.add(
                NewImage(f"/rehearsal/{row}", 1, 1, f"{row:064x}", project_id=f"project {code}", generated=True)
                for row, code in enumerate(codes.tolist())
            )
            if encoder:
                workspace.encoders.choose(EncoderChoice(encoder, None, encoder_key(encoder)))
            _store(workspace, workspace.choice.spec, workspace.choice.key, vectors)
            for spec, other in others.items():
                _store(workspace, spec, encoder_key(spec), other)
            yield workspace
        finally:
            workspace.close()


def _store(workspace: Workspace, spec: str, key: str, vectors: Vectors) -> None:
    store = workspace.vectors(key)
    store.claim(spec=spec, key=key, dim=vectors.shape[1])
    with store.writing():
        for start in range(0, len(vectors), _BLOCK):
            store.append(vectors[start : start + _BLOCK])
