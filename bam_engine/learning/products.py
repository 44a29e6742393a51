"""Blocks of vectors as float32, and their products with a few weights: how the whole collection is read.

In:  vectors (n, d), float16 and possibly a memory map larger than RAM. Out: arrays of the caller's. A block of float32
fits into the processor's cache, which is several times as fast as widening everything at once. Blocks are shared out to
threads, each with a single BLAS thread, and their bounds are fixed, so that results do not depend on the number of
cores.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from bam_engine.learning.threads import single_threaded_blas
from bam_engine.progress import Report, silent

Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

BLOCK = 512
_SPAN = 32_768  # rows that a thread takes at a time, in blocks
_MAX_WORKERS = 8


def for_each_block(
    vectors: Vectors,
    use: Callable[[slice, Floats], None],
    *,
    rows: npt.NDArray[np.integer] | None = None,
    block: int = BLOCK,
    report: Report = silent,
    message: str = "",
) -> None:
    """Call ``use`` with every block of the vectors, in threads and in no particular order.

    Parameters
    ----------
    vectors : (n, d)
        Finite.
    use : callable
        Receives a slice of ``rows`` and their vectors (b, d) float32, which it may overwrite and must not keep.
    rows : (r,), optional
        The vectors to read, in this order. None: all.
    block : int
        Rows of a block.
    report : Report
        Called with the rows that are done; what it raises ends the pass.

    Examples
    --------
    >>> length = np.empty(3)
    >>> def measure(part, block):
    ...     length[part] = np.linalg.norm(block, axis=1)
    >>> for_each_block(np.array([[3, 4], [0, 0], [6, 8]], np.float16), measure)
    >>> length.tolist()
    [5.0, 0.0, 10.0]
    """
    count = len(vectors) if rows is None else len(rows)
    span = max(block, _SPAN // block * block)

    def read(first: int) -> int:
        wide = np.empty((min(block, count - first), vectors.shape[1]), np.float32)
        last = min(first + span, count)
        for start in range(first, last, block):
            part = slice(start, min(start + block, last))
            chosen = wide[: part.stop - part.start]
            widen(vectors[part] if rows is None else vectors[rows[part]], chosen)
            use(part, chosen)
        return last

    with single_threaded_blas():
        workers = ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS))
        try:
            for done in workers.map(read, range(0, count, span)):
                report(done, count, message)
        finally:
            workers.shutdown(cancel_futures=True)


def products(
    vectors: Vectors,
    weights: Floats,
    *,
    rows: npt.NDArray[np.integer] | None = None,
    centre: Floats | None = None,
    block: int = BLOCK,
    out: Floats | None = None,
    report: Report = silent,
    message: str = "",
) -> Floats:
    """Return ``(vectors[rows] - centre) @ weights``, (r, k) float32.

    Parameters as for :func:`for_each_block`, and:

    Parameters
    ----------
    weights : (d, k) float32
    centre : (d,) float32, optional
    out : (r, k) float32, optional
        Receives the products.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [0.5, 0.5]], np.float16)
    >>> products(vectors, np.array([[1], [2]], np.float32)).tolist()
    [[1.0], [1.5]]
    """
    count = len(vectors) if rows is None else len(rows)
    result: Floats = np.empty((count, weights.shape[1]), np.float32) if out is None else out

    def multiply(part: slice, wide: Floats) -> None:
        if centre is not None:
            wide -= centre
        result[part] = wide @ weights

    for_each_block(vectors, multiply, rows=rows, block=block, report=report, message=message)
    return result


def widen(vectors: Vectors, wide: Floats) -> None:
    """Copy ``vectors`` into ``wide`` (float32); finite float16 by integer operations, several times as fast as numpy.

    The bits of a float16, sign-extended to 32 bits and shifted left by 13, are those of the same number as a float32,
    except that the exponent's bias is 112 too small; a multiplication corrects it, for subnormal numbers too.
    """
    if vectors.dtype != np.float16:
        np.copyto(wide, vectors, casting="same_kind")
        return
    bits = wide.view(np.int32)
    np.copyto(bits, vectors.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, np.int32(-0x70002000), out=bits)  # 0x8FFFE000: sign, exponent, mantissa
    np.multiply(wide, np.float32(2.0**112), out=wide)
