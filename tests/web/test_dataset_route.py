"""The opened dataset by HTTP: the server decides at every download, whatever a page has drawn."""

from pathlib import Path

import pytest

from bam_engine.annotation import Attribute
from bam_engine.reporting.opened_dataset import close_dataset, open_dataset
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from tests.labelling.team import vote
from tests.web import team_site
from tests.web.team_site import Site
from web.routes.dataset import ADDRESS


@pytest.fixture
def site(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Site:
    return team_site.start(workspace, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dataset.sqlite"
    path.write_bytes(b"the dataset")
    return path


def status(site: Site, role: Role | None) -> int:
    return site.client(role).get(ADDRESS).status_code


def test_only_who_has_enough_accepted_answers_downloads_it(site: Site, watercolor: Attribute, file: Path) -> None:
    assert [status(site, role) for role in Role] == [404, 404, 404, 404]
    open_dataset(site.workspace, [file], after=2)
    assert [status(site, role) for role in (None, *Role)] == [401, 403, 403, 200, 200]
    vote(site.workspace, watercolor, "Annotator", {0: 1})
    assert "you have 1" in site.client(Role.ANNOTATOR).get(ADDRESS).json()["error"]
    vote(site.workspace, watercolor, "Annotator", {1: 1})
    assert [status(site, role) for role in (None, *Role)] == [401, 403, 200, 200, 200]
    close_dataset(site.workspace)
    assert status(site, Role.ANNOTATOR) == 404


def test_it_comes_as_a_file_that_no_cache_keeps(site: Site, file: Path) -> None:
    open_dataset(site.workspace, [file])
    reply = site.client(Role.VIEWER).get(ADDRESS)
    assert reply.content == b"the dataset"
    assert reply.headers["content-disposition"] == 'attachment; filename="dataset.sqlite"'
    assert "no-store" in reply.headers["cache-control"]
    assert site.client(Role.OWNER).post(ADDRESS).status_code == 404
