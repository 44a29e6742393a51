"""The opened dataset on pages: an owner opens an export; everybody else sees how far they are."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.reporting.opened_dataset import open_dataset, opened_dataset
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from tests.labelling.team import vote
from tests.pages.conftest import run_until, text_of
from tests.pages.test_people_page import Team

Open = Callable[..., AppTest]


@pytest.fixture
def team(workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(workspace, open_page, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dataset.sqlite"
    path.write_bytes(b"the dataset")
    return path


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_an_owner_opens_the_export_that_was_written(team: Team, watercolor: Attribute) -> None:
    app = team.open("export", Role.OWNER)
    assert "No dataset is opened." in text_of(app)
    assert "Open this export" not in labels(app)
    next(button for button in app.button if button.label == "Export").click().run()
    run_until(app, lambda: "Open this export" in labels(app))
    app.number_input(key="dataset-after").set_value(7).run()
    next(button for button in app.button if button.label == "Open this export").click().run()
    run_until(app, lambda: opened_dataset(team.workspace) is not None)
    assert opened_dataset(team.workspace).after == 7
    run_until(app, lambda: "is open after 7 accepted answers: 0 of 2" in text_of(app))


def test_a_reviewer_sees_what_is_open_and_changes_nothing(team: Team, watercolor: Attribute, file: Path) -> None:
    open_dataset(team.workspace, [file], after=3)
    app = team.open("export", Role.REVIEWER)
    assert "is open after 3 accepted answers: 0 of 2" in text_of(app)
    assert not {"Open this export", "Change the number", "Close the dataset"} & labels(app)


def test_an_owner_changes_the_number_and_closes_it(team: Team, watercolor: Attribute, file: Path) -> None:
    open_dataset(team.workspace, [file], after=3)
    app = team.open("export", Role.OWNER)
    app.number_input(key="dataset-after").set_value(0).run()
    next(button for button in app.button if button.label == "Change the number").click().run()
    assert "is open at once: 2 of 2" in text_of(app)
    next(button for button in app.button if button.label == "Close the dataset").click().run()
    assert opened_dataset(team.workspace) is None


def test_each_person_sees_how_far_they_are(team: Team, watercolor: Attribute, file: Path) -> None:
    assert "The dataset" not in text_of(team.open("work", Role.VIEWER))
    open_dataset(team.workspace, [file], after=2)
    vote(team.workspace, watercolor, "Annotator", {0: 1})
    app = team.open("work", Role.ANNOTATOR)
    assert "It opens to you then." in text_of(app)
    assert [bar.proto.text for bar in app.get("progress")] == ["1 of 2 accepted answers"]
    vote(team.workspace, watercolor, "Annotator", {1: 1})
    app = team.open("work", Role.ANNOTATOR)
    assert "It opens to you then." not in text_of(app)
    assert app.get("link_button")
    assert not team.open("work", Role.VIEWER).get("link_button")


def test_one_person_has_no_team_to_open_it_to(open_page: Open, workspace: Workspace, watercolor: Attribute) -> None:
    assert "No dataset is opened." not in text_of(open_page(workspace, "export"))
