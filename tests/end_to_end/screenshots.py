"""``make screenshots``: the README's pictures, made by the app itself from real pictures.

Takes the public-domain and MIT-licensed pictures beside the project (USDA watercolours, Fluent emoji), lets an oracle
answer for a person, and photographs the pages in Chromium into ``docs/screenshots``.
"""

import csv
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bam_engine.annotation import BAM_ATTRIBUTES, Attribute, NewAnswer
from bam_engine.collection import ingest_folder
from bam_engine.workspace import Workspace, audits, maps, rounds, tasks, thresholds, validation
from bam_engine.workspace.embedding import embed_collection
from tests.browser import CHROMIUM, FLAGS, ROOT, served

SOURCES = ("usda_pomological", "fluent_emoji")
TRUTHS = {
    "media_watercolor": ("medium", "watercolor"),
    "media_3d_graphics": ("medium", "3d graphics"),
    "content_people": ("content", "people"),
}
UNFINISHED = "content_people"
OUT = ROOT / "docs" / "screenshots"


def main() -> int:
    images = ROOT.parent / "shared" / "images"
    if not (images / "labels.csv").exists() or not CHROMIUM.exists():
        print(f"needs the pictures in {images} and Chromium at {CHROMIUM}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as home:
        pictures = _pictures(images, Path(home) / "pictures")
        workspace = Workspace(Path(home) / "workspace", Path(home) / "cache")
        _fill(workspace, pictures)
        environment = {
            "BAM_WORKSPACE": str(Path(home) / "workspace"),
            "BAM_CACHE": str(Path(home) / "cache"),
            "SERVER_LOG": str(Path(home) / "server.log"),
        }
        with served("app:app", ROOT, environment) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
            OUT.mkdir(parents=True, exist_ok=True)
            positive = _positive_rows(workspace, pictures)
            _photograph(browser.new_page(viewport={"width": 1440, "height": 960}), url, positive)
            browser.close()
        workspace.close()
    return 0


def _pictures(images: Path, target: Path) -> Path:
    with (images / "labels.csv").open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["path"].startswith(SOURCES)]
    for source in SOURCES:
        shutil.copytree(images / source, target / source)
    with (target / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return target


def _fill(workspace: Workspace, pictures: Path) -> None:
    ingest_folder(workspace.catalogue, workspace.thumbnails, pictures, metadata=pictures / "labels.csv")
    embed_collection(workspace)
    with (pictures / "labels.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    for template in BAM_ATTRIBUTES:
        if template.name in TRUTHS:
            attribute = workspace.attributes.add(template.name, template.kind, template.question, template.instructions)
            column, positive = TRUTHS[template.name]
            _play(workspace, attribute, {str(pictures / line["path"]): line[column] == positive for line in lines})
    maps.make_layout(workspace, method="tsne")


def _positive_rows(workspace: Workspace, pictures: Path) -> set[int]:
    """Return the rows that are positive for the unfinished attribute."""
    column, positive = TRUTHS[UNFINISHED]
    with (pictures / "labels.csv").open(newline="", encoding="utf-8") as file:
        names = [str(pictures / line["path"]) for line in csv.DictReader(file) if line[column] == positive]
    return set(workspace.catalogue.rows_of(names).values())


def _play(workspace: Workspace, attribute: Attribute, truth: dict[str, bool]) -> None:
    """Take an attribute through its rounds, threshold and audit; the unfinished one has a fifth round left open."""
    validation.draw_validation(workspace, attribute, 300, seed=0)
    _answer(workspace, tasks.validation_task(workspace, attribute), truth)
    for number in range(rounds.ROUNDS):
        _answer(workspace, rounds.start_round(workspace, attribute, seed=number).task, truth)
        rounds.train(workspace, attribute)
    if attribute.name == UNFINISHED:
        rounds.start_round(workspace, attribute, count=72, seed=9)
        return
    thresholds.keep(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.90))
    _answer(workspace, audits.draw(workspace, attribute, seed=0).task, truth)


def _answer(workspace: Workspace, task: tasks.Task, truth: dict[str, bool]) -> None:
    assignment = tasks.open_task(workspace, task, "oracle")
    if assignment is not None:
        images = workspace.catalogue.images(assignment.rows)
        answers = [NewAnswer(uuid.uuid4().hex, image.row, int(truth[image.uri]), 1.0) for image in images]
        workspace.annotations.record(assignment.id, answers)


def _photograph(page: Page, url: str, positive: set[int]) -> None:
    page.set_default_timeout(60_000)
    for name, path in {
        "overview": "",
        "rounds": "rounds?attribute=media_3d_graphics",
        "threshold": "threshold?attribute=media_3d_graphics",
        "gallery": "gallery?attribute=media_3d_graphics",
        "audit": "audit?attribute=media_3d_graphics",
        "export": "export",
        "images": "images",
        "embed": "embed",
        "attributes": "attributes",
    }.items():
        _open(page, f"{url}/{path}")
        page.screenshot(path=OUT / f"{name}.png")
        if name == "gallery":
            page.locator(".cell").nth(4).click()
            page.get_by_role("dialog").get_by_text("Most like it").wait_for()
            page.wait_for_timeout(1500)
            page.screenshot(path=OUT / "image.png")
    _open(page, f"{url}/annotate?attribute={UNFINISHED}")
    page.locator(".save[aria-disabled=false]").wait_for()
    for cell in page.locator(".cell").all()[:18]:
        if int(cell.get_attribute("data-row") or 0) in positive:
            cell.click()
    page.mouse.move(0, 0)
    page.screenshot(path=OUT / "annotate.png")
    _open(page, f"{url}/map")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="accepted: 3d graphics (media)").click()
    page.wait_for_timeout(4000)
    page.screenshot(path=OUT / "map.png")
    box = page.locator(".leaflet-container").bounding_box()
    if box is not None:
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.45 * box["height"])
    for _ in range(2):
        page.mouse.wheel(0, -90)
        page.wait_for_timeout(1200)
    page.wait_for_timeout(2500)
    page.screenshot(path=OUT / "map-close.png")


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("h1").wait_for()
    page.wait_for_timeout(4000)


if __name__ == "__main__":
    sys.exit(main())
