"""How a job ended is said once and goes away when it was read; it never stands beside what contradicts it."""

import threading
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import web.engine
from bam_engine.errors import BamError
from bam_engine.jobs import Job
from bam_engine.progress import Report
from bam_engine.team import Role
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until
from web.layout_form import JOB

Open = Callable[..., AppTest]


@pytest.fixture
def shown(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace as the pages have opened it, with its jobs."""
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    return web.engine.workspace()


def run(shown: Workspace, work: Callable[[Report], object]) -> Job:
    """Run a job of the Map page to its end."""
    job = shown.jobs.start(JOB, "A map", work, least=Role.REVIEWER)
    for thread in threading.enumerate():
        if thread.name == f"job-{JOB}":
            thread.join(10)
    assert not job.running
    return job


def fails(_: Report) -> None:
    raise BamError("There is no room.")


def turn_page(app: AppTest) -> AppTest:
    """Run the page as after a visit to another one."""
    app.session_state["outcomes-page"] = "elsewhere"
    return app.run()


def messages(app: AppTest) -> list[str]:
    assert not app.exception
    return [str(one.value) for one in (*app.toast, *app.success, *app.info, *app.error)]


def test_that_a_job_has_finished_is_said_once(open_page: Open, shown: Workspace) -> None:
    app = open_page(shown, "map")
    run(shown, lambda report: None)
    assert any("A map" in one and "finished in" in one for one in messages(app.run()))
    assert not any("finished" in one for one in messages(app.run()))
    assert not any("finished" in one for one in messages(turn_page(app)))


def test_why_a_job_has_failed_is_said_until_the_page_is_left(open_page: Open, shown: Workspace) -> None:
    app = open_page(shown, "map")
    run(shown, fails)
    for _ in range(2):
        assert any("There is no room" in one for one in messages(app.run()))
    assert not any("no room" in one for one in messages(turn_page(app)))
    run(shown, fails)
    assert any("There is no room" in one for one in messages(app.run())), "another job, another outcome"


def test_what_somebody_has_read_is_no_news_to_who_comes_later(open_page: Open, shown: Workspace) -> None:
    run(shown, fails)
    assert any("There is no room" in one for one in messages(open_page(shown, "map"))), "nobody has seen it"
    assert not any("no room" in one for one in messages(open_page(shown, "map")))


def test_who_watched_a_job_is_told_although_others_have_read_it(open_page: Open, shown: Workspace) -> None:
    going = threading.Event()

    def waits(_: Report) -> None:
        going.wait(30)
        raise BamError("There is no room.")

    job = shown.jobs.start(JOB, "A map", waits, least=Role.REVIEWER)
    watching = open_page(shown, "map")
    assert job.running
    going.set()
    run_until(watching, lambda: not job.running)
    other = open_page(shown, "map")
    both = [*messages(other), *messages(watching.run())]
    assert sum("There is no room" in one for one in both) >= 1
    assert any("There is no room" in one for one in messages(watching))
