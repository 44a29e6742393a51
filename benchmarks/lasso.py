"""How long a drawn area takes: the images inside it, by the engine and by matplotlib's path, in the same run.

Generated points in a hundred heaps, as a layout has them. Four areas: a lasso around a third of the map, a small one,
a scribble that crosses itself two hundred times, and a box of four corners.

    python -m benchmarks lasso --points 900000 --corners 200
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection import TileSource, fit_unit_square
from benchmarks.machine import machine

REPEATS = 9


def areas(corners: int) -> dict[str, NDArray[np.float64]]:
    """The drawn areas by name, each (m, 2)."""
    rng = np.random.default_rng(1)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    round_ = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.85, 1.0, (corners, 1))
    zigzag = np.stack([np.linspace(0.1, 0.9, corners), np.where(np.arange(corners) % 2, 0.9, 0.1)], axis=1)
    return {
        "lasso, large": 0.5 + 0.4 * round_,
        "lasso, small": 0.5 + 0.05 * round_,
        "scribble": zigzag,
        "box": np.array([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]),
    }


def median(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the middle run."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=900_000)
    parser.add_argument("--corners", type=int, default=200)
    chosen = parser.parse_args(arguments)
    from matplotlib.path import Path

    rng = np.random.default_rng(0)
    heaps = rng.normal(size=(100, 2))
    places = heaps[rng.integers(100, size=chosen.points)] + rng.normal(scale=0.15, size=(chosen.points, 2))
    source = TileSource.build(fit_unit_square(places))
    both = np.stack([source.x, source.y], axis=1).astype(np.float64)
    print(f"{machine()}\n{chosen.points:,} generated points; median of {REPEATS} runs, matplotlib's of 1\n")
    print(f"{'area':14} {'corners':>7} {'inside':>9} {'bam, ms':>9} {'matplotlib, ms':>15} {'ratio':>7} {'differ':>7}")
    for name, corners in areas(chosen.corners).items():
        source.in_polygon(corners)
        ours = median(lambda corners=corners: source.in_polygon(corners), REPEATS)
        path = Path(np.vstack([corners, corners[:1]]))
        peer = median(lambda path=path: path.contains_points(both), 1)
        inside = np.zeros(len(source), bool)
        inside[source.in_polygon(corners)] = True
        differ = int((inside[source.rows] != path.contains_points(both)).sum())
        print(
            f"{name:14} {len(corners):7} {inside.sum():9,} {1e3 * ours:9.1f} {1e3 * peer:15.1f} "
            f"{peer / ours:6.0f}x {differ:7}"
        )


if __name__ == "__main__":
    main()
