"""Tile times of the map: ours, through HTTP, and plain datashader over all points, in the same run.

All draw and encode the same tiles of the same generated points (300 round clusters of different sizes, 20 categories):
ours by ``MapView.tile`` without the disk cache, in the process and through uvicorn with a persistent connection; plain
datashader by Canvas.points over all points, ``tf.shade`` and PNG, on the first few of these tiles. The tiles of a zoom
level are those under random points, as visitors look where images are. Then: picture tiles with each picture decoded,
and from packed small pictures; the image under the pointer; growth with the number of points; memory. ``met`` says
which of the project's limits are met.
"""

import argparse
import contextlib
import http.client
import io
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from bam_engine.projection import MapView, fit_unit_square
from bam_engine.projection.categories import Categories
from bam_engine.projection.encoding import encode_picture
from bam_engine.projection.picture_tiles import Choice
from bam_engine.projection.view_sources import Sources
from bam_engine.workspace.sprites import SpriteFile
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

CATEGORIES = 20
ZOOMS = (0, 1, 2, 3, 4, 6, 8)
KINDS = ("category-kind", "density", "score-generated")
PEER_TILES = 8
LIMITS = {2_500_000: 15.0, 25_000_000: 40.0}
"""Milliseconds of the 95th percentile, up to so many points."""

RATIO = 10.0
"""Times faster than plain datashader, of the medians."""

EMPTY = (16, 0, 0)
"""A tile beyond all points: what its way through HTTP takes is the floor of every other's."""

Tile = tuple[int, int, int]


def generated(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles, widths = rng.random((300, 2)), rng.gamma(2, 0.012, 300)
    cluster = rng.integers(0, 300, count)
    return fit_unit_square(middles[cluster] + rng.normal(size=(count, 2)) * widths[cluster, None])


def codes_of(layout: np.ndarray, seed: int = 1) -> np.ndarray:
    """Categories that hold together: by place, a third of them at random."""
    rng = np.random.default_rng(seed)
    by_place = (layout[:, 0] * 5).astype(np.int64) + 5 * (layout[:, 1] * 4).astype(np.int64)
    return np.where(rng.random(len(layout)) < 0.33, rng.integers(0, CATEGORIES, len(layout)), by_place).astype(np.int8)


def view_of(layout: np.ndarray, codes: np.ndarray, thumbnail: Any, sprites: Any = None) -> MapView:
    names = tuple(f"kind {number}" for number in range(CATEGORIES))
    sources = Sources(categories={"kind": lambda: Categories("Kind", names, codes)}, sprites=sprites)
    scores = {"generated": (np.sin(8 * layout[:, 0]) + layout[:, 1]).astype(np.float32)}
    return MapView(layout, version="1", thumbnail=thumbnail, scores=scores, sources=sources)


def plainly(frame: Any, reduction: Any, z: int, x: int, y: int) -> bytes:
    import datashader as ds
    from datashader import transfer_functions as tf

    canvas = ds.Canvas(256, 256, x_range=(x / 2**z, (x + 1) / 2**z), y_range=(y / 2**z, (y + 1) / 2**z))
    file = io.BytesIO()
    tf.shade(canvas.points(frame, "x", "y", reduction)).to_pil(origin="upper").save(file, "PNG")
    return file.getvalue()


def milliseconds(tiles: list[Tile], draw: Callable[..., Any]) -> tuple[float, float]:
    """Median and 95th percentile of one tile; the first, which may compile, is drawn once before."""
    draw(*tiles[0])
    spent = []
    for tile in tiles:
        begin = time.perf_counter()
        draw(*tile)
        spent.append(1000 * (time.perf_counter() - begin))
    return float(np.median(spent)), float(np.quantile(spent, 0.95))


def tiles_at(layout: np.ndarray, z: int, count: int, rng: np.random.Generator) -> list[Tile]:
    at = np.minimum((layout[rng.integers(0, len(layout), count)].astype(float) * 2**z).astype(int), 2**z - 1)
    return [(z, int(x), int(y)) for x, y in at]


@contextlib.contextmanager
def served(view: MapView) -> Iterator[http.client.HTTPConnection]:
    """A connection to uvicorn in a thread of this process, kept open."""
    import uvicorn
    from starlette.applications import Starlette

    from web.routes.tiles import tile_routes

    app = Starlette(routes=list(tile_routes({"map": view}.get)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_keep_alive=3600))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    connection = http.client.HTTPConnection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
    try:
        yield connection
    finally:
        connection.close()
        server.should_exit = True
        thread.join()


def over_http(connection: http.client.HTTPConnection, kind: str, z: int, x: int, y: int) -> bytes:
    connection.request("GET", f"/tiles/map/{kind}/{z}/{x}/{y}?v=1")
    reply = connection.getresponse()
    body = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{kind} {z}/{x}/{y}: {reply.status}")
    return body


def points(
    view: MapView, layout: np.ndarray, codes: np.ndarray, count: int
) -> tuple[list[dict[str, Any]], tuple[float, float]]:
    """Tiles of points: ours, ours through HTTP, and plain datashader; and what HTTP alone takes."""
    import datashader as ds
    import pandas as pd

    kinds = pd.Categorical.from_codes(codes, [f"kind {number}" for number in range(CATEGORIES)])
    frame = pd.DataFrame({"x": layout[:, 0], "y": layout[:, 1], "kind": kinds})
    frame["score"] = (np.sin(8 * layout[:, 0]) + layout[:, 1]).astype(np.float32)
    plain = dict(zip(KINDS, (ds.by("kind", ds.count()), ds.count(), ds.mean("score")), strict=True))
    rng, rows = np.random.default_rng(1), []
    with served(view) as connection:
        floor = milliseconds([EMPTY] * 200, partial(over_http, connection, KINDS[1]))
        for kind in KINDS:
            for z in ZOOMS:
                addresses = tiles_at(layout, z, count, rng)
                begin = time.perf_counter()
                view.tile(kind, *addresses[0])
                first = 1000 * (time.perf_counter() - begin)
                ours = milliseconds(addresses, partial(view.tile, kind))
                http = milliseconds(addresses, partial(over_http, connection, kind))
                peer = milliseconds(addresses[:PEER_TILES], partial(plainly, frame, plain[kind]))
                rows.append({"kind": kind, "zoom": z, "first": first, "p50": ours[0], "p95": ours[1]})
                rows[-1] |= {"http_p50": http[0], "http_p95": http[1], "plain_p50": peer[0], "plain_p95": peer[1]}
                rows[-1]["ratio"] = peer[0] / ours[0]
    return rows, floor


def picture_tiles(layout: np.ndarray, codes: np.ndarray, count: int) -> list[dict[str, Any]]:
    """Tiles of pictures, each way on tiles of its own run: decoded one by one, packed, and in memory."""
    picture = encode_picture(np.asarray(Image.effect_noise((256, 170), 60).convert("RGB")))

    def thumbnail(_row: int) -> Image.Image:
        return Image.open(io.BytesIO(picture))

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        sprites = SpriteFile(Path(folder) / "24.bin")
        view = view_of(layout, codes, thumbnail, sprites)
        view.warm()
        rng = np.random.default_rng(2)
        seen = set()
        for z in range(view.picture_from_zoom, view.max_zoom + 1):
            across = view.plan.pictures_across(z)
            if across in seen:
                continue
            seen.add(across)
            addresses = tiles_at(layout, z, count, rng)
            view.tile("pictures-density", *addresses[0])  # the arrangement is found once

            def one_by_one(z: int, x: int, y: int, across: int = across, view: MapView = view) -> bytes:
                tile = Image.new("RGBA", (256, 256))
                for column, row in view._cells(z, x, y, "density", Choice()):
                    small = ImageOps.contain(thumbnail(0).convert("RGB"), (256 // across - 8,) * 2)
                    tile.paste(small, (column * 256 // across, row * 256 // across))
                return encode_picture(np.asarray(tile))

            line = {"zoom": z, "pixels": 256 // across, "one_by_one": milliseconds(addresses, one_by_one)}
            line["first"] = milliseconds(addresses, partial(view.tile, "pictures-density"))
            if across == 8:
                again = MapView([], version="1", thumbnail=thumbnail, sources=Sources(sprites=sprites), previous=view)
                again._store = type(view._store)(thumbnail, sprites=sprites)
                line["packed"] = milliseconds(addresses, partial(again.tile, "pictures-density"))
            line["memory"] = milliseconds(addresses, partial(view.tile, "pictures-density"))
            rows.append(line)
        sprites.close()
    return rows


def pointing(view: MapView, layout: np.ndarray, count: int) -> list[dict[str, Any]]:
    """The image under the pointer, 12 pixels around it, at each zoom."""
    rng, rows = np.random.default_rng(3), []
    for z in (0, 2, 4, view.picture_from_zoom, view.max_zoom):
        places = layout[rng.integers(0, len(layout), count)].astype(float)
        addresses = [(z, x, y) for x, y in places]
        times = milliseconds(addresses, lambda z, x, y: view.image_at(x, y, 12 / 256 / 2**z, zoom=z))  # type: ignore[arg-type]
        rows.append({"zoom": z, "p50": times[0], "p95": times[1]})
    return rows


def growth(count: int, tiles: int) -> list[dict[str, Any]]:
    """The slowest zoom with categories, for a hundredth and a tenth of the points."""
    rows = []
    for fewer in (count // 100, count // 10):
        layout = generated(fewer)
        view = view_of(layout, codes_of(layout), lambda row: None)
        rng = np.random.default_rng(1)
        times = [milliseconds(tiles_at(layout, z, tiles, rng), partial(view.tile, KINDS[0])) for z in ZOOMS]
        rows.append({"points": fewer, "p50": max(p50 for p50, _ in times), "p95": max(p95 for _, p95 in times)})
    return rows


def memory() -> float:
    """Mebibytes that this process holds."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measure(count: int, tiles: int) -> dict[str, Any]:
    layout = generated(count)
    codes = codes_of(layout)
    before = memory()
    begin = time.perf_counter()
    view = view_of(layout, codes, lambda row: None)
    built = time.perf_counter() - begin
    begin = time.perf_counter()
    view.warm()
    warmed = time.perf_counter() - begin
    held = memory() - before
    rows, floor = points(view, layout, codes, tiles)
    begin = time.perf_counter()
    view.arrangement()
    arranged = time.perf_counter() - begin
    limit = min((limit for most, limit in LIMITS.items() if count <= most), default=max(LIMITS.values()))
    worst = max(row["http_p95"] for row in rows)
    least = min(row["ratio"] for row in rows)
    grouped = min(row["ratio"] for row in rows if row["kind"] == KINDS[0])
    return {
        "points": count,
        "data": "generated",
        "machine": machine(),
        "seconds_to_build": built,
        "seconds_to_warm": warmed,
        "seconds_to_arrange": arranged,
        "mebibytes_of_the_map": held,
        "tiles_per_zoom": tiles,
        "http_alone": floor,
        "rows": rows,
        "pictures": picture_tiles(layout, codes, min(tiles, 20)),
        "pointing": pointing(view, layout, tiles),
        "growth": growth(count, tiles),
        "limits": {
            "p95_http_ms": {"limit": limit, "worst": worst, "met": worst < limit},
            "ratio_with_categories": {"limit": RATIO, "least": grouped, "met": grouped >= RATIO},
            "ratio": {"limit": RATIO, "least": least, "met": least >= RATIO},
        },
    }


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['points']:,} generated points, {CATEGORIES} categories; {figures['machine']}")
    print(f"ms per tile, {figures['tiles_per_zoom']} tiles per zoom level, the first {PEER_TILES} for plain datashader")
    print(
        f"sorted and planned in {figures['seconds_to_build']:.2f} s, kernels {figures['seconds_to_warm']:.2f} s, "
        f"every image in a cell {figures['seconds_to_arrange']:.2f} s; {figures['mebibytes_of_the_map']:.0f} MiB"
    )
    print("HTTP alone (an empty tile): {:.1f} ({:.1f})".format(*figures["http_alone"]))
    names = ("first", "p50", "p95", "http_p50", "http_p95", "plain_p50", "plain_p95", "ratio")
    print(f"{'kind':<16}{'zoom':>5}" + "".join(f"{name.replace('_', ' '):>11}" for name in names))
    for row in figures["rows"]:
        print(f"{row['kind']:<16}{row['zoom']:>5}" + "".join(f"{row[name]:>11.1f}" for name in names))
    print("pictures, p50 (p95):")
    for row in figures["pictures"]:
        ways = ("one_by_one", "first", "packed", "memory")
        times = [f"{way.replace('_', ' ')} {row[way][0]:.1f} ({row[way][1]:.1f})" for way in ways if way in row]
        print(f"  zoom {row['zoom']:>2}, cells of {row['pixels']:>3} pixels: " + ", ".join(times))
    for row in figures["pointing"]:
        print(f"the image under the pointer, zoom {row['zoom']:>2}: {row['p50']:.1f} ({row['p95']:.1f})")
    for row in figures["growth"]:
        print(f"slowest zoom with categories at {row['points']:,} points: {row['p50']:.1f} ({row['p95']:.1f})")
    for name, row in figures["limits"].items():
        print(f"{name}: limit {row['limit']:.0f}, {row.get('worst', row.get('least')):.1f}, met: {row['met']}")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("tiles", __doc__)
    options.add_argument("--points", "--n", type=int, default=2_500_000, help="points on the map")
    options.add_argument("--tiles", type=int, default=40, help="tiles timed at each zoom")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    figures = measure(options.points, options.tiles)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
