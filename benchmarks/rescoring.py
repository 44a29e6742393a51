"""Rescoring twenty attributes over one file of vectors: seconds, and the fraction of the read bandwidth.

Generated vectors of 512 float16 in a temporary file, read once before the clock starts. The quickest of three turns
counts, for each of: reading the file alone (its 64-bit words combined by xor), all attributes in one pass, each
attribute on its own, and plain ``X @ W`` on blocks widened by numpy. The fraction is relative to reading alone.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.learning import LinearModel, score_all, score_many
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.round import DIM, generate

REPEATS = 3
BLOCK = 4096


def read(vectors: npt.NDArray[np.float16]) -> int:
    words = np.asarray(vectors).reshape(-1).view(np.uint64)
    return int(np.bitwise_xor.reduce(words))


def product(vectors: npt.NDArray[np.float16], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    scores = np.empty((len(vectors), weights.shape[1]), np.float32)
    for start in range(0, len(vectors), BLOCK):
        scores[start : start + BLOCK] = vectors[start : start + BLOCK].astype(np.float32) @ weights
    return scores


def measure(vectors: npt.NDArray[np.float16], attributes: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    models = [LinearModel(rng.normal(size=DIM).astype(np.float32), 0.0, 1.0, 1, 1, 0, 0.0) for _ in range(attributes)]
    weights = np.stack([model.coefficients for model in models], axis=1)
    ways: dict[str, Callable[[], object]] = {
        "reading alone": lambda: read(vectors),
        "ours, one pass": lambda: score_many(vectors, models),
        "ours, one by one": lambda: [score_all(vectors, model) for model in models],
        "X @ W by blocks": lambda: product(vectors, weights),
    }
    figures: dict[str, Any] = {name: {"seconds": np.inf, "processor": np.inf} for name in ways}
    read(vectors)
    for _ in range(REPEATS):
        for name, run in ways.items():
            begin, used = time.perf_counter(), time.process_time()
            run()
            figures[name]["seconds"] = min(figures[name]["seconds"], time.perf_counter() - begin)
            figures[name]["processor"] = min(figures[name]["processor"], time.process_time() - used)
    for line in figures.values():
        line["bytes_a_second"] = vectors.nbytes / line["seconds"]
        line["share"] = figures["reading alone"]["seconds"] / line["seconds"]
    return figures


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("rescoring", __doc__)
    options.add_argument("--n", type=int, default=2_500_000)
    options.add_argument("--attributes", type=int, default=20)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "vectors.npy"
        vectors = np.lib.format.open_memmap(file, "w+", np.float16, (options.n, DIM))
        generate(options.n, np.random.default_rng(0), vectors)
        vectors.flush()
        del vectors
        results = measure(np.load(file, mmap_mode="r"), options.attributes)
    print(
        f"{machine()}; {options.attributes} attributes x {options.n:,} generated vectors of {DIM} float16, disk cache"
    )
    print(f"{'':<18} {'seconds':>8} {'CPU':>10} {'GB/s':>6} {'of read speed':>17}")
    for name, line in results.items():
        speed = f"{line['bytes_a_second'] / 1e9:6.2f} {line['share']:17.1%}"
        print(f"{name:<18} {line['seconds']:8.3f} {line['processor']:10.3f} {speed}")
    if options.json:
        figures = {"data": "generated", "n": options.n, "attributes": options.attributes, "machine": machine()}
        options.json.write_text(json.dumps({**figures, **results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
