"""``bam annotator set-aside`` and ``bring-back``: what changes is printed, done unless it is a preview, and undone."""

import pytest

from bam_engine.annotation import Attribute
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture
from tests.labelling.team import vote


@pytest.mark.usefixtures("home")
def test_answers_are_set_aside_and_brought_back(
    team: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    def votes() -> int:
        return len(team.annotations.answers(watercolor.id).rows)

    effect = "media_watercolor: 5 answers; of 2 labels, 2 lost\n"
    assert run(capsys, "annotator", "set-aside", "ben", "--preview") == (
        0,
        effect + "nothing is changed yet: this is a preview\n",
        "",
    )
    assert votes() == 11
    code, out, _ = run(capsys, "annotator", "set-aside", "ben", "--attribute", "media_watercolor", "--as", "olga")
    undo = "bam annotator bring-back 'ben' --attribute media_watercolor"
    assert (code, out) == (0, f"{effect}5 answers of ben are set aside (undo: {undo})\n")
    assert votes() == 6
    (row,) = team.set_aside_answers.of(team.annotators.get("ben").id)
    assert row.set_aside_by == team.annotators.get("olga").id
    assert "ben: 5 answers, 5 set aside\n" in run(capsys, "annotator", "list")[1]
    assert "nothing changes" in run(capsys, "annotator", "set-aside", "ben")[1]
    out = run(capsys, "annotator", "bring-back", "ben")[1]
    assert out.startswith("media_watercolor: 5 answers; of 0 labels, 2 gained\n5 answers of ben count again")
    assert votes() == 11
    assert "nothing changes" in run(capsys, "annotator", "bring-back", "ben")[1]


@pytest.mark.usefixtures("home")
def test_the_hint_to_undo_says_where_the_opposite_command_does_more(
    team: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "annotator", "set-aside", "ben")
    vote(team, watercolor, "ben", {0: 1, 1: 1})
    out = run(capsys, "annotator", "set-aside", "ben")[1]
    assert out.endswith(
        "2 answers of ben are set aside (no command undoes this alone: bam annotator bring-back 'ben' brings back "
        "those set aside before too)\n"
    )
    vote(team, watercolor, "ben", {1: 0})
    out = run(capsys, "annotator", "bring-back", "ben")[1]
    assert out.endswith(
        "(no command undoes this alone: bam annotator set-aside 'ben' sets aside those that counted before too)\n"
    )


@pytest.mark.usefixtures("home", "team")
def test_nobody_and_nothing_of_the_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for command, why in ((("zoe",), "There is no annotator 'zoe'"), (("ben", "--attribute", "kite"), "kite")):
        code, _, err = run(capsys, "annotator", "set-aside", *command)
        assert (code, why in err) == (1, True), err
