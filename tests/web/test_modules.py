"""The JavaScript modules: each version has addresses of its own, and a component loads all of its modules from one."""

import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.browser import ROOT, small_app
from web import modules
from web.routes.modules import module_routes

ENTRIES = [
    "map/map.js",
    "gallery/gallery.js",
    "gallery/endless_mount.js",
    "label_grid/mount.js",
    "threshold/mount.js",
    "fold/fold.js",
    "keys/answer_keys.js",
    "identity.js",
]
MAP = "components/map/map.js"


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=module_routes()))


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the modules that a test may change."""
    caches = (modules.contents, modules.compressed, modules.version, modules.addresses)
    for folder in ("components", "vendor"):
        shutil.copytree(ROOT / "web" / folder, tmp_path / folder)
    monkeypatch.setattr(modules, "_FOLDER", tmp_path)
    monkeypatch.setattr(modules, "_STUB", tmp_path / "components" / "stub.js")
    for cached in caches:
        cached.cache_clear()
    yield tmp_path
    for cached in caches:
        cached.cache_clear()


def test_a_module_is_immutable_and_the_same_for_everybody(client: TestClient) -> None:
    reply = client.get(f"/modules/{modules.version()}/{MAP}")
    assert reply.content == (ROOT / "web" / MAP).read_bytes()
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_browser_that_accepts_it_gets_a_module_compressed(client: TestClient) -> None:
    address = f"/modules/{modules.version()}/vendor/leaflet/leaflet-src.esm.js"
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as reply:
        sent = b"".join(reply.iter_raw())
    assert "content-encoding" not in plain.headers
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(sent) == plain.content
    assert len(sent) < len(plain.content) / 3


@pytest.mark.parametrize(
    "path",
    [
        f"0123456789abcdef/{MAP}",
        "VERSION/components/map/other.js",
        "VERSION/components/map/map.css",
        "VERSION/components/stub.js",
        "VERSION/components/data.d.ts",
        "VERSION/modules.py",
        "VERSION/components/%2e%2e/modules.py",
        "VERSION",
        "",
    ],
)
def test_any_other_address_is_a_404_that_nobody_keeps(client: TestClient, path: str) -> None:
    reply = client.get(f"/modules/{path.replace('VERSION', modules.version())}")
    assert reply.status_code == 404
    assert reply.headers["cache-control"] == "no-store"
    assert "Reload the page" in reply.text


@pytest.mark.parametrize("change", ["changed", "added", "removed", "renamed"])
def test_every_change_of_a_module_is_another_version_of_all(copied: Path, change: str) -> None:
    before = modules.version()
    module = copied / "components" / "numbers.js"
    if change == "changed":
        module.write_text(module.read_text() + "\n")
    elif change == "added":
        (module.parent / "more.js").write_text("")
    elif change == "removed":
        module.unlink()
    else:
        module.rename(module.parent / "digits.js")
    modules.contents.cache_clear()
    modules.version.cache_clear()
    assert modules.version() != before


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_component_is_given_its_entry_first_and_all_that_a_browser_would_find(client: TestClient, entry: str) -> None:
    addresses = modules.addresses(entry)
    assert addresses[0] == f"/modules/{modules.version()}/components/{entry}"
    assert len(set(addresses)) == len(addresses)
    for address in addresses:
        text = client.get(address).text
        code = re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", text, flags=re.DOTALL | re.MULTILINE)
        imported = re.findall(r'\b(?:from|import)\s*\(?\s*"([^"]+\.js)"', code)
        for path in imported:
            assert path.startswith("."), f"{address} imports {path}, which has no version"
            assert str(client.build_request("GET", address).url.join(path).path) in addresses


def test_every_module_belongs_to_a_component() -> None:
    used = {address for entry in ENTRIES for address in modules.addresses(entry)}
    assert used == {f"/modules/{modules.version()}/{name}" for name in modules.contents()}


def test_the_page_of_a_component_preloads_that_component() -> None:
    for page, entry in modules.OF_PAGES.items():
        folder = entry.partition("/")[0]
        assert f"from web.components.{folder} import" in (ROOT / "pages" / f"{page}.py").read_text(encoding="utf-8")


SERVER = """
    from pathlib import Path

    import streamlit as st

    from web.routes.modules import module_routes

    app = st.App(Path(__file__).with_name("script.py").resolve(), routes=module_routes())
"""
SCRIPT = """
    import streamlit as st

    from web.components.gallery import Picture, gallery

    pictures = [Picture(3, caption="three"), Picture(4, caption="four")]
    for number in range(2):
        st.write(f"picked {number}: {gallery(pictures, key=f'gallery-{number}', version='1')}")
    st.button("Run again")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with small_app(tmp_path_factory.mktemp("modules"), SERVER, SCRIPT) as url:
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def test_components_on_one_page_share_modules_and_not_their_state(page: Any, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    cells = page.locator(".cell", has_text="four")
    cells.nth(1).click()
    page.get_by_text("picked 1: 4", exact=True).wait_for()
    assert page.get_by_text("picked 0: None", exact=True).count() == 1
    page.get_by_role("button", name="Run again").click()
    page.get_by_text("picked 1: None", exact=True).wait_for()
    assert page.locator(".cell").count() == 4
    fetched = [url for url in asked if "/modules/" in url]
    assert sorted(fetched) == sorted({address + path for path in modules.addresses("gallery/gallery.js")})


@pytest.mark.parametrize("trouble", ["missing", "other", "broken"])
def test_a_component_that_cannot_be_loaded_says_so_in_its_place(page: Any, address: str, trouble: str) -> None:
    def respond(route: Any) -> None:
        if trouble == "missing":
            route.abort()
        elif trouble == "other":
            route.fulfill(status=404, content_type="text/plain", body="There is no such module.")
        else:
            broken = (
                "export const makePicture = () => { throw new Error('broken'); }; export const makeText = () => '';"
            )
            route.fulfill(content_type="text/javascript", body=broken)

    page.route("**/gallery/cells.js", respond)
    page.goto(address)
    sentences = page.get_by_role("alert").filter(has_text="This part of the page could not be loaded. Reload the page.")
    sentences.nth(1).wait_for()
    page.get_by_role("button", name="Run again").click()
    page.wait_for_timeout(500)
    assert sentences.count() == 2
    page.unroute("**/gallery/cells.js")
    page.reload()
    page.locator(".cell").first.wait_for()
