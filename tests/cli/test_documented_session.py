"""The sessions of docs/command-line.md run from the first line to the last, on small collections."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from bam_engine.audit.audits import open_audit_task
from bam_engine.cli import main
from bam_engine.labelling import tasks
from bam_engine.workspace import Workspace
from tests.browser import ROOT
from tests.conftest import Oracle
from tests.test_documented_commands import documented

SMALLER = {
    "demo": ["--count", "120"],
    "simulate": ["--rounds", "2", "--batch", "10", "--validation", "30"],
    "threshold --recall": ["--recall", "0.5"],
    "audit --draw": ["--accepted", "4", "--rejected", "4"],
    "layout": ["--sample", "100"],
}
"""What makes a documented command fit a small collection: appended to it, since the last of an option counts."""


def session(first: str) -> list[list[str]]:
    """Return the arguments of the ``bam`` commands in the block that holds the command ``first``."""
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    block = next(block for block in re.findall(r"```sh\n.*?```", text, flags=re.DOTALL) if f"\nbam {first} " in block)
    return [words[1:] for words in documented(block) if words[0] == "bam"]


def run(arguments: list[str], home: Path) -> int:
    words = [word.replace("~", str(home), 1) if word.startswith("~") else word for word in arguments]
    for start, options in SMALLER.items():
        if set(start.split()) <= set(words) and "--play" not in words:
            words += options
    return main(words)


def test_the_session_of_the_demo(
    stub_drawing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAM_WORKSPACE", "demo")
    monkeypatch.delenv("BAM_CACHE", raising=False)
    for command in session("demo"):
        assert run(command, tmp_path) == 0, f"bam {shlex.join(command)}: {capsys.readouterr().err}"
    assert (tmp_path / "watercolor.html").exists()


def test_the_session_with_own_images(
    small_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small_pictures, tmp_path / "pictures")
    shutil.make_archive(str(tmp_path / "pictures"), "zip", small_pictures)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAM_WORKSPACE", "paintings")
    monkeypatch.delenv("BAM_CACHE", raising=False)
    for command in [*session("ingest"), *session("simulate")]:
        assert run(command, tmp_path) == 0, f"bam {shlex.join(command)}: {capsys.readouterr().err}"
    assert (tmp_path / "simulation.json").exists()


def test_the_session_after_labelling(
    workspace: Workspace,
    oracle: Oracle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    assert main(["attribute", "add", "media_watercolor"]) == 0
    attribute = tasks.attribute_of(workspace, "media_watercolor")
    oracle.play(workspace, attribute, count=1)
    for command in session("score"):
        assert run(command, tmp_path) == 0, f"bam {shlex.join(command)}: {capsys.readouterr().err}"
        if (audit := open_audit_task(workspace, attribute)) is not None:
            oracle.answer(workspace, audit)
    assert {path.name for path in tmp_path.iterdir()} >= {
        "precision.svg",
        "watercolor.html",
        "dataset.sqlite",
        "dataset",
    }
