"""The door: every route and page of the app, asked for without a session, with a false one, and with each role."""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.database import sessions
from bam_engine.team import Role
from bam_engine.team import identity_provider as settings
from bam_engine.workspace import Workspace
from tests.web import team_site
from tests.web.clients import run
from tests.web.team_site import HERE, SECRET, Site
from tests.web.test_access import ask, paths
from web import people
from web.access import HEADERS, content_policy
from web.door import SIGNED_OUT, Door
from web.navigation import GROUPS, groups
from web.routes.shell import inline_scripts
from web.routes.sign_in import address_of, safe_next
from web.rules import OPEN, PAGES, ROUTES, rule_of

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ANYBODY = {
    *("/sign-in", "/sign-out", "/join", "/join/x", "/_stcore/health"),
    *("/sign-in/provider", "/sign-in/provider/back", "/sign-in/name"),
}
NOBODY = {
    *("/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/agent/openapi.json", "/_stcore/agent/mcp"),
    *("/auth/login", "/auth/logout", "/oauth2callback"),
    *("/api", "/api/a/b", "/api/workspace", "/api/gallery", "/api/maps", "/api/selections", "/thumbs", "/large"),
    *("/thumbs/a/b", "/large/a/b", "/modules", "/tiles", "/api/bam-file", "/sign-in/a/b"),
}
"""Addresses of routes that no role gets: what the app does not use, and what answers 404 anyway."""

FORGED = {
    "remote-user": "Owner",
    "x-remote-user": "Owner",
    "x-forwarded-user": "Owner",
    "x-forwarded-for": "127.0.0.1",
    "x-real-ip": "127.0.0.1",
    "forwarded": "for=127.0.0.1;host=localhost",
    "x-forwarded-prefix": "/sign-in",
    "x-original-url": "/sign-in",
    "x-rewrite-url": "/sign-in",
    "x-http-method-override": "GET",
    "authorization": "Basic T3duZXI6T3duZXI=",
    "cookie": "bam-annotator=Owner",
}


@pytest.fixture
def site(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Site:
    provider = {
        settings.ISSUER: "http://127.0.0.1:1",
        settings.CLIENT: "bam",
        settings.SECRET: "x",
    }
    return team_site.start(workspace, monkeypatch, **provider)


def every_address(site: Site) -> list[str]:
    """An address of each route, each page, and some that do not exist."""
    pages = [f"/{name}" for names in groups().values() for name in names]
    return list(dict.fromkeys([*paths(site.app, of_sockets=False), *pages, "/", "/nothing", "/nothing/below"]))


def expired(site: Site) -> str:
    token = site.workspace.team.sessions.begin(site.accounts[Role.OWNER])
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="microseconds")
    with site.workspace.engine.begin() as connection:
        newest = sa.select(sa.func.max(sessions.c.id)).scalar_subquery()
        connection.execute(sa.update(sessions).where(sessions.c.id == newest).values(expires_at=past))
    return token


def ended(site: Site) -> str:
    token = site.workspace.team.sessions.begin(site.accounts[Role.OWNER])
    site.workspace.team.sessions.end(token)
    return token


def tampered(site: Site) -> str:
    token = site.tokens[Role.OWNER]
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def digest(site: Site) -> str:
    from bam_engine.team.tokens import digest_of

    return digest_of(site.tokens[Role.OWNER])


FALSE_TOKENS: list[Callable[[Site], str]] = [expired, ended, tampered, digest]


def test_the_routes_are_those_of_the_whole_app(site: Site) -> None:
    found = every_address(site)
    assert {"/sign-in", "/media/a/b", "/_stcore/upload_file/x/x", "/thumbs/0.webp", "/people", "/gallery"} <= set(found)
    assert len(found) > 50
    assert paths(site.app, of_sockets=True) == ["/_stcore/stream"]


def test_no_route_and_no_page_answers_without_a_session_or_with_a_false_one(site: Site) -> None:
    false = [{}, FORGED, *({"cookie": f"{people.cookie_name()}={token(site)}"} for token in FALSE_TOKENS)]

    async def play() -> None:
        for path in every_address(site):
            for headers in false:
                for method in METHODS:
                    reply = await ask(site.app, method, path, **headers)
                    about = f"{method} {path} with {headers}: {reply.status}"
                    if path in ANYBODY and rule_of({"type": "http", "method": method, "path": path}) is OPEN:
                        continue
                    page = path[1:] in PAGES and method in ("GET", "HEAD")
                    assert reply.status == (303 if page else 401), about
                    assert not page or reply.headers["location"].startswith("/sign-in?next=%2F"), about
                    assert reply.headers.get("set-cookie") is None, about
                    assert all(reply.headers.getlist(name) == [value] for name, value in HEADERS.items()), about

    run(play)


def test_what_anybody_gets_is_the_doors_and_the_sign_of_life(site: Site) -> None:
    open_ = {path for path in every_address(site) for method in METHODS if rule(method, path) is OPEN}
    assert open_ == ANYBODY
    assert site.client().get("/_stcore/health").status_code == 503, "it answers, and no runtime was started"


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_the_table_says_and_nothing_else(site: Site, role: Role) -> None:
    cookie = f"{people.cookie_name()}={site.tokens[role]}"

    async def play() -> None:
        for path in every_address(site):
            for method in METHODS:
                least = rule(method, path)
                if least is OPEN:
                    continue
                reply = await ask(site.app, method, path, cookie=cookie)
                about = f"{method} {path} by {role}: {reply.status}"
                if least is None:
                    assert reply.status == 404, about
                elif isinstance(least, Role) and role < least:
                    assert reply.status == 403, about
                else:
                    of_streamlit = path.startswith("/_stcore/upload_file/")  # its own token is missing
                    assert reply.status not in (303, 401), about
                    assert reply.status != 403 or of_streamlit, about

    run(play)


def rule(method: str, path: str) -> object:
    return rule_of({"type": "http", "method": method, "path": path})


def test_the_table_names_every_page_and_every_route_that_somebody_gets(site: Site) -> None:
    assert set(PAGES) == {"", *(name for names in groups().values() for name in names)}
    closed = {path for path in every_address(site) if all(rule(method, path) is None for method in METHODS)}
    assert closed - {"/nothing", "/nothing/below"} == NOBODY
    patterns = [re.compile(address) for _, address, _ in ROUTES]
    extra = ["/favicon.png", "/manifest.json", "/static/js/a.js", "/_stcore/stream", "/join/x"]
    for pattern in patterns:
        assert any(pattern.fullmatch(path) for path in [*every_address(site), *extra]), (
            f"{pattern.pattern} is of no route"
        )


@pytest.mark.parametrize(
    ("least", "addresses"),
    [
        (
            Role.ANNOTATOR,
            ["POST /api/assignments/x/answers", "POST /api/attributes/0/images/0/answer", "GET /annotate"],
        ),
        (
            Role.REVIEWER,
            ["GET /attributes", "GET /rounds", "GET /threshold", "GET /audit", "GET /export", "GET /annotators"],
        ),
        (Role.OWNER, ["GET /images", "GET /embed"]),
    ],
)
def test_what_matters_most_is_in_the_table(site: Site, least: Role, addresses: list[str]) -> None:
    assert [rule(*address.split()) for address in addresses] == [least] * len(addresses)


TRICKS = (
    *(
        "//sign-in",
        "/sign-in/",
        "/sign-in/..",
        "/sign-in/../gallery",
        "/sign-in/..%2fgallery",
        "/sign-in%00",
        "/sign-in\n",
    ),
    *(
        "/SIGN-IN",
        "/Sign-In",
        "/sign-in;x",
        "/sign-in?x",
        "/sign-in#x",
        "sign-in",
        "/./sign-in",
        "\\sign-in",
        "/\\sign-in",
    ),
    *("/join/../gallery", "/join/..", "/join/a/b", "/join/a/../../gallery", "/join/%2e%2e", "/join//", "/join/\x00"),
    *("/_stcore/health/", "//_stcore/health", "/_stcore/health/../stream", "/_stcore/health%2f..%2fstream"),
    *(
        "/gallery/_stcore/health",
        "/_STCORE/health",
        "/_stcore//health",
        "/thumbs/0.webp/../../sign-in",
        "/thumbs//0.webp",
    ),
    *("//thumbs/0.webp", "/Thumbs/0.webp", "/./thumbs/0.webp", "/media/../sign-in", "/static/../../../../etc/passwd"),
    *(
        "",
        "*",
        "http://localhost:8501/sign-in",
        "//localhost/sign-in",
        "/sign-in\u2025",
        "/ſign-in",
        "/sign-in ",
        " /sign-in",
    ),
)


def test_no_spelling_of_an_open_address_opens_anything_else(site: Site) -> None:
    async def play() -> None:
        for path, method in itertools.product(TRICKS, ("GET", "POST", "HEAD")):
            reply = await ask(site.app, method, path, **FORGED)
            assert reply.status in (401, 404, 400), f"{method} {path!r}: {reply.status}"
            if reply.status != 401:
                assert reply.headers.get("content-type", "").startswith(("text/html", "text/plain"))

    run(play)


def test_a_prefix_of_a_proxy_opens_nothing(site: Site) -> None:
    assert rule_of({"type": "http", "method": "GET", "path": "/x/sign-in", "root_path": "/x"}) is None
    assert rule_of({"type": "http", "method": "GET", "path": "/sign-in", "root_path": "/x"}) is None


# WebSockets


def test_no_websocket_opens_without_a_session(site: Site) -> None:
    for token in ("", *(false(site) for false in FALSE_TOKENS)):
        client = site.client(token=token)
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
            pass


def test_no_websocket_of_another_site_opens_with_the_cookie(site: Site) -> None:
    client = site.client(Role.OWNER)
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_stcore/stream", headers={"origin": "https://elsewhere.example"}),
    ):
        pass


@pytest.mark.parametrize("how", ["signed out", "signed out everywhere", "another role", "another password", "removed"])
def test_an_open_websocket_whose_session_has_ended_runs_nothing_more(site: Site, how: str) -> None:
    team, account, token = site.workspace.team, site.accounts[Role.REVIEWER], site.tokens[Role.REVIEWER]
    received: list[bytes] = []

    async def app(scope: object, receive: Callable[..., object], send: Callable[..., object]) -> None:
        await receive()  # type: ignore[misc]
        await send({"type": "websocket.accept"})  # type: ignore[misc]
        while (message := await receive())["type"] == "websocket.receive":  # type: ignore[misc, index]
            received.append(message["bytes"])  # type: ignore[index]
            await send({"type": "websocket.send", "bytes": b"ran"})  # type: ignore[misc]
        await send({"type": "websocket.send", "bytes": b"late"})  # type: ignore[misc]

    client = TestClient(Door(app), base_url=HERE, cookies=dict(site.cookie(Role.REVIEWER)))  # type: ignore[arg-type]
    with client.websocket_connect("/_stcore/stream") as socket:
        socket.send_bytes(b"before")
        assert socket.receive_bytes() == b"ran"
        if how == "signed out":
            team.sessions.end(token)
        elif how == "signed out everywhere":
            team.sessions.end_all(account)
        elif how == "another role":
            team.accounts.set_role(account.id, Role.VIEWER)
        elif how == "another password":
            team.accounts.set_password(account.id, SECRET + "!")
        else:
            team.accounts.remove(account.id)
        people.forget()
        socket.send_bytes(b"after")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert (closed.value.code, received) == (SIGNED_OUT, [b"before"])


@pytest.mark.parametrize("whose", ["their own", "another person's", "of a former role", "an unknown one"])
def test_pages_are_resumed_by_whom_they_were_drawn_for_alone(site: Site, whose: str) -> None:
    asked: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(Headers(scope=scope)["sec-websocket-protocol"])
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        await send({"type": "websocket.close"})

    drawn = site.accounts[Role.OWNER if whose == "another person's" else Role.VIEWER]
    if whose != "an unknown one":
        people.draws(whose, replace(drawn, role=Role.OWNER) if whose == "of a former role" else drawn)
    client = TestClient(Door(app), base_url=HERE, cookies=dict(site.cookie(Role.VIEWER)))
    with client.websocket_connect("/_stcore/stream", subprotocols=["streamlit", "x", whose]):
        pass
    parts = [part.strip() for part in asked[0].split(",")]
    assert parts == (["streamlit", "x", whose] if whose == "their own" else ["streamlit", "x"])


def test_what_another_process_ends_is_noticed_within_a_second(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client(Role.VIEWER)
    assert client.get("/gallery").status_code == 200
    site.workspace.team.sessions.end(site.tokens[Role.VIEWER])
    monkeypatch.setattr(people, "FRESH", 0.0)
    assert client.get("/gallery").status_code == 303


# Answers


def test_nobody_answers_what_was_given_to_another_person(site: Site) -> None:
    attribute = site.workspace.attributes.add("kite", "own", "Is there a kite?")
    assignment = site.workspace.annotations.assign(
        attribute.id, site.accounts[Role.ANNOTATOR].annotator_id, [0, 1], purpose="round", source_id=1
    )
    address = f"/api/assignments/{assignment.id}/answers"
    body = {"answers": [{"uid": "one", "row": 0, "answer": 1}]}
    refused = site.client(Role.OWNER).post(address, json=body)
    assert (refused.status_code, "another person" in refused.json()["error"]) == (403, True)
    assert site.workspace.annotations.answered_rows(assignment.id) == {}
    assert site.client(Role.ANNOTATOR).post(address, json=body).json() == {"new": 1, "repeated": 0}


def test_a_direct_answer_is_that_of_whoever_is_signed_in(site: Site, watercolor: Attribute) -> None:
    body = {"answer": 1, "annotator": "Owner", "seen": ""}
    address = f"/api/attributes/{watercolor.id}/images/3/answer"
    assert site.client(Role.ANNOTATOR).post(address, json=body).status_code == 200
    (answer,) = site.workspace.annotations.image_annotations(watercolor.id, 3)
    assert answer.annotator == "Annotator"


def test_pictures_are_kept_by_the_browser_alone(site: Site) -> None:
    client = site.client(Role.VIEWER)
    version = site.workspace.picture_version
    for address in (f"/thumbs/0.webp?v={version}", "/thumbs/0.webp", "/gallery", "/guide"):
        reply = client.get(address)
        words = reply.headers["cache-control"].split(", ")
        assert reply.status_code == 200
        assert {"private", "no-store"} & set(words), f"{address}: {words}"
        assert "public" not in words, f"{address}: {words}"


# Signing in


def sign_in(site: Site, name: str = "Owner", password: str = SECRET, **options: str) -> object:
    client = site.client(base_url=options.pop("base_url", HERE))
    return client.post("/sign-in", data={"name": name, "password": password, **options})


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(site: Site) -> None:
    reply = sign_in(site, next="/gallery?attribute=kite")
    assert (reply.status_code, reply.headers["location"]) == (303, "/gallery?attribute=kite")
    cookie = reply.headers["set-cookie"].lower()
    assert cookie.startswith("bam-session=")
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie
    assert "secure" not in cookie, "localhost has no TLS"
    assert reply.headers["cache-control"] == "no-store"


def test_by_tls_the_cookie_is_secure_and_of_this_host_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(people.BEHIND_PROXY, "1")
    cookie = sign_in(site).headers["set-cookie"]
    assert cookie.startswith("__Host-bam-session=")
    assert {"Secure", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    plain = site.client()
    plain.cookies.set("bam-session", site.tokens[Role.OWNER])
    assert plain.get("/gallery").status_code == 303, "a cookie that another site may have set counts for nothing"


def test_a_token_that_a_stranger_has_planted_is_not_the_one_of_the_session(site: Site) -> None:
    client = site.client(token="planted")
    reply = client.post("/sign-in", data={"name": "Owner", "password": SECRET})
    assert reply.status_code == 303
    assert "planted" not in reply.headers["set-cookie"]
    assert site.workspace.team.sessions.account("planted") is None


def test_each_sign_in_has_a_token_of_its_own_and_ends_the_one_before(site: Site) -> None:
    client = site.client(Role.VIEWER)
    reply = client.post("/sign-in", data={"name": "Owner", "password": SECRET})
    assert site.workspace.team.sessions.account(site.tokens[Role.VIEWER]) is None
    token = Headers(raw=[(b"cookie", reply.headers["set-cookie"].encode())])["cookie"].split(";")[0].partition("=")[2]
    assert site.workspace.team.sessions.account(token) == site.accounts[Role.OWNER]


def test_what_is_wrong_is_said_in_the_same_words_and_shown_as_text(site: Site) -> None:
    for name in ("Owner", "Nobody", "", "<script>alert(1)</script>", "' OR 1=1; --", "x" * 5000):
        reply = sign_in(site, name, "a wrong password")
        assert reply.status_code == 403, name
        assert "The name or the password is wrong." in reply.text, name
        assert "<script" not in reply.text, name
        assert "set-cookie" not in reply.headers, name


def test_a_password_of_a_megabyte_is_refused_before_it_is_read_to_its_end(site: Site) -> None:
    assert sign_in(site, password="x" * 1_000_000).status_code == 413


def test_only_forms_are_read(site: Site) -> None:
    client = site.client()
    assert client.post("/sign-in", json={"name": "Owner", "password": SECRET}).status_code == 415
    many = {f"field{number}": "x" for number in range(50)}
    assert client.post("/sign-in", data=many).status_code == 400


def test_forms_of_other_sites_do_nothing(site: Site) -> None:
    client = site.client(Role.OWNER)
    client.headers["origin"] = "https://elsewhere.example"
    for address in ("/sign-in", "/sign-out", "/join"):
        assert client.post(address, data={"name": "Owner", "password": SECRET}).status_code == 403
    assert site.workspace.team.sessions.account(site.tokens[Role.OWNER]) == site.accounts[Role.OWNER]


def test_following_a_link_signs_nobody_out(site: Site) -> None:
    client = site.client(Role.OWNER)
    assert "Sign out" in client.get("/sign-out").text
    assert client.get("/gallery").status_code == 200
    reply = client.post("/sign-out", headers={"content-type": "application/x-www-form-urlencoded"})
    assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")
    assert "max-age=0" in reply.headers["set-cookie"].lower()
    assert site.client(Role.OWNER).get("/gallery").status_code == 303


ELSEWHERE = (
    *("https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "\\\\elsewhere.example"),
    *(
        "javascript:alert(1)",
        "/sign-out",
        "/nothing",
        "/gallery/../x",
        "/gallery\r\nSet-Cookie: a=b",
        "/gallery ?x",
    ),
    *("", "gallery", "/%2f/elsewhere.example", "/.elsewhere.example", "/gallery?x=\\", "/@elsewhere.example"),
    *("/\tgallery", "http:gallery", "/gallery?\n", "///elsewhere.example", "/ſ"),
)


def test_the_way_after_the_sign_in_leads_to_pages_of_this_server_alone(site: Site) -> None:
    for wanted in ELSEWHERE:
        assert safe_next(wanted) == "/", wanted
        assert sign_in(site, next=wanted).headers["location"] == "/", wanted


def test_the_way_leads_back_to_the_page_that_was_asked_for(site: Site) -> None:
    asked = site.client().get("/gallery?attribute=media_watercolor&search=a%20dog")
    assert asked.status_code == 303
    page = site.client().get(asked.headers["location"])
    (wanted,) = re.findall(r'name="next" value="([^"]*)"', page.text)
    assert wanted.replace("&amp;", "&") == "/gallery?attribute=media_watercolor&search=a%20dog"
    assert sign_in(site, next=wanted.replace("&amp;", "&")).headers["location"] == wanted.replace("&amp;", "&")


def test_whoever_guesses_is_slowed_down_and_whoever_knows_elsewhere_is_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(people.BEHIND_PROXY, "1")

    def attempt(password: str, forwarded: str) -> int:
        form = {"name": "Owner", "password": password}
        return site.client().post("/sign-in", data=form, headers={"x-forwarded-for": forwarded}).status_code

    guesses = [attempt("a wrong password", f"198.51.100.{number}, 203.0.113.9") for number in range(8)]
    assert guesses[:5] == [403] * 5
    assert guesses[5:] == [429] * 3, "what the stranger's own header says does not count"
    assert attempt(SECRET, "203.0.113.9") == 429
    assert attempt(SECRET, "192.0.2.1") == 303


def test_without_a_proxy_nobody_chooses_their_own_address(site: Site) -> None:
    def attempt(number: int) -> int:
        form = {"name": "Owner", "password": "a wrong password"}
        return site.client().post("/sign-in", data=form, headers={"x-forwarded-for": f"203.0.113.{number}"}).status_code

    assert [attempt(number) for number in range(7)][5:] == [429, 429]


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([], "192.0.2.1"),
        ([("x-forwarded-for", "203.0.113.9")], "203.0.113.9"),
        ([("x-forwarded-for", "10.0.0.1, 203.0.113.9")], "203.0.113.9"),
        ([("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
        ([("x-forwarded-for", "nonsense")], "192.0.2.1"),
    ],
)
def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_wrote_last(
    monkeypatch: pytest.MonkeyPatch, headers: list[tuple[str, str]], address: str
) -> None:
    from starlette.requests import HTTPConnection

    raw = [(name.encode(), value.encode()) for name, value in headers]
    connection = HTTPConnection({"type": "http", "headers": raw, "client": ("192.0.2.1", 1)})
    assert address_of(connection) == "192.0.2.1"
    monkeypatch.setenv(people.BEHIND_PROXY, "1")
    assert address_of(connection) == address


# Joining


def test_an_invitation_makes_an_account_and_signs_in_once(site: Site) -> None:
    token = site.workspace.team.invitations.invite(Role.REVIEWER)
    client = site.client()
    assert "You are invited as a reviewer" in client.get(f"/join/{token}").text
    form = {"name": "Rita", "password": SECRET, "again": SECRET}
    assert "not the same" in client.post(f"/join/{token}", data={**form, "again": "x"}).text
    reply = client.post(f"/join/{token}", data=form)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert client.get("/rounds").status_code == 200
    again = site.client().post(f"/join/{token}", data={**form, "name": "Rolf"})
    assert (again.status_code, "was used" in again.text) == (404, True)
    assert [one.name for one in site.workspace.team.accounts.all()][-1] == "Rita"


def test_an_unknown_invitation_says_nothing(site: Site) -> None:
    reply = site.client().get("/join/nothing")
    assert (reply.status_code, "expired, was used or was revoked" in reply.text) == (404, True)


def test_whoever_asks_to_join_waits_and_learns_no_names(site: Site) -> None:
    pages = set()
    for name in ("Bert", "Owner"):
        form = {"name": name, "password": SECRET, "again": SECRET, "note": "<b>hello</b>"}
        reply = site.client().post("/join", data=form)
        assert reply.status_code == 200
        pages.add(reply.text)
    assert len(pages) == 1
    assert "Your request was sent" in pages.pop()
    assert [one.name for one in site.workspace.team.requests.all()] == ["Bert", "Owner"]
    assert sign_in(site, "Bert").status_code == 403
    assert [site.client().post("/join", data=form).status_code for _ in range(5)][-1] == 429


def test_pages_of_the_door_work_without_scripts_and_load_nothing(site: Site) -> None:
    token = site.workspace.team.invitations.invite(Role.VIEWER)
    for address in ("/sign-in", "/join", f"/join/{token}", "/join/nothing"):
        page = site.client().get(address)
        assert "<script" not in page.text
        assert not re.search(r'(src|href)="(?!/|data:,)', page.text)
        assert page.headers["content-security-policy"] == content_policy(inline_scripts())
        assert page.headers["cache-control"] == "no-store"


def test_without_accounts_the_sign_in_says_how_to_make_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = team_site.start(workspace, monkeypatch)
    for role in (Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER):
        site.workspace.team.accounts.remove(site.accounts[role].id)
    monkeypatch.setattr("bam_engine.team.accounts.Accounts.exist", lambda _: False)
    assert "bam user add NAME --role owner" in site.client().get("/sign-in").text


# One person


def test_a_server_for_one_person_has_no_door(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from web.door import door_middleware
    from web.routes.sign_in import sign_in_routes

    monkeypatch.delenv(people.TEAM, raising=False)
    assert door_middleware() == []
    assert sign_in_routes(lambda: workspace) == []
    assert groups() == GROUPS
    assert people.person() is None
    assert all(people.may(role) for role in Role)


def test_stored_answers_need_no_person_there(workspace: Workspace, watercolor: Attribute) -> None:
    store = workspace.annotations
    assignment = store.assign(watercolor.id, store.annotator("anna"), [0], purpose="round", source_id=1)
    assert store.record(assignment.id, [NewAnswer("one", 0, 1)]).new == 1
