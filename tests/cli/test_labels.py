"""``labels import`` and ``labels export``: what they print, and how they fail."""

import csv
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture

ADA = ("--attribute", "media_watercolor", "--annotator", "ada")


@pytest.fixture
def table(workspace: Workspace, watercolor: Attribute, tmp_path: Path) -> Path:
    """Six images: two yes, two no, one unsure, one empty; and seven paths that are not there."""
    uris = workspace.catalogue.uris()
    answers = ["yes", "Y", "0", "False", "unsure", ""]
    lines = [*zip(uris, answers, strict=False), *((f"lost-{i}.png", "no") for i in range(7))]
    with (tmp_path / "mine.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "answer"), *lines])
    return tmp_path / "mine.csv"


@pytest.mark.usefixtures("home")
def test_an_import_prints_what_was_stored_and_what_was_not(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("labels", "import", table, *ADA, "--column", "answer", "--path-column", "file")
    code, out, _ = run(capsys, *command)
    assert code == 0
    assert out.splitlines() == [
        "5 labels of media_watercolor stored for ada: 2 yes, 2 no, 1 unsure",
        "  1 empty cell skipped",
        "  7 paths match no image:",
        *(f"    lost-{i}.png" for i in range(5)),
        "    and 2 more",
        "next: train on them (`bam score media_watercolor`)",
    ]
    code, out, _ = run(capsys, *command)
    assert (code, out.splitlines()[:2]) == (
        0,
        ["0 labels of media_watercolor stored for ada: 0 yes, 0 no, 0 unsure", "  5 already stored"],
    )


@pytest.mark.usefixtures("home")
def test_an_import_says_which_labels_are_about_removed_images(
    workspace: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.removals.remove([0, 2], reason="blurred")
    _, out, _ = run(capsys, "labels", "import", table, *ADA, "--column", "answer", "--path-column", "file")
    assert out.splitlines()[:2] == [
        "3 labels of media_watercolor stored for ada: 1 yes, 1 no, 1 unsure",
        "  2 left out: removed from the collection",
    ]


@pytest.mark.usefixtures("home")
def test_named_values_train_and_the_validation_sample_is_left_out(
    workspace: Workspace, watercolor: Attribute, small_pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    mediums = ("--column", "medium", "--positive", "watercolor")
    command = ("labels", "import", small_pictures / "labels.csv", *ADA, *mediums)
    code, out, _ = run(capsys, *command)
    assert code == 0
    assert "  30 left out: held out for validation, certification or audit" in out
    code, out, _ = run(capsys, *command, "--validation")
    assert code == 0
    assert out.startswith("30 labels")
    assert "  90 left out: not in the validation sample" in out
    held_out, projects = tasks.validation_task(workspace, watercolor).rows, workspace.catalogue.projects()
    elsewhere = (~np.isin(projects, projects[held_out])).sum()
    assert elsewhere < 90, "a project has images in the validation sample and outside it"
    code, out, _ = run(capsys, "score", "media_watercolor")
    assert code == 0
    assert out.startswith(f"{elsewhere} labels")
    assert "average precision" in out


@pytest.mark.usefixtures("home")
def test_a_team_hears_that_one_vote_settles_nothing(
    workspace: Workspace, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.redundancy = 2
    code, out, _ = run(capsys, "labels", "import", table, *ADA, "--column", "answer", "--path-column", "file")
    assert code == 0
    assert "Each image needs 2 votes: labels train once as many annotators agree." in out


@pytest.mark.usefixtures("home")
def test_what_cannot_be_imported_says_why(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (
            (table, *ADA, "--column", "medium", "--path-column", "file"),
            "has no column 'medium'. Its columns are: file, ",
        ),
        ((table.with_name("none.csv"), *ADA, "--column", "answer"), "none.csv: No such file or directory"),
        ((table, "--attribute", "x", "--annotator", "ada", "--column", "answer"), "media_watercolor"),
        ((table, *ADA, "--column", "answer", "--path-column", "file", "--positive", "oui"), "has answer = oui"),
    ):
        code, _, err = run(capsys, "labels", "import", *arguments)
        assert code == 1
        assert words in err


@pytest.mark.usefixtures("home")
def test_labels_are_exported(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "labels", "import", table, *ADA, "--column", "answer", "--path-column", "file")
    code, out, _ = run(capsys, "labels", "export", tmp_path / "out.csv", "--attribute", "media_watercolor")
    assert (code, out) == (0, f"{tmp_path / 'out.csv'}: 5 images\n")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [line["label"] for line in csv.DictReader(file)] == ["yes", "yes", "no", "no", ""]


@pytest.mark.usefixtures("home")
def test_answers_without_a_path_are_listed(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with table.open("a", encoding="utf-8") as file:
        file.write(",yes\n,no\n")
    out = run(capsys, "labels", "import", table, *ADA, "--column", "answer", "--path-column", "file")[1]
    assert "  2 lines have no path and no effect: line 15, line 16\n" in out


@pytest.mark.usefixtures("home")
def test_exported_labels_say_which_images_have_no_file(
    workspace: Workspace, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "labels", "import", table, *ADA, "--column", "answer", "--path-column", "file")
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(db.images).where(db.images.c.row == 1).values(status="missing"))
    run(capsys, "labels", "export", tmp_path / "out.csv", "--attribute", "media_watercolor")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [line["file"] for line in csv.DictReader(file)] == ["ok", "missing", "ok", "ok", "ok"]
