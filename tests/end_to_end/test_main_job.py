"""The main job as a person does it, in Chromium, on 200 pictures: from a folder to an audited, exported dataset.

The pictures are real ones where they are there, and drawn ones elsewhere.

A screenshot of each page goes to ``tests/end_to_end/screenshots``, or to the folder that ``BAM_SCREENSHOTS`` names.
"""

import csv
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bam_engine.maps import layout_store, view_cache
from bam_engine.workspace import Workspace
from tests.browser import ROOT, served
from tests.conftest import Oracle
from tests.drawn_pictures import draw_collection
from tests.end_to_end.grid import submit
from tests.needs import SHARED

pytestmark = pytest.mark.timeout(1500)

SCREENSHOTS = Path(os.environ.get("BAM_SCREENSHOTS", Path(__file__).with_name("screenshots")))
VALIDATION, BATCH, EACH = 48, 12, 24


class Person:
    """Someone at the screen who knows a watercolour when they see one."""

    def __init__(self, page: Page, url: str, workspace: Workspace, oracle: Oracle) -> None:
        self.page, self.url, self.workspace, self.oracle = page, url, workspace, oracle

    def open(self, name: str) -> None:
        self.page.goto(f"{self.url}/{name}")
        expect(self.page.locator("h1")).to_be_visible()
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and nothing is being computed."""
        expect(self.page.get_by_test_id("stStatusWidget")).to_have_count(0)
        expect(self.page.get_by_test_id("stException")).to_have_count(0)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=False).first

    def number(self, label: str, value: int) -> None:
        field = self.page.get_by_label(label, exact=True)
        field.fill(str(value))
        field.press("Tab")

    def shot(self, name: str) -> None:
        self.settle()
        self.page.wait_for_timeout(600)  # pictures fade in
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def label_all(self, images: int, *, shot: str | None = None) -> None:
        """Answer every page of the grid: click the watercolours, press Enter."""
        expect(self.page.locator(".progress")).to_contain_text(f"of {images} saved")
        for number in range(1, -(-images // 24) + 1):
            expect(self.page.locator(".progress")).to_contain_text(f"page {number} of")
            for cell in self.page.locator(".cell").all():
                if self.oracle.knows(self.workspace, int(cell.get_attribute("data-row") or 0)):
                    cell.click()
            if shot is not None and number == 1:
                self.shot(shot)
            submit(self.page)
        self.settle()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of 200 pictures, of which 60 are watercolours, with their ``labels.csv``."""
    counts = {"usda_pomological": 60, "fluent_emoji/3d": 70, "fluent_emoji/flat": 40, "photos": 30}
    if (SHARED / "images" / "labels.csv").exists():
        copy_pictures(SHARED / "images", tmp_path / "pictures", counts)
    else:
        draw_collection(tmp_path / "pictures", counts)
    return tmp_path / "pictures"


def copy_pictures(source: Path, target: Path, counts: dict[str, int]) -> None:
    """Copy as many pictures from under each folder of ``source`` as ``counts`` says, evenly spaced, with labels."""
    with (source / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    chosen = []
    for folder, count in counts.items():
        there = [line for line in labels if line["path"].startswith(folder)]
        chosen += there[:: max(1, len(there) // count)][:count]
    for line in chosen:
        (target / line["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / line["path"], target / line["path"])
    with (target / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, labels[0].keys())
        writer.writeheader()
        writer.writerows(chosen)


@pytest.fixture
def person(browser: Browser, pictures: Path, tmp_path: Path) -> Iterator[Person]:
    home = {"BAM_WORKSPACE": str(tmp_path / "workspace"), "BAM_CACHE": str(tmp_path / "cache")}
    with served("app:app", ROOT, {**home, "SERVER_LOG": str(tmp_path / "server.log")}) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(60_000)
        page = context.new_page()
        workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
        yield Person(page, url, workspace, Oracle(pictures))
        workspace.close()
        context.close()
    ours = re.findall(rf'File "({ROOT}/(?:app|pages|web|bam_engine)[^"]*)"', (tmp_path / "server.log").read_text())
    assert not ours, "a traceback of the server passes through our code"


def test_a_folder_becomes_an_audited_dataset_without_leaving_the_browser(person: Person, pictures: Path) -> None:
    expect.set_options(timeout=180_000)  # long work, on a machine that may be busy
    page = person.page
    (pictures / "broken <b>.jpg").write_bytes(b"\xff\xd8 not a picture")

    person.open("")  # an empty workspace leads to the first step
    person.shot("0-empty")
    person.button("Add your images").click()

    page.get_by_label("Folder or archive", exact=True).fill(str(pictures))
    person.button("Add images").click()
    expect(page.get_by_text("200 images in the collection")).to_be_visible()
    expect(page.get_by_text("1 file could not be added")).to_be_visible()
    person.shot("1-images")

    person.open("embed")
    person.button("Compute embeddings").click()
    expect(page.get_by_text("200 of 200")).to_be_visible()
    person.shot("2-embeddings")

    person.open("attributes")
    page.get_by_role("combobox", name="Attributes").fill("watercolor")
    page.get_by_role("option", name="watercolor (media)").click()
    page.keyboard.press("Escape")
    person.button("Add selected").click()
    expect(page.get_by_text("Is the picture a watercolour?")).to_be_visible()
    person.shot("3-attributes")

    person.open("rounds")
    person.number("Images", VALIDATION)
    person.button("Create validation sample").click()
    person.button("Label the validation sample").click()
    person.label_all(VALIDATION)
    for number in range(1, 5):
        person.open("rounds")
        another = page.get_by_text("Start another round", exact=True)
        if another.is_visible():  # where another round is not the advice, it is folded away
            another.click()
        person.number("Batch size", BATCH)
        person.settle()
        if number == 1:
            choose_examples(person)
        if number == 2:
            person.shot("4-next-round")
        person.button(f"Start round {number}").click()
        person.label_all(BATCH, shot="4-annotate" if number == 3 else None)
        expect(page.get_by_text(f"Training after round {number} finished")).to_be_visible()
    person.open("rounds")
    expect(page.get_by_test_id("stMetric").filter(has_text="Labels")).to_contain_text(str(4 * BATCH))
    person.shot("4-rounds")

    person.open("threshold")
    person.button("Use this threshold").click()
    expect(page.get_by_text("Chosen for a precision of")).to_be_visible()
    person.shot("5-threshold")

    person.open("gallery")
    page.get_by_role("radio", name=re.compile("^All")).click()
    expect(page.locator(".counted")).to_contain_text("of 200")
    expect(page.locator(".cell img.picture").first).to_be_visible()
    person.shot("6-gallery")
    page.locator(".cell").nth(2).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Similar images")).to_be_visible()
    expect(dialog.locator(".cell")).to_have_count(12)
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text("4 of 200 in the list")).to_be_visible()
    expect(dialog.locator(".cell")).to_have_count(12)
    person.shot("6-image")

    person.open("map")
    person.button("Make the map").click()
    expect(page.get_by_role("combobox", name="Map")).to_have_value("t-SNE of the collection: 200 images")
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="accepted: watercolor (media)").click()
    person.shot("7-map")
    look_closer(person)

    person.open("audit")
    folded = page.get_by_text("More: start an audit", exact=True)
    if folded.is_visible():  # where a certification is the advice
        folded.click()
    person.number("Accepted images", EACH)
    person.number("Rejected images", EACH)
    person.button("Start audit").click()
    progress = page.locator(".progress")
    expect(progress).to_contain_text("saved")
    asked = int(re.findall(r"of (\d+) saved", progress.text_content() or "")[0])
    person.label_all(asked)
    person.open("audit")
    expect(page.get_by_test_id("stMetric").filter(has_text="Effective sample size")).to_be_visible()
    expect(page.get_by_text("Audits of this attribute")).to_be_visible()
    person.shot("8-audit")

    person.open("agreement")
    person.shot("8-agreement")
    person.open("report")
    expect(page.get_by_text("database schema")).to_be_visible()  # the last line: a click during a run is lost
    with page.expect_download() as report:
        person.button("Download report (HTML)").click()
    assert "Is the picture a watercolour?" in Path(report.value.path()).read_text(encoding="utf-8")
    person.shot("8-report")

    person.open("export")
    person.button("Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    person.shot("9-export")
    person.open("")
    expect(page.get_by_text(re.compile("Export the dataset|Certify a threshold")).first).to_be_visible()
    person.shot("0-overview")
    check_export(Path(download.value.path()), person)


def choose_examples(person: Person) -> None:
    """Let the first round start from two watercolours that are clicked."""
    page = person.page
    page.get_by_role("radio", name="Example images").or_(page.get_by_role("button", name="Example images")).click()
    grid = page.locator("[class*='st-key-examples-']").locator(".grid")
    expect(grid.locator(".cell")).to_have_count(60)  # the count below it may be there before them
    shown = [int(cell.get_attribute("data-row") or 0) for cell in grid.locator(".cell").all()]
    watercolours = [row for row in shown if person.oracle.knows(person.workspace, row)]
    for number, row in enumerate(watercolours[:2], start=1):
        grid.locator(f".cell[data-row='{row}']").click()
        expect(page.get_by_text(f"{number} selected.")).to_be_visible()
    expect(page.get_by_text("similar to your examples").first).to_be_visible()


def look_closer(person: Person) -> None:
    """Point at an image, see its card, click it, read its panel, and zoom in on the place."""
    page, (record,) = person.page, layout_store.list_layouts(person.workspace)
    view = view_cache.current_view(person.workspace, record.id)
    box = page.locator(".leaflet-container").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    at = len(view) // 2
    seen = """id => {
      const kept = Object.keys(sessionStorage).find((key) => key.startsWith("bam-map-") && key.endsWith(`-${id}`));
      return kept && JSON.parse(sessionStorage.getItem(kept)); // y, x and zoom of the middle
    }"""
    y, x, zoom = page.wait_for_function(seen, arg=record.id).json_value()
    world, centre = 256 * 2**zoom, (x, y)
    point = (float(view.source.x[at]), float(view.source.y[at]))
    place = [m + world * (p - c) for m, p, c in zip(middle, point, centre, strict=True)]
    page.mouse.move(*place)
    expect(page.locator(".bam-card")).to_be_visible()
    page.mouse.click(*place)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Similar images")).to_be_visible()
    dialog.get_by_label("Close").click()
    expect(dialog).to_have_count(0)
    page.mouse.move(*place)
    for _ in range(2):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(700)
    expect(page.locator("img.leaflet-tile-loaded[data-tile*='pictures-']").first).to_be_visible()
    person.shot("7-map-close")


def check_export(path: Path, person: Person) -> None:
    """The downloaded file holds the answers that were given, and accepts watercolours."""
    connection = sqlite3.connect(path)
    modules = dict(connection.execute("select mid, src from modules"))
    labels = connection.execute("select mid, label from crowd_labels").fetchall()
    accepted = connection.execute("select mid from automatic_labels where media_watercolor = 'positive'").fetchall()
    connection.close()
    truth = person.oracle.truth
    assert len(modules) == 200
    assert len(labels) >= VALIDATION + 4 * BATCH
    assert all((label == "positive") == truth[modules[mid]] for mid, label in labels)
    right = [truth[modules[mid]] for (mid,) in accepted]
    assert sum(right) / len(right) > 0.85
