"""``make screenshots``: every picture of the README and the guide, made by the app itself from the demo.

The collection is drawn anew, simulated annotators play three attributes, one has a round left open, and Chromium
photographs the pages into ``docs/screenshots`` (PNG) and ``docs/guide`` (WebP). Needs nothing that is not in here but
Chromium. ``--count`` draws fewer images, to try the script.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bam_engine.errors import AuditError, LearningError
from bam_engine.workspace import Workspace, demo, maps, rounds, simulated
from tests.browser import CHROMIUM, FLAGS, ROOT, served

PLAYED = ("media_watercolor", "media_comic", "emotion_peaceful")
SHOWN, OPEN = "media_comic", "content_flower"  # one at its end, one with a round left open
SCREENSHOTS, GUIDE = ROOT / "docs" / "screenshots", ROOT / "docs" / "guide"
GUIDE_WIDTH = 1100
PAGES = {
    "overview": "",
    "rounds": f"rounds?attribute={SHOWN}",
    "threshold": f"threshold?attribute={SHOWN}",
    "audit": f"audit?attribute={SHOWN}",
    "report": f"report?attribute={SHOWN}",
    "export": "export",
    "images": "images",
    "embed": "embed",
    "attributes": "attributes",
}
IN_GUIDE = ("rounds", "threshold", "audit")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=demo.COUNT)
    count = parser.parse_args().count
    if not CHROMIUM.exists():
        print(f"needs Chromium at {CHROMIUM}", file=sys.stderr)
        return 1
    for folder in (SCREENSHOTS, GUIDE):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        with _app(Path(home), "empty") as url:
            page = _page(browser)
            _open(page, url)
            _keep(page, "home")
            page.close()
        workspace = Workspace(Path(home) / "full" / "workspace", Path(home) / "full" / "cache")
        _fill(workspace, count)
        with _app(Path(home), "full") as url:
            _photograph(_page(browser), url, workspace)
        browser.close()
        workspace.close()
    return 0


def _app(home: Path, name: str):
    place = home / name
    place.mkdir(exist_ok=True)
    environment = {
        "BAM_WORKSPACE": str(place / "workspace"),
        "BAM_CACHE": str(place / "cache"),
        "SERVER_LOG": str(place / "server.log"),
    }
    return served("app:app", ROOT, environment)


def _page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 960})
    page.set_default_timeout(120_000)
    return page


def _fill(workspace: Workspace, count: int) -> None:
    demo.make_demo(workspace, count=count)
    team = simulated.team_of(workspace)
    for name in PLAYED:
        with contextlib.suppress(AuditError, LearningError):  # what cannot be promised stays as it is
            simulated.play(workspace, workspace.attributes.get(name), team)
    flower = workspace.attributes.get(OPEN)
    while len(rounds.rounds_of(workspace, flower)) < 2 or rounds.state(workspace, flower).step != "start_round":
        simulated.play_next(workspace, flower, team)
    rounds.start_round(workspace, flower, count=72, seed=9)
    maps.make_layout(workspace, method="tsne")


def _photograph(page: Page, url: str, workspace: Workspace) -> None:
    for name, path in PAGES.items():
        _open(page, f"{url}/{path}")
        _keep(page, name)
        if name in IN_GUIDE:
            _keep_for_guide(page, name)
    _open(page, f"{url}/gallery?attribute={SHOWN}")
    _keep(page, "gallery")
    _keep_for_guide(page, "gallery")
    page.locator(".cell").nth(4).click()
    page.get_by_role("dialog").get_by_text("Most like it").wait_for()
    page.wait_for_timeout(2000)
    _keep(page, "image")
    _annotate(page, url, workspace)
    _map(page, url)


def _annotate(page: Page, url: str, workspace: Workspace) -> None:
    truth = demo.truth(workspace, OPEN)
    _open(page, f"{url}/annotate?attribute={OPEN}")
    page.locator(".save[aria-disabled=false]").wait_for()
    for cell in page.locator(".cell").all()[:18]:
        if truth[int(cell.get_attribute("data-row") or 0)]:
            cell.click()
    page.mouse.move(0, 0)
    page.locator(".cell").first.scroll_into_view_if_needed()
    _keep(page, "annotate")
    _keep_for_guide(page, "annotate")


def _map(page: Page, url: str) -> None:
    _open(page, f"{url}/map")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="accepted: comic (media)").click()
    page.wait_for_timeout(5000)
    _keep(page, "map")
    land = page.locator(".leaflet-container")
    _keep_for_guide(page, "map", land)
    box = land.bounding_box()
    if box is not None:
        page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.5 * box["height"])
    for _ in range(2):
        page.mouse.wheel(0, -90)
        page.wait_for_timeout(1500)
    page.wait_for_timeout(3000)
    _keep(page, "map-close")


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("h1").wait_for()
    page.wait_for_timeout(5000)


def _keep(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def _keep_for_guide(page: Page, name: str, part: Locator | None = None) -> None:
    """Keep the page without its sidebar, or one part of it, as a small WebP."""
    shot = (part or page.get_by_test_id("stMain")).screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.thumbnail((GUIDE_WIDTH, GUIDE_WIDTH), Image.Resampling.LANCZOS)
    picture.save(GUIDE / f"{name}.webp", quality=82, method=6)


if __name__ == "__main__":
    sys.exit(main())
