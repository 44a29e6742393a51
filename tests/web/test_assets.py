"""Streamlit's files from memory: what the app would answer, sooner and smaller."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from web.assets import STATIC, asset_middleware
from web.server import middleware

SCRIPT = b"export const answer = 42;\n" * 50


async def app_answers(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("the app")


@pytest.fixture
def client_of() -> Callable[[Path], TestClient]:
    def client(static: Path) -> TestClient:
        everything = Route("/{path:path}", app_answers, methods=["GET", "POST"])
        return TestClient(Starlette(routes=[everything], middleware=asset_middleware(static)))

    return client


@pytest.fixture
def static(tmp_path: Path) -> Path:
    for folder in ("js", "media", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / "js" / "a.1f.js").write_bytes(SCRIPT)
    (tmp_path / "media" / "font.2e.woff2").write_bytes(b"\x00font")
    (tmp_path / "other" / "b.3d.js").write_bytes(SCRIPT)
    return tmp_path


def test_each_of_streamlits_files_is_answered_as_it_is(client_of: Callable[[Path], TestClient]) -> None:
    client = client_of(STATIC)
    files = [file for folder in ("js", "css", "media") for file in sorted((STATIC / folder).iterdir())[:5]]
    assert len(files) > 10
    for file in files:
        answer = client.get(f"/static/{file.relative_to(STATIC).as_posix()}")
        assert answer.content == file.read_bytes()
        assert answer.headers["cache-control"].startswith("public")
        assert "immutable" in answer.headers["cache-control"]


def test_text_is_compressed_for_those_who_accept_it(client_of: Callable[[Path], TestClient], static: Path) -> None:
    client = client_of(static)
    small = client.get("/static/js/a.1f.js", headers={"accept-encoding": "gzip"})
    plain = client.get("/static/js/a.1f.js", headers={"accept-encoding": "identity"})
    assert small.content == plain.content == SCRIPT  # the client decompresses
    assert int(small.headers["content-length"]) < len(SCRIPT) == int(plain.headers["content-length"])
    assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert small.headers["content-type"].startswith("text/javascript")
    font = client.get("/static/media/font.2e.woff2", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in font.headers
    assert font.headers["content-type"] == "font/woff2"


def test_whatever_is_no_such_file_goes_to_the_app(client_of: Callable[[Path], TestClient], static: Path) -> None:
    client = client_of(static)
    unknown = ("/", "/static/js/unknown.js", "/static/other/b.3d.js", "/static/js/%2e%2e/other/b.3d.js", "/js/a.1f.js")
    assert [client.get(address).text for address in unknown] == ["the app"] * len(unknown)
    assert client.post("/static/js/a.1f.js").text == "the app"
    (static / "js" / "a.1f.js").unlink()
    assert client.get("/static/js/a.1f.js").text == "the app"


def test_access_is_checked_before_a_file_is_given() -> None:
    client = TestClient(Starlette(middleware=middleware()), base_url="http://localhost")
    file = next((STATIC / "js").glob("*.js"))
    given = client.get(f"/static/js/{file.name}")
    assert given.status_code == 200
    assert given.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"/static/js/{file.name}", headers={"host": "rebind.example"}).status_code == 403
