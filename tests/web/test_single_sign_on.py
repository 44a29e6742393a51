"""Single sign-on: whom a provider vouches for is signed in, and nobody else, whatever browsers and providers bring."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey
from starlette.responses import Response
from starlette.testclient import TestClient

from bam_engine.errors import BamError
from bam_engine.team import Role, Team, configured_provider
from bam_engine.team import identity_provider as settings
from bam_engine.workspace import Workspace
from tests.web import team_site
from tests.web.identity_provider import CLIENT, SECRET, IdentityProvider, running
from tests.web.team_site import HERE, Site
from web import openid, people

PASSWORD = team_site.SECRET
COOKIE = "bam-sign-on"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with running() as found:
        yield found


def known_at(issuer: str) -> dict[str, str]:
    """The environment that names a provider."""
    return {settings.ISSUER: issuer, settings.CLIENT: CLIENT, settings.SECRET: SECRET, settings.NAME: "Uni"}


@pytest.fixture
def serve(workspace: Workspace, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Site]:
    def start(**environment: str) -> Site:
        return team_site.start(workspace, monkeypatch, **known_at(provider.issuer) | environment)

    return start


def go_there(browser: TestClient, path: str = "/sign-in/provider") -> str:
    """Follow the way to the provider, and return the address to which it sends the browser back."""
    leaving = browser.get(path)
    assert leaving.status_code == 303, leaving.text
    there = httpx2.get(leaving.headers["location"], follow_redirects=False)
    return str(there.headers["location"])


def come_back(browser: TestClient, address: str) -> Response:
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}")  # type: ignore[return-value]


def sign_in(browser: TestClient, path: str = "/sign-in/provider") -> Any:
    return come_back(browser, go_there(browser, path))


def who(browser: TestClient) -> str | None:
    people.forget()
    account = people.account_of(dict(browser.cookies))
    return None if account is None else account.name


def team_of(site: Site) -> Team:
    return site.workspace.team


def joined(site: Site, name: str = "Ada") -> TestClient:
    """A browser of somebody who has joined by the role of newcomers."""
    browser = site.client()
    assert sign_in(browser).headers["location"] == "/sign-in/name"
    assert browser.post("/sign-in/name", data={"name": name}).status_code == 303
    return browser


def test_a_newcomer_chooses_a_name_joins_in_the_role_of_newcomers_and_is_known_from_then_on(
    serve: Callable[..., Site], provider: IdentityProvider
) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    browser = site.client()
    back = sign_in(browser, "/sign-in/provider?next=/gallery")
    assert (back.status_code, back.headers["location"]) == (303, "/sign-in/name")
    page = browser.get("/sign-in/name").text
    assert "At Uni, you are ada@uni.example." in page
    assert 'value="ada"' in page
    assert "You join as an annotator." in page
    reply = browser.post("/sign-in/name", data={"name": "Ada"})
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert who(browser) == "Ada"
    account = team_of(site).accounts.get("Ada")
    assert account.role is Role.ANNOTATOR
    assert not team_of(site).accounts.has_password(account)

    again = site.client()
    assert sign_in(again, "/sign-in/provider?next=/gallery").headers["location"] == "/gallery"
    assert who(again) == "Ada"
    assert COOKIE not in again.cookies, "what was kept on the way is gone"
    refused = site.client().post("/sign-in", data={"name": "Ada", "password": ""})
    assert refused.status_code == 403, "no password signs them in"


def test_without_a_role_of_newcomers_an_owner_decides(serve: Callable[..., Site]) -> None:
    site = serve()
    browser = site.client()
    sign_in(browser)
    assert "An owner decides" in browser.get("/sign-in/name").text
    for note in ("I paint", "I paint a lot"):
        sign_in(browser)
        assert "Your request was sent" in browser.post("/sign-in/name", data={"name": "Ada", "note": note}).text
    assert who(browser) is None
    (request,) = team_of(site).requests.all()
    assert request.note == "I paint a lot", "a second request replaces the first"
    assert request.identity is not None
    assert request.identity.label == "ada@uni.example"
    team_of(site).requests.approve(request.id, Role.VIEWER)
    assert sign_in(site.client()).headers["location"] == "/"


def test_an_invitation_gives_its_role_to_whom_the_provider_vouches_for_once(serve: Callable[..., Site]) -> None:
    site = serve()
    token = team_of(site).invitations.invite(Role.REVIEWER)
    browser = site.client()
    page = browser.get(f"/join/{token}").text
    (address,) = re.findall(r'href="(/sign-in/provider\?[^"]+)"', page)
    sign_in(browser, address)
    assert "You join as a reviewer." in browser.get("/sign-in/name").text
    assert browser.post("/sign-in/name", data={"name": "Ada"}).status_code == 303
    assert team_of(site).accounts.get("Ada").role is Role.REVIEWER
    later = site.client()
    sign_in(later, address)  # the same person: signed in, whatever the invitation
    assert who(later) == "Ada"


def test_a_used_invitation_does_not_hold_for_a_second_person(
    serve: Callable[..., Site], provider: IdentityProvider
) -> None:
    site = serve(**{settings.ROLE: "viewer"})
    token = team_of(site).invitations.invite(Role.REVIEWER)
    browser = site.client()
    sign_in(browser, f"/sign-in/provider?invitation={token}")
    browser.post("/sign-in/name", data={"name": "Ada"})
    provider.person = {"sub": "18"}
    second = site.client()
    sign_in(second, f"/sign-in/provider?invitation={token}")
    assert second.get("/sign-in/name").status_code == 404
    assert second.post("/sign-in/name", data={"name": "Ben"}).status_code == 404
    assert team_of(site).accounts.find("Ben") is None


def test_nobody_takes_the_name_of_another_person(serve: Callable[..., Site], provider: IdentityProvider) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    browser = site.client()
    sign_in(browser)
    reply = browser.post("/sign-in/name", data={"name": "owner"})
    assert reply.status_code == 400
    assert "The name owner is taken." in reply.text
    assert browser.post("/sign-in/name", data={"name": "Ada"}).status_code == 303, "another name may be chosen"


def test_the_same_word_of_mail_of_another_person_signs_nobody_in(
    serve: Callable[..., Site], provider: IdentityProvider
) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    joined(site)
    provider.person = {"sub": "another", "email": "ada@uni.example", "email_verified": True}
    assert sign_in(site.client()).headers["location"] == "/sign-in/name"


def test_whoever_was_removed_comes_back_by_an_owner_alone(serve: Callable[..., Site]) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    browser = joined(site)
    team_of(site).accounts.remove(team_of(site).accounts.get("Ada").id)
    assert who(browser) is None
    back = site.client()
    assert sign_in(back).headers["location"] == "/sign-in/name"
    assert "An owner decides" in back.get("/sign-in/name").text
    back.post("/sign-in/name", data={"name": "Ada"})
    assert team_of(site).accounts.find("Ada") is None
    (request,) = team_of(site).requests.all()
    team_of(site).requests.approve(request.id, Role.ANNOTATOR)
    again = site.client()
    sign_in(again)
    assert who(again) == "Ada"


def test_an_account_is_connected_by_its_password_and_disconnected(serve: Callable[..., Site]) -> None:
    site = serve()
    browser = site.client(Role.REVIEWER)
    assert "Connect Uni" in browser.get("/sign-in/connect").text
    assert browser.post("/sign-in/connect", data={"password": "not the password"}).status_code == 403
    going = browser.post("/sign-in/connect", data={"password": PASSWORD})
    assert 'content="0; url=/sign-in/provider"' in going.text, "no form leads to another site"
    assert sign_in(browser).headers["location"] == "/people"
    account = site.accounts[Role.REVIEWER]
    assert [one.label for one in team_of(site).identities.of(account)] == ["ada@uni.example"]
    other = site.client()
    sign_in(other)
    assert who(other) == "Reviewer"
    team_of(site).identities.disconnect(account)
    assert who(other) is None, "they are signed out everywhere"
    back = site.client()
    assert sign_in(back).headers["location"] == "/sign-in/name"
    assert "An owner decides" in back.get("/sign-in/name").text


def test_an_identity_signs_in_one_account(serve: Callable[..., Site]) -> None:
    site = serve(**{settings.ROLE: "viewer"})
    joined(site)
    browser = site.client(Role.REVIEWER)
    browser.post("/sign-in/connect", data={"password": PASSWORD})
    reply = sign_in(browser)
    assert reply.status_code == 409
    assert "signs in the account of Ada already" in reply.text


def test_the_way_to_connect_is_for_whoever_is_signed_in_still(serve: Callable[..., Site]) -> None:
    site = serve()
    assert site.client().get("/sign-in/connect").status_code == 401
    browser = site.client(Role.REVIEWER)
    browser.post("/sign-in/connect", data={"password": PASSWORD})
    address = go_there(browser)
    browser.cookies.set(people.cookie_name(), site.tokens[Role.VIEWER])
    assert come_back(browser, address).status_code == 403
    for account in site.accounts.values():
        assert team_of(site).identities.of(account) == []


def test_the_last_way_in_is_not_taken_away(serve: Callable[..., Site]) -> None:
    site = serve(**{settings.ROLE: "viewer"})
    joined(site)
    ada = team_of(site).accounts.get("Ada")
    with pytest.raises(BamError, match="has no password"):
        team_of(site).identities.disconnect(ada)
    team_of(site).accounts.set_password(ada.id, PASSWORD)
    team_of(site).identities.disconnect(ada)
    assert team_of(site).identities.of(ada) == []


@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another server"},
        {"aud": ["another server"], "azp": CLIENT},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": int(time.time()) + 100_000},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
        {"sub": "x" * 256},
        {"sub": "1\x007"},
    ],
    ids=str,
)
def test_what_is_not_the_providers_word_about_this_browser_signs_nobody_in(
    serve: Callable[..., Site], provider: IdentityProvider, lies: dict[str, Any]
) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    joined(site)
    provider.lies = lies
    browser = site.client()
    reply = sign_in(browser)
    assert reply.status_code == 403, reply.text
    assert "You are not signed in" in reply.text
    assert who(browser) is None


def test_a_word_that_another_key_signed_signs_nobody_in(serve: Callable[..., Site], provider: IdentityProvider) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    joined(site)
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    browser = site.client()
    assert sign_in(browser).status_code == 403
    assert who(browser) is None


def test_a_refusal_is_shown_as_text(serve: Callable[..., Site], provider: IdentityProvider) -> None:
    provider.denies = True
    reply = sign_in(serve().client())
    assert reply.status_code == 403
    assert "not &lt;b&gt;today&lt;/b&gt;" in reply.text


def test_another_browser_cannot_use_what_this_one_brings_back(serve: Callable[..., Site]) -> None:
    site = serve(**{settings.ROLE: "annotator"})
    joined(site)
    mine, yours = site.client(), site.client()
    address = go_there(mine)
    assert come_back(yours, address).status_code == 400, "it never left"
    go_there(yours)
    assert come_back(yours, address).status_code == 403, "it left with another state"
    assert who(yours) is None
    assert come_back(mine, address).status_code == 303
    assert come_back(mine, address).status_code == 400, "it is good for once"


def test_words_that_came_with_another_answer_are_not_shown(serve: Callable[..., Site]) -> None:
    browser = serve().client()
    go_there(browser)
    reply = browser.get(f"{openid.BACK}?error=x&error_description=Send+your+password+to+evil.example&state=other")
    assert reply.status_code == 403
    assert "evil" not in reply.text


@pytest.mark.parametrize(
    ("told", "label"),
    [
        ({"email": "boss@uni.example", "preferred_username": "ada"}, "ada"),
        ({"email": "boss@uni.example", "email_verified": "true"}, "17"),
        ({"email": "ada@uni.example", "email_verified": True, "name": "Ada"}, "ada@uni.example"),
        ({"name": "A\u202eda\x00 L"}, "Ada L"),
        ({"name": "\u200b", "preferred_username": 5}, "17"),
    ],
    ids=str,
)
def test_people_are_recognised_by_mail_that_was_checked_or_by_what_they_call_themselves(
    serve: Callable[..., Site], provider: IdentityProvider, told: dict[str, Any], label: str
) -> None:
    provider.person = {"sub": "17", **told}
    site = serve()
    browser = site.client()
    sign_in(browser)
    browser.post("/sign-in/name", data={"name": "Ada"})
    (request,) = team_of(site).requests.all()
    assert request.identity is not None
    assert request.identity.label == label


def test_a_provider_that_said_nothing_once_is_asked_again(
    serve: Callable[..., Site], provider: IdentityProvider
) -> None:
    site = serve()
    provider.broken = True
    assert site.client().get("/sign-in/provider").status_code == 403
    provider.broken = False
    assert site.client().get("/sign-in/provider").status_code == 303


def test_the_secret_is_read_once(serve: Callable[..., Site], tmp_path: Any) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    site = serve(**{settings.SECRET_FILE: str(tmp_path / "secret")})
    (tmp_path / "secret").unlink()
    assert site.client().get("/sign-in").status_code == 200
    assert sign_in(site.client()).status_code == 303


@pytest.mark.parametrize("change", [lambda text: text[:-2], lambda text: "x" + text, lambda _: "x" * 9000])
def test_a_changed_cookie_is_none(serve: Callable[..., Site], change: Callable[[str], str]) -> None:
    browser = serve(**{settings.ROLE: "annotator"}).client()
    address = go_there(browser)
    kept = change(browser.cookies[COOKIE])
    browser.cookies.clear()
    browser.cookies.set(COOKIE, kept)
    assert come_back(browser, address).status_code == 400


def test_what_was_kept_on_the_way_does_not_pass_for_an_arrival(serve: Callable[..., Site]) -> None:
    browser = serve(**{settings.ROLE: "annotator"}).client()
    go_there(browser)
    assert browser.get("/sign-in/name").status_code == 400
    assert browser.post("/sign-in/name", data={"name": "Ada"}).status_code == 400


def test_a_way_of_too_many_minutes_begins_again(serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    browser = serve().client()
    address = go_there(browser)
    monkeypatch.setattr(openid, "MINUTES", -1)
    reply = come_back(browser, address)
    assert reply.status_code == 400
    assert "Start again." in browser.get("/sign-in/name").text


def test_the_provider_is_asked_with_a_state_a_nonce_and_a_challenge_and_leads_back_here(
    serve: Callable[..., Site], provider: IdentityProvider
) -> None:
    browser = serve().client()
    query = parse_qs(urlsplit(browser.get("/sign-in/provider").headers["location"]).query)
    assert query["redirect_uri"] == [f"{HERE}{openid.BACK}"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["response_type"] == ["code"]
    assert "openid" in query["scope"][0]
    again = parse_qs(urlsplit(browser.get("/sign-in/provider").headers["location"]).query)
    for name in ("state", "nonce", "code_challenge"):
        assert query[name] != again[name], name


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/nothing", "/\\evil.example"])
def test_nobody_is_led_elsewhere_after(serve: Callable[..., Site], wanted: str) -> None:
    site = serve(**{settings.ROLE: "viewer"})
    joined(site)
    browser = site.client()
    address = go_there(browser, f"/sign-in/provider?next={wanted}")
    assert come_back(browser, address).headers["location"] == "/"


def test_a_provider_that_does_not_answer_is_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as gone:
        issuer = gone.issuer
    reply = team_site.start(workspace, monkeypatch, **known_at(issuer)).client().get("/sign-in/provider")
    assert reply.status_code == 503
    assert "Uni does not answer." in reply.text


def test_a_provider_that_is_not_the_one_that_was_named_is_refused(
    serve: Callable[..., Site], provider: IdentityProvider
) -> None:
    site = serve(**{settings.ISSUER: f"{provider.issuer}/"})
    assert sign_in(site.client()).status_code == 403


UNI = {settings.ISSUER: "https://uni.example", settings.CLIENT: "bam"}


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({settings.ISSUER: "http://uni.example"}, "begins with https://"),
        ({settings.ISSUER: "uni.example"}, "begins with https://"),
        ({settings.ISSUER: "https://"}, "begins with https://"),
        ({settings.ISSUER: "https://[::1"}, "begins with https://"),
        ({settings.ISSUER: "https://uni.example"}, settings.CLIENT),
        (UNI, settings.SECRET),
        ({**UNI, settings.SECRET_FILE: "/no/file"}, "cannot be read"),
        ({**UNI, settings.SECRET: "x", settings.ROLE: "owner"}, "cannot be owner"),
        ({**UNI, settings.SECRET: "x", settings.ROLE: "boss"}, "boss"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_refused(
    environment: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BamError, match=problem):
        configured_provider()


def test_the_secret_may_be_in_a_file_and_the_name_is_the_providers_by_default(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("hidden\n", encoding="utf-8")
    monkeypatch.setenv(settings.ISSUER, "https://login.uni.example/realm")
    monkeypatch.setenv(settings.CLIENT, "bam")
    monkeypatch.setenv(settings.SECRET_FILE, str(tmp_path / "secret"))
    found = configured_provider()
    assert found is not None
    assert (found.name, found.client_secret, found.role) == ("login.uni.example", "hidden", None)


def test_a_server_without_a_provider_has_no_such_doors(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    site = team_site.start(workspace, monkeypatch)
    assert "provider" not in site.client().get("/sign-in").text
    for path in ("/sign-in/provider", openid.BACK, "/sign-in/name"):
        assert site.client().get(path).status_code == 404, path
