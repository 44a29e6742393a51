"""``bam proposal``: what people propose is listed with its votes, and decided; each decision says its undo."""

import json

import pytest

from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture


@pytest.mark.usefixtures("home")
def test_proposals_are_listed_and_decided(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    add = ("proposal", "add")
    assert run(capsys, *add, "Kites", "Is there a kite?", "--as", "ada")[1] == "proposal 1, “Kites”, is proposed\n"
    run(capsys, *add, "Dragons", "Is there a paper dragon?", "--as", "ben", "--reason", "They fly.")
    merged = run(capsys, "proposal", "merge", "2", "--into", "1")[1]
    assert merged == "proposal 2, “Dragons”, is merged into “Kites” (undo: bam proposal reopen 2)\n"
    assert run(capsys, "proposal", "list")[1] == "1: Kites: Is there a kite? (2 votes)\n"
    assert run(capsys, "proposal", "vote", "1", "--as", "cleo")[1] == "proposal 1, “Kites”, has 3 votes\n"
    assert run(capsys, "proposal", "take-back", "1", "--as", "cleo")[1] == "proposal 1, “Kites”, has 2 votes\n"
    assert run(capsys, "proposal", "withdraw", "1", "--as", "ada")[0] == 1, "another was merged into it"
    assert run(capsys, "proposal", "reopen", "2")[1] == "proposal 2, “Dragons”, is open\n"
    run(capsys, "proposal", "decline", "2", "Nobody knows one.")
    assert run(capsys, "proposal", "accept", "1", "--name", "Red kites")[1] == (
        "red_kites is an attribute: Is there a kite?\n"
    )
    assert workspace.attributes.get("red_kites").question == "Is there a kite?"
    assert run(capsys, "proposal", "list")[1] == ""
    listed = json.loads(run(capsys, "proposal", "list", "--all", "--json")[1])
    assert [(one["name"], one["by"], one["state"]) for one in listed] == [
        ("Kites", "ada", "accepted"),
        ("Dragons", "ben", "declined"),
    ]


@pytest.mark.usefixtures("home", "workspace")
def test_what_cannot_be_done_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    for command, why in (
        (("accept", "7"), "There is no proposal 7"),
        (("add", " ", "Is it?", "--as", "ada"), "The name is empty"),
        (("merge", "1", "--attribute", "kite"), "There is no attribute 'kite'"),
    ):
        code, _, err = run(capsys, "proposal", *command)
        assert (code, why in err) == (1, True), err
