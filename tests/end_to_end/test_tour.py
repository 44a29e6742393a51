"""The README's tour, step by step in Chromium: from an empty home page to an exported dataset of generated images."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.workspace import Workspace, audits, demo, simulated
from tests.browser import ROOT, served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

ATTRIBUTE = "media_watercolor"
COUNT = 300


@pytest.fixture
def app(browser: Browser, tmp_path: Path) -> Iterator[tuple[Page, str, Workspace]]:
    home = {"BAM_WORKSPACE": str(tmp_path / "workspace"), "BAM_CACHE": str(tmp_path / "cache")}
    with served("app:app", ROOT, {**home, "SERVER_LOG": str(tmp_path / "server.log")}) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
        context.set_default_timeout(120_000)
        workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
        yield context.new_page(), url, workspace
        workspace.close()
        context.close()
    ours = re.findall(rf'File "({ROOT}/(?:app|pages|web|bam_engine)[^"]*)"', (tmp_path / "server.log").read_text())
    assert not ours, "a traceback of the server passes through our code"


def go(page: Page, name: str) -> None:
    """Follow the navigation, as a person does."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Generated images", exact=True)).to_be_visible()  # the band, on every page


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=False).first.click()


def test_the_tour_ends_with_an_exported_dataset(app: tuple[Page, str, Workspace], tmp_path: Path) -> None:
    page, url, workspace = app
    expect.set_options(timeout=240_000)  # drawing takes a while on a busy machine

    page.goto(url)  # 1: the demo
    expect(page.get_by_role("button", name="Add your images")).to_be_visible()
    page.get_by_role("radio", name="300", exact=True).or_(
        page.get_by_role("button", name="300", exact=True)
    ).first.click()
    button(page, "Try the demo")
    expect(page.get_by_text("Begin with an attribute")).to_be_visible(timeout=900_000)  # it draws, adds and embeds
    expect(page.get_by_test_id("stMetric").filter(has_text="Embedded")).to_contain_text(str(COUNT))
    expect(page.locator(".bam-strip img").first).to_be_visible()

    go(page, "Gallery")  # 2: look
    expect(page.locator(".cell").first).to_be_visible()
    page.locator(".cell").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("generated").first).to_be_visible()
    page.keyboard.press("Escape")
    go(page, "Map")
    button(page, "Make the map")
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()

    go(page, "Overview")  # 3: an attribute
    page.get_by_test_id("stPills").get_by_text("watercolor (media)").or_(
        page.get_by_role("radio", name="watercolor (media)")
    ).first.click()
    expect(page.locator("h1")).to_have_text("Rounds")
    page.get_by_label("Images", exact=True).fill("60")
    page.get_by_label("Images", exact=True).press("Tab")
    button(page, "Draw the sample")
    button(page, "Label the validation sample")

    expect(page.locator(".progress")).to_contain_text("page 1 of")  # 4: a few by hand
    attribute = workspace.attributes.get(ATTRIBUTE)
    truth = demo.truth(workspace, ATTRIBUTE)
    for cell in page.locator(".cell").all():
        if truth[int(cell.get_attribute("data-row") or 0)]:
            cell.click()
    submit(page)
    expect(page.locator(".progress")).to_contain_text("page 2 of")

    go(page, "Rounds")  # 5: simulated annotators finish
    button(page, "Let them finish this attribute")
    expect(page.get_by_text("In truth")).to_be_visible()
    expect(page.get_by_text("the audit: ", exact=False).first).to_be_visible()
    said = simulated.who_answered(workspace, attribute)
    assert said.people == 24
    assert said.simulated > 100

    go(page, "Threshold")  # 6: what it is worth, beside the truth
    expect(page.get_by_text("In force: scores of at least")).to_be_visible()
    expect(page.get_by_text("Known only because the collection is generated.")).to_be_visible()
    go(page, "Audit")
    expect(page.get_by_test_id("stMetric").filter(has_text="Design effect")).to_be_visible()
    expect(page.get_by_text("Known only because the collection is generated.")).to_be_visible()
    go(page, "Report")
    with page.expect_download() as report:
        button(page, "Download as one HTML file")
    text = Path(report.value.path()).read_text(encoding="utf-8")
    assert "Generated images." in text
    assert "In truth" in text

    go(page, "Export")  # 7: take it away
    page.get_by_text("CSV files", exact=True).click()
    button(page, "Write the files")
    with page.expect_download() as download:
        button(page, "Download all")
    check(Path(download.value.path()), workspace)

    go(page, "Overview")
    expect(page.get_by_text("What each attribute is worth", exact=True)).to_be_visible()
    expect(page.locator(".bam-worth")).to_contain_text("truth")
    result = audits.latest_result(workspace, attribute)
    assert result is not None
    assert result.complete


def submit(page: Page) -> None:
    """Press Enter until the page is saved: it scrolls on first where pictures were not in view yet."""
    progress = page.locator(".progress")
    before = (progress.text_content() or "").split("·")[0]
    for _ in range(20):
        expect(page.locator(".save[aria-disabled=false]")).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)  # by then the page tells what Enter did: it may save though it said "Scroll on"
        if (progress.text_content() or "").split("·")[0] != before:
            return
    raise AssertionError("the page could not be saved")


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
    truth = dict(zip(workspace.catalogue.uris(), demo.truth(workspace, ATTRIBUTE), strict=True))
    accepted = [truth[line["uri"]] for line in images if line[f"{ATTRIBUTE}_label"] == "positive"]
    assert sum(accepted) / len(accepted) > 0.7
