"""Images made ready ahead of the model, in threads or in processes.

In:  files and an encoder. Out: for each file, in order, what the encoder's model takes, or why there is nothing. Never
more than a stated number of files ahead of the one that is taken.

Python runs one thread at a time. Networks take decoded pixels, which libraries make while others run: threads are
quickest (1,041 images a second on 16 cores; 275 in processes, which must load torch and send pixels). The built-in
encoder's many small steps get slower with every thread (176 a second) and grow with the processes (892).
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt
from PIL import Image

from bam_engine.collection import read_image
from bam_engine.embedding.encoder import Encoder, PortableEncoder
from bam_engine.errors import EmbeddingError, ImageUnreadable

FEWEST = 1000
"""With fewer images than this, threads are done before processes have begun."""

Prepared = npt.NDArray[Any]
Prepare = Callable[[Image.Image], Prepared]


class Decoder:
    """A pool that makes images ready for ``encoder``."""

    def __init__(self, pool: Executor, prepare: Prepare, size: int, workers: int) -> None:
        self._pool, self._prepare, self._size, self._workers = pool, prepare, size, workers
        self._waiting: deque[Future[Prepared | str]] = deque()

    def ahead(self, paths: Iterable[Path], extra: int) -> Iterator[Prepared | str]:
        """Yield what is made of each path, in order, at most ``extra`` + the workers ahead of the one taken.

        Raises
        ------
        EmbeddingError
            A process was ended from outside, as by a system that is out of memory.
        """
        waiting = self._waiting
        try:
            for path in paths:
                waiting.append(self._pool.submit(prepared, self._prepare, path, self._size))
                if len(waiting) >= extra + self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise EmbeddingError(
                "a process that decodes images was ended by the system, perhaps for want of memory. What was finished "
                "is kept: start again to go on, with fewer workers if it happens again."
            ) from error

    def close(self) -> None:
        """Leave undone what has not begun, and wait for the rest."""
        for future in self._waiting:
            future.cancel()
        self._pool.shutdown(wait=True)


@contextmanager
def decoding(encoder: Encoder, count: int, workers: int | None) -> Iterator[Decoder]:
    """Open the pool that suits ``count`` images of ``encoder``; leaving it ends what had not begun.

    Processes where there are several workers, ``FEWEST`` images or more, and the encoder can be sent to them.
    """
    workers = max(1, workers or os.cpu_count() or 1)
    portable = encoder.preparer if isinstance(encoder, PortableEncoder) else None
    if portable is not None and workers > 1 and count >= FEWEST:
        from loky import ProcessPoolExecutor

        pool: Executor = ProcessPoolExecutor(workers)
    else:
        portable, pool = None, ThreadPoolExecutor(workers, thread_name_prefix="decode")
    with closing(Decoder(pool, portable or encoder.prepare, encoder.input_size, workers)) as decoder:
        yield decoder


def prepared(prepare: Prepare, path: Path, size: int) -> Prepared | str:
    """Decode one image, or say why not."""
    try:
        return prepare(read_image(path, size=size))
    except ImageUnreadable as error:
        return str(error)
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
