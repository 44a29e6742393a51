"""The one workspace of a process: opened once, a failure is told to all who wait, ending the server opens nothing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.errors import StoreUnavailable
from bam_engine.progress import Report
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from web import engine
from web.server import lifespan


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("web.warm.start", lambda _: None)
    return tmp_path


@pytest.mark.usefixtures("place")
def test_pages_that_ask_at_once_get_the_same_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, together = Workspace.from_environment, threading.Barrier(4)

    def slowly() -> Workspace:
        time.sleep(0.2)
        return opened()

    def asked() -> Workspace:
        together.wait()
        return engine.workspace()

    monkeypatch.setattr(Workspace, "from_environment", slowly)
    with ThreadPoolExecutor(4) as pool:
        found = [one.result() for one in [pool.submit(asked) for _ in range(4)]]
    assert len({id(one) for one in found}) == 1
    found[0].close()


@pytest.mark.usefixtures("place")
def test_all_who_wait_for_a_database_that_fails_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together, tried = threading.Barrier(8), []

    def fail() -> Workspace:
        tried.append(1)
        time.sleep(1)
        raise StoreUnavailable("The database does not answer.")

    def asked() -> None:
        together.wait()
        engine.workspace()

    monkeypatch.setattr(Workspace, "from_environment", fail)
    with ThreadPoolExecutor(8) as pool:
        errors = [one.exception() for one in [pool.submit(asked) for _ in range(8)]]
    assert [str(error) for error in errors] == ["The database does not answer."] * 8
    assert len(tried) == 1
    with pytest.raises(StoreUnavailable):
        engine.workspace()
    assert len(tried) == 2, "whoever asks later tries again"


def test_a_server_that_opened_no_workspace_opens_none_when_it_ends(place: Path) -> None:
    with TestClient(Starlette(lifespan=lifespan)):
        pass
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("place")
def test_background_jobs_are_stopped_when_the_server_ends() -> None:
    def work(report: Report) -> None:
        for done in range(6000):
            report(done, None)
            time.sleep(0.01)

    with TestClient(Starlette(lifespan=lifespan)):
        engine.workspace().jobs.start("work", "Working", work, least=Role.OWNER)
    workspace, until = engine.workspace(), time.monotonic() + 20
    while workspace.jobs.is_running("work") and time.monotonic() < until:
        time.sleep(0.01)
    job = workspace.jobs.get("work")
    assert job is not None
    assert job.state == "stopped"
    workspace.close()
