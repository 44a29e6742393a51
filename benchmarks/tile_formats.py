"""File formats for tiles of marks: milliseconds to write and to decode in a browser, and bytes.

The tiles are those of a map of generated points, as in the benchmark ``tiles``: three colourings, seven zoom levels,
and every second tile with a selection of a tenth of the points, outside of which points are grey. All formats are
lossless and write the same pixels; the first is ours, and "other" the WebP encoder of an earlier checkout, where
``--against`` names one. Writing is the quickest of three turns in this process, decoding
the quickest of three in Chromium, from data URLs, as the map does it. "seen" is the time in milliseconds for which a
map of 24 drawn tiles waits: writing, 10 Mbit/s, and decoding, one after the other.
"""

import argparse
import base64
import importlib.util
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from bam_engine.projection import shading
from bam_engine.projection.encoding import LEVEL, encode_marks, media_type
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser, checkout_at
from benchmarks.tiles import KINDS, ZOOMS, codes_of, generated, tiles_at, view_of

REPEATS = 3
IN_VIEW = 24
BYTES_A_SECOND = 10e6 / 8
DECODE = """async (urls) => {
  const times = [];
  for (const url of urls) {
    const begin = performance.now();
    const image = new Image();
    image.src = url;
    await image.decode();
    times.push(performance.now() - begin);
  }
  return times;
}"""

Pixels = NDArray[np.uint8]


def marks(count: int, tiles: int) -> list[Pixels]:
    """Return the drawn tiles, RGBA."""
    layout = generated(count)
    view = view_of(layout, codes_of(layout), lambda row: None)
    rng = np.random.default_rng(1)
    some, drawn = rng.random(count) < 0.1, []
    for kind in KINDS:
        for z in ZOOMS:
            for number, tile in enumerate(tiles_at(layout, z, tiles, rng)):
                only = some if number % 2 else None
                drawn.append(shading.draw(view.source, view.plan, view.colouring(kind), *tile, only=only))
    return [each for each in drawn if each is not None]


def written(pixels: Pixels, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


FORMATS: dict[str, Callable[[Pixels], bytes]] = {
    **{f"PNG, palette, zlib {level}": partial(encode_marks, level=level) for level in (LEVEL, 3, 6, 9)},
    "PNG, RGBA, zlib 1": partial(written, kind="PNG", compress_level=1),
    "WebP, method 0": partial(written, kind="WEBP", lossless=True, method=0, quality=0),
    "WebP, method 4": partial(written, kind="WEBP", lossless=True, method=4, quality=75),
}
"""The first is ours."""


def encoder_of(checkout: Path) -> Callable[[Pixels], bytes]:
    """Return the WebP encoder of another checkout; what has too many colours for it is left to libwebp."""
    place = checkout / "bam_engine" / "projection" / "webp_lossless.py"
    name = "bam_engine.projection.webp_lossless"  # as there, since compiled functions are cached under it
    spec = importlib.util.spec_from_file_location(name, place)
    if not place.exists() or spec is None or spec.loader is None:
        raise SystemExit(f"{checkout} has no WebP encoder of its own: there is no {place}.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def encode(pixels: Pixels) -> bytes:
        file: bytes | None = module.encode_lossless(np.ascontiguousarray(pixels).view(np.uint32)[..., 0])
        return file or FORMATS["WebP, method 0"](pixels)

    return encode


def write(tiles: list[Pixels], encoder: Callable[[Pixels], bytes]) -> tuple[list[float], list[bytes]]:
    """Return the milliseconds of each tile, and its bytes; the first is written once before."""
    encoder(tiles[0])
    times, files = [], []
    for tile in tiles:
        turns = []
        for _ in range(REPEATS):
            begin = time.perf_counter()
            file = encoder(tile)
            turns.append(1000 * (time.perf_counter() - begin))
        times.append(min(turns))
        files.append(file)
    return times, files


def decode(files: dict[str, list[bytes]]) -> dict[str, float]:
    """Return the milliseconds that Chromium takes for a tile of each format; nothing without Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser import CHROMIUM, FLAGS

    if not CHROMIUM.exists():
        return {}
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS).new_page()
        passes = []
        for number in range(REPEATS + 1):  # every tile in every format; each pass begins with another format
            names = [*files][number:] + [*files][:number]
            urls = [address(files[name][at]) for at in range(len(files[names[0]])) for name in names]
            times = np.reshape(page.evaluate(DECODE, urls), (-1, len(names)))
            passes.append(dict(zip(names, times.T, strict=True)))
        page.context.browser.close()  # type: ignore[union-attr]
    return {name: float(np.min([one[name] for one in passes[1:]], axis=0).mean()) for name in files}


def address(file: bytes) -> str:
    return f"data:{media_type(file)};base64,{base64.b64encode(file).decode()}"


def measure(points: int, count: int, against: Path | None = None) -> dict[str, Any]:
    formats = FORMATS if against is None else {**FORMATS, "WebP, other": encoder_of(against)}
    tiles = marks(points, count)
    colours = [len(np.unique(tile.view(np.uint32))) for tile in tiles]
    found = {name: write(tiles, encoder) for name, encoder in formats.items()}
    decoded = decode({name: files for name, (_, files) in found.items()})
    rows = []
    for name, (times, files) in found.items():
        sizes = [len(file) for file in files]
        row: dict[str, Any] = {"format": name, "p50": float(np.median(times)), "p95": float(np.quantile(times, 0.95))}
        row |= {"mean": float(np.mean(times)), "bytes": float(np.mean(sizes)), "bytes_p95": np.quantile(sizes, 0.95)}
        if name in decoded:
            row["decode"] = decoded[name]
            row["seen"] = IN_VIEW * (row["mean"] + decoded[name] + 1000 * row["bytes"] / BYTES_A_SECOND)
        rows.append(row)
    about = {"points": points, "tiles": len(tiles), "data": "generated", "machine": machine()}
    versions = {"zlib": features.version("zlib_ng") or features.version("zlib"), "webp": features.version("webp")}
    return {**about, **versions, "colours": [int(np.median(colours)), max(colours)], "rows": rows}


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['tiles']} tiles of {figures['points']:,} generated points; {figures['machine']}")
    print("colours of a tile: {} (median), {} (most); ".format(*figures["colours"]), end="")
    print(f"zlib-ng {figures['zlib']}, libwebp {figures['webp']}")
    print(f"{'':<22}{'write p50':>10}{'p95':>7}{'mean':>7}{'kB':>7}{'p95':>7}{'decode':>8}{'seen':>7}")
    for row in figures["rows"]:
        sizes = f"{row['bytes'] / 1000:>7.1f}{row['bytes_p95'] / 1000:>7.1f}"
        browser = f"{row['decode']:>8.2f}{row['seen']:>7.0f}" if "decode" in row else ""
        print(f"{row['format']:<22}{row['p50']:>10.2f}{row['p95']:>7.2f}{row['mean']:>7.2f}{sizes}{browser}")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("tile_formats", __doc__)
    options.add_argument("--points", type=int, default=2_500_000, help="points on the map")
    options.add_argument("--against", type=Path, metavar="CHECKOUT", help="also write by its encoder")
    options.add_argument("--tiles", type=int, default=10, help="tiles of each colouring at each zoom")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    options.against = checkout_at(options.against)
    figures = measure(options.points, options.tiles, options.against)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
