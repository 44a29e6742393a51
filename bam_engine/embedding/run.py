"""Embedding runs: decode ahead, encode, and write batch after batch to disk.

In:  the files of the collection by row, an encoder, a store. Out: one vector per row, in order; a row of zeros, with
the reason, for an image that could not be read. Finished batches are saved, however the run ends.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bam_engine.embedding.base import Encoder
from bam_engine.embedding.decoding import ModelInput, decoded
from bam_engine.embedding.store import VectorStore
from bam_engine.errors import EmbeddingError, NotFound
from bam_engine.formatting import count
from bam_engine.progress import Report, silent


@dataclass(frozen=True)
class EmbedResult:
    """The result of a run.

    Attributes
    ----------
    embedded
        Images embedded in this run.
    failed
        ``(row, reason)`` of images that failed; their vectors are zero and :func:`retry_missing` tries them again.
    seconds
        Duration of the run.
    rate
        Images per second, including failed ones.
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
    """Embed the images that are not in the store yet.

    Parameters
    ----------
    paths
        The files of the *whole* collection by row. Rows below ``first_row`` are not read.
    encoder, store
        The model and the store of its vectors, which must be empty or belong to this encoder.
    first_row
        The first row to embed; it must be ``len(store)``, the default.
    report
        Called with (stored rows, total rows, failures so far) at the start and after each batch is on disk.
    batch
        Images per model call, and the most that a killed run loses.
    workers
        Number of decoding threads or processes; by default one per core.

    Returns
    -------
    EmbedResult

    Raises
    ------
    Stopped
        Raised by ``report``; finished batches are saved.
    DiskFull
        The disk is full; finished batches are saved.
    EmbeddingError
        The store belongs to another encoder, another process is writing to it, or ``first_row`` is not the next row.

    Examples
    --------
    >>> embed(paths, open_encoder("builtin"), VectorStore(folder))          # doctest: +SKIP
    EmbedResult(embedded=6793, failed=[], seconds=41.2, rate=164.9)
    """
    store.claim(spec=encoder.spec, key=encoder.key, dim=encoder.dim)
    with store.writing():
        start = len(store)
        if first_row not in (None, start):
            raise EmbeddingError(
                f"Cannot start embedding at row {first_row}: {count(start, 'row')} stored, so the next row is {start}."
            )
        run = _Run(encoder, store, done=start, total=len(paths), report=report)
        with closing(run.batches(range(start, len(paths)), paths, batch, workers)) as batches:
            for _, vectors in batches:
                store.append(vectors)
                run.advance(len(vectors))
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
    """Retry the images whose vector is zero or damaged, in place; ``report`` counts only these.

    Parameters and errors are those of :func:`embed`; ``failed`` lists the rows that still have no vector.
    """
    store.claim(spec=encoder.spec, key=encoder.key, dim=encoder.dim)
    with store.writing():
        damaged = store.damaged()
        rows = np.union1d(store.missing(), damaged).tolist()
        if rows and rows[-1] >= len(paths):
            raise NotFound(f"Row {rows[-1]} has a vector but no file: only {count(len(paths), 'file')} were given.")
        run = _Run(encoder, store, done=0, total=len(rows), report=report)
        with _new_edition(store, when=len(damaged) > 0), closing(run.batches(rows, paths, batch, workers)) as batches:
            for places, vectors in batches:
                store.replace(places, vectors)
                run.advance(len(places))
    return run.result()


@contextmanager
def _new_edition(store: VectorStore, *, when: bool) -> Iterator[None]:
    """Renew the edition of the vectors before and after they are mended, since others compute from them meanwhile."""
    if when:
        store.renew_edition()
    try:
        yield
    finally:
        if when:
            store.renew_edition()


class _Run:
    """The state and pipeline of one run."""

    def __init__(self, encoder: Encoder, store: VectorStore, *, done: int, total: int, report: Report) -> None:
        self.encoder, self.store = encoder, store
        self.failed: list[tuple[int, str]] = []
        self.first, self.done, self.total = done, done, total
        self.report = report
        self.started = time.monotonic()
        report(done, total, "")

    def batches(
        self, rows: Sequence[int], paths: Sequence[Path], batch: int, workers: int | None
    ) -> Generator[tuple[list[int], npt.NDArray[np.float32]]]:
        """Yield (rows, vectors) in order; while the caller stores a batch, the workers decode the next two."""
        size = max(1, batch)
        files = ((paths[row], self.store.image(row)) for row in rows)
        with closing(decoded(self.encoder, files, len(rows), ahead=2 * size, workers=workers)) as inputs:
            for start in range(0, len(rows), size):
                chosen = list(rows[start : start + size])
                yield chosen, self._encode(chosen, list(islice(inputs, len(chosen))))

    def advance(self, rows: int) -> None:
        """Report ``rows`` more rows as finished."""
        self.done += rows
        failures = len(self.failed)
        self.report(self.done, self.total, f"{failures} could not be read" if failures else "")

    def result(self) -> EmbedResult:
        seconds = time.monotonic() - self.started
        rows = self.done - self.first
        return EmbedResult(rows - len(self.failed), self.failed, seconds, rows / seconds if seconds > 0 else 0.0)

    def _encode(self, rows: Sequence[int], inputs: Sequence[ModelInput | str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(rows), self.encoder.dim), np.float32)
        good = [place for place, item in enumerate(inputs) if not isinstance(item, str)]
        if good:
            encoded = self.encoder.encode([item for item in inputs if not isinstance(item, str)])
            usable = np.asarray(np.isfinite(encoded).all(axis=1) & encoded.any(axis=1))
            vectors[good] = np.where(usable[:, None], encoded, 0.0)
        else:
            usable = np.empty(0, bool)
        reasons = {place: item for place, item in enumerate(inputs) if isinstance(item, str)}
        reasons |= {good[i]: "The encoder returned no usable vector." for i in np.flatnonzero(~usable)}
        self.failed += [(rows[place], reasons[place]) for place in sorted(reasons)]
        return vectors
