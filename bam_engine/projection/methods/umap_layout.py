"""UMAP by umap-learn: quicker than t-SNE, keeps more of how groups lie to one another.

In:  points (m, c) float32 and where they start. Out: their places; a function that places others among them.

umap-learn needs its whole object to place others; it is kept as its pickle, with the version that can read it.
"""

import pickle
from typing import Any

import numpy as np

from bam_engine.errors import ProjectionError
from bam_engine.progress import Report
from bam_engine.projection.methods import Arrays, Floats, Keep, Placer, Raw
from bam_engine.projection.near import Near

STEPS = 100
NEIGHBOURS = 15
_WIDTH = 1e5  # from a spread of 1e-4 to a width of 10, which UMAP's step sizes expect


def fit(points: Floats, start: Raw, *, near: Near, seed: int, workers: int, report: Report, keep: Keep) -> Arrays:
    """Lay ``points`` out from ``start`` (m, 2), of small spread. With a seed UMAP keeps to one core."""
    report(0, STEPS, "loading UMAP")
    import umap

    report(1, STEPS, "UMAP: neighbours and layout, which cannot be stopped half-way")
    model = umap.UMAP(n_neighbors=min(NEIGHBOURS, len(points) - 1), init=start * _WIDTH, random_state=seed, n_jobs=1)
    raw = np.asarray(model.fit_transform(points), np.float64)
    report(STEPS, STEPS, "UMAP")
    packed = np.frombuffer(pickle.dumps(model), np.uint8)
    return {"raw": raw, "model": packed, "version": np.frombuffer(umap.__version__.encode(), np.uint8)}


def placer(arrays: Arrays, *, near: Near, seed: int, workers: int) -> Placer:
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
            f"the map was made with umap-learn {version} and this is {umap.__version__}, which cannot place images on "
            "it. Make the map anew."
        )
    model: Any = pickle.loads(arrays["model"].tobytes())
    return lambda points: np.asarray(model.transform(points), np.float64)
