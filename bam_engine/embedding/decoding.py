"""Images made ready ahead of the model, in threads or in processes.

In:  files and an encoder. Out: for each file, in order, what the encoder's model takes, or why there is nothing.

Networks take decoded pixels, which libraries make while others run: threads are quickest (1,041 images a second on 16
cores; 275 in processes, which must load torch and send pixels). The built-in encoder's many small steps get slower
with every thread (176 a second) and grow with the processes (649).
"""

import os
from collections.abc import Generator, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from bam_engine.collection import read_image
from bam_engine.embedding.base import Encoder, PortableEncoder, Preprocessor
from bam_engine.errors import ImageUnreadable
from bam_engine.processes import processes, threads

FEWEST = 1000
"""With fewer images than this, threads are done before processes have begun."""

Prepared = npt.NDArray[Any]


def decoded(
    encoder: Encoder, paths: Iterable[Path], count: int, *, ahead: int, workers: int | None = None
) -> Generator[Prepared | str, None, None]:
    """Yield what is made of each path, or the reason why nothing is, in order.

    At most ``ahead`` images and one for each worker are in hand. Closed early, it leaves undone what has not begun.

    Parameters
    ----------
    count
        How many paths there are: ``FEWEST`` or more of them go to processes, if the encoder can be sent there.
    workers
        Threads or processes; as many as there are cores when not given.

    Raises
    ------
    BamError
        A process was ended from outside.
    """
    workers = max(1, workers or os.cpu_count() or 1)
    if workers > 1 and count >= FEWEST and isinstance(encoder, PortableEncoder):
        pool, preprocess = processes(workers), encoder.preprocessor
    else:
        pool, preprocess = threads(workers), encoder.preprocess
    with pool as worker_pool:
        yield from worker_pool.map(partial(_prepared, preprocess, encoder.input_size), paths, ahead=ahead + workers)


def _prepared(preprocess: Preprocessor, size: int, path: Path) -> Prepared | str:
    """Decode one image, or say why not."""
    try:
        return preprocess(read_image(path, size=size))
    except ImageUnreadable as error:
        return str(error)
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
