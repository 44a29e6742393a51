"""Decoding and preprocessing ahead of the model, in threads or processes.

In:  files and an encoder. Out: for each file, in order, the model input or the reason why there is none.

For networks, which need decoded pixels, threads are fastest because the libraries release the GIL (1,041 images/s on 16
cores, against 275 in processes, which must load torch and send pixels); so they are for the standard encoder, whose
compiled descriptors release it too (13 processor seconds for 1,000 images, against 33). The many small steps of the
built-in encoder slow down with more threads (176 images/s) but scale with processes (649).
"""

import logging
from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

import numpy.typing as npt

from bam_engine.collection import read_image
from bam_engine.collection.originals import Original
from bam_engine.embedding.base import Encoder, PortableEncoder, Preprocessor
from bam_engine.errors import BucketUnavailable, ImageUnreadable
from bam_engine.processes import processes, processors, threads

MIN_FOR_PROCESSES = 1000
"""For fewer images, threads finish before processes have started."""

log = logging.getLogger(__name__)

ModelInput = npt.NDArray[Any]


def decoded(
    encoder: Encoder, files: Iterable[tuple[Original, str]], count: int, *, ahead: int, workers: int | None = None
) -> Generator[ModelInput | str, None, None]:
    """Yield the model input of each file, or the reason why there is none, in order.

    At most ``ahead`` images plus one per worker are in progress. Closing the generator cancels the rest.

    Parameters
    ----------
    files
        Each path, with what the digest of the file has to begin with.
    count
        The number of files. From ``MIN_FOR_PROCESSES`` on, processes are used if the encoder is portable.
    workers
        Number of threads or processes; by default one per core.

    Raises
    ------
    BamError
        A worker process was killed, or a bucket does not answer.
    """
    workers = max(1, workers or processors())
    if workers > 1 and count >= MIN_FOR_PROCESSES and isinstance(encoder, PortableEncoder):
        pool, preprocess = processes(workers), encoder.preprocessor
    else:
        pool, preprocess = threads(workers), encoder.preprocess
    with pool as worker_pool:
        yield from worker_pool.map(partial(_preprocess, preprocess, encoder.input_size), files, ahead=ahead + workers)


def _preprocess(preprocess: Preprocessor, size: int, file: tuple[Original, str]) -> ModelInput | str:
    """Decode and preprocess one image, or return the reason why not, whatever it is: no image ends the run."""
    path, digest = file
    try:
        return preprocess(read_image(path, size=size, digest=digest))
    except BucketUnavailable:  # what is wrong is no matter of the image
        raise
    except ImageUnreadable as error:
        return str(error)
    except MemoryError:
        return "There is not enough memory to prepare the image for the encoder."
    except Exception as error:
        log.exception("%s could not be prepared for the encoder", path)
        return f"The image cannot be prepared for the encoder ({type(error).__name__}: {error})."
