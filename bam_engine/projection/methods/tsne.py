"""t-SNE by openTSNE: keeps the nearest neighbours best.

In:  points (m, c) float32 and where they start. Out: their places; a function that places others among them.

The fit goes in strides of 25 iterations, each from nothing but places, speeds and gains: a fit that was stopped and
went on gives what it would have given at once.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from bam_engine.progress import Report
from bam_engine.projection.methods import Arrays, Floats, Keep, Placer, Raw
from bam_engine.projection.near import Near

PERPLEXITY = 30.0
EXAGGERATED, SETTLED = 250, 500
"""Iterations: the early ones pull neighbours together, the others settle the map."""
STEPS = EXAGGERATED + SETTLED

STRIDE, KEPT_EVERY = 25, 100
WORTH_SHARING = 3000
"""With fewer points than this the cores of a busy machine wait for each other longer than they work."""

FAST_FROM = 10_000
"""From so many points on, forces are interpolated on a grid; below, summed over a tree (openTSNE's own choice)."""

ROUND_NEW, NEW_ITERATIONS = 25, 100
"""A new point starts at the median of this many neighbours, and moves for so many iterations."""
NEW_PERPLEXITY = 5.0


def fit(points: Floats, start: Raw, *, near: Near, seed: int, workers: int, report: Report, keep: Keep) -> Arrays:
    """Lay ``points`` out from ``start`` (m, 2), of small spread; reports every 25th of ``STEPS`` iterations."""
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3.1)
    threads = workers if len(points) >= WORTH_SHARING else 1
    neighbours = keep.get("neighbours")
    if neighbours is None:
        report(0, STEPS, "neighbours")
        found, distances = near.of_each_other(points, max(1, int(3 * perplexity)))
        neighbours = {"found": found, "distances": distances}
        keep.put("neighbours", neighbours)
    report(0, STEPS, "affinities")
    listed = PrecomputedNeighbors(np.asarray(neighbours["found"]), np.asarray(neighbours["distances"]))
    affinities = PerplexityBasedNN(knn_index=listed, perplexity=perplexity, n_jobs=threads)
    begun = keep.get("fit") or {"raw": start}
    embedding: Any = TSNEEmbedding(begun["raw"], affinities, random_state=seed, n_jobs=threads, **_forces(len(points)))
    if "gains" in begun:
        embedding.optimizer.gains, embedding.optimizer.update = np.array(begun["gains"]), np.array(begun["speed"])
    pull = affinities.P.data.copy()
    for done in range(int(begun.get("done", np.zeros(1))[0]), STEPS, STRIDE):
        early = done < EXAGGERATED
        affinities.P.data[:] = pull  # to exaggerate and undo it leaves a rounding error behind
        embedding.optimize(STRIDE, exaggeration=12 if early else None, momentum=0.8, inplace=True)
        if (done + STRIDE) % KEPT_EVERY == 0:
            optimizer = embedding.optimizer
            state = {"gains": optimizer.gains, "speed": optimizer.update, "done": np.array([done + STRIDE])}
            keep.put("fit", {"raw": np.asarray(embedding), **state})
        report(done + STRIDE, STEPS, f"t-SNE, divergence {embedding.kl_divergence:.2f}")
    raw = np.asarray(embedding)
    return {"raw": raw - (raw.max(axis=0) + raw.min(axis=0)) / 2}  # as a reference it has to be in the middle


def placer(arrays: Arrays, *, near: Near, seed: int, workers: int) -> Placer:
    """Return what places points among the fitted ones: each by its neighbours and by the forces of all of those."""
    from openTSNE.affinity import joint_probabilities_nn
    from openTSNE.tsne import PartialTSNEEmbedding, TSNEEmbedding

    raw = arrays["raw"]
    nobody = SimpleNamespace(P=np.empty((len(raw), 0)))  # how the fitted attract each other does not matter any more
    forces = _forces(len(raw))
    reference = TSNEEmbedding(raw, nobody, random_state=seed, **forces)
    around = min(ROUND_NEW, near.count)
    attracting = max(1, min(int(3 * NEW_PERPLEXITY), near.count))

    def place(points: Floats) -> Raw:
        found, distances = near.search(points, around)
        pull = joint_probabilities_nn(
            found[:, :attracting],
            distances[:, :attracting],
            [min(NEW_PERPLEXITY, attracting / 3)],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=len(raw),
            n_jobs=workers,
        )
        begin = np.median(raw[found], axis=1)
        moving: Any = PartialTSNEEmbedding(begin, reference, pull, n_jobs=workers, **forces)
        moving.optimize(
            NEW_ITERATIONS, learning_rate=0.1, exaggeration=1.5, momentum=0.8, max_grad_norm=0.25, inplace=True
        )
        return np.asarray(moving)

    return place


def _forces(count: int) -> dict[str, Any]:
    return {"negative_gradient_method": "fft" if count >= FAST_FROM else "bh"}
