"""What both stories do with the grid of labels."""

from playwright.sync_api import Page, expect


def submit(page: Page) -> None:
    """Press Enter until the page of the grid is saved: it scrolls on first where pictures were not in view yet."""
    before = _shown(page)
    for _ in range(20):
        expect(page.locator(".save[aria-disabled=false]")).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)  # by then the page tells what Enter did: it may save though it said "Scroll on"
        if _shown(page) != before:
            return
    raise AssertionError("the page could not be saved")


def _shown(page: Page) -> str:
    """Which page of the grid is shown; "" where the grid is gone."""
    told = page.locator(".progress").all_text_contents()
    return told[0].partition("·")[0] if told else ""
