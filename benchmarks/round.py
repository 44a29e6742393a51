"""What a round costs: train on 400 labels, score the whole collection, pick the next 100.

    python -m benchmarks.round [--n 1000000] [--json FILE]

On generated vectors, beside the plain way with numpy and scikit-learn (one fit, the whole collection widened at once,
the 100 least certain by argpartition) in the same process. Ours does more in the same round: it chooses the strength by
cross-validation and picks a mixture. Reading from disk is not part of it: the vectors are in memory.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.learning import mixture, moments_of, score_all, train
from benchmarks.machine import machine

DIM, LABELS, BATCH, REPEATS = 512, 400, 100, 3
STEPS = ("train", "score", "pick")

Half = npt.NDArray[np.float16]
Labels = npt.NDArray[np.bool_]


def generate(n: int, rng: np.random.Generator) -> tuple[Half, Labels]:
    """Return unit vectors (n, 512) of 50 gaussian neighbourhoods, those of the first five positive."""
    centres = rng.normal(size=(50, DIM)).astype(np.float32)
    cluster = rng.integers(0, 50, size=n)
    vectors = np.empty((n, DIM), dtype=np.float16)
    for start in range(0, n, 16_384):
        part = slice(start, start + 16_384)
        wide = centres[cluster[part]] + 2 * rng.standard_normal((len(cluster[part]), DIM), dtype=np.float32)
        vectors[part] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return vectors, cluster < 5


def ours(vectors: Half, truth: Labels, labelled: npt.NDArray[np.int64]) -> dict[str, float]:
    rng, clock = np.random.default_rng(0), _Clock()
    moments = moments_of(vectors[:4096])
    model = train(vectors[labelled], truth[labelled], moments=moments, rng=rng)
    clock.lap("train")
    scores = score_all(vectors, model)
    clock.lap("score")
    pool = np.delete(np.arange(len(vectors)), labelled)
    mixture(vectors, scores, pool, BATCH, centre=model.separation, rng=rng)
    clock.lap("pick")
    return clock.seconds


def peer(vectors: Half, truth: Labels, labelled: npt.NDArray[np.int64]) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression

    clock = _Clock()
    model = LogisticRegression(max_iter=1000).fit(vectors[labelled].astype(np.float32), truth[labelled])
    clock.lap("train")
    scores = vectors.astype(np.float32) @ model.coef_[0].astype(np.float32) + np.float32(model.intercept_[0])
    clock.lap("score")
    pool = np.delete(np.arange(len(vectors)), labelled)
    pool[np.argpartition(np.abs(scores[pool]), BATCH)[:BATCH]]
    clock.lap("pick")
    return clock.seconds


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def best(run: Callable[..., dict[str, float]], *data: Any) -> dict[str, float]:
    """Return the quickest of the repeats, the first (imports, warm caches) left out."""
    runs = [run(*data) for _ in range(REPEATS + 1)][1:]
    return min(runs, key=lambda seconds: sum(seconds.values()))


def measure(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    vectors, truth = generate(n, rng)
    labelled = np.sort(rng.choice(n, size=LABELS, replace=False))
    found = {name: best(run, vectors, truth, labelled) for name, run in (("ours", ours), ("peer", peer))}
    for seconds in found.values():
        seconds["round"] = sum(seconds[step] for step in STEPS)
    ratio = {step: found["ours"][step] / found["peer"][step] for step in (*STEPS, "round")}
    return {"data": "generated", "n": n, "dim": DIM, "labels": LABELS, "machine": machine(), **found, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000_000, help="images of the collection")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    found = measure(options.n)
    print(f"one round on {options.n:,} x {DIM} float16, generated, {LABELS} labels, batch {BATCH}; {found['machine']}")
    print(f"{'step':<6} {'ours (s)':>9} {'numpy + scikit-learn (s)':>25} {'ratio':>6}")
    for step in (*STEPS, "round"):
        print(f"{step:<6} {found['ours'][step]:>9.3f} {found['peer'][step]:>25.3f} {found['ratio'][step]:>6.2f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
