"""Long work in the background of one process: started, watched, stopped.

In:  a function that takes ``report``. Out: a :class:`Job` whose numbers a page can draw at any moment. Knows nothing of
what the work is. Jobs end with the process; what makes them resumable is that the work itself keeps what it finished.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bam_engine.errors import BamError, Stopped
from bam_engine.progress import Report

log = logging.getLogger(__name__)


@dataclass
class Job:
    """One piece of long work; written by its thread, read by anyone.

    ``state`` is ``running``, ``done``, ``stopped`` or ``failed``; ``error`` says why it failed, in words for a person.
    """

    name: str
    title: str
    state: str = "running"
    done: int = 0
    total: int | None = None
    message: str = ""
    error: str = ""
    result: Any = None
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    first_done: int | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def seconds(self) -> float:
        """Seconds since the start, or that it took."""
        return (self.ended or time.monotonic()) - self.started

    @property
    def rate(self) -> float:
        """Steps per second since the first report (what a resumed run found finished does not count)."""
        made = self.done - (self.first_done or 0)
        return made / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end at the present rate, or None while that cannot be said."""
        if self.total is None or self.rate <= 0:
            return None
        return max(0.0, (self.total - self.done) / self.rate)

    def stop(self) -> None:
        """Ask the work to stop at its next step."""
        self.stopping.set()

    def report(self, done: int, total: int | None, message: str = "") -> None:
        """Take the work's numbers; raise ``Stopped`` if it was asked to stop."""
        if self.first_done is None:
            self.first_done = done
        self.done, self.total = done, total
        self.message = message or self.message
        if self.stopping.is_set():
            raise Stopped(f"{self.title}: stopped. What was finished is kept; start again to go on.")


class Jobs:
    """The background work of one workspace: at most one running job of a name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def start(self, name: str, title: str, work: Callable[[Report], Any]) -> Job:
        """Run ``work(report)`` in a thread of its own.

        Raises
        ------
        BamError
            A job of this name is still running.
        """
        with self._lock:
            if self.is_running(name):
                raise BamError(f"{self._jobs[name].title} is still running. Wait for it or stop it first.")
            return self._begin(name, title, work)

    def start_once(self, name: str, title: str, work: Callable[[Report], Any]) -> Job:
        """Run ``work(report)`` unless there was a job of this name, running or ended; return that one then.

        Two who find the same work due at the same moment start it once.
        """
        with self._lock:
            return self.get(name) or self._begin(name, title, work)

    def _begin(self, name: str, title: str, work: Callable[[Report], Any]) -> Job:
        job = self._jobs[name] = Job(name, title)
        threading.Thread(target=_run, args=(job, work), name=f"job-{name}", daemon=True).start()
        return job

    def get(self, name: str) -> Job | None:
        """Return the last job of this name, running or ended."""
        return self._jobs.get(name)

    def is_running(self, name: str) -> bool:
        """Return whether a job of this name runs now."""
        job = self.get(name)
        return job is not None and job.running

    def running(self) -> list[Job]:
        """Return the jobs that run now, oldest first."""
        return [job for job in list(self._jobs.values()) if job.running]

    def forget(self, name: str) -> None:
        """Drop an ended job, so that its outcome is no longer shown."""
        with self._lock:
            job = self._jobs.get(name)
            if job is not None and not job.running:
                del self._jobs[name]


def _run(job: Job, work: Callable[[Report], Any]) -> None:
    try:
        job.result = work(job.report)
        outcome = "done"
    except Stopped as stopped:
        job.message, outcome = str(stopped), "stopped"
    except BamError as error:
        job.error, outcome = str(error), "failed"
    except Exception as error:
        log.exception("job %s failed", job.name)
        job.error = (
            f"{job.title} met a defect of this program ({type(error).__name__}: {error}). The log has the details."
        )
        outcome = "failed"
    job.ended = time.monotonic()
    job.state = outcome
