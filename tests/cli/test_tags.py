"""``bam tag``: images get a tag by number, path or folder, and lose it."""

import pytest

from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture


@pytest.mark.usefixtures("home")
def test_images_get_a_tag_and_lose_it(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    path = workspace.catalogue.uris()[4]
    assert run(capsys, "tag", "add", "to check", "2", path, "--as", "ada") == (0, "2 images tagged “to check”\n", "")
    assert run(capsys, "tag", "add", "a talk", "2")[1] == "1 image tagged “a talk”\n"
    assert run(capsys, "tag", "list")[1] == "       1  a talk\n       2  to check\n"
    (first,) = workspace.tags.of(4)
    assert workspace.annotators.names()[first.annotator_id or 0] == "ada"
    assert run(capsys, "tag", "remove", "To check", path, "2", "9")[1] == "“To check” taken off 2 images\n"
    assert run(capsys, "tag", "list")[1] == "       1  a talk\n"


@pytest.mark.usefixtures("home", "workspace")
def test_what_cannot_be_tagged_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    for command, why in (
        (("add", "odd", "/nowhere/lost.png"), "lost.png"),
        (("add", "odd", "5000"), "There is no image 5000"),
        (("add", " ", "5"), "The tag has no words"),
    ):
        code, _, err = run(capsys, "tag", *command)
        assert (code, why in err) == (1, True), err
