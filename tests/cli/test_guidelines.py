"""``guidelines``: example pictures are listed, added and removed by number or path."""

import pytest

from bam_engine.annotation import Attribute
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture

NAME = "media_watercolor"


@pytest.mark.usefixtures("home")
def test_examples_are_added_listed_and_removed(
    workspace: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    uris = workspace.catalogue.uris()
    code, out, _ = run(capsys, "guidelines", "add", NAME, "corner", uris[4], "7", "--note", "wet ink")
    assert (code, out) == (0, f"2 corner cases added to the guidelines of {NAME}\n")
    run(capsys, "guidelines", "add", NAME, "good", "3")
    code, out, _ = run(capsys, "guidelines", "list", NAME)
    assert code == 0
    assert out.splitlines() == [
        watercolor.question,
        f"       3  good example  {uris[3]}",
        f"       4  corner case   {uris[4]}",
        "                        wet ink",
        f"       7  corner case   {uris[7]}",
        "                        wet ink",
    ]
    code, out, _ = run(capsys, "guidelines", "remove", NAME, "7", "3")
    assert code == 0
    assert out.splitlines() == [
        f'7 is no example any more (undo: bam guidelines add {NAME} corner 7 --note "wet ink")',
        f"3 is no example any more (undo: bam guidelines add {NAME} good 3)",
    ]
    assert [each.row for each in examples_of(workspace, watercolor)] == [4]


@pytest.mark.usefixtures("home")
def test_an_example_that_a_sample_holds_is_said_to_wait(
    workspace: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    row = validation.validation_images(workspace, watercolor).rows[0]
    out = run(capsys, "guidelines", "add", NAME, "good", row)[1]
    assert f"{row}: A sample that judges holds it: annotators see it once it is labelled there." in out
    assert "once it is labelled there" in run(capsys, "guidelines", "list", NAME)[1]


@pytest.mark.usefixtures("home", "watercolor")
def test_what_cannot_be_done_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    for command, why in (
        (("add", NAME, "good", "lost.png"), "lost.png matches no image"),
        (("add", NAME, "good", "500"), "Image 500 is not in the collection"),
        (("remove", NAME, "5"), f"Image 5 is no example of {NAME}"),
        (("list", "kite"), "There is no attribute 'kite'"),
    ):
        code, _, err = run(capsys, "guidelines", *command)
        assert code == 1
        assert why in err
