"""``serve`` starts the app of the installed package or of the checkout, as ``streamlit run`` does."""

import io
import os
import sys
from pathlib import Path

import pytest

from bam_engine import __version__
from bam_engine.cli import main, serve
from bam_engine.errors import BamError
from bam_engine.team import Role
from bam_engine.workspace import Workspace

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


SECRET = "a blue door in June"


@pytest.fixture
def team(started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """As ``started``, for a workspace that has an owner."""
    for name in ("BAM_TEAM", "BAM_BEHIND_PROXY", "FORWARDED_ALLOW_IPS"):
        monkeypatch.setenv(name, "as before")
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    workspace = Workspace.from_environment()
    workspace.team.accounts.add("Olga", Role.OWNER, SECRET)
    workspace.close()
    return started


def test_a_team_is_served_on_this_computer_and_believes_no_proxy(team: list[list[str]]) -> None:
    assert main(["serve", "--team"]) == 0
    assert team[0][-2:] == ["--server.headless", "true"]
    assert os.environ["BAM_TEAM"] == "1"
    assert (os.environ["BAM_BEHIND_PROXY"], os.environ["FORWARDED_ALLOW_IPS"]) == ("", "")


def test_one_person_is_served_as_before(started: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAM_TEAM", "")
    assert main(["serve"]) == 0
    assert os.environ["BAM_TEAM"] == ""
    assert len(started) == 1


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "bam.example.org", ""])
def test_a_team_is_not_served_where_passwords_would_travel_unencrypted(
    team: list[list[str]], address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--team", "--address", address]) == 1
    assert "would send passwords unencrypted" in capsys.readouterr().err
    assert team == []
    assert os.environ["BAM_TEAM"] == "as before"


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "::1", "127.0.0.2"])
def test_this_computer_needs_no_encryption(team: list[list[str]], address: str) -> None:
    assert main(["serve", "--team", "--address", address]) == 0


def test_a_team_is_served_behind_a_proxy_that_encrypts(team: list[list[str]]) -> None:
    assert main(["serve", "--team", "--behind-proxy", "--address", "0.0.0.0"]) == 0
    assert os.environ["BAM_BEHIND_PROXY"] == "1"


def test_a_team_is_served_with_a_certificate_of_the_server(team: list[list[str]], tmp_path: Path) -> None:
    certificate, key = tmp_path / "bam.pem", tmp_path / "bam.key"
    certificate.touch()
    key.touch()
    options = ["--certificate", str(certificate), "--key", str(key)]
    assert main(["serve", "--team", "--address", "0.0.0.0", *options]) == 0
    assert team[0][-4:] == ["--server.sslCertFile", str(certificate), "--server.sslKeyFile", str(key)]


def test_a_certificate_comes_with_its_key(
    team: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bam.pem").touch()
    assert main(["serve", "--team", "--certificate", str(tmp_path / "bam.pem")]) == 1
    assert main(["serve", "--team", "--certificate", str(tmp_path / "bam.pem"), "--key", str(tmp_path / "no.key")]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "give both --certificate FILE and --key FILE" in first
    assert "There is no file" in second
    assert team == []


def test_a_team_is_not_served_where_single_sign_on_could_not_work(
    team: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_OIDC_ISSUER", "https://uni.example")
    assert main(["serve", "--team"]) == 1
    assert "BAM_OIDC_CLIENT_ID and BAM_OIDC_CLIENT_SECRET" in capsys.readouterr().err
    monkeypatch.setenv("BAM_OIDC_CLIENT_ID", "bam")
    monkeypatch.setenv("BAM_OIDC_CLIENT_SECRET", "x")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["serve", "--team"]) == 1
    assert "pip install 'bam-engine[oidc]'" in capsys.readouterr().err
    assert team == []


def test_without_an_owner_a_team_is_not_served_where_nobody_can_name_one(
    team: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["serve", "--team", "--workspace", str(tmp_path / "other")]) == 1
    assert "bam user add NAME --role owner --password-stdin" in capsys.readouterr().err
    assert team == []


def test_the_owner_is_named_on_the_console(
    team: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard("Ida\n"))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: SECRET)
    monkeypatch.setattr("builtins.input", lambda _prompt: "Ida")
    assert main(["serve", "--team", "--workspace", str(tmp_path / "other")]) == 0
    workspace = Workspace(tmp_path / "other", tmp_path / "cache")
    assert [(one.name, one.role) for one in workspace.team.accounts.all()] == [("Ida", Role.OWNER)]
    workspace.close()


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
