"""Layouts against their peers, and at size: seconds, neighbours preserved, trustworthiness.

First the real pictures (MobileNetV2 vectors): our methods, scikit-learn's t-SNE and umap-learn on the same 50 principal
components. Then generated vectors, 1,000 clusters in 256 dimensions: a sample is fitted and the others are placed block
by block, with the rate of placing. Everything is compiled and imported before it is timed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.projection import METHODS, SAMPLE, InMemoryCheckpoints, fit_layout
from bam_engine.projection.components import fit_components
from bam_engine.projection.frame import fit_unit_square
from bam_engine.projection.quality import measure
from benchmarks import pictures
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

Vectors = npt.NDArray[np.float16]
DIMENSIONS, CLUSTERS = 256, 1000


def generated(count: int, seed: int = 0) -> Vectors:
    """Unit vectors around ``CLUSTERS`` middles of unequal size and width, themselves in 30 groups."""
    rng = np.random.default_rng(seed)
    groups = rng.normal(size=(30, DIMENSIONS))
    middles = groups[rng.integers(0, 30, CLUSTERS)] + 0.8 * rng.normal(size=(CLUSTERS, DIMENSIONS))
    widths = rng.uniform(0.3, 0.9, CLUSTERS)
    share = rng.dirichlet(np.full(CLUSTERS, 2.0))
    vectors = np.empty((count, DIMENSIONS), np.float16)
    for start in range(0, count, 50_000):
        cluster = rng.choice(CLUSTERS, min(50_000, count - start), p=share)
        block = middles[cluster] + widths[cluster, None] * rng.normal(size=(len(cluster), DIMENSIONS))
        vectors[start : start + len(cluster)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


class Clock:
    """Notes when the fit of a sample ended and the placing began."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()
        self.placing: float | None = None

    def report(self, done: int, total: int | None, message: str = "") -> None:
        if message.startswith("placing") and self.placing is None:
            self.placing = time.perf_counter() - self.begin
            print(f"  the sample is fitted after {self.placing:.0f} s", file=sys.stderr, flush=True)


def ours(vectors: Vectors, method: str, sample: int) -> tuple[dict[str, Any], npt.NDArray[np.float32]]:
    rows, clock = np.arange(len(vectors)), Clock()
    layout = fit_layout(
        vectors, rows, method=method, sample=sample, report=clock.report, checkpoints=InMemoryCheckpoints()
    )
    seconds = time.perf_counter() - clock.begin
    line: dict[str, Any] = {"what": f"ours: {method}", "seconds": seconds}
    if clock.placing is not None:
        placed = len(rows)
        rate = placed / (seconds - clock.placing)
        line |= {"fit_seconds": clock.placing, "placed_per_second": rate, "seconds_per_million": 1e6 / rate}
    return line, layout.places


def peers(vectors: Vectors) -> list[tuple[str, Callable[[npt.NDArray[np.float32]], Any]]]:
    def sklearn(points: npt.NDArray[np.float32]) -> Any:
        from sklearn.manifold import TSNE

        return TSNE(random_state=0, n_jobs=-1).fit_transform(points)

    def umap(points: npt.NDArray[np.float32]) -> Any:
        from umap import UMAP

        return UMAP().fit_transform(points)  # without a seed it uses all cores

    return [("scikit-learn TSNE", sklearn), ("umap-learn UMAP", umap)]


def judged(vectors: Vectors, places: Any) -> dict[str, Any]:
    quality = measure(vectors, np.arange(len(vectors)), np.asarray(places, np.float32), rng=np.random.default_rng(0))
    if quality is None:
        raise ValueError(f"{len(vectors)} vectors are too few to judge a layout by.")
    return {
        "kept": [quality.kept, quality.kept_low, quality.kept_high],
        "trust": [quality.trust, quality.trust_low, quality.trust_high],
        "sampled": quality.sampled,
    }


def show(line: dict[str, Any]) -> None:
    kept, trust = (f"{line[name][0]:.3f} ({line[name][1]:.3f}-{line[name][2]:.3f})" for name in ("kept", "trust"))
    text = f"{line['what']:<22}{line['seconds']:>9.1f} s   {kept:<22}{trust:<22}"
    if "placed_per_second" in line:
        text += f" fit {line['fit_seconds']:.0f} s, then {line['placed_per_second']:,.0f} images/s:"
        text += f" {line['seconds_per_million']:.0f} s per million"
    print(text, flush=True)


def _methods(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - set(METHODS)):
        raise argparse.ArgumentTypeError(f"There is no method {', '.join(unknown)}. There are {', '.join(METHODS)}.")
    return names


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("layouts", __doc__)
    options.add_argument("--n", type=int, default=250_000, help="generated vectors; 0 for none")
    options.add_argument("--sample", type=int, default=SAMPLE, help="size of the fitted sample")
    options.add_argument("--methods", type=_methods, default=list(METHODS), help=f"some of {','.join(METHODS)}")
    options.add_argument("--no-peers", action="store_true", help="skip the real pictures and the peers")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    methods, figures = options.methods, {"machine": machine(), "pictures": [], "generated": []}
    head = f"{'':<22}{'time':>11}   {'10-NN preserved':<22}{'trustworthiness':<22}"
    for method in methods:  # compiled before it is timed, placing too
        ours(generated(6000), method, 5000)  # beyond 4,096 points UMAP takes another way
    if not options.no_peers and pictures.available("mobilenetv2"):
        vectors = pictures.load().vectors
        rows = np.arange(len(vectors))
        points = fit_components(vectors, rows=rows).of(vectors, rows)
        print(f"{len(vectors):,} real pictures x {vectors.shape[1]}; {machine()}\n{head}")
        for method in methods:
            line, places = ours(vectors, method, len(vectors))
            figures["pictures"].append(line | judged(vectors, places))
            show(figures["pictures"][-1])
        for name, fit in peers(vectors):
            if "UMAP" in name:
                fit(points[:1000])
            begin = time.perf_counter()
            places = fit_unit_square(fit(points))
            line = {"what": name, "seconds": time.perf_counter() - begin}
            figures["pictures"].append(line | judged(vectors, places))
            show(figures["pictures"][-1])
    if options.n:
        vectors = generated(options.n)
        print(f"{options.n:,} generated vectors x {DIMENSIONS}, {options.sample:,} of them fitted; {machine()}\n{head}")
        for method in methods:
            line, places = ours(vectors, method, options.sample)
            figures["generated"].append(line | judged(vectors, places) | {"n": options.n, "sample": options.sample})
            show(figures["generated"][-1])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
