"""``make screenshots``: every picture of the README and the guide, made by the app itself from the demo.

First the README's tour is taken in Chromium, as ``test_tour`` takes it, with 2,000 images: its pictures are those of
the README (``docs/screenshots``). Then the other pages and the guide's pictures (``docs/guide``) are taken from the
workspace that the tour left. ``--count`` draws fewer images, to try the script. Needs nothing that is not in here but
Chromium.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bam_engine.demo import demo_workspace
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
from tests.browser import CHROMIUM, FLAGS, ROOT, served
from tests.end_to_end.test_tour import ATTRIBUTE, WORDS

SCREENSHOTS, GUIDE = ROOT / "docs" / "screenshots", ROOT / "docs" / "guide"
GUIDE_WIDTH = 1100
OTHERS = ("images", "embed", "attributes")
IN_GUIDE = ("rounds", "threshold", "audit")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=demo_workspace.COUNT, choices=(300, 1000, 2000))
    count = parser.parse_args().count
    if not CHROMIUM.exists():
        print(f"needs Chromium at {CHROMIUM}", file=sys.stderr)
        return 1
    for folder in (SCREENSHOTS, GUIDE):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        if not _tour(Path(home), count):
            return 1
        workspace = Workspace(Path(home) / "workspace", Path(home) / "cache")
        with sync_playwright() as playwright, _app(Path(home)) as url:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
            _photograph(_page(browser), url, workspace)
            browser.close()
        workspace.close()
    return 0


def _tour(home: Path, count: int) -> bool:
    told = {"BAM_TOUR_COUNT": str(count), "BAM_TOUR_PICTURES": str(SCREENSHOTS), "BAM_TOUR_HOME": str(home)}
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/end_to_end/test_tour.py"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | told, check=False).returncode == 0


def _app(home: Path):
    places = {"BAM_WORKSPACE": str(home / "workspace"), "BAM_CACHE": str(home / "cache")}
    return served("app:app", ROOT, {**places, "SERVER_LOG": str(home / "server.log")})


def _page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 960})
    page.set_default_timeout(120_000)
    return page


def _photograph(page: Page, url: str, workspace: Workspace) -> None:
    for name in OTHERS:
        _open(page, f"{url}/{name}")
        page.screenshot(path=SCREENSHOTS / f"{name}.png")
    for name in (*IN_GUIDE, "gallery"):
        _open(page, f"{url}/{name}?attribute={ATTRIBUTE}")
        _keep(page, name)
    _open(page, f"{url}/map")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name=f"accepted: {WORDS}").click()
    page.wait_for_timeout(5000)
    _keep(page, "map", page.locator(".leaflet-container"))
    _annotate(page, url, workspace)


def _annotate(page: Page, url: str, workspace: Workspace) -> None:
    """A page of the grid of one more round, half of it answered."""
    attribute = workspace.attributes.get(ATTRIBUTE)
    if rounds.state(workspace, attribute).step in ("start_round", "decide"):
        rounds.start_round(workspace, attribute, count=72, seed=9)
    truth = demo_workspace.true_labels(workspace, ATTRIBUTE)
    _open(page, f"{url}/annotate?attribute={ATTRIBUTE}")
    page.locator(".save[aria-disabled=false]").wait_for()
    for cell in page.locator(".cell").all()[:18]:
        if truth[int(cell.get_attribute("data-row") or 0)]:
            cell.click()
    page.mouse.move(0, 0)
    page.locator(".cell").first.scroll_into_view_if_needed()
    _keep(page, "annotate")


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("h1").wait_for()
    page.wait_for_timeout(5000)


def _keep(page: Page, name: str, part: Locator | None = None) -> None:
    """Keep the page without its sidebar, or one part of it, for the guide: a small WebP."""
    shot = (part or page.get_by_test_id("stMain")).screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.thumbnail((GUIDE_WIDTH, GUIDE_WIDTH), Image.Resampling.LANCZOS)
    picture.save(GUIDE / f"{name}.webp", quality=82, method=6)


if __name__ == "__main__":
    sys.exit(main())
