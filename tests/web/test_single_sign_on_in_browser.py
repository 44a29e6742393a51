"""Single sign-on in Chromium: to the provider and back, with nothing of the way refused by the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bam_engine.annotation import Attribute
from bam_engine.team import Role
from bam_engine.team import identity_provider as settings
from bam_engine.workspace import Workspace
from tests.browser import PATIENCE, ROOT, served, somebody
from tests.web.identity_provider import CLIENT, SECRET, IdentityProvider, running
from web import people

pytestmark = pytest.mark.timeout(900)

PASSWORD = "a blue door in June"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with running() as found:
        yield found


@pytest.fixture
def address(workspace: Workspace, watercolor: Attribute, provider: IdentityProvider, tmp_path: Path) -> Iterator[str]:
    """The URL of a team's server with an owner and a provider, whose newcomers are annotators."""
    workspace.team.accounts.add("Olga", Role.OWNER, PASSWORD)
    home = {
        "BAM_WORKSPACE": str(workspace.folder),
        "BAM_CACHE": str(workspace.cache.parent),
        people.TEAM: "1",
        settings.ISSUER: provider.issuer,
        settings.CLIENT: CLIENT,
        settings.SECRET: SECRET,
        settings.NAME: "the university",
        settings.ROLE: "annotator",
        "SERVER_LOG": str(tmp_path / "server.log"),
    }
    with served("app:app", ROOT, home) as url:
        yield url


def test_a_newcomer_joins_and_an_owner_connects_their_account(
    browser: Browser, address: str, provider: IdentityProvider, workspace: Workspace
) -> None:
    ada = somebody(browser, address)
    ada.goto("/gallery")
    ada.get_by_role("link", name="Sign in with the university").click()
    expect(ada.get_by_text("At the university, you are ada@uni.example.")).to_be_visible()
    ada.get_by_label("Name").fill("Ada")
    ada.get_by_role("button", name="Join").click()
    expect(ada.get_by_role("heading", name="Overview", exact=True)).to_be_visible(timeout=PATIENCE)
    ada.goto("/sign-out")
    ada.get_by_role("button", name="Sign out").click()
    ada.goto("/gallery")
    ada.get_by_role("link", name="Sign in with the university").click()
    expect(ada.get_by_role("heading", name="Gallery", exact=True)).to_be_visible(timeout=PATIENCE)
    ada.context.close()

    provider.person = {"sub": "18", "email": "olga@uni.example", "email_verified": True}
    olga = somebody(browser, address)
    olga.goto("/people")
    olga.get_by_label("Name").fill("Olga")
    olga.get_by_label("Password").fill(PASSWORD)
    olga.get_by_role("button", name="Sign in").click()
    olga.get_by_role("link", name="Sign in with the university from now on").click()
    olga.get_by_label("Password").fill(PASSWORD)
    olga.get_by_role("button", name="Connect").click()
    expect(olga.get_by_text("At the university, you are olga@uni.example")).to_be_visible(timeout=PATIENCE)
    account = workspace.team.accounts.get("Olga")
    assert [one.label for one in workspace.team.identities.of(account)] == ["olga@uni.example"]
    olga.context.close()
