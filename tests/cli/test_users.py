"""``bam user``: accounts and invitations from the command line, passwords from the standard input."""

import io
import sys
from pathlib import Path

import pytest

from bam_engine.cli import main
from bam_engine.team import Role
from bam_engine.workspace import Workspace

SECRET = "a blue door in June"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return main(["user", *arguments])


def add(monkeypatch: pytest.MonkeyPatch, name: str, role: str, typed: str = f"{SECRET}\n") -> int:
    return run(monkeypatch, "add", name, "--role", role, "--password-stdin", typed=typed)


def test_a_session(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(monkeypatch, "Olga", "owner") == 0
    assert add(monkeypatch, "Ben", "annotator", f"{SECRET}\r\n") == 0
    assert run(monkeypatch, "role", "ben", "reviewer") == 0
    assert run(monkeypatch, "reset", "ben", "--password-stdin", typed="another blue door") == 0
    assert run(monkeypatch, "list") == 0
    assert run(monkeypatch, "remove", "Ben") == 0
    assert run(monkeypatch, "log", "--limit", "2") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:7] == [
        "Olga can sign in as owner",
        "Ben can sign in as annotator",
        "Ben is reviewer (undo: bam user role Ben annotator)".replace("Ben annotator", "'Ben' annotator"),
        "Ben has another password, which alone signs them in, and is signed out everywhere",
        "Olga: owner",
        "Ben: reviewer",
        "Ben cannot sign in any more; their answers are kept",
    ]
    assert [line[17:] for line in out[7:]] == [
        "command line removed account: Ben",
        "command line reset password: Ben",
    ]


def test_the_password_is_what_comes_in_without_the_ends_of_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert add(monkeypatch, "Olga", "owner", f"{SECRET} \n") == 0
    workspace = Workspace.from_environment()
    olga = workspace.team.accounts.get("Olga")
    assert workspace.team.accounts.is_password(olga, f"{SECRET} ")
    assert not workspace.team.accounts.is_password(olga, SECRET)
    workspace.close()


def test_an_invitation_is_printed_once_and_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "invite", "--role", "reviewer", "--days", "2") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    workspace = Workspace.from_environment()
    assert line.startswith("/join/")
    assert workspace.team.invitations.role(line.removeprefix("/join/")) is Role.REVIEWER
    workspace.close()


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (["add", "Ben", "--password-stdin"], "short", "The password has 5 characters"),
        (["add", "Ben", "--password-stdin"], "x" * 1_000_000, "characters. Choose one of 10 to 200"),
        (["add", "Ben"], "", "There is no keyboard"),
        (["add", "olga", "--password-stdin"], SECRET, "Olga has an account already"),
        (["role", "Ben", "owner"], "", "There is no account of 'Ben'. The accounts are those of: Olga."),
        (["role", "Olga", "viewer"], "", "Olga is the only owner"),
        (["remove", "Olga"], "", "Olga is the only owner"),
        (["invite", "--days", "400"], "", "cannot hold for 400 days"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], typed: str, words: str
) -> None:
    assert add(monkeypatch, "Olga", "owner") == 0
    assert run(monkeypatch, *arguments, typed=typed) == 1
    assert words in capsys.readouterr().err


def test_a_password_is_typed_twice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    typed = iter([SECRET, SECRET, SECRET, "a red door in June"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    monkeypatch.setattr(sys, "stdin", Keyboard())
    assert main(["user", "add", "Olga", "--role", "owner"]) == 0
    assert main(["user", "add", "Ben"]) == 1
    assert "The two passwords are not the same" in capsys.readouterr().err
