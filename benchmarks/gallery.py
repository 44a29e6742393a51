"""The gallery in Chromium over millions of images: time until 300 thumbnails are visible, and jumps to any image.

Generated records, vectors and scores. Every thumbnail is a picture of noise, as large as a real one (about 6 kB),
served from disk by the app's own routes. The whole app and Chromium, without a graphics card, share the processor.
Times are the browser's own, from the event on:

- cold: from a click on "Gallery" until all 300 thumbnails are decoded, in a browser that has cached none of them;
- warm: the same click again, coming from another page;
- address: an empty browser opens the gallery's address, the app included;
- jump: from Enter in the number field until that image is decoded; "jump, all": until every visible image is.

The parts of a click are listed as well: the page's heading, the first cell, the first picture, all visible, and all
painted (two frames later). The peer is a plain HTML page of the same 300 thumbnails from the same server.

The collection needs at least four images for each visible thumbnail.
"""

import argparse
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bam_engine.collection.thumbnails import Thumbnail
from bam_engine.workspace import Workspace
from benchmarks.generated import collection, scored_attribute
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

TARGETS = {"cold": 1500.0, "warm": 300.0, "jump": 500.0}  # ms
PICTURES = 2000  # different ones on the disk
LARGE = 100_000
"""From this many images on, about 1% are accepted; of fewer, half, so that the accepted ones fill the frame."""
PEER = "plain page, cold"
WIDTH, HEIGHT = 2000, 2100

_SEEN = """([wanted]) => {
  const roots = [document, ...[...document.querySelectorAll('*')].map(part => part.shadowRoot).filter(Boolean)];
  const frame = roots.map(root => root.querySelector('.endless')).find(Boolean);
  const own = frame ? frame.getBoundingClientRect() : {top: 0, bottom: innerHeight};
  const view = {top: Math.max(0, own.top), bottom: Math.min(innerHeight, own.bottom)};
  const all = roots.flatMap(root => [...root.querySelectorAll(frame ? '.cell' : 'img')]);
  const inside = all.filter(part => { const box = part.getBoundingClientRect();
    return box.bottom > view.top && box.top < view.bottom; });
  const ready = inside.map(part => part.tagName === 'IMG' ? part : part.querySelector('img'))
    .filter(img => img && img.complete && img.naturalWidth);
  return ready.length >= wanted && ready.length === inside.length ? ready.length : 0;
}"""
"""How many pictures are decoded in sight, once there are as many as wanted and none is missing."""

PARTS = ("page", "window", "first picture", "all in sight", "painted")
_WATCH = """([seen, wanted]) => {
  const figures = window.benchmarkParts = {};
  const ready = eval(seen);
  let begin = null;
  const note = (name) => { figures[name] ??= performance.now() - begin; };
  const look = () => {
    if ([...document.querySelectorAll('h1')].some(head => head.textContent === 'Gallery')) note('page');
    const hosts = document.querySelectorAll('[data-testid="stMain"] *');
    const root = [...hosts].map(part => part.shadowRoot).find(root => root?.querySelector('.endless'));
    if (root?.querySelector('.cell')) note('window');
    if ([...root?.querySelectorAll('.cell img') ?? []].some(img => img.naturalWidth)) note('first picture');
    if (!ready([wanted])) return void requestAnimationFrame(look);
    note('all in sight');
    requestAnimationFrame(() => requestAnimationFrame(() => note('painted')));
  };
  addEventListener('click', (event) => { begin = event.timeStamp; look(); }, { capture: true, once: true });
}"""

_JUMP = """([seen, number]) => {
  const figures = window.benchmarkJump = {};
  const ready = eval(seen);
  addEventListener('keydown', (event) => {
    const roots = [...document.querySelectorAll('*')].map(part => part.shadowRoot).filter(Boolean);
    const frame = roots.map(root => root.querySelector('.endless')).find(Boolean);
    const look = () => {
      const picture = frame.getRootNode().querySelector(`.cell[aria-posinset="${number}"] img`);
      if (picture?.complete && picture.naturalWidth) figures.one ??= performance.now() - event.timeStamp;
      if (figures.one === undefined || !ready([1])) return void requestAnimationFrame(look);
      figures.all = performance.now() - event.timeStamp;
    };
    look();
  }, { capture: true, once: true });
}"""


def pictures(workspace: Workspace, count: int = PICTURES) -> None:
    """Store thumbnails of the first rows; the others get copies of these, made when they are asked for."""
    rng = np.random.default_rng(0)
    for row in range(count):
        width = int(rng.integers(120, 241))
        soft = Image.effect_noise((width // 4, (360 - width) // 4), 70).resize((width, 360 - width))
        tint = Image.new("RGB", soft.size, tuple(int(part) for part in rng.integers(60, 255, 3)))
        workspace.thumbnails.write(row, Image.blend(tint, soft.convert("RGB"), 0.5))


def copied(workspace: Workspace, rows: Any) -> None:
    """Give rows the thumbnail of one of those that have a picture."""
    for row in map(int, rows):
        data = workspace.thumbnails.read(row % PICTURES)
        if data is not None and not workspace.thumbnails.has(row):
            workspace.thumbnails.store(row, Thumbnail(data, Image.open(io.BytesIO(data))))


@contextmanager
def served(home: Path, n: int, shown: int) -> Iterator[tuple[str, list[int]]]:
    """Make the collection, serve the app over it, and give its address and the rows that are looked at first."""
    from bam_engine.gallery.listing import list_images
    from bam_engine.gallery.query import Query
    from tests.browser import ROOT
    from tests.browser import served as serving

    workspace = collection(home, n)
    scored_attribute(workspace, "one", cut=4.0 if n >= LARGE else 0.0, seed=1)
    rows = list_images(workspace, Query(attribute="one")).rows
    pictures(workspace)
    copied(workspace, rows[: 4 * shown])
    copied(
        workspace, list_images(workspace, Query(attribute="one", place="accepted", sort="shuffled")).rows[: 4 * shown]
    )
    for at in (n * 2 // 5, n // 2, n * 3 // 5, n * 4 // 5, n * 9 // 10):
        copied(workspace, rows[max(0, at - 3 * shown) : at + 3 * shown])
    first = rows[:shown].tolist()
    workspace.close()
    environment = {
        "BAM_WORKSPACE": str(home / "workspace"),
        "BAM_CACHE": str(home / "cache"),
        "SERVER_LOG": str(home / "server.log"),
    }
    with serving("app:app", ROOT, environment) as url:
        yield url, first


def until_seen(page: Any, wanted: int, begin: float) -> float:
    """Milliseconds from ``begin`` until ``wanted`` pictures and all in sight are decoded."""
    page.wait_for_function(_SEEN, arg=[wanted], polling=20, timeout=120_000)
    return 1000 * (time.perf_counter() - begin)


def opened(page: Any, address: str, wanted: int) -> float:
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    return until_seen(page, wanted, begin)


def clicked(page: Any, wanted: int) -> dict[str, float]:
    """Milliseconds from a click on the gallery's name until each of ``PARTS``, watched at every frame."""
    page.evaluate(_WATCH, [_SEEN, wanted])
    page.get_by_role("link", name="Gallery").click()
    page.wait_for_function("window.benchmarkParts.painted", polling=100, timeout=120_000)
    figures: dict[str, float] = page.evaluate("window.benchmarkParts")
    return figures


def jumped(page: Any, number: int) -> tuple[float, float]:
    """Milliseconds from Enter until the image of that number is seen, and until all around it are."""
    field = page.get_by_label("Go to the image of this number")
    field.fill(str(number))
    page.evaluate(_JUMP, [_SEEN, number])
    field.press("Enter")
    page.wait_for_function("window.benchmarkJump.all", polling=100, timeout=120_000)
    figures = page.evaluate("window.benchmarkJump")
    return figures["one"], figures["all"]


def plain(first: list[int], url: str) -> str:
    """A page of the same thumbnails and nothing else."""
    cells = "".join(f'<img src="{url}/thumbs/{row}.webp?v=plain" width="64" height="64">' for row in first)
    return f"<!doctype html><body>{cells}</body>"


def measure(n: int, shown: int, runs: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    from tests.browser import CHROMIUM, FLAGS

    spent: dict[str, list[float]] = {
        "cold": [],
        "warm": [],
        "jump": [],
        "jump, all": [],
        "address": [],
        PEER: [],
    }
    watched: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        begin = time.perf_counter()
        with served(Path(home), n, shown) as (url, first):
            seconds_to_generate = time.perf_counter() - begin
            address = f"{url}/gallery?attribute=one&place=all&sort=score"
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)

            def visit(work: Callable[[Any], None]) -> None:
                context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
                context.add_init_script("sessionStorage.setItem('bam-gallery-size', '64')")
                page = context.new_page()
                page.set_default_timeout(120_000)
                work(page)
                context.close()

            started: list[float] = []
            visit(lambda page: started.append(opened(page, address, shown)))

            def look(page: Any) -> None:
                page.goto(f"{url}/attributes?attribute=one")
                for what, visits in watched.items():
                    if what == "warm":
                        page.get_by_role("link", name="Attributes").click()
                    page.get_by_role("heading", name="Attributes").wait_for()
                    page.wait_for_timeout(1000)  # somebody looks at it
                    visits.append(clicked(page, shown))
                    spent[what].append(visits[-1]["all in sight"])

            def arrive(page: Any) -> None:
                spent["address"].append(opened(page, address, shown))
                for share in (0.4, 0.5, 0.6, 0.8, 0.9):
                    for what, ms in zip(("jump", "jump, all"), jumped(page, int(n * share)), strict=True):
                        spent[what].append(ms)

            def compare(page: Any) -> None:
                begin = time.perf_counter()
                page.goto(f"{url}/_stcore/health")
                page.set_content(plain(first, url), wait_until="commit")
                spent[PEER].append(until_seen(page, 100, begin))

            for _ in range(runs):
                visit(look)
                visit(arrive)
                visit(compare)
            browser.close()
    lines = [
        {"what": what, "ms": float(np.median(times)), "slowest_ms": max(times), "aim_ms": TARGETS.get(what)}
        for what, times in spent.items()
    ]
    figures = {"machine": machine(), "data": "generated", "n": n, "shown": shown, "runs": runs, "lines": lines}
    figures["parts"] = {
        what: {part: float(np.median([one[part] for one in visits])) for part in PARTS}
        for what, visits in watched.items()
    }
    return figures | {"seconds_to_generate": seconds_to_generate, "first_visit_ms": started[0]}


def show(figures: dict[str, Any]) -> None:
    peer = next(line["ms"] for line in figures["lines"] if line["what"] == PEER)
    print(f"{figures['machine']}, the server and Chromium (no graphics card) together")
    print(
        f"{figures['n']:,} generated images, {figures['shown']} thumbnails visible; median of {figures['runs']} visits"
    )
    print(f"first visit after the start of the server: {figures['first_visit_ms']:.0f} ms\n")
    print(f"{'':<20}{'ms':>8}{'slowest':>9}{'target':>7}{'vs plain page':>19}")
    for line in figures["lines"]:
        target = "" if line["aim_ms"] is None else f"{line['aim_ms']:.0f}"
        verdict = "" if not target else "met" if line["ms"] < line["aim_ms"] else "missed"
        ratio = line["ms"] / peer
        print(f"{line['what']:<20}{line['ms']:>8.0f}{line['slowest_ms']:>9.0f}{target:>7}{ratio:>18.1f}x {verdict}")
    for what, spent in figures["parts"].items():
        print(f"{what}, from the click: " + ", ".join(f"{part} {ms:.0f} ms" for part, ms in spent.items()))


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("gallery", __doc__)
    options.add_argument("--n", type=int, default=2_500_000, help="images")
    options.add_argument("--shown", type=int, default=300, help="thumbnails that must be visible")
    options.add_argument("--runs", type=int, default=5)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.n < 4 * options.shown:
        parser().error(f"--n must be at least {4 * options.shown}, four images for each visible thumbnail")
    figures = measure(options.n, options.shown, options.runs)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
