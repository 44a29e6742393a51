"""``bam annotator``: answers set aside and brought back, gold, and how well somebody answers."""

import json

import pytest

from bam_engine.annotation import Attribute
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture
from tests.labelling.team import vote
from tests.pages.test_annotators_page import answer_gold


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


@pytest.mark.usefixtures("home")
def test_gold_is_mixed_in_and_no_more(team: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    known = (
        "media_watercolor: the answer to 0 of 20 images is known: none are mixed in yet. Have a reviewer or an owner "
        "label 20 more images, or 3 people the same ones.\n"
    )
    off = "no gold is mixed in (start: bam annotator gold --shares 50 20 5)\n"
    words = "gold: 40% of the first 10 images, 20% of the next 40, 2.5% of all later ones"
    words += " (stop: bam annotator gold --off)\n"
    assert run(capsys, "annotator", "gold") == (0, off + known, "")
    assert run(capsys, "annotator", "gold", "--shares", "40", "20", "2.5") == (0, words + known, "")
    told = json.loads(run(capsys, "annotator", "gold", "--json")[1])
    assert told == {"shares": [0.4, 0.2, 0.025], "needed": 20, "known": {"media_watercolor": 0}}
    code, _, err = run(capsys, "annotator", "gold", "--shares", "40", "20", "95")
    assert (code, "Choose shares from 0% to 90%" in err) == (1, True)
    assert run(capsys, "annotator", "gold", "--off") == (0, off + known, "")


@pytest.mark.usefixtures("home")
def test_how_somebody_answers_gold_is_printed(
    team: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_gold(team, watercolor)
    line = "“watercolor (media)”: right on 75% (50.8–91.4%) of 20 gold images"
    assert f"  {line}" in run(capsys, "annotator", "list")[1]
    out = run(capsys, "annotator", "show", "Dan")[1]
    assert out.startswith(f"dan: 20 answers\n{line}")
    told = json.loads(run(capsys, "annotator", "show", "dan", "--json")[1])
    (found,) = told["gold"]
    assert found["attribute"] == "media_watercolor"
    assert found["right"]["value"] == 0.75
    assert [found[name]["images"] for name in ("right", "right_on_yes", "right_on_no")] == [20, 12, 8]
    assert "agrees with most others" in run(capsys, "annotator", "show", "ada")[1]
    assert run(capsys, "annotator", "show", "zoe")[0] == 1


@pytest.mark.usefixtures("home")
def test_a_rule_is_set_and_somebody_is_paused_and_goes_on(
    team: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    off = "no rule pauses anybody (start: bam annotator rules --gold 20 70)\n"
    assert run(capsys, "annotator", "rules") == (0, off, "")
    answer_gold(team, watercolor)
    out = run(capsys, "annotator", "rules", "--gold", "20", "95")[1]
    assert out.startswith("gold: after 20 gold images, whoever is right on less than 95% of them, with 95% confidence,")
    assert "\ndan is paused when they next ask for images: right on 75% (50.8–91.4%) of 20 gold images" in out
    told = json.loads(run(capsys, "annotator", "rules", "--json")[1])
    assert told["gold"] == {"after": 20, "below": 0.95}
    assert list(told["falling"]) == ["dan"]
    for wrong in (("20.5", "70"), ("0", "70"), ("20", "100"), ("nan", "70"), ("inf", "70")):
        assert run(capsys, "annotator", "rules", "--gold", *wrong)[0] == 1
    out = run(capsys, "annotator", "pause", "ben", "--reason", "Let us talk.")[1]
    assert out.startswith("ben is paused since ")
    assert out.endswith(" UTC by an owner: Let us talk. (undo: bam annotator resume 'ben')\n")
    assert "ben: 25 answers, paused\n  Paused since " in run(capsys, "annotator", "list")[1]
    assert "\nPaused since " in run(capsys, "annotator", "show", "ben")[1]
    assert json.loads(run(capsys, "annotator", "show", "ben", "--json")[1])["paused"]["reason"] == "Let us talk."
    assert run(capsys, "annotator", "resume", "ben")[1] == "ben can go on (undo: bam annotator pause 'ben')\n"
    assert run(capsys, "annotator", "resume", "ben")[1] == "ben is not paused: nothing changes\n"
    assert run(capsys, "annotator", "rules", "--off") == (0, off, "")
