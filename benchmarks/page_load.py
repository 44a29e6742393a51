"""Opening a page in Chromium: until its first picture, and how many bytes and requests that takes.

2,000 generated images with scores and a map; every thumbnail is a picture of noise. The server is started as users do,
by ``bam serve``, once for each checkout: this one, and an earlier version with ``--against``; their visits alternate,
and so does which of them begins. Each makes a workspace of its own. A page may load no more bytes and take no longer
than before. The interval is that of the ratio of medians, at 95%: the percentile bootstrap over visits.

- cold: an empty browser opens the address; warm: the same browser opens it again in a new tab.
- click: from a click on the page's name, in a browser that has only seen the overview, the first page.
- bytes: bodies and headers of responses as they cross the network, and the messages of the socket, until half a second
  after the first picture; requests: those that the browser's cache did not answer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.gallery import PICTURES
from benchmarks.generated import collection, scored_attribute
from benchmarks.machine import machine
from benchmarks.map_view import MAP
from benchmarks.options import benchmark_parser
from benchmarks.tiles import generated

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "map": (f"/map?map={MAP}", ".bam-map img.leaflet-tile-loaded"),
    "gallery": ("/gallery?attribute=one", ".endless .cell img.picture[src]"),
    "annotate": ("/annotate?attribute=one", ".bam .cell[data-state=ready]"),
}
"""The address of each page, and its first picture once it has loaded."""
VISITS = ("cold", "warm", "click")
MEASURES = ("first picture, ms", "kB", "of them socket", "requests")
LIMITED = MEASURES[:2]
"""What may not grow; the limit is what it was before."""
SETTLED = 20.0
"""Seconds that a server runs before the first visitor."""
_FIRST = """selector => new Promise((done, fail) => {
  const begin = performance.now();
  const look = () => {
    const hosts = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')];
    if (hosts.some(host => host.shadowRoot?.querySelector(selector))) return done(performance.now());
    if (performance.now() > begin + 60_000) return fail(new Error(`No picture after a minute: ${document.title}`));
    requestAnimationFrame(look);
  };
  look();
})"""


def prepare(home: Path, n: int = PICTURES) -> None:
    """Create the workspace in a folder: images, an attribute with scores and images to label, a map."""
    from bam_engine.maps.layout_store import LayoutRecord, save
    from bam_engine.training.validation import draw_validation

    workspace = collection(home, n)
    for row in range(n):
        workspace.thumbnails.write(row, Image.effect_noise((240, 160), 70).convert("RGB"))
    draw_validation(workspace, scored_attribute(workspace, "one", cut=0.0, seed=0))
    record = LayoutRecord(MAP, "tsne", "collection", workspace.choice.key, n, 0, 0.0, time.time())
    save(workspace, record, generated(n), np.arange(n), {})
    workspace.close()


def prepare_by(checkout: Path, home: Path) -> None:
    """Create the workspace with the packages of the checkout that will serve it."""
    command = [sys.executable, "-P", str(ROOT / "benchmarks" / "page_load.py"), "--prepare", str(home)]
    subprocess.run(command, cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}, check=True)


@contextmanager
def served(checkout: Path, home: Path) -> Iterator[str]:
    """Serve the app of a checkout over a prepared workspace, and give its address."""
    from tests.browser import free_port, wait_for

    port, log = free_port(), home / "server.log"
    command = [sys.executable, "-m", "bam_engine", "serve", "--no-browser", "--port", str(port)]
    command += ["--workspace", str(home / "workspace"), "--cache", str(home / "cache")]
    with log.open("w") as written:
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        server = subprocess.Popen(command, cwd=checkout, env=environment, stdout=written, stderr=written)
    try:
        wait_for(f"http://localhost:{port}/_stcore/health", server, log)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)


class Visit:
    """A tab that counts what crosses the network."""

    def __init__(self, context: Any) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.counts = {"requests": 0, "http": 0, "socket": 0}
        session = context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.on("Network.requestServedFromCache", lambda _: self._count(requests=-1))
        session.on("Network.responseReceived", self._responded)
        session.on("Network.loadingFinished", lambda event: self._count(http=int(event["encodedDataLength"])))
        session.on("Network.webSocketFrameReceived", lambda event: self._count(socket=_size(event["response"])))

    def _responded(self, event: dict[str, Any]) -> None:
        self._count(requests=0 if event["response"].get("fromDiskCache") else 1)

    def _count(self, **more: int) -> None:
        for name, count in more.items():
            self.counts[name] += count

    def open(self, address: str, first: str) -> dict[str, float]:
        """Open an address; return the milliseconds until its first picture and the counts."""
        self.page.goto(address, wait_until="commit")
        return self._finish(self.page.evaluate(_FIRST, first))

    def click(self, name: str, first: str) -> dict[str, float]:
        """Click on a page's name once the page before has come to rest."""
        self.page.get_by_test_id("stStatusWidget").wait_for(state="detached")
        self.page.wait_for_timeout(1500)
        self.counts.update(dict.fromkeys(self.counts, 0))
        begin = self.page.evaluate("() => performance.now()")
        self.page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        return self._finish(self.page.evaluate(_FIRST, first) - begin)

    def _finish(self, milliseconds: float) -> dict[str, float]:
        self.page.wait_for_timeout(500)
        return {"ms": milliseconds, **self.counts}


def _size(frame: dict[str, Any]) -> int:
    """Return the bytes of a message; binary ones are given in base64."""
    return len(frame["payloadData"]) * 3 // 4 if frame["opcode"] == 2 else len(frame["payloadData"])


def measures(figures: dict[str, float]) -> dict[str, float]:
    """Return the measures of a visit by name."""
    loaded = (figures["http"] + figures["socket"]) / 1e3
    values = (figures["ms"], loaded, figures["socket"] / 1e3, figures["requests"])
    return dict(zip(MEASURES, values, strict=True))


def visits(browser: Any, url: str, page: str) -> dict[str, dict[str, float]]:
    """Visit a page in each way."""
    address, first = PAGES[page]
    found = {}
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    for visit in ("cold", "warm"):
        tab = Visit(context)
        found[visit] = tab.open(url + address, first)
        tab.page.close()
    context.close()
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = Visit(context)
    tab.page.goto(url)
    tab.page.locator("h1").first.wait_for()
    found["click"] = tab.click(page.capitalize(), first)
    context.close()
    return found


def measure(
    homes: dict[str, Path], checkouts: dict[str, Path], pages: Sequence[str], repeats: int
) -> list[dict[str, Any]]:
    from playwright.sync_api import sync_playwright

    from tests.browser import CHROMIUM, FLAGS

    lines = []
    with sync_playwright() as playwright, ExitStack() as stack:
        urls = {name: stack.enter_context(served(checkout, homes[name])) for name, checkout in checkouts.items()}
        time.sleep(SETTLED)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for page in pages:
            found: dict[tuple[str, str], list[dict[str, float]]] = {}
            for repeat in range(repeats + 1):
                for name in list(urls)[:: 1 if repeat % 2 else -1]:
                    for visit, figures in visits(browser, urls[name], page).items():
                        if repeat:  # the first visit draws the tiles
                            found.setdefault((visit, name), []).append(figures)
            lines += [line(page, visit, {name: found[visit, name] for name in urls}) for visit in VISITS]
        browser.close()
    return lines


def line(page: str, visit: str, found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Return the visits of each checkout, and the median of each measure, its limit and the ratio."""
    every = {name: [measures(figures) for figures in all_figures] for name, all_figures in found.items()}
    medians = {}
    for what in MEASURES:
        values = {name: float(np.median([one[what] for one in seen])) for name, seen in every.items()}
        before = values.get("before")
        medians[what] = {
            **values,
            "limit": before if what in LIMITED else None,
            "ratio": values["here"] / before if before else None,
            "interval": interval(*([one[what] for one in every[name]] for name in values)) if before else None,
        }
    return {"page": page, "visit": visit, "visits": every, "medians": medians}


def interval(here: Sequence[float], before: Sequence[float]) -> tuple[float, float]:
    """Return the 95% interval of the ratio of the medians: the percentile bootstrap over the visits of each."""
    rng = np.random.default_rng(0)
    drawn = [np.median(rng.choice(values, (2000, len(values))), axis=1) for values in (here, before)]
    low, high = np.percentile(drawn[0] / drawn[1], [2.5, 97.5])
    return float(low), float(high)


def show(lines: Sequence[dict[str, Any]], repeats: int) -> None:
    print(f"{machine()}, the server and Chromium (no graphics card) together; medians of {repeats}")
    columns = ("here", "before", "limit", "ratio")
    print(f"{'page':<9} {'visit':<6} {'measure':<18}" + "".join(f"{name:>9}" for name in columns))
    for each in lines:
        for what, values in each["medians"].items():
            found = ((values.get(name), ".2f" if name == "ratio" else ".0f") for name in columns)
            cells = ("-" if value is None else format(value, form) for value, form in found)
            ends = "" if values["interval"] is None else "  {:.2f}-{:.2f}".format(*values["interval"])
            print(f"{each['page']:<9} {each['visit']:<6} {what:<18}" + "".join(f"{cell:>9}" for cell in cells) + ends)


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("page_load", __doc__)
    options.add_argument("--repeats", type=int, default=5, help="visits of each kind, after one that is not counted")
    options.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), metavar="PAGE", help="pages to open")
    options.add_argument("--against", type=Path, metavar="CHECKOUT", help="a checkout of the earlier version")
    options.add_argument("--prepare", type=Path, metavar="FOLDER", help="only make the workspace in this folder")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.prepare:
        prepare(options.prepare)
        return
    from benchmarks.options import checkout_at  # an earlier version, which prepares by this module, lacks it

    against = checkout_at(options.against)
    checkouts = {"here": ROOT} | ({"before": against} if against else {})
    with tempfile.TemporaryDirectory() as temporary:
        homes = {name: Path(temporary) / name for name in checkouts}
        for name, checkout in checkouts.items():
            prepare_by(checkout, homes[name])
        lines = measure(homes, checkouts, options.pages, options.repeats)
    show(lines, options.repeats)
    if options.json:
        figures = {"machine": machine(), "n": PICTURES, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
