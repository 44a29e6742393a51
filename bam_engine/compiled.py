"""Compiled kernels, cached on disk for the next process.

In:  a function that numba can compile, and numba's options. Out: the compiled function. Compilation dominates the start
of a fresh process: it takes seconds and blocks all other Python threads. This module imports numba, so only kernel
modules import it.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

_KERNELS = "**/*kernels.py"


def njit(**options: Any) -> Callable[[Any], Any]:
    """Compile like ``numba.njit`` and cache the result on disk, next to the source or in numba's cache folder.

    numba checks only the function's own file to decide whether a cached result is still valid. Kernels call kernels in
    other files, so here a change to any kernel file invalidates the cache. Where no folder is writable, each process
    compiles for itself.
    """

    def compiled(function: Any) -> Any:
        try:
            kernel = numba.njit(cache=True, **options)(function)
            kernel._cache._cache_file._source_stamp = stamp(Path(function.__code__.co_filename))
        except (RuntimeError, AttributeError):  # no folder is writable, or numba changed how it caches
            return numba.njit(**options)(function)
        return kernel

    return compiled


@cache
def stamp(own: Path, engine: Path = Path(__file__).parent) -> tuple[tuple[str, int, int], ...]:
    """Return the name, modification time (ns) and size of ``own`` and of every kernel file below ``engine``.

    Computed once per process for each file.
    """
    files = [(file, file.stat()) for file in sorted({own, *engine.glob(_KERNELS)})]
    return tuple((file.name, status.st_mtime_ns, status.st_size) for file, status in files)
