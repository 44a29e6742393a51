"""Tags in a real browser: a selection on the map gets one, an image gets another in its dialog, the gallery filters."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.gallery import selections
from bam_engine.maps import layout_builder
from bam_engine.workspace import Workspace
from tests.browser import app_page

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def page(workspace: Workspace, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    """The Map page, with a selection of four images."""
    layout_builder.build(workspace, method="pca")
    chosen = selections.save(workspace, [3, 5, 8, 13])
    with app_page(browser, workspace, tmp_path) as found:
        found.goto(f"/map?selection={chosen}&annotator=ada")
        yield found


def type_tag(page: Page, field: str, tag: str) -> None:
    """Type a new tag into a field and choose it."""
    box = page.get_by_role("combobox", name=field)
    box.fill(tag)
    page.get_by_role("option", name=tag).click()


def test_tags_are_given_on_the_map_and_in_the_dialog_and_the_gallery_filters_by_them(
    page: Page, workspace: Workspace
) -> None:
    panel = page.locator(".st-key-map-selection")
    expect(panel.locator(".cell")).to_have_count(4, timeout=60_000)
    page.get_by_role("button", name="Answer as ada").click()
    expect(page.get_by_role("button", name="Answer as ada")).to_have_count(0)
    expect(panel.get_by_text("4 images selected")).to_be_visible()
    type_tag(page, "Tag", "to check")
    panel.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("4 images tagged “to check”.")).to_be_visible()

    panel.get_by_text("the image", exact=True).click()
    panel.locator(".cell").nth(1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("“to check” by ada")).to_be_visible()
    type_tag(page, "Tags", "for the talk")
    expect(dialog.get_by_text("“for the talk” by ada")).to_be_visible()
    assert {tag: rows.tolist() for tag, rows in workspace.tags.rows_by_tag().items()} == {
        "to check": [3, 5, 8, 13],
        "for the talk": [5],
    }
    dialog.get_by_label("Close").click()
    expect(dialog).to_have_count(0)

    page.get_by_role("link", name="Gallery", exact=True).click()
    expect(page.locator(".counted")).to_contain_text("of 120")
    page.get_by_text("Tags", exact=True).click()
    tags = page.locator(".st-key-gallery-tag button")
    expect(tags.filter(has_text="for the talk")).to_contain_text("1")
    tags.filter(has_text="to check").click()
    expect(page.locator(".counted")).to_contain_text("of 4")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".counted")).to_contain_text("of 120")
