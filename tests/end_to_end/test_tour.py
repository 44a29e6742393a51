"""The README's tour, step by step in Chromium: from an empty home page to an exported dataset of generated images.

``make screenshots`` runs it with ``BAM_TOUR_PICTURES``, the folder for a picture of each step: they are in the README.
It then keeps the workspace in ``BAM_TOUR_HOME``, and ``BAM_TOUR_COUNT`` says how many images the demo has.
"""

import csv
import io
import os
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.audit import audits
from bam_engine.demo import demo_workspace, simulated_annotators
from bam_engine.workspace import Workspace
from tests.browser import ROOT, served
from tests.end_to_end.grid import submit

pytestmark = pytest.mark.timeout(1800)

ATTRIBUTE = "media_watercolor"
WORDS = "watercolor (media)"
COUNT = int(os.environ.get("BAM_TOUR_COUNT", "300"))
PICTURES = os.environ.get("BAM_TOUR_PICTURES")


@pytest.fixture
def app(browser: Browser, tmp_path: Path) -> Iterator[tuple[Page, str, Workspace]]:
    home = Path(os.environ.get("BAM_TOUR_HOME", tmp_path))
    places = {"BAM_WORKSPACE": str(home / "workspace"), "BAM_CACHE": str(home / "cache")}
    with served("app:app", ROOT, {**places, "SERVER_LOG": str(tmp_path / "server.log")}) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 960}, accept_downloads=True)
        context.set_default_timeout(120_000)
        workspace = Workspace(home / "workspace", home / "cache")
        yield context.new_page(), url, workspace
        workspace.close()
        context.close()
    ours = re.findall(rf'File "({ROOT}/(?:app|pages|web|bam_engine)[^"]*)"', (tmp_path / "server.log").read_text())
    assert not ours, "a traceback of the server passes through our code"


STEPS = ("Rounds", "Threshold", "Audit", "Report")


def go(page: Page, name: str) -> None:
    """Follow the navigation, as a person does: the sidebar, or the steps of the attribute in focus."""
    steps = page.locator(".st-key-bam-steps")
    if name in STEPS:
        if not steps.count():
            go(page, "Attributes")
        steps.get_by_role("link", name=name, exact=True).click()
    else:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Generated images", exact=True)).to_be_visible()  # the band, on every page


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=False).first.click()


def keep(page: Page, name: str, part: str | None = None) -> None:
    """Keep a picture of the step, or of a part of the page, once all on it is drawn."""
    if PICTURES is not None:
        page.wait_for_timeout(4000)
        shown = page if part is None else page.locator(part)
        shown.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_the_tour_ends_with_an_exported_dataset(app: tuple[Page, str, Workspace]) -> None:
    page, url, workspace = app
    expect.set_options(timeout=240_000)  # drawing takes a while on a busy machine
    begun = time.monotonic()
    try_the_demo(page, url)
    look(page)
    begin_with_an_attribute(page)
    label_a_page(page, workspace)
    let_them_finish(page, workspace)
    see_what_it_is_worth(page, workspace)
    look_at_what_was_accepted(page)
    take_it_away(page, workspace)
    go(page, "Overview")
    expect(page.get_by_text("Attribute quality", exact=True)).to_be_visible()
    expect(page.locator(".bam-worth")).to_contain_text("truth")
    keep(page, "overview")
    print(f"the tour of {COUNT:,} images took {(time.monotonic() - begun) / 60:.1f} minutes")


def try_the_demo(page: Page, url: str) -> None:
    """Step 1."""
    page.goto(url)
    expect(page.get_by_role("button", name="Add your images")).to_be_visible()
    keep(page, "home")
    count = f"{COUNT:,}"
    page.get_by_role("radio", name=count, exact=True).or_(
        page.get_by_role("button", name=count, exact=True)
    ).first.click()
    button(page, "Try the demo")
    expect(page.get_by_text("Start with an attribute")).to_be_visible(timeout=900_000)  # it draws, adds and embeds
    expect(page.get_by_test_id("stMetric").filter(has_text="Embedded")).to_contain_text(count)
    expect(page.locator(".bam-strip img").first).to_be_visible()


def look(page: Page) -> None:
    """Step 2."""
    go(page, "Gallery")
    expect(page.locator(".cell").first).to_be_visible()
    page.locator(".cell").nth(4).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("generated").first).to_be_visible()
    expect(dialog.get_by_text("Similar images")).to_be_visible()
    page.keyboard.press("Escape")
    go(page, "Map")
    button(page, "Make the map")
    expect(page.locator("img.leaflet-tile-loaded:visible").first).to_be_visible()
    keep(page, "map")


def begin_with_an_attribute(page: Page) -> None:
    """Step 3."""
    go(page, "Overview")
    page.get_by_test_id("stPills").get_by_text(WORDS).or_(page.get_by_role("radio", name=WORDS)).first.click()
    expect(page.locator("h1")).to_have_text("Rounds")
    if COUNT < 1000:  # the sample that is proposed would be half of so few
        page.get_by_label("Images", exact=True).fill("60")
        page.get_by_label("Images", exact=True).press("Tab")
    button(page, "Create validation sample")
    button(page, "Label the validation sample")


def label_a_page(page: Page, workspace: Workspace) -> None:
    """Step 4: a few by hand."""
    expect(page.locator(".progress")).to_contain_text("page 1 of")
    truth = demo_workspace.true_labels(workspace, ATTRIBUTE)
    for cell in page.locator(".cell").all():
        if truth[int(cell.get_attribute("data-row") or 0)]:
            cell.click()
    if PICTURES is not None:
        page.mouse.move(0, 0)
        page.locator(".cell").first.scroll_into_view_if_needed()
    keep(page, "annotate")
    submit(page)
    expect(page.locator(".progress")).to_contain_text("page 2 of")


def let_them_finish(page: Page, workspace: Workspace) -> None:
    """Step 5: simulated annotators finish."""
    go(page, "Rounds")
    button(page, "Auto-label to the end")
    expect(page.get_by_text("Ground truth", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("the audit: |nothing is left to audit")).first).to_be_visible()
    keep(page, "rounds")
    said = simulated_annotators.count_answers(workspace, workspace.attributes.get(ATTRIBUTE))
    assert said.people == 24
    assert said.simulated > 100


def see_what_it_is_worth(page: Page, workspace: Workspace) -> None:
    """Step 6: beside the truth. Of so few images, people may have labelled all that is delivered."""
    go(page, "Threshold")
    expect(page.get_by_text("Chosen for a precision of")).to_be_visible()
    expect(page.get_by_text("Known only because the collection is generated.")).to_be_visible()
    keep(page, "threshold")
    go(page, "Audit")
    result = audits.latest_result(workspace, workspace.attributes.get(ATTRIBUTE))
    if result is None:
        expect(page.get_by_text("nothing is left to audit").first).to_be_visible()
    else:
        assert result.complete
        expect(page.get_by_test_id("stMetric").filter(has_text="Effective sample size")).to_be_visible()
        expect(page.get_by_text("Known only because the collection is generated.")).to_be_visible()
    keep(page, "audit")
    go(page, "Report")
    with page.expect_download() as report:
        button(page, "Download report (HTML)")
    keep(page, "report")
    text = Path(report.value.path()).read_text(encoding="utf-8")
    assert "Generated images." in text
    assert "Ground truth" in text


def look_at_what_was_accepted(page: Page) -> None:
    """Step 7."""
    go(page, "Gallery")
    page.get_by_role("combobox", name="Attribute").click()
    page.get_by_role("option", name=WORDS).click()
    expect(page.get_by_role("combobox", name="Attribute")).to_have_value(WORDS)
    expect(page.locator(".cell").first).to_be_visible()
    page.mouse.move(0, 0)
    keep(page, "gallery")
    page.locator(".cell").nth(4).click()
    expect(page.get_by_role("dialog").get_by_text("Similar images")).to_be_visible()
    keep(page, "image")
    page.keyboard.press("Escape")
    go(page, "Map")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name=f"accepted: {WORDS}").click()
    expect(page.locator("img.leaflet-tile-loaded:visible").first).to_be_visible()
    zoom_in(page)
    keep(page, "map-close", ".leaflet-container")


def zoom_in(page: Page) -> None:
    """Scroll into the map left above its middle, until pictures stand there."""
    box = page.locator(".leaflet-container").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.42 * box["width"], box["y"] + 0.35 * box["height"])
    for _ in range(2):
        page.mouse.wheel(0, -90)
        page.wait_for_timeout(1500)
    expect(page.locator("img.leaflet-tile-loaded:visible").first).to_be_visible()


def take_it_away(page: Page, workspace: Workspace) -> None:
    """Step 8."""
    go(page, "Export")
    page.get_by_text("CSV files", exact=True).click()
    button(page, "Export")
    with page.expect_download() as download:
        button(page, "Download all")
    keep(page, "export")
    check(Path(download.value.path()), workspace)


def check(path: Path, workspace: Workspace) -> None:
    """The downloaded files say that the images are generated, who answered, and what was accepted."""
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).name for name in archive.namelist()}
        assert names == {"images.csv", "annotations.csv", "attributes.csv", "GENERATED.txt"}
        read = {name: archive.read(name).decode() for name in archive.namelist()}
    assert "drawn by this program" in read["GENERATED.txt"]
    images = list(csv.DictReader(io.StringIO(read["images.csv"])))
    assert len(images) == COUNT
    assert {line["generated"] for line in images} == {"True"}
    told = {line["simulated"] for line in csv.DictReader(io.StringIO(read["annotations.csv"]))}
    assert told == {"True", "False"}
    truth = dict(zip(workspace.catalogue.uris(), demo_workspace.true_labels(workspace, ATTRIBUTE), strict=True))
    accepted = [truth[line["uri"]] for line in images if line[f"{ATTRIBUTE}_label"] == "positive"]
    assert np.mean(accepted) > 0.7
