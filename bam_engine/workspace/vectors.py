"""The collection's vectors: made, completed, and looked through for neighbours.

Wires ``collection`` to ``embedding``. What could not be embedded is noted under the stage ``embed:KEY``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine import learning
from bam_engine.embedding import VectorStore, embed, retry_missing
from bam_engine.errors import EmbeddingError
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace


@dataclass(frozen=True)
class EmbedSummary:
    """What one run did: images embedded, images that failed, and images per second."""

    embedded: int
    failed: int
    rate: float


def problem_stage(key: str) -> str:
    """Return the name under which the problems of an encoder's runs are noted."""
    return f"embed:{key}"


def embed_collection(workspace: Workspace, *, report: Report = silent) -> EmbedSummary:
    """Embed every image that the encoder in use has no vector for, and try again those that failed before.

    Raises
    ------
    EmbeddingError
        There are no images, or the encoder cannot be opened.
    Stopped
        Asked to stop; the finished batches are kept and the next run goes on after them.
    DiskFull
        No room; the finished batches are kept.
    """
    if len(workspace.catalogue) == 0:
        raise EmbeddingError("there are no images to embed. Add a folder of images first.")
    encoder = workspace.encoder()
    store = VectorStore(workspace.cache / "vectors" / encoder.key, encoder.dim)
    paths = [Path(uri) for uri in workspace.catalogue.uris()]
    missing_before = store.missing()
    made = embed(paths, encoder, store, report=report)
    failed = list(made.failed)
    if len(missing_before):
        failed += retry_missing(paths, encoder, store).failed
    record_failures(workspace, encoder.key, paths, failed)
    return EmbedSummary(made.embedded, len(failed), made.rate)


def record_failures(workspace: Workspace, key: str, paths: list[Path], failed: list[tuple[int, str]]) -> None:
    """Make the noted problems of an encoder those of the last run."""
    for problem in workspace.catalogue.problems(problem_stage(key)):
        workspace.catalogue.clear_problem(problem_stage(key), problem.uri)
    for row, reason in failed:
        workspace.catalogue.record_problem(problem_stage(key), str(paths[row]), reason)


def vectors_of(workspace: Workspace) -> NDArray[np.float16]:
    """Return the vectors (n, d) of the encoder in use, memory-mapped.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    """
    store = workspace.vectors()
    if len(store) == 0:
        raise EmbeddingError(f"no image is embedded with {workspace.choice.spec} yet. Embed the collection first.")
    return store.array()


def missing_rows(workspace: Workspace, key: str | None = None) -> NDArray[np.int64]:
    """Return the rows without a vector, ascending; looked for again only when the vectors' file has changed."""
    store = workspace.vectors(key)
    if len(store) == 0:
        return np.empty(0, np.int64)
    version = (store.file.stat().st_mtime_ns, len(store))
    kept = workspace.memory_cache.get(f"missing:{store.folder}")
    if kept is None or kept[0] != version:
        kept = workspace.memory_cache[f"missing:{store.folder}"] = (version, store.missing())
    rows: NDArray[np.int64] = kept[1]
    return rows


def embedded_rows(workspace: Workspace) -> NDArray[np.int64]:
    """Return the rows that have a vector by the encoder in use, ascending."""
    there = np.ones(len(workspace.vectors()), bool)
    there[missing_rows(workspace)] = False
    return np.flatnonzero(there)


def neighbours(workspace: Workspace, row: int, count: int = 12) -> list[tuple[int, float]]:
    """Return the ``count`` images most like image ``row``, nearest first, with their cosine similarity.

    The search is exact. Ties go to the lower row; the image itself and images without a vector are left out.
    """
    vectors = vectors_of(workspace)
    if row >= len(vectors):
        return []
    return _pairs(*most_similar(workspace, vectors[row].astype(np.float32), count, without=row))


def supports_text(workspace: Workspace) -> bool:
    """Whether the encoder in use places text among the images."""
    return workspace.choice.spec.startswith("openclip:")


def text_vector(workspace: Workspace, text: str) -> NDArray[np.float32]:
    """Return the unit vector (d,) of a text.

    Raises
    ------
    EmbeddingError
        The encoder in use does not read text, or the text is empty.
    """
    if not text.strip():
        raise EmbeddingError("the text is empty: describe what to look for")
    encoder = workspace.encoder()
    encode_text = getattr(encoder, "encode_text", None)
    if encode_text is None:
        raise EmbeddingError(
            f"the encoder {encoder.spec} reads images only. Choose an OpenCLIP encoder to search by text."
        )
    vector: NDArray[np.float32] = encode_text([text])[0]
    return vector


def most_similar(
    workspace: Workspace, wanted: NDArray[np.float32], count: int, *, without: ArrayLike = ()
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ``count`` images most like ``wanted``, most first, and their likeness; exact, ties by row.

    Parameters
    ----------
    wanted : (d,) or (m, d) float32
        Unit vectors; of several, the likeness of an image is its largest.
    without
        Rows that are left out, as are images without a vector.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    """
    found = learning.most_similar(vectors_of(workspace), wanted, max(1, count), without=without, together=True)
    there = found.rows[0, :count] >= 0
    return found.rows[0, :count][there].astype(np.int64), found.similarity[0, :count][there]


def _pairs(rows: NDArray[np.int64], likeness: NDArray[np.float32]) -> list[tuple[int, float]]:
    return list(zip(rows.tolist(), likeness.tolist(), strict=True))
