"""Compiled kernels, kept on disk for the next process.

In:  a function that numba compiles, and numba's options. Out: the compiled function. Compiling is what a fresh process
waits longest for: seconds, during which no other thread of Python gets on. Imports numba, so it is imported by modules
of kernels only.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

_KERNELS = "**/*kernels.py"


def njit(**options: Any) -> Callable[[Any], Any]:
    """Compile like ``numba.njit``, and keep the result beside the source, or where numba finds that it can write.

    numba looks at the function's own file alone to tell whether what it kept is still right. Kernels call kernels of
    other files, so a change there or in any file of kernels makes them anew. Where nothing can be kept, each process
    compiles for itself.
    """

    def compiled(function: Any) -> Any:
        try:
            kept = numba.njit(cache=True, **options)(function)
            kept._cache._cache_file._source_stamp = stamp(Path(function.__code__.co_filename))
        except (RuntimeError, AttributeError):  # no folder can be written; or numba keeps it in another way
            return numba.njit(**options)(function)
        return kept

    return compiled


@cache
def stamp(own: Path, engine: Path = Path(__file__).parent) -> tuple[tuple[str, int, int], ...]:
    """Return what differs as soon as ``own`` or a file of kernels below ``engine`` does: names, times and sizes.

    A process looks once for each file.
    """
    about = [(file, file.stat()) for file in sorted({own, *engine.glob(_KERNELS)})]
    return tuple((file.name, found.st_mtime_ns, found.st_size) for file, found in about)
