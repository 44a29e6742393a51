"""The browser's history: a page is one entry of it, whatever the page writes into its own address."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from bam_engine.workspace import Workspace
from tests.browser import app_page

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def page(embedded_template: Path, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    """The Annotators page of a workspace that is called "pomology" and has two attributes."""
    shutil.copytree(embedded_template, tmp_path / "home")
    (tmp_path / "home" / "workspace").rename(tmp_path / "home" / "pomology")
    workspace = Workspace(tmp_path / "home" / "pomology", tmp_path / "home" / "cache")
    for name in ("content_apple", "media_watercolor"):
        workspace.attributes.add(name, "own", "Is it one?")
    with app_page(browser, workspace, tmp_path) as found:
        found.goto("/annotators")
        expect(found.locator("h1")).to_have_text("Annotators")
        yield found
    workspace.close()


def test_one_step_back_leaves_a_page_whatever_was_chosen_on_it(page: Page) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Attributes", exact=True).click()
    page.wait_for_url("**/attributes?attribute=content_apple")
    page.get_by_role("combobox", name="Attribute").click()
    page.get_by_role("option", name="watercolor (media)").click()
    page.wait_for_url("**/attributes?attribute=media_watercolor")
    page.get_by_test_id("stMain").get_by_role("link", name="Threshold", exact=True).click()
    page.wait_for_url("**/threshold?attribute=media_watercolor")
    expect(page.locator("h1")).to_have_text("Threshold")
    page.go_back()
    page.wait_for_url("**/attributes?attribute=media_watercolor")
    expect(page.locator("h1")).to_have_text("Attributes")
    page.go_back()
    page.wait_for_url("**/annotators")
    expect(page.locator("h1")).to_have_text("Annotators")


def test_two_quick_steps_back_lead_two_pages_back_although_the_first_is_still_being_drawn(page: Page) -> None:
    links = page.get_by_test_id("stSidebarNav")
    for name in ("Attributes", "Gallery", "Export"):
        links.get_by_role("link", name=name, exact=True).click()
        expect(page.locator("h1")).to_have_text(name)
    page.evaluate(
        """() => new Promise((done) => {
          addEventListener('popstate', () => {
            addEventListener('popstate', () => done(), { once: true });
            history.back();
          }, { once: true });
          history.back();
        })"""
    )
    expect(page.locator("h1")).to_have_text("Attributes")
    page.wait_for_url("**/attributes?attribute=*")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.locator("h1")).to_have_text("Attributes")


class SlowServer:
    """Between the server and a page: from :meth:`hold` on, the page hears nothing until :meth:`release`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[str | bytes] = []
        self._from: bytes | None = None
        page.route_web_socket("**/_stcore/stream", self._connect)
        page.reload()

    def hold(self, first: bytes = b"") -> None:
        """Hold every message from the next one on that contains ``first``."""
        self._from = first

    def release(self) -> None:
        """Let the page hear what was held, in order."""
        self._from = None
        for message in self.held:
            self.socket.send(message)
        self.held = []

    def wait_for(self, content: bytes) -> None:
        """Wait until a message that contains ``content`` is held."""
        while not any(content in message for message in self.held if isinstance(message, bytes)):
            self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def _connect(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        server = socket.connect_to_server()
        server.on_message(self._hear)

    def _hear(self, message: str | bytes) -> None:
        if self.held or (self._from is not None and isinstance(message, bytes) and self._from in message):
            self.held.append(message)
        else:
            self.socket.send(message)


def step_back_to_annotators(page: Page, server: SlowServer) -> None:
    """Step back, use the page, and let it hear what the pages that were left have sent: it stays as it is."""
    page.go_back()
    page.wait_for_url("**/annotators")
    page.mouse.wheel(0, 10)
    page.keyboard.press("Shift")
    server.release()
    expect(page.locator("h1")).to_have_text("Annotators")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert page.url.endswith("/annotators")


def test_a_page_that_was_left_before_its_address_had_come_writes_it_nowhere_else(page: Page) -> None:
    server = SlowServer(page)
    expect(page.locator("h1")).to_have_text("Annotators")
    steps = page.evaluate("history.length")
    server.hold(b"attribute=content_apple")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Attributes", exact=True).click()
    page.wait_for_url("**/attributes")
    server.wait_for(b"attribute=content_apple")
    step_back_to_annotators(page, server)
    assert page.evaluate("history.length") == steps + 1


def test_a_page_that_comes_after_the_second_step_back_adds_no_step(page: Page) -> None:
    server = SlowServer(page)
    expect(page.locator("h1")).to_have_text("Annotators")
    links = page.get_by_test_id("stSidebarNav")
    for name in ("Attributes", "Gallery"):
        links.get_by_role("link", name=name, exact=True).click()
        expect(page.locator("h1")).to_have_text(name)
        page.wait_for_url("**?*attribute=content_apple*")
    server.hold()
    page.go_back()
    page.wait_for_url("**/attributes?attribute=content_apple")
    server.wait_for(b"Attributes \xc2\xb7 pomology")
    step_back_to_annotators(page, server)
    page.go_forward()
    page.wait_for_url("**/attributes?attribute=content_apple")
    expect(page.locator("h1")).to_have_text("Attributes")


def test_the_workspace_is_named_on_the_page_and_in_the_title(page: Page) -> None:
    expect(page).to_have_title("Annotators · pomology")
    expect(page.get_by_role("button", name="pomology", exact=True)).to_be_visible()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Gallery", exact=True).click()
    expect(page).to_have_title("Gallery · pomology")
    expect(page.get_by_role("button", name="pomology", exact=True)).to_be_visible()


def test_opening_a_page_asks_for_nothing_below_the_pages_own_address(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(f"{page.url}?again")
    expect(page.locator("h1")).to_have_text("Annotators")
    assert "/_stcore/health" in asked
    assert [path for path in asked if path.startswith("/annotators/")] == []
