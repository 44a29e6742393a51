"""``bam snapshot``: made, listed, compared and removed from the command line."""

import json

import pytest

from bam_engine.annotation import NEGATIVE, Attribute
from bam_engine.labelling import direct_answers
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture


@pytest.mark.usefixtures("home")
def test_a_snapshot_is_made_listed_compared_and_removed(
    played: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "snapshot", "list")[1] == "There are no snapshots yet: `bam snapshot create NAME` makes one.\n"
    code, out, _ = run(capsys, "snapshot", "create", "paper", "--note", "submitted", "--as", "Ada")
    assert (code, out.rpartition(" (")[0]) == (0, "paper: 120 images, 1 attribute, 64 answers")
    assert run(capsys, "snapshot", "create", "paper")[0] == 1
    _, out, _ = run(capsys, "snapshot", "list")
    assert out.startswith("paper: on 20")
    assert out.endswith(" UTC by Ada, 120 images, 1 attribute, 64 answers · submitted\n")
    _, out, _ = run(capsys, "snapshot", "show", "paper")
    assert "SHA-256 of its tables: " in out
    assert "media_watercolor: " in out
    assert run(capsys, "snapshot", "diff", "paper")[1] == "paper → now: Nothing has changed.\n"

    direct_answers.answer(played, watercolor, 7, NEGATIVE, annotator="ada")
    played.removals.remove([3], reason="a test")
    _, out, _ = run(capsys, "snapshot", "diff", "paper")
    assert "0 images in, 1 out" in out
    assert f"out: {played.catalogue.image(3).uri}" in out
    _, out, _ = run(capsys, "snapshot", "diff", "paper", "--json")
    found = json.loads(out)
    assert [one["path"] for one in found["images"]["out"]] == [played.catalogue.image(3).uri]
    assert found["after"] == "now"

    assert run(capsys, "snapshot", "remove", "paper")[0] == 0
    code, _, err = run(capsys, "snapshot", "show", "paper")
    assert (code, err) == (1, "error: There is no snapshot paper. There are: none yet.\n")


@pytest.mark.usefixtures("home", "workspace")
def test_long_lists_are_cut_in_words_and_whole_as_json(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "snapshot", "create", "paper")
    workspace.removals.remove(range(12), reason="a test")
    _, out, _ = run(capsys, "snapshot", "diff", "paper", "now")
    assert out.count("  out: /") == 10
    assert "out: 2 more, which --json lists" in out
    _, out, _ = run(capsys, "snapshot", "diff", "paper", "--json")
    assert len(json.loads(out)["images"]["out"]) == 12
