"""Many small tasks on all cores of this machine, their results in order, a bounded way ahead of who takes them.

In:  a function and what it is to be called with, one after the other. Out: what it returns, in that order. Knows
nothing of images.

Python runs one thread at a time: threads serve where a task hands most of its work to libraries that let others run,
processes where it does not. Processes are loky's, which know nothing of the caller's main module: it need not be
guarded, and a server may start them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from bam_engine.errors import BamError

Item = TypeVar("Item")
Result = TypeVar("Result")

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class WorkerPool:
    """Threads or processes at work for one caller."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._waiting: deque[Future[Any]] = deque()

    def each(self, work: Callable[[Item], Result], items: Iterable[Item], *, ahead: int) -> Iterator[Result]:
        """Yield ``work(item)`` for each item, in order; at most ``ahead`` items are begun before one is taken.

        Raises
        ------
        BamError
            A process was ended from outside, as by a system that is out of memory. Whatever ``work`` raises passes.
        """
        waiting = self._waiting
        try:
            for item in items:
                waiting.append(self._pool.submit(work, item))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise BamError(
                "a process that works beside this one was ended by the system, perhaps for want of memory. What was "
                "finished is kept: start again to go on."
            ) from error

    def end(self) -> None:
        """Leave undone what has not begun, and wait for the rest."""
        for future in self._waiting:
            future.cancel()
        self._pool.shutdown(wait=True)


@contextmanager
def threads(count: int) -> Iterator[WorkerPool]:
    """So many threads of this process; they end with the block."""
    yield from _working(ThreadPoolExecutor(count, thread_name_prefix="crew"))


@contextmanager
def processes(count: int, begin: Callable[[], None] | None = None) -> Iterator[WorkerPool]:
    """So many processes, each of which calls ``begin`` first; they end with the block.

    What they are given and return is pickled; their libraries use one thread each.
    """
    from loky import ProcessPoolExecutor

    yield from _working(ProcessPoolExecutor(count, initializer=begin, env=_ONE_THREAD))


def _working(pool: Executor) -> Iterator[WorkerPool]:
    crew = WorkerPool(pool)
    try:
        yield crew
    finally:
        crew.end()
