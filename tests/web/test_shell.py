"""What every address begins with, and what is done before the first visitors come."""

import re
import threading
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.errors import BamError
from bam_engine.gallery.counts import FACET_COUNTS
from bam_engine.workspace import Workspace
from web import modules, ui, warm
from web.routes import shell
from web.warm import PageActivity


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=shell.shell_routes({"": "Overview", "gallery": "Gallery"})))


def test_the_root_and_the_pages_are_streamlits_page_with_our_rules_and_the_shell(client: TestClient) -> None:
    for address in ("/", "/gallery", "/gallery?attribute=one"):
        page = client.get(address).text
        assert '<div id="root"></div>' in page
        assert '<div id="bam-shell"' in page
        assert ui.CSS in page
        assert f"<title>{ui.TITLE}</title>" in page
    assert client.get("/other").status_code == 404


def test_the_name_of_the_page_at_the_root_leads_to_the_root_with_what_was_asked_for() -> None:
    client = TestClient(Starlette(routes=shell.root_routes("overview")), follow_redirects=False)
    for asked, there in (("/overview", "./"), ("/overview?annotator=ada&x=1", "./?annotator=ada&x=1")):
        reply = client.get(asked)
        assert (reply.status_code, reply.headers["location"]) == (307, there)


def test_what_is_fetched_from_the_start_is_there_and_is_named_once(client: TestClient) -> None:
    page = client.get("/").text
    named = re.findall(r'(?:href|src)="\./(static/[^"]+)"', page)
    assert len(named) == len(set(named))
    assert all((shell._STATIC / name).is_file() for name in named)
    for element in shell._ELEMENTS:
        assert any(f"/{element}." in name for name in named), element
    assert sum(font in page for font in shell._FONTS) == len(shell._FONTS)


def test_a_page_names_the_modules_of_its_component_and_no_other_page_does(client: TestClient) -> None:
    preloaded = re.compile(r'<link rel="modulepreload" href="(/modules/[^"]+)">')
    assert preloaded.findall(client.get("/").text) == []
    expected = modules.addresses(modules.OF_PAGES["gallery"])
    assert preloaded.findall(client.get("/gallery").text) == list(expected)


def test_a_page_at_rest_fetches_the_modules_of_the_other_pages(client: TestClient) -> None:
    every = {address for entry in modules.OF_PAGES.values() for address in modules.addresses(entry)}
    for address, own in (("/", set()), ("/gallery", set(modules.addresses(modules.OF_PAGES["gallery"])))):
        later = re.findall(r'data-modules="([^"]+)"', client.get(address).text)
        assert len(later) == 1
        assert set(later[0].split()) == every - own


def test_the_page_is_asked_for_again_each_time_and_answered_shortly_where_it_is_the_same(client: TestClient) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_of_streamlits_that_we_do_not_know_is_left_to_streamlit(tmp_path: Path) -> None:
    assert shell.shell_routes({"gallery": "Gallery"}, static=tmp_path) == []
    (tmp_path / "index.html").write_text("<html><head></head><body><main id='app'></main></body></html>")
    assert shell.shell_routes({"gallery": "Gallery"}, static=tmp_path) == []


def test_something_heavy_waits_until_no_page_is_drawn_but_not_for_ever() -> None:
    activity = PageActivity()
    over = threading.Event()

    def wait() -> None:
        activity.wait_until_idle(0.05)
        over.set()

    with activity.drawing():
        threading.Thread(target=wait, daemon=True).start()
        assert not over.wait(0.3)
    assert over.wait(5)
    with activity.drawing():
        begin = time.monotonic()
        activity.wait_until_idle(0.05, patience=0.1)
        assert 0.1 <= time.monotonic() - begin < 2


def test_what_cannot_be_done_beforehand_keeps_nothing_else_from_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def fails(_: Workspace) -> None:
        raise BamError("no")

    monkeypatch.setattr(warm, "_gallery", fails)
    monkeypatch.setattr(warm, "_map", lambda: done.append("map"))
    monkeypatch.setattr(warm, "_freeze_heap", lambda: done.append("settled"))
    monkeypatch.setattr(warm, "_LATER", ())
    warm.warm(lambda: workspace, PageActivity())
    assert done == ["map", "settled"]


@pytest.mark.parametrize("attributes", [0, 1])
def test_the_gallery_is_made_ready_with_and_without_attributes(workspace: Workspace, attributes: int) -> None:
    for number in range(attributes):
        workspace.attributes.add(f"a{number}", "media", "Is it?")
    warm._gallery(workspace)
    assert workspace.memory.subjects(FACET_COUNTS)
