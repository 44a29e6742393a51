"""The vectors of files, part by part: what a run computes on this machine, and a worker of a cluster on another.

In:  an encoder and files. Out: parts of a run, each the vectors of a few images with the reasons of those that failed.
Batches are cut alike wherever they are computed, so that the vectors are the same to the last bit.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from bam_engine.collection.originals import Original
from bam_engine.embedding.base import Encoder
from bam_engine.embedding.decoding import ModelInput, decoded

if TYPE_CHECKING:
    from bam_engine.embedding.shards import Shards

File = tuple[Original, str]
"""A file or an object of a bucket, and what the digest of its file has to begin with."""


@dataclass(frozen=True)
class Part:
    """A part of a run, or with no rows a sign that it goes on.

    Attributes
    ----------
    rows
        The rows of its images.
    vectors
        Their vectors (b, dim); those of images that failed are zero.
    failed
        ``(row, reason)`` of those.
    ahead
        Images that are computed beyond this part, but not handed over yet.
    note
        What the run waits for, in words.
    """

    rows: Sequence[int]
    vectors: npt.NDArray[Any]
    failed: list[tuple[int, str]] = field(default_factory=list)
    ahead: int = 0
    note: str = ""


class Executor(Protocol):
    """What computes the vectors of a run in place of this process."""

    def parts(
        self,
        encoder: Encoder,
        rows: Sequence[int],
        file: Callable[[int], File],
        *,
        batch: int,
        shards: "Shards | None" = None,
    ) -> Generator[Part]:
        """Yield the vectors of all ``rows``: in their order with ``shards``, where what is ahead of it is kept."""


def computed(
    encoder: Encoder,
    rows: Sequence[int],
    files: Iterable[File],
    *,
    batch: int,
    workers: int | None = None,
    encoding: AbstractContextManager[Any] | None = None,
    refused: Mapping[int, str] = MappingProxyType({}),
) -> Generator[Part]:
    """Yield a part for each batch of ``rows``, in order; while one is encoded, the next two are decoded.

    Parameters
    ----------
    files
        The file of each row.
    batch
        Images of a call of the model.
    workers
        Number of decoding threads or processes; by default one per core.
    encoding
        Is held while the model computes, for callers that share it.
    refused
        The reasons of rows whose files are not read.
    """
    size = max(1, batch)
    read = (file for row, file in zip(rows, files, strict=True) if row not in refused)
    with closing(decoded(encoder, read, len(rows), ahead=2 * size, workers=workers)) as inputs:
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            prepared = [refused[row] if row in refused else next(inputs) for row in chosen]
            with encoding or nullcontext():
                part = _encoded(encoder, chosen, prepared)
            yield part


def _encoded(encoder: Encoder, rows: Sequence[int], inputs: Sequence[ModelInput | str]) -> Part:
    vectors = np.zeros((len(rows), encoder.dim), np.float32)
    good = [place for place, item in enumerate(inputs) if not isinstance(item, str)]
    usable = np.empty(0, bool)
    if good:
        encoded = encoder.encode([item for item in inputs if not isinstance(item, str)])
        usable = np.asarray(np.isfinite(encoded).all(axis=1) & encoded.any(axis=1))
        vectors[good] = np.where(usable[:, None], encoded, 0.0)
    reasons = {place: item for place, item in enumerate(inputs) if isinstance(item, str)}
    reasons |= {good[i]: "The encoder returned no usable vector." for i in np.flatnonzero(~usable)}
    return Part(rows, vectors, [(rows[place], reasons[place]) for place in sorted(reasons)])
