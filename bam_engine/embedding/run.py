"""From image files to stored vectors: decoding ahead, the model beside it, one batch on disk after the other.

In:  the files of the collection by row, an encoder, a store.
Out: one vector for every row, in order; a row of zeros for an image that could not be read, with the reason. Knows
nothing of the catalogue or of any screen. What was finished stays, whatever ends the run.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bam_engine.embedding.base import Encoder
from bam_engine.embedding.decoding import Prepared, decoded
from bam_engine.embedding.store import VectorStore
from bam_engine.errors import EmbeddingError, NotFound
from bam_engine.progress import Report, silent


@dataclass(frozen=True)
class EmbedResult:
    """What a run did.

    Attributes
    ----------
    embedded
        Images that got a vector in this run.
    failed
        ``(row, reason)`` of those that did not; their vectors are zero and :func:`retry_missing` tries them again.
    seconds
        How long it took.
    rate
        Images a second, failed ones included.
    """

    embedded: int
    failed: list[tuple[int, str]]
    seconds: float
    rate: float


def embed(
    paths: Sequence[Path],
    encoder: Encoder,
    store: VectorStore,
    *,
    first_row: int | None = None,
    report: Report = silent,
    batch: int = 64,
    workers: int | None = None,
) -> EmbedResult:
    """Embed the images that the store does not hold yet.

    Parameters
    ----------
    paths
        The files of the *whole* collection by row. Rows below ``first_row`` are not looked at.
    encoder, store
        The model and where its vectors go; the store must be this encoder's or empty.
    first_row
        The row to begin with; the default, and the only row that can follow, is ``len(store)``.
    report
        Called with (rows stored, rows in all, failures so far) at the start and after each batch is on the disk.
    batch
        Images a model call, and the most that a killed run loses.
    workers
        Threads or processes that decode; as many as there are cores when not given.

    Returns
    -------
    EmbedResult

    Raises
    ------
    Stopped
        From ``report``; the batches that were finished are kept.
    DiskFull
        No room; the batches that were finished are kept.
    EmbeddingError
        The store belongs to another encoder, another process writes to it, or ``first_row`` would leave a gap.

    Examples
    --------
    >>> embed(paths, open_encoder("builtin"), VectorStore(folder))          # doctest: +SKIP
    EmbedResult(embedded=6793, failed=[], seconds=41.2, rate=164.9)
    """
    with store.writing():
        store.claim(spec=encoder.spec, key=encoder.key, dim=encoder.dim)
        start = len(store)
        if first_row not in (None, start):
            raise EmbeddingError(
                f"embedding was to begin at row {first_row}, but {start} rows are stored: the next is row {start}."
            )
        run = _Run(encoder, done=start, total=len(paths), report=report)
        with closing(run.batches(range(start, len(paths)), paths, batch, workers)) as batches:
            for _, vectors in batches:
                store.append(vectors)
                run.tell(len(vectors))
    return run.result()


def retry_missing(
    paths: Sequence[Path],
    encoder: Encoder,
    store: VectorStore,
    *,
    report: Report = silent,
    batch: int = 64,
    workers: int | None = None,
) -> EmbedResult:
    """Try again the images whose vector is zero, in place; ``report`` counts only them.

    Parameters and errors are those of :func:`embed`; ``failed`` holds the rows that are still without a vector.
    """
    with store.writing():
        store.claim(spec=encoder.spec, key=encoder.key, dim=encoder.dim)
        rows = store.missing().tolist()
        if rows and rows[-1] >= len(paths):
            raise NotFound(f"row {rows[-1]} has a vector but no file: {len(paths)} files were given.")
        run = _Run(encoder, done=0, total=len(rows), report=report)
        with closing(run.batches(rows, paths, batch, workers)) as batches:
            for places, vectors in batches:
                found = vectors.any(axis=1)
                store.replace(np.asarray(places)[found], vectors[found])
                run.tell(len(places))
    return run.result()


class _Run:
    """The counts and the pipeline of one run."""

    def __init__(self, encoder: Encoder, *, done: int, total: int, report: Report) -> None:
        self.encoder = encoder
        self.failed: list[tuple[int, str]] = []
        self.first, self.done, self.total = done, done, total
        self.report = report
        self.begun = time.monotonic()
        report(done, total, "")

    def batches(
        self, rows: Sequence[int], paths: Sequence[Path], batch: int, workers: int | None
    ) -> Generator[tuple[list[int], npt.NDArray[np.float32]]]:
        """Yield (rows, vectors) in order; while the caller stores one batch the workers decode the next two."""
        size = max(1, batch)
        chosen_paths = (paths[row] for row in rows)
        with closing(decoded(self.encoder, chosen_paths, len(rows), ahead=2 * size, workers=workers)) as ready:
            for start in range(0, len(rows), size):
                chosen = list(rows[start : start + size])
                yield chosen, self._encode(chosen, list(islice(ready, len(chosen))))

    def tell(self, count: int) -> None:
        """Report ``count`` more rows as finished."""
        self.done += count
        failures = len(self.failed)
        self.report(self.done, self.total, f"{failures} could not be read" if failures else "")

    def result(self) -> EmbedResult:
        seconds = time.monotonic() - self.begun
        count = self.done - self.first
        return EmbedResult(count - len(self.failed), self.failed, seconds, count / seconds if seconds > 0 else 0.0)

    def _encode(self, rows: Sequence[int], prepared: Sequence[Prepared | str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(rows), self.encoder.dim), np.float32)
        good = [place for place, item in enumerate(prepared) if not isinstance(item, str)]
        if good:
            made = self.encoder.encode([item for item in prepared if not isinstance(item, str)])
            usable = np.asarray(np.isfinite(made).all(axis=1) & made.any(axis=1))
            vectors[good] = np.where(usable[:, None], made, 0.0)
        else:
            usable = np.empty(0, bool)
        reasons = {place: item for place, item in enumerate(prepared) if isinstance(item, str)}
        reasons |= {good[i]: "the encoder made no usable vector of it" for i in np.flatnonzero(~usable)}
        self.failed += [(rows[place], reasons[place]) for place in sorted(reasons)]
        return vectors
