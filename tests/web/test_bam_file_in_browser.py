"""The page of BAM's file in Chromium: cells with and without pictures, from this server alone, and the panel of one."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.database import images
from bam_engine.published import make_arrays
from bam_engine.published.pictures import switch_on
from bam_engine.workspace import Workspace
from tests.browser import app_page
from tests.download.conftest import picture, web  # noqa: F401 - a fixture
from tests.download.server import ADDRESS, Web, answer
from tests.published.conftest import CAT, WriteFile, write_bam  # noqa: F401 - a fixture


def test_images_without_a_picture_show_their_url_and_nothing_is_asked_of_its_host(
    browser: Any,
    workspace: Workspace,
    write_bam: WriteFile,  # noqa: F811
    tmp_path: Path,
) -> None:
    make_arrays(workspace, write_bam())
    with workspace.engine.begin() as connection:
        url = "https://images.example/20.jpg"
        connection.execute(sa.update(images).where(images.c.row == 7).values(url=url))
    asked: list[str] = []
    with app_page(browser, workspace, tmp_path, width=1440, height=960, timeout=120_000) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/bam_file?yes={CAT}")
        address = page.url.partition("/bam_file")[0]
        cells = page.locator(".cell")
        cells.nth(3).locator(".words").wait_for()
        assert [one.locator(".words").inner_text() for one in cells.all()] == [
            *("place 75%", "place 50%", "place 25%", "place 0%"),
        ]
        assert page.locator(".absent").all_inner_texts() == ["10.jpg", "30.jpg", "no URL"]
        assert "/thumbs/7.webp" in str(cells.nth(1).locator("img").get_attribute("src"))
        page.get_by_role("link", name="BAM's file", exact=True).wait_for()
        cells.nth(1).click()
        panel = page.get_by_role("dialog")
        panel.get_by_text("Old paper").wait_for()
        assert "/large/7.webp" in str(panel.locator("img.bam-shown").get_attribute("src"))
        panel.get_by_role("button", name="Next").click()
        panel.get_by_text("https://images.example/30.jpg").wait_for()
        panel.get_by_text("The collection does not have this picture").wait_for()
    assert [url for url in asked if url.startswith("http") and not url.startswith(address)] == []


def test_pictures_come_through_this_server_once_they_are_switched_on(
    browser: Any,
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
    tmp_path: Path,
) -> None:
    web.put("/10.png", answer(picture(1)))
    here = f"http://{ADDRESS}:{web.port}"
    urls = {10: f"{here}/10.png", 20: f"{here}/20.png", 30: "http://127.0.0.1/30.png"}
    make_arrays(workspace, write_bam(modules=[(mid, 1, url, 0, "") for mid, url in urls.items()]))
    switch_on(workspace, hosts={"old.example": ADDRESS})
    asked: list[str] = []
    with app_page(browser, workspace, tmp_path, width=1440, height=960, timeout=120_000) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/bam_file?yes={CAT}")
        address = page.url.partition("/bam_file")[0]
        cells = page.locator(".cell")
        cells.nth(0).locator("img[src^='data:image/webp']").wait_for()
        cells.nth(1).locator(".why", has_text="status 404").wait_for()
        cells.nth(2).locator(".why", has_text="an address of this computer").wait_for()
        cells.nth(0).click()
        panel = page.get_by_role("dialog")
        shown = panel.locator("img.bam-shown")
        shown.wait_for()
        wide = "() => [...document.querySelectorAll('img.bam-shown')].some((one) => one.naturalWidth === 40)"
        page.wait_for_function(wide)
        panel.get_by_role("button", name="Next").click()
        panel.locator(".bam-absent", has_text="status 404").wait_for()
    assert sorted(web.paths()) == ["/10.png", "/20.png"]
    assert [url for url in asked if url.startswith("http") and not url.startswith(address)] == []
