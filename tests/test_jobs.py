"""Background jobs: progress, results, failures, and stopping."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bam_engine.errors import BamError, Stopped
from bam_engine.jobs import Job, Jobs
from bam_engine.progress import Report
from bam_engine.team import Role


def wait(job: Job) -> Job:
    for _ in range(500):
        if not job.running:
            return job
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def test_a_job_ends_with_its_result() -> None:
    def work(report: Report) -> str:
        report(3, 3, "written")
        return "result"

    job = wait(Jobs().start("x", "Writing", work, least=Role.OWNER))
    assert (job.state, job.result, job.done, job.total, job.message) == ("done", "result", 3, 3, "written")


def test_a_job_stops_at_its_next_report_and_says_that_finished_work_is_saved() -> None:
    started = threading.Event()

    def work(report: Report) -> None:
        for step in range(10_000):
            report(step, 10_000)
            started.set()
            time.sleep(0.001)

    jobs = Jobs()
    job = jobs.start("x", "Embedding", work, least=Role.OWNER)
    started.wait(5)
    job.stop()
    assert wait(job).state == "stopped"
    assert 0 < job.done < 10_000
    assert "is saved" in job.message


def test_an_engine_error_is_shown_unchanged_and_a_bug_is_named() -> None:
    def fails(_report: Report) -> None:
        raise BamError("The folder does not exist.")

    def broken(_report: Report) -> None:
        raise KeyError("oops")

    jobs = Jobs()
    assert wait(jobs.start("a", "A", fails, least=Role.OWNER)).error == "The folder does not exist."
    job = wait(jobs.start("b", "B", broken, least=Role.OWNER))
    assert job.state == "failed"
    assert "KeyError" in job.error


def test_one_name_runs_once_at_a_time() -> None:
    hold = threading.Event()
    jobs = Jobs()
    job = jobs.start("x", "Embedding", lambda report: hold.wait(5), least=Role.OWNER)
    with pytest.raises(BamError, match="Embedding is still running"):
        jobs.start("x", "Embedding", lambda report: None, least=Role.OWNER)
    assert jobs.running() == [job]
    hold.set()
    wait(job)
    assert jobs.running() == []
    again = wait(jobs.start("x", "Embedding", lambda report: 2, least=Role.OWNER))
    assert jobs.get("x") is again
    jobs.forget("x")
    assert jobs.get("x") is None


def test_the_rate_of_a_resumed_run_excludes_earlier_steps() -> None:
    job = Job("x", "Embedding", started=time.monotonic() - 10)
    job.report(1000, 2000)
    job.report(1100, 2000)
    assert job.rate == pytest.approx(10, rel=0.05)
    assert job.seconds_left == pytest.approx(90, rel=0.05)
    job.stopping.set()
    with pytest.raises(Stopped):
        job.report(1200, 2000)
    assert job.done == 1200


def test_the_time_left_is_that_of_the_part_under_way() -> None:
    job = Job("x", "Moving", started=time.monotonic() - 1000)
    job.report(0, 1000)
    job.report(1000, 1000)
    job.report(0, 4)
    assert job.seconds_left is None, "nothing is known of the next part yet"
    job.part_started -= 10
    job.report(2, 4)
    assert job.seconds_left == pytest.approx(10, rel=0.05)


def test_the_clock_starts_once_the_work_is_known_and_too_little_of_it_tells_nothing() -> None:
    job = Job("x", "Drawing", started=time.monotonic() - 1000)
    job.report(0, None, "compiling")
    assert job.seconds_left is None
    job.part_started -= 500  # as long as it compiles
    job.report(0, 100)
    job.report(1, 100)
    assert job.seconds_left is None, "a moment of it was seen"
    job.part_started -= 10
    assert job.seconds_left == pytest.approx(990, rel=0.05)


def test_a_job_works_in_the_context_of_the_moment_it_was_started() -> None:
    inside = []

    @contextmanager
    def context(name: str) -> Iterator[None]:
        inside.append(name)
        yield
        inside.remove(name)

    jobs = Jobs(within=lambda: context("started"))
    assert wait(jobs.start("x", "Working", lambda report: list(inside), least=Role.OWNER)).result == ["started"]
    assert inside == []
