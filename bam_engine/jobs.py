"""Background jobs of one process: start, watch, stop.

In:  a function that takes ``report``. Out: a :class:`Job` whose progress can be read at any time. Jobs end with the
process; they can be resumed because the functions they run save each finished step. Each states the least role that may
start it; whoever restricts the jobs of a workspace compares it with who acts (:meth:`Jobs.restrict`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from bam_engine.errors import BamError, Stopped
from bam_engine.progress import Report
from bam_engine.team.roles import Role

log = logging.getLogger(__name__)

_SETTLED = 2.0  # seconds of a part of the work until its rate tells how long it takes


@dataclass
class Job:
    """A background job; its own thread writes the fields, any thread may read them.

    ``state`` is ``running``, ``done``, ``stopped`` or ``failed``; ``error`` is the message for the user if it failed.
    ``least`` is the least role that may start it.
    """

    name: str
    title: str
    least: Role = Role.OWNER
    state: str = "running"
    done: int = 0
    total: int | None = None
    message: str = ""
    error: str = ""
    result: Any = None
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    first_done: int | None = None
    part_started: float = field(default_factory=time.monotonic)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def seconds(self) -> float:
        """Seconds since the start, or in total once it has ended."""
        return (self.ended or time.monotonic()) - self.started

    @property
    def rate(self) -> float:
        """Steps per second in the part of the work that is under way; what an earlier run finished does not count."""
        steps, seconds = self.done - (self.first_done or 0), (self.ended or time.monotonic()) - self.part_started
        return steps / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds left of the part of the work that is under way; None while too little of it was seen."""
        if self.total is None or self.rate <= 0 or time.monotonic() - self.part_started < _SETTLED:
            return None
        return max(0.0, (self.total - self.done) / self.rate)

    def stop(self) -> None:
        """Request a stop at the next step."""
        self.stopping.set()

    def report(self, done: int, total: int | None, message: str = "") -> None:
        """Update the progress; raise ``Stopped`` if a stop was requested.

        Another part of the work counts from 0. The clock of a part starts with its first step: what comes before it is
        known to be of a certain length does not count.
        """
        if self.first_done is None or done < self.done or (self.total is None and total is not None):
            resumed = self.first_done is None and done > 0
            self.part_started = self.started if resumed else time.monotonic()
            self.first_done = done
        self.done, self.total = done, total
        self.message = message or self.message
        if self.stopping.is_set():
            raise Stopped(f"{self.title} was stopped. Finished work is saved; start it again to continue.")


class Jobs:
    """The background jobs of one workspace; at most one job per name runs at a time.

    ``within`` is called when a job starts and returns the context in which its thread works.
    """

    def __init__(self, within: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._within = within
        self._check: Callable[[Role], None] | None = None
        self._replacing = False
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def restrict(self, check: Callable[[Role], None]) -> None:
        """Call ``check`` with the least role of each job before it starts; what it raises refuses the job."""
        self._check = check

    def start(self, name: str, title: str, work: Callable[[Report], Any], *, least: Role) -> Job:
        """Run ``work(report)`` in a new thread, which acts as the program itself: no role restricts what it writes.

        Parameters
        ----------
        least
            The least role that may start it.

        Raises
        ------
        BamError
            A job with this name is still running.
        TeamError
            The jobs are restricted, and whoever acts has a lower role.
        """
        with self._lock:
            if self.is_running(name):
                raise BamError(f"{self._jobs[name].title} is still running. Wait for it or stop it first.")
            return self._begin(name, title, work, least)

    def start_once(self, name: str, title: str, work: Callable[[Report], Any], *, least: Role) -> Job:
        """Run ``work(report)`` unless a job with this name exists, running or ended; return that job if so.

        Concurrent callers start the job only once. ``least`` and errors as in :meth:`start`.
        """
        with self._lock:
            return self.get(name) or self._begin(name, title, work, least)

    @contextmanager
    def alone(self, name: str = "") -> Iterator[None]:
        """Let no job start in the block, in which the dataset is replaced; the job ``name`` may be running.

        Raises
        ------
        BamError
            Another job is running, or another block has begun.
        """
        with self._lock:
            running = [job.title for job in self.running() if job.name != name]
            if running:
                raise BamError(
                    f"A snapshot is restored while no job is running. Wait for this one, or stop it: {running[0]}."
                )
            self._check_free()
            self._replacing = True
        try:
            yield
        finally:
            self._replacing = False

    def _check_free(self) -> None:
        if self._replacing:
            raise BamError("The dataset is being replaced by a snapshot. Try again when that is done.")

    def _begin(self, name: str, title: str, work: Callable[[Report], Any], least: Role) -> Job:
        self._check_free()
        if self._check is not None:
            self._check(least)
        context = self._within()
        job = self._jobs[name] = Job(name, title, least)
        threading.Thread(target=_run, args=(job, work, context), name=f"job-{name}", daemon=True).start()
        return job

    def get(self, name: str) -> Job | None:
        """Return the latest job with this name, running or ended, or None."""
        return self._jobs.get(name)

    def is_running(self, name: str) -> bool:
        """Return whether a job with this name is running."""
        job = self.get(name)
        return job is not None and job.running

    def running(self) -> list[Job]:
        """Return the running jobs, oldest first."""
        return [job for job in list(self._jobs.values()) if job.running]

    def forget(self, name: str) -> None:
        """Drop an ended job, so that its result is no longer shown."""
        with self._lock:
            job = self._jobs.get(name)
            if job is not None and not job.running:
                del self._jobs[name]


def _run(job: Job, work: Callable[[Report], Any], context: AbstractContextManager[None]) -> None:
    try:
        with context:
            job.result = work(job.report)
        outcome = "done"
    except Stopped as stopped:
        job.message, outcome = str(stopped), "stopped"
    except BamError as error:
        job.error, outcome = str(error), "failed"
    except Exception as error:
        log.exception("job %s failed", job.name)
        job.error = (
            f"{job.title} failed because of a bug in this program ({type(error).__name__}: {error}). "
            "See the log for details."
        )
        outcome = "failed"
    job.ended = time.monotonic()
    job.state = outcome
