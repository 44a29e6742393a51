"""Opening another workspace: a server of its own, found again while it runs, stopped with this one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from bam_engine.errors import BamError
from bam_engine.workspace import Workspace
from bam_engine.workspace.recent import recent_workspaces, remember
from tests.browser import free_port, wait_for
from web import workspace_menu, workspaces


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This server has the workspace ``own``; nothing else was opened on this computer."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "own"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BAM_DATABASE_URL", raising=False)
    Workspace(tmp_path / "own", tmp_path / "cache").close()
    return tmp_path / "own"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    Workspace(tmp_path / "other & one", tmp_path / "cache").close()
    return tmp_path / "other & one"


@pytest.fixture
def stopped() -> Iterator[None]:
    yield
    workspaces.stop_all()


def option(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    before = st.get_option
    monkeypatch.setattr(st, "get_option", lambda asked: value if asked == name else before(asked))


@pytest.mark.parametrize(
    ("address", "may"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False)),
        *(("192.168.0.7", False), ("example.org", False), (None, False), ("", False)),
    ],
)
def test_only_visitors_of_this_computer_open_other_workspaces(
    monkeypatch: pytest.MonkeyPatch, address: str | None, may: bool
) -> None:
    option(monkeypatch, "server.address", address)
    assert workspaces.may_switch() is may


def test_a_server_lists_its_workspace_and_offers_the_others(own: Path, other: Path) -> None:
    remember(other, other.parent / "cache")
    workspaces.remember_own()
    assert [one.folder for one in recent_workspaces()] == [own, other]
    assert [one.folder for one in workspaces.other_workspaces()] == [other]


def test_a_workspace_with_its_database_elsewhere_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAM_DATABASE_URL", "postgresql://anna:secret@example.org/bam")
    workspaces.remember_own()
    assert recent_workspaces() == []


def test_a_server_tells_which_workspace_it_has_without_its_path(own: Path) -> None:
    told = TestClient(Starlette(routes=workspaces.workspace_routes())).get("/api/workspace")
    assert told.json() == {"folder": workspaces._digest(own)}
    assert str(own) not in told.text


@pytest.mark.slow  # the whole app is started
@pytest.mark.usefixtures("stopped")
def test_another_workspace_gets_a_server_of_its_own_once_and_it_is_stopped_with_this_one(other: Path) -> None:
    port = workspaces.serve(other, other.parent / "cache")
    process = workspaces._started[other].process
    wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, workspaces._started[other].log)
    assert workspaces.serve(other, other.parent / "cache") == port
    assert [(one.folder, one.port) for one in recent_workspaces()] == [(other, port)]
    workspaces.stop_all()
    assert process.poll() is not None
    assert workspaces._running(other) == 0


@pytest.mark.usefixtures("stopped")
def test_a_server_that_cannot_start_says_what_it_wrote(monkeypatch: pytest.MonkeyPatch, other: Path) -> None:
    monkeypatch.setattr(workspaces.sys, "executable", "/bin/ls")
    with pytest.raises(BamError, match=r"No server could be started .*other & one\. It wrote: .*ls"):
        workspaces.serve(other, other.parent / "cache")
    assert other not in workspaces._started


def test_a_port_at_which_something_else_answers_is_not_taken_for_the_workspace(own: Path, other: Path) -> None:
    remember(other, other.parent / "cache", port=free_port())
    assert workspaces._running(other) == 0


def menu() -> None:
    import os
    from pathlib import Path

    from web import workspace_menu

    workspace_menu.choice(Path(os.environ["BAM_WORKSPACE"]).name)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which workspaces were asked for; each is served at port 8777."""
    asked: list[Any] = []

    def serve(folder: Path, cache: Path) -> int:
        asked.append((folder, cache))
        return 8777

    monkeypatch.setattr(workspaces, "serve", serve)
    return asked


def test_a_recent_workspace_is_opened_with_its_own_cache(other: Path, served: list[Any]) -> None:
    remember(other, other.parent / "its cache")
    app = AppTest.from_function(menu).run()
    app.button(key="recent-0").click().run()
    assert not app.exception
    assert served == [(other, other.parent / "its cache")]
    link = app.get("link_button")[0].proto
    assert link.url.endswith(":8777/")
    assert "other & one" in link.label


def test_a_new_workspace_is_made_beside_this_one(own: Path, served: list[Any]) -> None:
    app = AppTest.from_function(menu).run()
    app.text_input[0].set_value("birds")
    app.button[0].click().run()
    assert not app.exception
    assert served == [(own.parent / "birds", own.parent / "cache")]


@pytest.mark.parametrize(("field", "typed"), [(0, "own"), (0, "../x"), (1, "/nowhere at all"), (1, "")])
def test_what_cannot_be_opened_is_said_and_nothing_starts(served: list[Any], field: int, typed: str) -> None:
    app = AppTest.from_function(menu).run()
    app.text_input[field].set_value(typed)
    app.button[field].click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert served == []


def test_on_a_server_that_others_reach_the_name_is_no_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspaces, "may_switch", lambda: False)
    app = AppTest.from_function(name_alone).run()
    assert not app.button
    monkeypatch.setattr(workspaces, "may_switch", lambda: True)
    assert [button.key for button in app.run().button] == ["workspace-menu"]


def name_alone() -> None:
    from web import workspace_menu

    workspace_menu.show("birds & co")


def test_the_port_stays_with_the_host_that_the_browser_used(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ("http://localhost:8501/gallery?x=1", "http://127.0.0.1:8501/", "http://[::1]:8501/map", None)
    assert [workspace_menu.address(at, 8777) for at in hosts] == [
        "http://localhost:8777/",
        "http://127.0.0.1:8777/",
        "http://[::1]:8777/",
        "http://localhost:8777/",
    ]


def test_a_server_is_not_started_with_the_database_of_this_one(monkeypatch: pytest.MonkeyPatch, other: Path) -> None:
    started: dict[str, Any] = {}

    class Ended:
        def __init__(self, command: list[str], *, env: dict[str, str], **_: object) -> None:
            started.update(command=command, env=env)

        def poll(self) -> int:
            return 1

        def terminate(self) -> None:
            pass

    monkeypatch.setenv("BAM_DATABASE_URL", "postgresql://anna@example.org/bam")
    monkeypatch.setattr(workspaces.subprocess, "Popen", Ended)
    with pytest.raises(BamError, match="It wrote: nothing"):
        workspaces.serve(other, other.parent)
    assert "BAM_DATABASE_URL" not in started["env"]
    assert str(other) in started["command"]
    assert os.environ["BAM_DATABASE_URL"]
