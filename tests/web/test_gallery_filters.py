"""The Gallery page in a real browser: its panel of filters, folded and open, and the keys that answer everywhere."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.labelling import direct_answers
from bam_engine.workspace import Workspace
from benchmarks.generated import scored_attribute
from tests.browser import app_page

pytestmark = pytest.mark.timeout(600)

Open = Callable[..., Page]


@pytest.fixture
def scored(workspace: Workspace) -> Workspace:
    """The small pictures with two scored attributes."""
    for seed, name in enumerate(("cat", "people")):
        scored_attribute(workspace, name, cut=0.1 * seed, seed=seed)
    return workspace


@pytest.fixture
def open_at(scored: Workspace, tmp_path: Path, browser: Browser) -> Iterator[Open]:
    """Give a function that opens an address of the app in a window of a width."""
    with app_page(browser, scored, tmp_path, timeout=90_000) as page:
        errors: list[Exception] = []
        page.on("pageerror", lambda error: errors.append(error))

        def go(address: str, width: int = 1440, height: int = 900) -> Page:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"/{address}")
            page.locator(".st-key-gallery-open-size, .st-key-image-answer-bar").first.wait_for(state="attached")
            return page

        yield go
        assert errors == []


def first_picture(page: Page) -> dict[str, float]:
    picture = page.locator(".endless .cell img.picture").first
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    return dict(box)


def test_the_panel_stands_beside_the_pictures_and_folds_away(open_at: Open) -> None:
    page = open_at("gallery?attribute=cat&place=all&sort=score")
    panel = page.locator(".st-key-gallery-filters")
    fold = page.get_by_role("button", name="Filters")
    expect(panel.get_by_role("combobox", name="Attribute")).to_be_visible()
    expect(fold).to_have_attribute("aria-expanded", "true")
    beside = panel.bounding_box()
    assert beside is not None
    assert first_picture(page)["x"] > beside["x"] + beside["width"]
    fold.click()
    expect(panel).to_be_hidden()
    expect(fold).to_have_attribute("aria-expanded", "false")
    assert first_picture(page)["x"] < beside["x"] + beside["width"]
    page.reload()
    page.locator(".st-key-gallery-open-size").wait_for(state="attached")
    expect(panel).to_be_hidden()
    fold.click()
    expect(panel).to_be_visible()


def test_on_a_telephone_a_first_picture_is_seen_without_scrolling_and_the_panel_is_a_touch_away(open_at: Open) -> None:
    page = open_at("gallery?attribute=cat&place=all&sort=score", 390, 844)
    box = first_picture(page)
    assert box["y"] + box["height"] <= 844
    panel = page.locator(".st-key-gallery-filters")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    expect(panel.get_by_role("radio", name=re.compile("^Accepted"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_click_on_a_value_leaves_as_many_images_as_stand_on_it_and_its_chip_brings_all_back(
    open_at: Open, scored: Workspace
) -> None:
    page = open_at("gallery?attribute=cat&place=all&sort=score")
    accepted = len(list_images(scored, Query(attribute="cat", place="accepted")))
    page.get_by_role("radio", name=f"Accepted {accepted}").click()
    expect(page.locator(".counted")).to_contain_text(f"of {accepted}")
    page.get_by_role("button", name="Accepted").click()
    expect(page.locator(".counted")).to_contain_text("of 120")
    page.get_by_text("Size and shape").click()
    value = page.locator(".st-key-gallery-shape button").first
    number = re.sub(r"\D", "", value.inner_text())
    value.click()
    expect(page.locator(".counted")).to_contain_text(f"of {number}")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".counted")).to_contain_text("of 120")


def test_one_choice_of_keys_holds_in_the_gallery_the_dialog_and_the_page_of_an_image(
    open_at: Open, scored: Workspace
) -> None:
    cat = scored.attributes.get("cat")
    first, second = list_images(scored, Query(attribute="cat")).rows[:2].tolist()

    def mark(row: int) -> str:
        return direct_answers.standing(scored, cat, row, "me").mark

    page = open_at("gallery?attribute=cat&place=all&sort=score")
    first_picture(page)
    help_line = page.locator(".hints:visible")
    help_line.get_by_label("Keys that answer").select_option("digits")
    expect(help_line.locator("kbd").nth(2)).to_have_text("2")
    page.locator(".endless").focus()
    page.keyboard.press("n")  # of another preset
    page.keyboard.press("2")
    expect(page.locator(f".cell[data-row='{first}'] .mark")).to_have_text("no")
    expect(page.locator(".said")).to_contain_text("not learned until the next training")
    assert mark(first) == "no"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".hints kbd").first).to_have_text("1")
    page.keyboard.press("y")
    page.keyboard.press("1")
    expect(dialog.get_by_text("Labelled yes.")).to_be_visible()
    assert mark(second) == "yes"
    page.keyboard.press("z")
    expect(dialog.get_by_text("No label yet.")).to_be_visible()
    page = open_at(f"image?row={second}")
    expect(page.locator(".hints kbd").first).to_have_text("1")
    page.keyboard.press("3")
    expect(page.get_by_text("Labelled unsure.")).to_be_visible()
    assert mark(second) == "unsure"
