"""The activity log: who changed an attribute, a threshold or a role, and who exported what; only of a team."""

from pathlib import Path

import pytest

from bam_engine.annotation import Attribute
from bam_engine.database import acting
from bam_engine.errors import AnnotationError, TeamError
from bam_engine.labelling.exporting import write_labels
from bam_engine.reporting.export import FORMATS, export
from bam_engine.team import Account, Activity, Role, recent_activity
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace

SECRET = "a blue door in June"


@pytest.fixture
def olga(workspace: Workspace) -> Account:
    """The owner, who acts."""
    account = workspace.team.accounts.add("Olga", Role.OWNER, SECRET)
    acting(workspace.engine, lambda: account.annotator_id)
    return account


def logged(workspace: Workspace) -> list[tuple[str, str, str]]:
    return [(one.by, one.action, one.subject) for one in reversed(recent_activity(workspace.engine))]


def test_one_person_at_one_computer_has_no_log(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.attributes.rename(watercolor.id, "media_aquarelle")
    assert recent_activity(workspace.engine) == []


def test_changes_of_attributes_are_logged_with_who_made_them(workspace: Workspace, olga: Account) -> None:
    attribute = workspace.attributes.add("content_dog", "content", "Is there a dog?")
    workspace.attributes.update(attribute.id, question="Is there a hound?")
    workspace.attributes.rename(attribute.id, "content_hound")
    workspace.attributes.archive(attribute.id)
    workspace.attributes.restore(attribute.id)
    assert logged(workspace)[1:] == [
        ("Olga", "added attribute", "content_dog"),
        ("Olga", "changed attribute", "content_dog: question"),
        ("Olga", "renamed attribute", "content_dog to content_hound"),
        ("Olga", "archived attribute", "content_hound"),
        ("Olga", "restored attribute", "content_hound"),
    ]


def test_what_was_refused_is_not_logged(workspace: Workspace, olga: Account) -> None:
    workspace.attributes.add("content_dog", "content", "Is there a dog?")
    before = logged(workspace)
    with pytest.raises(AnnotationError):
        workspace.attributes.add("content_dog", "content", "Is there a dog?")
    with pytest.raises(TeamError):
        workspace.team.accounts.remove(olga.id)
    assert logged(workspace) == before


def test_roles_and_people_are_logged(workspace: Workspace, olga: Account) -> None:
    team = workspace.team
    ben = team.invitations.use(team.invitations.invite(Role.VIEWER, by=olga), "Ben", SECRET)
    team.accounts.set_role(ben.id, Role.REVIEWER)
    team.accounts.remove(ben.id)
    assert logged(workspace) == [
        ("", "added account", "Olga as owner"),
        ("Olga", "invited", "a person as viewer"),
        ("Ben", "joined by invitation", "Ben as viewer"),
        ("Olga", "changed role", "Ben from viewer to reviewer"),
        ("Olga", "removed account", "Ben"),
    ]


def test_a_chosen_threshold_is_logged(played: Workspace, watercolor: Attribute, olga: Account) -> None:
    suggested = thresholds.measure_at(played, watercolor, 0.25, target=0.9)
    thresholds.save(played, watercolor, suggested)
    assert logged(played)[-1] == ("Olga", "chose threshold", "media_watercolor: 0.250")


def test_exports_are_logged_also_by_the_job_of_whoever_started_it(
    workspace: Workspace, watercolor: Attribute, olga: Account, tmp_path: Path
) -> None:
    job = workspace.jobs.start(
        "export", "Export", lambda report: export(workspace, tmp_path / "bam.sqlite", form="sqlite"), least=Role.OWNER
    )
    acting(workspace.engine, lambda: None)  # of another thread
    while job.running:
        job.stopping.wait(0.01)
    assert job.error == ""
    write_labels(workspace, watercolor, tmp_path / "labels.csv")
    assert logged(workspace)[-2:] == [
        ("Olga", "exported", f"the dataset to {tmp_path / 'bam.sqlite'}"),
        ("", "exported", f"the labels of media_watercolor to {tmp_path / 'labels.csv'}"),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_logged_whatever_its_format(
    workspace: Workspace, watercolor: Attribute, olga: Account, tmp_path: Path, form: str
) -> None:
    target = tmp_path / (f"set.{form}" if form in ("sqlite", "parquet", "jsonl") else "set")
    export(workspace, target, form=form)
    assert logged(workspace)[-1][1:] == ("exported", f"the dataset to {target}")


def test_the_newest_come_first_and_as_many_as_asked_for(workspace: Workspace, olga: Account) -> None:
    for number in range(5):
        workspace.attributes.add(f"content_{'abcde'[number]}", "content", "Is it there?")
    found = recent_activity(workspace.engine, most=2)
    assert [one.subject for one in found] == ["content_e", "content_d"]
    assert isinstance(found[0], Activity)
