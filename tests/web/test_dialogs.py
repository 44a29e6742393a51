"""A dialog that somebody reads stays open when a job ends in the background; closed, it shows the page as it is now."""

import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.gallery import selections
from bam_engine.maps import layout_builder
from bam_engine.workspace import Workspace
from tests.browser import small_app

pytestmark = pytest.mark.timeout(600)

SERVER = """
    import threading
    from pathlib import Path

    import streamlit as st
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from bam_engine.team import Role
    from web import server
    from web.engine import workspace
    from web.layout_form import JOB

    GOING = threading.Event()

    def begin(request):
        workspace().jobs.start(JOB, "A slow map", lambda report: GOING.wait(300), least=Role.REVIEWER)
        return PlainTextResponse("begun")

    def end(request):
        GOING.set()
        return PlainTextResponse("ended")

    app = st.App(
        Path(__file__).with_name("script.py").resolve(),
        routes=[Route("/begin", begin), Route("/end", end), *server.routes()],
        middleware=server.middleware(),
        lifespan=server.lifespan,
    )
"""

SCRIPT = """
    from web.frame import draw

    draw()
"""


@pytest.fixture
def place(embedded_template: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a map whose selection is shown, in an app with a job that ends when it is told to."""
    shutil.copytree(embedded_template, tmp_path / "home")
    workspace = Workspace(tmp_path / "home" / "workspace", tmp_path / "home" / "cache")
    layout_builder.build(workspace, method="pca")
    chosen = selections.save(workspace, range(12))
    workspace.close()
    home = {"BAM_WORKSPACE": str(workspace.folder), "BAM_CACHE": str(workspace.cache.parent)}
    (tmp_path / "app").mkdir()
    with small_app(tmp_path / "app", SERVER, SCRIPT, home) as url:
        yield f"{url}/map?selection={chosen}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def ask(address: str, path: str) -> str:
    with urllib.request.urlopen(address.partition("/map")[0] + path, timeout=60) as reply:
        return str(reply.read().decode())


def test_a_job_that_ends_closes_no_dialog_and_is_told_of_once_it_is_closed(page: Page, place: str) -> None:
    ask(place, "/begin")
    page.goto(place)
    expect(page.get_by_test_id("stMain").get_by_text("A slow map")).to_be_visible()
    page.get_by_test_id("stMain").get_by_text("the image", exact=True).click()
    page.locator(".st-key-map-selection .cell").nth(3).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("4 of 12 in the list")).to_be_visible()
    ask(place, "/end")
    expect(page.get_by_test_id("stMain").get_by_text("A slow map")).to_have_count(0)
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_text("5 of 12 in the list")).to_be_visible()
    expect(page.get_by_text("finished in")).to_have_count(0)
    dialog.get_by_label("Close").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("finished in")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_test_id("stProgress")).to_have_count(0)
