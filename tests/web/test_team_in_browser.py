"""A team in Chromium: an owner invites a person, who joins, signs in and annotates; the owner sees the answers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bam_engine.annotation import Attribute
from bam_engine.team import Role
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from tests.browser import PATIENCE, ROOT, served, somebody
from tests.end_to_end.grid import submit
from web import people

pytestmark = pytest.mark.timeout(1800)

SECRET, ANNAS = "a blue door in June", "four green chairs in May"
IMAGES = 6


@pytest.fixture
def address(workspace: Workspace, watercolor: Attribute, tmp_path: Path) -> Iterator[str]:
    """The URL of a team's server with an owner and a sample that waits for answers."""
    validation.draw_validation(workspace, watercolor, IMAGES, seed=1)
    workspace.team.accounts.add("Olga", Role.OWNER, SECRET)
    home = {
        "BAM_WORKSPACE": str(workspace.folder),
        "BAM_CACHE": str(workspace.cache.parent),
        people.TEAM: "1",
        "SERVER_LOG": str(tmp_path / "server.log"),
    }
    with served("app:app", ROOT, home) as url:
        yield url


def fill(page: Page, **fields: str) -> None:
    """Fill a form of the door and send it."""
    for name, value in fields.items():
        page.locator(f"input[name={name}]").fill(value)
    page.get_by_role("button").click()


def head(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=PATIENCE)


def test_a_person_is_invited_joins_annotates_and_the_owner_sees_the_answers(
    browser: Browser, address: str, workspace: Workspace
) -> None:
    olga, anna = somebody(browser, address), somebody(browser, address)
    olga.goto("/people")
    assert "/sign-in" in olga.url, "nobody is signed in yet"
    fill(olga, name="Olga", password=SECRET)
    head(olga, "People")
    olga.get_by_role("button", name="Make a link").click()
    link = olga.get_by_text(re.compile(r"^http\S+/join/\S+$")).first
    expect(link).to_be_visible(timeout=PATIENCE)

    anna.goto(link.inner_text().strip())
    expect(anna.get_by_text("You are invited as an annotator")).to_be_visible()
    fill(anna, name="Anna", password=ANNAS, again=ANNAS)
    head(anna, "Overview")
    anna.goto("/sign-out")
    fill(anna)
    anna.goto("/annotate?attribute=media_watercolor")
    fill(anna, name="Anna", password=ANNAS)
    expect(anna.locator(".progress")).to_contain_text(f"of {IMAGES} saved", timeout=PATIENCE)
    anna.locator(".cell").first.click()
    submit(anna)
    expect(anna.locator(".progress")).to_have_count(0, timeout=PATIENCE)

    anna.goto("/work")
    expect(anna.get_by_text(f"{IMAGES} images answered")).to_be_visible(timeout=PATIENCE)
    refused = anna.goto("/export")
    assert refused is not None
    assert refused.status == 403
    expect(anna.get_by_text("This is for reviewers and owners.")).to_be_visible()

    olga.goto("/annotators")
    expect(olga.get_by_text(re.compile(rf"Anna · {IMAGES} answers"))).to_be_visible(timeout=PATIENCE)
    given = workspace.annotations.answers(1)
    assert sorted(given.answers.tolist()) == [0] * (IMAGES - 1) + [1]
    for page in (olga, anna):
        page.context.close()
