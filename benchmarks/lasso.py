"""Finding the points inside a drawn polygon: the engine against matplotlib's path, in the same run.

Generated points in a hundred clusters, as in a layout. Four polygons: a lasso around a third of the map, a small one, a
scribble that crosses itself two hundred times, and a rectangle.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection import TileSource, fit_unit_square
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

REPEATS = 9
TARGET = 100.0  # ms


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


def measure(points: int, corners: int) -> dict[str, Any]:
    """Time every area by both, and count where they differ."""
    from matplotlib.path import Path as Outline

    rng = np.random.default_rng(0)
    heaps = rng.normal(size=(100, 2))
    places = heaps[rng.integers(100, size=points)] + rng.normal(scale=0.15, size=(points, 2))
    source = TileSource.build(fit_unit_square(places))
    both = np.stack([source.x, source.y], axis=1).astype(np.float64)
    lines = []
    for name, drawn in areas(corners).items():
        source.in_polygon(drawn)
        ours = median(lambda drawn=drawn: source.in_polygon(drawn), REPEATS)
        outline = Outline(np.vstack([drawn, drawn[:1]]))
        peer = median(lambda outline=outline: outline.contains_points(both), 1)
        inside = np.zeros(len(source), bool)
        inside[source.in_polygon(drawn)] = True
        differ = int((inside[source.rows] != outline.contains_points(both)).sum())
        line = {"area": name, "corners": len(drawn), "inside": int(inside.sum()), "ms": 1000 * ours}
        lines.append(line | {"matplotlib_ms": 1000 * peer, "ratio": peer / ours, "differ": differ})
    return {"machine": machine(), "data": "generated", "points": points, "aim_ms": TARGET, "areas": lines}


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("lasso", __doc__)
    options.add_argument("--points", type=int, default=900_000)
    options.add_argument("--corners", type=int, default=200)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures = measure(options.points, options.corners)
    print(
        f"{figures['machine']}\n{figures['points']:,} generated points; median of {REPEATS} runs, of matplotlib 1 run\n"
    )
    print(f"{'area':14} {'corners':>7} {'inside':>9} {'bam, ms':>9} {'matplotlib, ms':>15} {'ratio':>7} {'differ':>7}")
    for line in figures["areas"]:
        print(
            f"{line['area']:14} {line['corners']:7} {line['inside']:9,} {line['ms']:9.1f} "
            f"{line['matplotlib_ms']:15.1f} {line['ratio']:6.0f}x {line['differ']:7}"
        )
    slowest = max(line["ms"] for line in figures["areas"] if line["area"].startswith("lasso"))
    print(
        f"\ntarget: under {TARGET:.0f} ms, {'met' if slowest < TARGET else 'missed'} (slower lasso: {slowest:.0f} ms)"
    )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
