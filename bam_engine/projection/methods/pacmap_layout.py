"""PaCMAP: a preview in seconds that preserves the global structure.

In:  points (m, c) float32, principal components. Out: their places; a function that places further points.

``neighbours`` replaces the library's own search: it is faster and finds neighbours among equal points too.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bam_engine.progress import Report
from bam_engine.projection.methods import Arrays, Checkpoints, Floats, Placer, Raw
from bam_engine.projection.neighbours import NeighbourIndex

STEPS = 100
NEIGHBOURS, CANDIDATES = 10, 60
"""Neighbours that attract, chosen among so many candidates by distances scaled by local density."""

_ITERATIONS = (100, 100, 250)  # the library's defaults
_lock = threading.Lock()  # the library's random state is global


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
    """Lay ``points`` out from their principal plane [1]_.

    References
    ----------
    .. [1] Wang, Huang, Rudin, Shaposhnik: Understanding How Dimension Reduction Tools Work. JMLR 22(201), 2021.
    """
    report(0, STEPS, "PaCMAP: neighbours and layout, which cannot be stopped half-way")
    with _library() as pacmap:
        model = pacmap.PaCMAP(n_neighbors=NEIGHBOURS, random_state=seed, num_iters=_ITERATIONS)
        model.decide_num_pairs(len(points))  # fewer where there are few points
        indices, distances = neighbours.search_self(points, CANDIDATES)
        local_scale = np.maximum(distances[:, 3:6].mean(axis=1), 1e-10)
        scaled = pacmap.scale_dist(distances, local_scale, indices)
        model.pair_neighbors = pacmap.sample_neighbors_pair(points, scaled, indices, model.n_neighbors)
        raw = np.asarray(model.fit_transform(points, save_pairs=False), np.float64)
    report(STEPS, STEPS, "PaCMAP")
    return {"raw": raw}


def placer(arrays: Arrays, *, neighbours: NeighbourIndex, seed: int, workers: int) -> Placer:
    """Return PaCMAP's own transform: a point moves from the centre towards its neighbours among the fitted points."""
    fitted = arrays["raw"].astype(np.float32)
    attracting = min(NEIGHBOURS, neighbours.count)

    def place(points: Floats) -> Raw:
        indices, _ = neighbours.search(points, attracting)
        new = np.repeat(np.arange(len(points), dtype=np.int32) + len(fitted), attracting)
        pairs = np.stack([new, indices.ravel()], axis=1)
        with _library() as pacmap:
            moved, _ = pacmap.pacmap_fit(points, fitted, 2, pairs, 1.0, _ITERATIONS, None, False, False, [], True)
        return np.asarray(moved[len(fitted) :], np.float64)

    return place


@contextmanager
def _library() -> Iterator[Any]:
    """Yield the library's module, silenced, with exclusive use of its random state."""
    from pacmap import pacmap

    log = logging.getLogger("pacmap.pacmap")
    level = log.level
    with _lock:
        log.setLevel(logging.ERROR)
        try:
            yield pacmap
        finally:
            log.setLevel(level)
