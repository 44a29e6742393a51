"""Who may use the server: every route of the app, asked for by another name, from another site, within a frame."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.runtime import Runtime

from tests.web.clients import run
from web.access import ALLOWED_HOSTS, HEADERS, Access, HostCheck, access_middleware, check_origin, content_policy
from web.routes.shell import inline_scripts, page_with_shell

INERT = ("application/json", "font/", "image/png", "image/webp", "text/css", "text/javascript")
POLICY = content_policy(inline_scripts())
HERE = "http://localhost:8501"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
FRAMED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
_VALUES = {"int": "0", "number": "0", "path": "a/b"}


@pytest.fixture
def whole_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starlette:
    """The whole app, with the routes of Streamlit, of a workspace that is empty."""
    import app

    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Runtime, "_instance", None)
    monkeypatch.setattr(app.app, "_runtime", None)
    return app.app._build_starlette_app()


def addresses(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, bool]]:
    """Yield an address below each route, and whether it is a WebSocket's."""
    for route in routes:
        if isinstance(route, Mount):
            yield f"{before}{route.path}/", False
            yield from addresses(route.routes or [], before + route.path)
        else:
            assert isinstance(route, Route | WebSocketRoute), f"a route of an unknown kind: {route}"
            path = re.sub(r"{\w+:?(\w*)}", lambda found: _VALUES.get(found[1], "x"), route.path)
            yield before + path, isinstance(route, WebSocketRoute)


def paths(app: Starlette, *, of_sockets: bool) -> list[str]:
    found = [path for path, is_socket in addresses(app.routes) if is_socket == of_sockets]
    assert found
    return found


def client(app: Starlette, base_url: str = HERE) -> TestClient:
    return TestClient(app, base_url=base_url, raise_server_exceptions=False)


@dataclass
class Reply:
    """What an app sends back."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)

    @property
    def guarded(self) -> bool:
        """Whether it has, once, each header that keeps other sites from showing or reading it."""
        inert = self.headers.get("content-type", "").startswith(INERT)
        wanted = {**HEADERS, "Content-Security-Policy": POLICY} if not inert else HEADERS
        return all(self.headers.getlist(name) == [value] for name, value in wanted.items())


async def ask(app: Starlette, method: str, path: str, **headers: str) -> Reply:
    """Send a request without a body, as a page of the app does unless ``headers`` differ; ``_`` stands for ``-``."""
    reply = Reply()
    sent = {"host": "localhost:8501", "origin": HERE} | {name.replace("_", "-"): text for name, text in headers.items()}
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "root_path": "", "scheme": "http"}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8501)}
    scope |= {"headers": [(name.encode(), text.encode()) for name, text in sent.items()]}

    body = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, object]:
        return next(body, None) or await anyio.sleep_forever()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status, reply.headers = message["status"], Headers(raw=message["headers"])

    with contextlib.suppress(Exception):  # raised after the response
        await app(scope, receive, send)
    return reply


def test_no_route_answers_to_another_name_to_another_site_or_in_a_frame(whole_app: Starlette) -> None:
    framed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}
    foreign = ("https://elsewhere.example", "null", "http://localhost:3000", "https://localhost.example")

    async def play() -> None:
        for path in paths(whole_app, of_sockets=False):
            asked = [(method, {"host": "rebind.example"}) for method in ("GET", "HEAD", "OPTIONS", *WRITES)]
            asked += [(method, framed) for method in ("GET", "HEAD", *WRITES)]
            asked += [(method, {"origin": origin}) for method in WRITES for origin in foreign]
            for method, headers in asked:
                reply = await ask(whole_app, method, path, **headers)
                assert (reply.status, reply.guarded) == (403, True), f"{method} {path} with {headers}"

    run(play)


def test_every_response_says_that_it_is_not_to_be_framed_or_read_elsewhere(whole_app: Starlette) -> None:
    async def play() -> None:
        for path in paths(whole_app, of_sockets=False):
            for method in ("GET", "POST", "OPTIONS"):
                reply = await ask(whole_app, method, path)
                assert reply.guarded, f"{method} {path}: {reply}"
                assert reply.headers.get("access-control-allow-origin", HERE) == HERE, f"{method} {path}"

    run(play)


@pytest.mark.parametrize("headers", [{"Host": "rebind.example"}, {"Origin": "https://elsewhere.example"}, FRAMED])
def test_no_websocket_opens_by_another_name_or_from_another_site(whole_app: Starlette, headers: dict[str, str]) -> None:
    for path in paths(whole_app, of_sockets=True):
        with pytest.raises(WebSocketDisconnect), client(whole_app).websocket_connect(path, headers=headers):
            pass


# The rules, one by one, on a small app


async def _hello(request: Request) -> Response:
    if request.query_params:
        raise RuntimeError("secret")
    return PlainTextResponse("hello")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


ROUTES = [Route("/", _hello, methods=["GET", "POST"]), WebSocketRoute("/socket", _socket)]


@pytest.fixture
def small() -> Starlette:
    return Starlette(routes=ROUTES, middleware=access_middleware([]))


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8501", "localhost.", "bam.localhost:1", "127.0.0.1:8501", "[::1]:8501", "192.168.1.20"],
)
def test_the_names_of_this_computer_and_addresses_are_answered_by_page_write_and_websocket(
    small: Starlette, host: str
) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert client(small).get("/", headers={"Host": host}).text == "hello"
    assert client(small).post("/", headers=headers).text == "hello"
    with client(small).websocket_connect("/socket", headers=headers) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize(
    "host",
    ["", "rebind.example", "localhost.example", "127.0.0.1.example", "a@localhost", "localhost/x", "ö", "[x]"],
)
def test_other_names_are_refused(small: Starlette, host: str) -> None:
    assert client(small).get("/", headers={"Host": host.encode()}).status_code == 403


def test_the_refusal_says_how_to_allow_the_name_and_then_it_is_answered(
    small: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = client(small, "http://Labels.example:8501").get("/")
    assert "--allow-host labels.example" in refused.text
    assert ALLOWED_HOSTS in refused.text
    monkeypatch.setenv(ALLOWED_HOSTS, "other.example, labels.Example")
    assert client(small, "http://labels.example:8501").get("/").text == "hello"
    assert client(small, "http://sub.labels.example:8501").get("/").status_code == 403


def test_the_name_that_the_server_listens_on_is_its_own(small: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.get_option", {"server.address": "workstation"}.get)
    assert client(small, "http://workstation:8501").get("/").text == "hello"


def test_a_proxy_may_take_off_the_encryption_and_has_to_hand_on_the_host(
    small: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALLOWED_HOSTS, "labels.example")
    behind = client(small, "http://labels.example")
    for origin in ("https://labels.example", "http://labels.example:80", "https://LABELS.example:443"):
        assert behind.post("/", headers={"Origin": origin}).text == "hello", origin
    refused = client(small).post("/", headers={"Origin": "https://labels.example"})
    assert refused.status_code == 403
    assert "hand on the Host header" in refused.text


def test_a_program_without_pages_may_write(small: Starlette) -> None:
    assert client(small).post("/").text == "hello"


def test_a_link_on_another_site_may_be_followed_and_nothing_embedded(small: Starlette) -> None:
    link = FRAMED | {"Sec-Fetch-Dest": "document"}
    assert client(small).get("/", headers=link).text == "hello"
    assert client(small).post("/", headers=link).status_code == 403
    for kind in ("iframe", "frame", "embed", "object", "image", "script", "empty"):
        for site in ("cross-site", "same-site"):
            embedded = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": kind}
            assert client(small).get("/", headers=embedded).status_code == 403, (kind, site)


def test_a_defect_is_guarded_too_and_says_nothing_of_itself(small: Starlette) -> None:
    failed = client(small).get("/?fail=1")
    assert failed.status_code == 500
    assert "secret" not in failed.text
    assert failed.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("kind", "has_policy"),
    [
        ("text/html; charset=utf-8", True),
        ("text/plain", True),
        ("image/svg+xml", True),
        ("application/pdf", True),
        ("image/webp", False),
        ("text/javascript; charset=utf-8", False),
        ("application/json", False),
    ],
)
def test_what_can_run_something_has_the_policy_and_what_is_loaded_by_the_hundred_has_not(
    kind: str, has_policy: bool
) -> None:
    async def answer(_: Request) -> Response:
        return Response(b"", media_type=kind)

    app = Starlette(routes=[Route("/", answer)], middleware=access_middleware([]))
    headers = client(app).get("/").headers
    assert (headers["X-Frame-Options"], "Content-Security-Policy" in headers) == ("DENY", has_policy)


def test_another_check_can_stand_beside_the_others() -> None:
    def signed_in(connection: Request) -> Response | None:
        return None if "session" in connection.cookies else PlainTextResponse("Sign in.", 401)

    checks = (HostCheck(set), check_origin, signed_in)
    app = Starlette(routes=ROUTES, middleware=[Middleware(Access, checks=checks, headers=HEADERS, policy="")])
    assert client(app).get("/").status_code == 401
    assert client(app).get("/", headers={"Cookie": "session=1"}).text == "hello"
    with pytest.raises(WebSocketDisconnect), client(app).websocket_connect("/socket"):
        pass


def test_the_policy_names_every_script_within_the_page() -> None:
    page = page_with_shell(Path(__import__("streamlit").__file__).parent / "static").decode()
    assert len(re.findall(r"<script(?![^>]*src=)", page)) == len(inline_scripts())
