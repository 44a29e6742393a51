"""UMAP by umap-learn: faster than t-SNE, preserves more of the distances between groups.

In:  points (m, c) float32 and where they start. Out: their places; a function that places further points.

umap-learn needs its whole object to place further points; it is saved as a pickle, with the version that can read it.
"""

import pickle
from typing import Any

import numpy as np

from bam_engine.errors import ProjectionError
from bam_engine.progress import Report
from bam_engine.projection.methods import Arrays, Checkpoints, Floats, Placer, Raw
from bam_engine.projection.neighbours import NeighbourIndex

STEPS = 100
NEIGHBOURS = 15
_WIDTH = 1e5  # from a spread of 1e-4 to a width of 10, which UMAP's step sizes expect


def fit(
    points: Floats,
    start: Raw,
    *,
    neighbours: NeighbourIndex,
    seed: int,
    workers: int,
    report: Report,
    checkpoints: Checkpoints,
) -> Arrays:
    """Lay ``points`` out from ``start`` (m, 2), of small spread. With a seed UMAP uses one core."""
    report(0, STEPS, "loading UMAP")
    import umap

    report(1, STEPS, "UMAP: neighbours and layout, which cannot be stopped half-way")
    model = umap.UMAP(n_neighbors=min(NEIGHBOURS, len(points) - 1), init=start * _WIDTH, random_state=seed, n_jobs=1)
    raw = np.asarray(model.fit_transform(points), np.float64)
    report(STEPS, STEPS, "UMAP")
    packed = np.frombuffer(pickle.dumps(model), np.uint8)
    return {"raw": raw, "model": packed, "version": np.frombuffer(umap.__version__.encode(), np.uint8)}


def placer(arrays: Arrays, *, neighbours: NeighbourIndex, seed: int, workers: int) -> Placer:
    """Return UMAP's own ``transform``.

    Raises
    ------
    ProjectionError
        The map was made with another version of umap-learn.
    """
    import umap

    version = arrays["version"].tobytes().decode()
    if version != umap.__version__:
        raise ProjectionError(
            f"The map was made with umap-learn {version}; the installed version {umap.__version__} cannot place images "
            "on it. Make the map again."
        )
    model: Any = pickle.loads(arrays["model"].tobytes())
    return lambda points: np.asarray(model.transform(points), np.float64)
