"""t-SNE by openTSNE: preserves nearest neighbours best.

In:  points (m, c) float32 and where they start. Out: their places; a function that places further points.

The fit runs in strides of 25 iterations, whose whole state is places, speeds and gains: a fit that was stopped and
resumed gives the same result as one without a stop.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from bam_engine.progress import Report
from bam_engine.projection.methods import Arrays, Checkpoints, Floats, Placer, Raw
from bam_engine.projection.neighbours import NeighbourIndex

PERPLEXITY = 30.0
EARLY_ITERATIONS, LATE_ITERATIONS = 250, 500
"""Iterations with early exaggeration, then without."""
STEPS = EARLY_ITERATIONS + LATE_ITERATIONS

STRIDE, SAVE_EVERY = 25, 100
MIN_PARALLEL = 3000
"""With fewer points, threads on a busy machine wait for each other longer than they work."""

MIN_FFT = 10_000
"""From so many points on, forces are interpolated on a grid (FFT); below, summed over a Barnes-Hut tree."""

START_NEIGHBOURS, NEW_ITERATIONS = 25, 100
"""A new point starts at the median of this many neighbours, and moves for so many iterations."""
NEW_PERPLEXITY = 5.0


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
    """Lay ``points`` out from ``start`` (m, 2), of small spread; reports every 25 of ``STEPS`` iterations."""
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3.1)
    threads = workers if len(points) >= MIN_PARALLEL else 1
    knn = checkpoints.load("neighbours")
    if knn is None:
        report(0, STEPS, "neighbours")
        indices, distances = neighbours.search_self(points, max(1, int(3 * perplexity)))
        knn = {"found": indices, "distances": distances}
        checkpoints.save("neighbours", knn)
    report(0, STEPS, "affinities")
    knn_index = PrecomputedNeighbors(np.asarray(knn["found"]), np.asarray(knn["distances"]))
    affinities = PerplexityBasedNN(knn_index=knn_index, perplexity=perplexity, n_jobs=threads)
    state = checkpoints.load("fit") or {"raw": start}
    embedding: Any = TSNEEmbedding(state["raw"], affinities, random_state=seed, n_jobs=threads, **_forces(len(points)))
    if "gains" in state:
        embedding.optimizer.gains, embedding.optimizer.update = np.array(state["gains"]), np.array(state["speed"])
    pull = affinities.P.data.copy()
    for done in range(int(state.get("done", np.zeros(1))[0]), STEPS, STRIDE):
        early = done < EARLY_ITERATIONS
        affinities.P.data[:] = pull  # exaggerating and undoing it would leave rounding errors
        embedding.optimize(STRIDE, exaggeration=12 if early else None, momentum=0.8, inplace=True)
        if (done + STRIDE) % SAVE_EVERY == 0:
            optimizer = embedding.optimizer
            progress = {"gains": optimizer.gains, "speed": optimizer.update, "done": np.array([done + STRIDE])}
            checkpoints.save("fit", {"raw": np.asarray(embedding), **progress})
        report(done + STRIDE, STEPS, f"t-SNE, divergence {embedding.kl_divergence:.2f}")
    raw = np.asarray(embedding)
    return {"raw": raw - (raw.max(axis=0) + raw.min(axis=0)) / 2}  # a reference embedding must be centred


def placer(arrays: Arrays, *, neighbours: NeighbourIndex, seed: int, workers: int) -> Placer:
    """Return a function that places points: each by its neighbours and the forces of all fitted points."""
    from openTSNE.affinity import joint_probabilities_nn
    from openTSNE.tsne import PartialTSNEEmbedding, TSNEEmbedding

    raw = arrays["raw"]
    no_affinities = SimpleNamespace(P=np.empty((len(raw), 0)))  # the fitted points no longer move
    forces = _forces(len(raw))
    reference = TSNEEmbedding(raw, no_affinities, random_state=seed, **forces)
    around = min(START_NEIGHBOURS, neighbours.count)
    attracting = max(1, min(int(3 * NEW_PERPLEXITY), neighbours.count))

    def place(points: Floats) -> Raw:
        indices, distances = neighbours.search(points, around)
        pull = joint_probabilities_nn(
            indices[:, :attracting],
            distances[:, :attracting],
            [min(NEW_PERPLEXITY, attracting / 3)],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=len(raw),
            n_jobs=workers,
        )
        start = np.median(raw[indices], axis=1)
        embedding: Any = PartialTSNEEmbedding(start, reference, pull, n_jobs=workers, **forces)
        embedding.optimize(
            NEW_ITERATIONS, learning_rate=0.1, exaggeration=1.5, momentum=0.8, max_grad_norm=0.25, inplace=True
        )
        return np.asarray(embedding)

    return place


def _forces(count: int) -> dict[str, Any]:
    return {"negative_gradient_method": "fft" if count >= MIN_FFT else "bh"}
