"""How kernels are compiled: without holding the interpreter, and kept on the disk for the next process.

Imports numba, so it is imported by kernels only. What is kept is looked up by the kernel's own file: kernels that call
those of another file are compiled by ``njit`` alone.
"""

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile a function at its first call; where nothing can be written, in each process."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)
