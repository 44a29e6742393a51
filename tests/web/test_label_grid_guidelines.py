"""The guidelines above the labelling grid with their example pictures, and the keys of a preset, in Chromium."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.label_grid_site import Site, site
from tests.web.test_label_grid import marks, ready_to_save

__all__ = ["site"]  # a fixture


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser of its own, in which nothing is kept yet, at a phone's size."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


def open_grid(page: Page, site: Site, examples: str = "") -> None:
    page.goto(f"{site.url}/?assignment={site.assign(range(4))}{examples}")
    ready_to_save(page)


def test_the_folded_guidelines_are_one_line_with_a_strip_of_the_three_kinds(page: Page, site: Site) -> None:
    open_grid(page, site)
    plain = page.locator(".guidelines").bounding_box()
    expect(page.locator(".strip")).to_be_hidden()
    open_grid(page, site, "&good=1&good=2&good=3&bad=5&corner=7")
    strip = page.get_by_role("img", name="3 good examples, 1 bad example, 1 corner case")
    expect(strip).to_be_visible()
    folded = page.locator(".guidelines").bounding_box()
    assert plain is not None
    assert folded is not None
    assert folded["height"] <= plain["height"] + 20
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_example_is_shown_large_with_its_note_and_no_key_answers_meanwhile(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1100, "height": 800})  # wide enough for the guidelines to be open at first
    open_grid(page, site, "&good=1&corner=7")
    page.get_by_role("button", name="Enlarge. Corner case: <b>a rose</b>").click()
    large = page.locator("dialog.large[open]")
    expect(large.locator("img")).to_have_attribute("src", re.compile(r"/large/7\.webp\?v=1$"))
    expect(large.locator("figcaption")).to_have_text("Corner case: <b>a rose</b>")
    page.keyboard.press("y")
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    assert marks(page) == ["no"] * 4
    page.keyboard.press("y")
    assert marks(page) == ["yes", "no", "no", "no"]


def test_the_keys_of_a_preset_answer_and_are_kept_for_their_annotator(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1100, "height": 800})
    open_grid(page, site)
    page.evaluate("localStorage.setItem('bam.annotator', JSON.stringify('ada'))")
    page.reload()
    ready_to_save(page)
    page.get_by_label("Keys that answer").select_option("right")
    for key in ("j", "k", "y"):  # the last one is of another preset
        page.keyboard.press(key)
    page.keyboard.press("l")
    assert marks(page) == ["yes", "no", "unsure", "no"]
    page.reload()
    ready_to_save(page)
    expect(page.locator(".hints")).to_contain_text("J yes")
    page.evaluate("localStorage.setItem('bam.annotator', JSON.stringify('ben'))")
    page.reload()
    ready_to_save(page)
    expect(page.locator(".hints")).to_contain_text("Y yes")
