"""One BLAS thread for small products, however many threads of ours ask for it at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_users = 0
_limits: Any = None


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Limit the BLAS of numpy and scipy to one thread until the last concurrent user leaves the block.

    Results then do not depend on the number of cores. Small products split between threads also take many times as long
    as unsplit ones when the machine is busy, because the threads wait for each other.
    """
    global _users, _limits
    from threadpoolctl import threadpool_limits

    with _lock:
        if _users == 0:
            _limits = threadpool_limits(1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limits.restore_original_limits()
