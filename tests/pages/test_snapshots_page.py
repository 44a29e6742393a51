"""Snapshots: made, compared and removed on their page, by the roles that may."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import NEGATIVE, POSITIVE, Attribute
from bam_engine.freezing import snapshots
from bam_engine.labelling import direct_answers, tasks
from bam_engine.team import Role, recent_activity
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of
from tests.pages.test_people_page import Team

Open = Callable[..., AppTest]


@pytest.fixture
def team(workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(workspace, open_page, monkeypatch)


def press(app: AppTest, label: str) -> None:
    next(one for one in app.button if one.label == label).click().run()


def labels(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


def make(app: AppTest, name: str, note: str = "") -> None:
    app.text_input(key="snapshot-name").set_value(name)
    app.text_input(key="snapshot-note").set_value(note)
    press(app, "Make a snapshot")


def test_a_snapshot_is_made_and_compared_with_the_dataset_as_it_is(
    played: Workspace, watercolor: Attribute, open_page: Open
) -> None:
    app = open_page(played, "snapshots")
    assert "What has changed since" not in labels(app)
    make(app, "paper", "what the *paper* used")
    run_until(app, lambda: "What has changed since" in labels(app))
    (made,) = snapshots.snapshots(played)
    assert (made.name, made.note, made.made_by) == ("paper", "what the *paper* used", "me")
    assert "120 images, 1 attribute, 64 answers" in text_of(app)
    press(app, "What has changed since")
    run_until(app, lambda: "Nothing has changed" in text_of(app))

    agreed = tasks.labels(played, watercolor)
    row = int(agreed.rows[agreed.settled & (agreed.labels == POSITIVE)][0])
    direct_answers.answer(played, watercolor, row, NEGATIVE, annotator="ada")
    played.removals.remove([3], reason="a test")
    press(app, "Compare")
    run_until(app, lambda: "1 image not in the collection any more" in text_of(app))
    text = text_of(app)
    assert "1 image with another label" in text
    tables = "".join(one.proto.body for one in app.get("html"))
    assert '<td data-name="paper">120</td><td data-name="the dataset as it is">119</td>' in tables


@pytest.mark.usefixtures("watercolor")
def test_a_bad_name_is_said_at_once_and_starts_nothing(workspace: Workspace, open_page: Open) -> None:
    snapshots.create(workspace, "paper")
    app = open_page(workspace, "snapshots")
    for name, why in (("../paper", "cannot be called"), ("paper", "There is a snapshot paper already")):
        make(app, name)
        assert why in text_of(app).replace("\\", "")
    assert [one.name for one in snapshots.snapshots(workspace)] == ["paper"]


def test_a_damaged_snapshot_is_named_and_removed(workspace: Workspace, watercolor: Attribute, open_page: Open) -> None:
    made = snapshots.create(workspace, "paper")
    (made.folder / "snapshot.json").unlink()
    app = open_page(workspace, "snapshots")
    assert "The snapshot paper is damaged" in text_of(app)
    press(app, "Remove for good")
    assert "damaged" not in text_of(app)
    assert snapshots.damaged(workspace) == []


def test_reviewers_make_and_compare_and_owners_remove(team: Team, watercolor: Attribute) -> None:
    app = team.open("snapshots", Role.REVIEWER)
    make(app, "paper")
    run_until(app, lambda: "What has changed since" in labels(app))
    assert "Remove for good" not in labels(app)
    (made,) = snapshots.snapshots(team.workspace)
    assert made.made_by == "Reviewer"
    app = team.open("snapshots", Role.OWNER)
    press(app, "Remove for good")
    assert snapshots.snapshots(team.workspace) == []


def test_an_owner_restores_a_snapshot_and_reviewers_cannot(team: Team, watercolor: Attribute) -> None:
    snapshots.create(team.workspace, "paper")
    team.workspace.removals.remove([3], reason="a test")
    app = team.open("snapshots", Role.REVIEWER)
    assert "Restore this snapshot" not in labels(app)
    app = team.open("snapshots", Role.OWNER)
    press(app, "Restore this snapshot")
    run_until(app, lambda: len(snapshots.snapshots(team.workspace)) == 2 and not team.workspace.jobs.running())
    assert len(team.workspace.removals.removed().rows) == 0
    assert "what there was before a restore of paper" in text_of(app.run())
    (log, *_) = recent_activity(team.workspace.engine, most=1)
    assert (log.by, log.action) == ("Owner", "restored snapshot")
