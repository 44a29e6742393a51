"""``serve`` starts the app of the installed package or of the checkout, as ``streamlit run`` does."""

import os
import sys
from pathlib import Path

import pytest

from bam_engine import __version__
from bam_engine.cli import main, serve
from bam_engine.errors import BamError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that Streamlit is started with, in place of servers."""
    lines: list[list[str]] = []
    monkeypatch.setattr("runpy.run_module", lambda _name, **_how: lines.append(sys.argv[1:]))
    monkeypatch.setattr(sys, "argv", ["bam"])
    for name in ("BAM_WORKSPACE", "BAM_CACHE", "BAM_ALLOWED_HOSTS"):
        monkeypatch.setenv(name, "as before")
    return lines


def test_the_app_answers_this_computer_alone_and_opens_a_browser(started: list[list[str]]) -> None:
    assert main(["serve"]) == 0
    assert started == [["run", str(ROOT / "app.py"), "--server.address", "localhost", "--server.port", "8501"]]
    assert (os.environ["BAM_WORKSPACE"], os.environ["BAM_CACHE"]) == ("as before", "as before")


def test_address_port_and_folders_can_be_chosen(started: list[list[str]], tmp_path: Path) -> None:
    folders = ["--workspace", str(tmp_path / "w"), "--cache", str(tmp_path / "c")]
    assert main(["serve", "--address", "0.0.0.0", "--port", "9000", "--no-browser", *folders]) == 0
    options = ["--server.address", "0.0.0.0", "--server.port", "9000", "--server.headless", "true"]
    assert started == [["run", str(ROOT / "app.py"), *options]]
    assert (os.environ["BAM_WORKSPACE"], os.environ["BAM_CACHE"]) == (folders[1], folders[3])
    assert not list(tmp_path.iterdir()), "the server opens the workspace, the command does not"


def test_names_of_the_server_are_added_to_those_of_the_environment(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAM_ALLOWED_HOSTS", "one.example")
    assert main(["serve", "--allow-host", "two.example", "--allow-host", "three.example"]) == 0
    assert set(os.environ["BAM_ALLOWED_HOSTS"].split(",")) == {"one.example", "two.example", "three.example"}


@pytest.mark.parametrize("port", ["0", "65536", "-1", "web"])
def test_a_port_that_cannot_be_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--port={port}"])
    assert ended.value.code == 2
    assert f"{port} is not a port from 1 to 65535" in capsys.readouterr().err


def test_the_app_of_an_installed_package_is_in_a_folder_of_its_own(tmp_path: Path) -> None:
    engine = tmp_path / "site-packages" / "bam_engine"
    with pytest.raises(BamError, match="Install the package"):
        serve.app_file(engine)
    web = engine.parent / "bam_app" / "web"
    web.mkdir(parents=True)
    (web / "server.py").touch()
    (engine.parent / "app.py").touch()  # of another package
    assert serve.app_file(engine) == engine.parent / "bam_app" / "app.py"


def test_the_version_is_that_of_the_engine(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"bam {__version__}\n")


@pytest.mark.parametrize(
    ("program", "shown"), [("/usr/bin/bam", "bam"), ("bam_engine/__main__.py", "python -m bam_engine")]
)
def test_help_names_the_command_that_was_used(
    program: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [program])
    with pytest.raises(SystemExit):
        main(["--help"])
    assert capsys.readouterr().out.startswith(f"usage: {shown} [-h]")
