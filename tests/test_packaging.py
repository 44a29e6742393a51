"""The package: its lists of dependencies agree, and what is built holds the engine and the app and nothing else."""

import importlib.util
import os
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import bam_engine
from tests.browser import ROOT, free_port, wait_for

APP = ("app.py", "pages", "web", "docs/guide.md", "docs/guide", ".streamlit/config.toml")
"""What ``bam serve`` needs of the checkout beside the engine."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]
    return {requirement.name: requirement for requirement in found}


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-dev.txt", PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_every_pin_is_of_a_declared_dependency_and_within_its_range(file: str, declared: list[str]) -> None:
    pinned = pins(file)
    ranges = {requirement.name: requirement for requirement in map(Requirement, declared)}
    assert list(pinned) == list(ranges)
    for name, pin in pinned.items():
        (only,) = pin.specifier
        assert only.operator == "==", f"{file} does not pin {name}"
        assert only.version in ranges[name].specifier, f"{pin} is not within {ranges[name]}"
        assert str(pin.marker) == str(ranges[name].marker)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as pip builds it, with the build system installed here, so that no network is needed."""
    assert importlib.util.find_spec("hatchling"), "hatchling is missing: pip install -r requirements-dev.txt"
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def files(*places: str) -> set[str]:
    """The files of the repository in or below ``places``, without what Python compiled."""
    every = [path for place in places for path in (ROOT / place, *(ROOT / place).rglob("*"))]
    return {str(path.relative_to(ROOT)) for path in every if path.is_file() and "__pycache__" not in path.parts}


def test_the_wheel_holds_the_engine_and_the_app_and_claims_two_names(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    about = {name for name in held if ".dist-info/" in name}
    assert held - about == files("bam_engine") | {f"bam_app/{name}" for name in files(*APP)}
    assert wheel.name == f"bam_engine-{bam_engine.__version__}-py3-none-any.whl"


def test_the_wheel_gives_the_command_bam(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "bam = bam_engine.cli:main" in archive.read(entry).decode().splitlines()


def test_the_installed_app_serves_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    site, folder = tmp_path / "site-packages", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(site)
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "bam_engine", "serve", "--no-browser", "--port", str(port)]
    log = tmp_path / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BAM_")}
    with log.open("w") as written:
        server = subprocess.Popen(
            command, cwd=folder, env={**environment, "PYTHONPATH": str(site)}, stdout=written, stderr=written
        )
    try:
        wait_for(f"http://localhost:{port}/_stcore/health", server, log)
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=20) as page:
            assert b"bam-shell" in page.read(), "the page is Streamlit's own and not the app's"
        with pytest.raises(urllib.error.HTTPError, match="404"):  # of no image: what a first page opens is opened
            urllib.request.urlopen(f"http://localhost:{port}/thumbs/0.webp", timeout=60)
    finally:
        server.terminate()
        server.wait(10)
    assert (folder / "workspace").is_dir(), "the workspace is below the folder that the command was run in"
    assert "Warning" not in log.read_text()


def test_nothing_left_a_workspace_among_the_files_of_the_project() -> None:
    assert {file.parent.name for file in ROOT.glob("*/bam.sqlite")} <= {"workspace"}, "make run keeps its own there"
