"""One thread for the linear algebra while small products are made, whoever else asks for the same.

In:  nothing. Out: a context. Knows nothing of what is computed.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_users = 0
_limits: Any = None


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep the products of numpy and scipy to one thread until the last of those in here leaves.

    The results then do not depend on the number of cores. And small products that are split between threads wait for
    each other many times as long as they take when the machine is busy.
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
