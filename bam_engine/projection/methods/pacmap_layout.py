"""PaCMAP: a preview in seconds that keeps the large shapes.

In:  points (m, c) float32, principal components. Out: their places; a function that places others among them.

Neighbours come from ``near``, which is quicker than the library's own search and finds some among equal points too.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bam_engine.progress import Report
from bam_engine.projection.methods import Arrays, Floats, Keep, Placer, Raw
from bam_engine.projection.near import Near

STEPS = 100
NEIGHBOURS, LOOKED_AT = 10, 60
"""Neighbours that attract, chosen from so many by distances scaled to how dense it is around each."""

_ITERATIONS = (100, 100, 250)  # the library's own
_alone = threading.Lock()  # the library's seed is one for the process


def fit(points: Floats, start: Raw, *, near: Near, seed: int, workers: int, report: Report, keep: Keep) -> Arrays:
    """Lay ``points`` out from their principal plane [1]_.

    References
    ----------
    .. [1] Wang, Huang, Rudin, Shaposhnik: Understanding How Dimension Reduction Tools Work. JMLR 22(201), 2021.
    """
    report(0, STEPS, "PaCMAP: neighbours and layout, which cannot be stopped half-way")
    with _library() as pacmap:
        model = pacmap.PaCMAP(n_neighbors=NEIGHBOURS, random_state=seed, num_iters=_ITERATIONS)
        model.decide_num_pairs(len(points))  # fewer where there are few points
        found, distances = near.of_each_other(points, LOOKED_AT)
        dense = np.maximum(distances[:, 3:6].mean(axis=1), 1e-10)
        scaled = pacmap.scale_dist(distances, dense, found)
        model.pair_neighbors = pacmap.sample_neighbors_pair(points, scaled, found, model.n_neighbors)
        raw = np.asarray(model.fit_transform(points, save_pairs=False), np.float64)
    report(STEPS, STEPS, "PaCMAP")
    return {"raw": raw}


def placer(arrays: Arrays, *, near: Near, seed: int, workers: int) -> Placer:
    """Return PaCMAP's own way: a point is drawn from the middle to its neighbours among the fitted ones."""
    fitted = arrays["raw"].astype(np.float32)
    attracting = min(NEIGHBOURS, near.count)

    def place(points: Floats) -> Raw:
        found, _ = near.search(points, attracting)
        new = np.repeat(np.arange(len(points), dtype=np.int32) + len(fitted), attracting)
        pairs = np.stack([new, found.ravel()], axis=1)
        with _library() as pacmap:
            moved, _ = pacmap.pacmap_fit(points, fitted, 2, pairs, 1.0, _ITERATIONS, None, False, False, [], True)
        return np.asarray(moved[len(fitted) :], np.float64)

    return place


@contextmanager
def _library() -> Iterator[Any]:
    """Give the library's module, quiet, with its random state to oneself."""
    from pacmap import pacmap

    log = logging.getLogger("pacmap.pacmap")
    level = log.level
    with _alone:
        log.setLevel(logging.ERROR)
        try:
            yield pacmap
        finally:
            log.setLevel(level)
