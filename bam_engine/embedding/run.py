"""Embedding runs: part after part is computed, and written to disk.

In:  the files of the collection by row, an encoder, a store. Out: one vector per row, in order; a row of zeros, with
the reason, for an image that could not be read. Finished batches are saved, however the run ends.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np

from bam_engine.collection.originals import Original
from bam_engine.embedding.base import Encoder
from bam_engine.embedding.parts import Executor, File, Part, computed
from bam_engine.embedding.shards import FOLDER, Shards
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
    paths: Sequence[Original],
    encoder: Encoder,
    store: VectorStore,
    *,
    first_row: int | None = None,
    report: Report = silent,
    batch: int = 64,
    workers: int | None = None,
    on: Executor | None = None,
) -> EmbedResult:
    """Embed the images that are not in the store yet.

    Parameters
    ----------
    paths
        The files, or objects of buckets, of the *whole* collection by row. Rows below ``first_row`` are not read.
    encoder, store
        The model and the store of its vectors, which must be empty or belong to this encoder.
    first_row
        The first row to embed; it must be ``len(store)``, the default.
    report
        Called with (stored rows, total rows, failures so far) at the start and after each batch is on disk; rows that a
        cluster has finished before their turn count too.
    batch
        Images per model call, and the most that a killed run loses.
    workers
        Number of decoding threads or processes; by default one per core.
    on
        A cluster that computes the vectors (:func:`.ray_cluster.connected`); by default, this process does.

    Returns
    -------
    EmbedResult

    Raises
    ------
    Stopped
        Raised by ``report``; finished batches are saved.
    DiskFull
        The disk is full; finished batches are saved.
    BucketUnavailable
        Images are in a bucket that does not answer; finished batches are saved.
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
        shards = Shards(store.folder / FOLDER, key=encoder.key, dim=encoder.dim, batch=batch, image=store.image)
        with closing(run.parts(range(start, len(paths)), paths, batch, workers, on, shards)) as parts:
            for part in parts:
                if part.rows:
                    store.append(part.vectors)
                run.advance(part)
        shards.clear()
    return run.result()


def retry_missing(
    paths: Sequence[Original],
    encoder: Encoder,
    store: VectorStore,
    *,
    report: Report = silent,
    batch: int = 64,
    workers: int | None = None,
    on: Executor | None = None,
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
        with _new_edition(store, when=len(damaged) > 0), closing(run.parts(rows, paths, batch, workers, on)) as parts:
            for part in parts:
                if part.rows:
                    store.replace(part.rows, part.vectors)
                run.advance(part)
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
    """The state of one run."""

    def __init__(self, encoder: Encoder, store: VectorStore, *, done: int, total: int, report: Report) -> None:
        self.encoder, self.store = encoder, store
        self.failed: list[tuple[int, str]] = []
        self.first, self.done, self.total = done, done, total
        self.report = report
        self.started = time.monotonic()
        report(done, total, "")

    def parts(
        self,
        rows: Sequence[int],
        paths: Sequence[Original],
        batch: int,
        workers: int | None,
        on: Executor | None,
        shards: Shards | None = None,
    ) -> Generator[Part]:
        """Return what yields the vectors of ``rows``, on this machine or another."""

        def file(row: int) -> File:
            return paths[row], self.store.image(row)

        if on is not None:
            return on.parts(self.encoder, rows, file, batch=batch, shards=shards)
        return computed(self.encoder, rows, map(file, rows), batch=batch, workers=workers)

    def advance(self, part: Part) -> None:
        """Report a part as finished."""
        self.done += len(part.rows)
        self.failed += part.failed
        failures = f"{len(self.failed)} could not be read" if self.failed else ""
        self.report(self.done + part.ahead, self.total, ", ".join(filter(None, (failures, part.note))))

    def result(self) -> EmbedResult:
        seconds = time.monotonic() - self.started
        rows = self.done - self.first
        return EmbedResult(rows - len(self.failed), self.failed, seconds, rows / seconds if seconds > 0 else 0.0)
