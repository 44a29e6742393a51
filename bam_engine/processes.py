"""Ordered parallel map over threads or processes with bounded look-ahead.

In:  a function and an iterable of arguments. Out: the results, in order.

Use threads for tasks that spend most of their time in libraries that release the GIL, processes for the others.
Processes come from loky, which does not import the caller's main module: it needs no ``__main__`` guard, and a server
can start them.
"""

import os
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

_limits: list[int] = []


def processors() -> int:
    """Return how many processors this process may keep busy: all, or as many as :func:`limit_processors` said."""
    return min([os.cpu_count() or 1, *_limits])


def limit_processors(count: int) -> None:
    """Keep no more than ``count`` processors busy from now on: the others are for other processes."""
    _limits[:] = [max(1, count)]


class WorkerPool:
    """A pool of threads or processes for one caller."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._waiting: deque[Future[Any]] = deque()

    def map(self, work: Callable[[Item], Result], items: Iterable[Item], *, ahead: int) -> Iterator[Result]:
        """Yield ``work(item)`` for each item, in order; at most ``ahead`` items are submitted before one is consumed.

        Raises
        ------
        BamError
            A worker process was killed, for example by a system out of memory. Exceptions of ``work`` pass through.
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
                "The system killed a worker process, possibly because memory ran out. Finished work is saved; start "
                "again to continue."
            ) from error

    def close(self) -> None:
        """Cancel the tasks that have not started and wait for the rest."""
        for future in self._waiting:
            future.cancel()
        self._pool.shutdown(wait=True)


@contextmanager
def threads(count: int) -> Iterator[WorkerPool]:
    """Open a pool of ``count`` threads; it closes with the block."""
    yield from _open_pool(ThreadPoolExecutor(count, thread_name_prefix="worker"))


@contextmanager
def processes(count: int, initializer: Callable[[], None] | None = None) -> Iterator[WorkerPool]:
    """Open a pool of ``count`` processes, each of which calls ``initializer`` first; it closes with the block.

    Arguments and results are pickled. Numerical libraries use one thread in each process.
    """
    from loky import ProcessPoolExecutor

    yield from _open_pool(ProcessPoolExecutor(count, initializer=initializer, env=_ONE_THREAD))


def _open_pool(pool: Executor) -> Iterator[WorkerPool]:
    workers = WorkerPool(pool)
    try:
        yield workers
    finally:
        workers.close()
