"""Tile times: a slice of Morton-sorted points against datashader over all points, in the same run.

    python -m benchmarks.tiles [--n 1000000] [--tiles 40] [--json FILE]

Both draw the same tiles of the same generated points and encode them: ours by ``MapView.tile`` (slice, datashader over
the slice, shading, lossless WebP), plain datashader by Canvas.points over all points, ``tf.shade`` and PNG. The tiles
of a zoom are those under points drawn at random, as a visitor looks where images are. The points are generated: 300
round clusters of different sizes.
"""

import argparse
import io
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bam_engine.projection import MapView, fit_unit_square
from benchmarks.machine import machine

PICTURE = Image.effect_noise((256, 170), 60).convert("RGB")


def generated(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles, widths = rng.random((300, 2)), rng.gamma(2, 0.012, 300)
    cluster = rng.integers(0, 300, count)
    return fit_unit_square(middles[cluster] + rng.normal(size=(count, 2)) * widths[cluster, None])


def plainly(frame: Any, reduction: Any, z: int, x: int, y: int) -> bytes:
    import datashader as ds
    from datashader import transfer_functions as tf

    canvas = ds.Canvas(256, 256, x_range=(x / 2**z, (x + 1) / 2**z), y_range=(y / 2**z, (y + 1) / 2**z))
    file = io.BytesIO()
    tf.shade(canvas.points(frame, "x", "y", reduction)).to_pil(origin="upper").save(file, "PNG")
    return file.getvalue()


def milliseconds(tiles: list[tuple[int, int, int]], *drawings: Callable[..., bytes]) -> list[tuple[float, float]]:
    """Median and 95th percentile of one tile, for each way to draw it; they take turns, so both meet the same load."""
    spent: list[list[float]] = [[] for _ in drawings]
    for draw in drawings:
        draw(*tiles[0])  # compiled before it is timed
    for tile in tiles:
        for draw, times in zip(drawings, spent, strict=True):
            begin = time.perf_counter()
            draw(*tile)
            times.append(1000 * (time.perf_counter() - begin))
    return [(float(np.median(times)), float(np.quantile(times, 0.95))) for times in spent]


def measure(count: int, tiles: int) -> dict[str, Any]:
    import datashader as ds
    import pandas as pd

    layout = generated(count)
    scores = (np.sin(8 * layout[:, 0]) + layout[:, 1]).astype(np.float32)
    begin = time.perf_counter()
    view = MapView(layout, version="1", thumbnail=lambda row: PICTURE, scores={"generated": scores})
    built = time.perf_counter() - begin
    begin = time.perf_counter()
    view.warm()
    warmed = time.perf_counter() - begin
    frame = pd.DataFrame({"x": layout[:, 0], "y": layout[:, 1], "score": scores})
    rng = np.random.default_rng(1)
    rows = []
    for kind, reduction in (("density", ds.count()), ("score-generated", ds.mean("score"))):
        for z in (0, 1, 2, 3, 4, 6, 8):
            at = np.minimum((layout[rng.integers(0, count, tiles)].astype(float) * 2**z).astype(int), 2**z - 1)
            asked = [(z, int(x), int(y)) for x, y in at]
            ours, plain = milliseconds(asked, partial(view.tile, kind), partial(plainly, frame, reduction))
            rows.append({"kind": kind, "zoom": z, "p50": ours[0], "p95": ours[1], "plain_p50": plain[0]})
            rows[-1] |= {"plain_p95": plain[1], "ratio": plain[0] / ours[0]}
    z = view.picture_from_zoom
    at = np.minimum((layout[rng.integers(0, count, tiles)].astype(float) * 2**z).astype(int), 2**z - 1)
    asked = [(z, int(x), int(y)) for x, y in at]
    (pictures,) = milliseconds(asked, partial(view.tile, "pictures-density"))
    rows.append({"kind": "pictures", "zoom": z, "p50": pictures[0], "p95": pictures[1]})
    return {
        "points": count,
        "data": "generated",
        "machine": machine(),
        "seconds_to_build": built,
        "seconds_to_warm": warmed,
        "tiles_per_zoom": tiles,
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000_000, help="points")
    parser.add_argument("--tiles", type=int, default=40, help="tiles timed at each zoom")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    asked = parser.parse_args()
    found = measure(asked.n, asked.tiles)
    print(
        f"{found['points']:,} generated points; {found['machine']}; ms a tile, {found['tiles_per_zoom']} tiles a zoom"
    )
    print(f"built in {found['seconds_to_build']:.2f} s, warmed in {found['seconds_to_warm']:.2f} s")
    print(f"{'kind':<16}{'zoom':>5}{'ours p50':>10}{'p95':>8}{'plain p50':>11}{'p95':>8}{'ratio':>7}")
    for row in found["rows"]:
        line = f"{row['kind']:<16}{row['zoom']:>5}{row['p50']:>10.1f}{row['p95']:>8.1f}"
        if "ratio" in row:
            line += f"{row['plain_p50']:>11.1f}{row['plain_p95']:>8.1f}{row['ratio']:>7.1f}"
        print(line)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
