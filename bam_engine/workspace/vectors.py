"""Embedding the collection, and searching its vectors.

Images that cannot be embedded are recorded as problems of the stage ``embed:KEY``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine import learning
from bam_engine.collection import FILE_STATES, Problem
from bam_engine.collection.originals import Original
from bam_engine.embedding import Encoder, Executor, VectorStore, embed, open_encoder, retry_missing
from bam_engine.errors import EmbeddingError
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import members, removed
from bam_engine.workspace.memory import Kind

_MISSING = Kind[NDArray[np.int64]]("rows without a vector", of="encoder", until="its vector file changes", limit=4)


_STATES = Kind[str]("states of all vectors", of="encoder", until="its vector file changes", limit=4)


@dataclass(frozen=True)
class EmbedSummary:
    """The result of a run: images embedded, images that failed, and images per second."""

    embedded: int
    failed: int
    rate: float


def problem_stage(key: str) -> str:
    """Return the stage under which the problems of an encoder are recorded."""
    return f"embed:{key}"


def embed_collection(
    workspace: Workspace, encoder: Encoder | None = None, *, on: Executor | None = None, report: Report = silent
) -> EmbedSummary:
    """Embed every image without a vector of ``encoder``, by default that in use; retry those that failed before.

    The vectors are computed ``on`` a cluster, by default in this process.

    Raises
    ------
    EmbeddingError
        There are no images, or the encoder cannot be opened.
    Stopped
        A stop was requested; finished batches are saved and the next run continues after them.
    DiskFull
        The disk is full; finished batches are saved.
    """
    if len(workspace.catalogue) == 0:
        raise EmbeddingError("There are no images to embed. Add a folder of images first.")
    encoder = encoder or workspace.encoder()
    return _embed(workspace, encoder, workspace.catalogue.paths(), report, on)


def embed_again(workspace: Workspace, key: str, *, report: Report = silent) -> EmbedSummary:
    """Embed those images again whose stored vector of an encoder is damaged or of another image.

    Of an encoder that is not in use, no further image is embedded.

    Raises
    ------
    EmbeddingError
        The encoder cannot be opened.
    """
    stored = workspace.vectors(key).stored
    workspace.vectors(key).drop_others()
    if key == workspace.choice.key:
        return embed_collection(workspace, report=report)
    choice = workspace.choice_of(key)
    if choice is None:
        raise EmbeddingError(f"The encoder of the vectors {key} cannot be opened.")
    paths = workspace.catalogue.paths().first(stored)
    return _embed(workspace, open_encoder(choice.spec, checkpoint=choice.checkpoint), paths, report)


def _embed(
    workspace: Workspace, encoder: Encoder, paths: Sequence[Original], report: Report, on: Executor | None = None
) -> EmbedSummary:
    """Embed the images of ``paths``, the files of the first rows."""
    store = VectorStore(workspace.cache / "vectors" / encoder.key, images=workspace.catalogue.digests().array)
    again = retry_missing(paths, encoder, store, on=on)
    result = embed(paths, encoder, store, report=report, on=on)
    inside = members(workspace)
    failed = [(row, reason) for row, reason in (*again.failed, *result.failed) if inside[row]]
    record_failures(workspace, encoder.key, paths, failed)
    return EmbedSummary(result.embedded, len(failed), result.rate)


def record_failures(workspace: Workspace, key: str, paths: Sequence[Original], failed: list[tuple[int, str]]) -> None:
    """Replace the recorded problems of an encoder by those of the last run."""
    catalogue, stage = workspace.catalogue, problem_stage(key)
    catalogue.clear_problems(stage, [problem.uri for problem in catalogue.problems(stage)])
    images = catalogue.images(row for row, _ in failed)
    catalogue.record_problems(
        Problem(str(paths[row]), FILE_STATES.get(image.status, reason), stage)
        for image, (row, reason) in zip(images, failed, strict=True)
    )


def vectors_of(workspace: Workspace) -> NDArray[np.float16]:
    """Return the vectors of the current encoder, float16 (n, d), memory-mapped.

    Raises
    ------
    EmbeddingError
        No image is embedded yet.
    """
    store = workspace.vectors()
    if len(store) == 0:
        raise EmbeddingError(f"No image is embedded with {workspace.choice.spec} yet. Embed the collection first.")
    return store.array()


def stored_encoders(workspace: Workspace) -> list[str]:
    """Return the keys of the encoders that have vectors of this collection, the one in use first."""
    current = workspace.choice.key
    stored = [key for key in workspace.encoders.keys() if len(workspace.vectors(key))]  # noqa: SIM118
    return sorted(stored, key=lambda key: key != current)


def missing_rows(workspace: Workspace, key: str | None = None) -> NDArray[np.int64]:
    """Return the rows without a vector, ascending; cached until the vector file changes."""
    store = workspace.vectors(key)
    if len(store) == 0:
        return np.empty(0, np.int64)
    return workspace.memory.get(_MISSING, store.folder, (store.version, len(store)), store.missing)


def vectors_state(workspace: Workspace, key: str | None = None) -> str:
    """Return a digest of the vectors and of the images that they are of; cached until the vector file changes."""
    store = workspace.vectors(key)
    return workspace.memory.get(_STATES, store.folder, (store.version, len(store)), store.state)


def vectors_fingerprint(workspace: Workspace, n: int) -> str:
    """Return a digest of the first ``n`` images and of the edition of their vectors, with the encoder in use."""
    return workspace.catalogue.digests().fingerprint(n) + workspace.vectors().edition


def embedded_rows(workspace: Workspace) -> NDArray[np.int64]:
    """Return the rows of the collection with a vector of the current encoder, ascending."""
    embedded = members(workspace, len(workspace.vectors())).copy()
    embedded[missing_rows(workspace)] = False
    return np.flatnonzero(embedded)


def askable_rows(workspace: Workspace) -> NDArray[np.int64]:
    """Return the rows that people may be asked about, ascending: with a vector, and with a file as far as is known."""
    return with_files(workspace, embedded_rows(workspace))


def with_files(workspace: Workspace, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of ``rows`` whose images have their file, as far as is known, in their order."""
    present = workspace.catalogue.present()
    rows = rows[rows < len(present)]
    return rows[present[rows]]


def neighbours(workspace: Workspace, row: int, count: int = 12) -> list[tuple[int, float]]:
    """Return the ``count`` images most similar to image ``row``, with their cosine similarity, highest first.

    The search is exact, with ties by row. The image itself and images without a vector are excluded.
    """
    vectors = vectors_of(workspace)
    if row >= len(vectors):
        return []
    return _pairs(*most_similar(workspace, vectors[row].astype(np.float32), count, without=row))


def supports_text(workspace: Workspace) -> bool:
    """Return whether the current encoder embeds text as well as images."""
    return workspace.choice.spec.startswith("openclip:")


def text_vector(workspace: Workspace, text: str) -> NDArray[np.float32]:
    """Return the unit vector (d,) of a text.

    Raises
    ------
    EmbeddingError
        The current encoder does not embed text, or the text is empty.
    """
    vector: NDArray[np.float32] = text_vectors(workspace, [text])[0]
    return vector


def text_vectors(workspace: Workspace, texts: list[str]) -> NDArray[np.float32]:
    """Return the unit vectors (t, d) of texts.

    Raises
    ------
    EmbeddingError
        The current encoder does not embed text, or a text is empty.
    """
    if not all(text.strip() for text in texts):
        raise EmbeddingError("The text is empty. Describe what to search for.")
    encoder = workspace.encoder()
    encode_text = getattr(encoder, "encode_text", None)
    if encode_text is None:
        raise EmbeddingError(
            f"The encoder {encoder.spec} embeds images only. Choose an OpenCLIP encoder to search by text."
        )
    vectors: NDArray[np.float32] = encode_text(texts)
    return vectors


def most_similar(
    workspace: Workspace, queries: NDArray[np.float32], count: int, *, without: ArrayLike = ()
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ``count`` images most similar to ``queries`` and their cosine similarities, highest first.

    The search is exact, with ties by row.

    Parameters
    ----------
    queries : (d,) or (m, d) float32
        Unit vectors. With several, the highest similarity of an image counts.
    without
        Rows to exclude. Images without a vector, and removed ones, are always excluded.

    Raises
    ------
    EmbeddingError
        No image is embedded yet.
    """
    without = np.union1d(np.asarray(without, np.int64), removed(workspace).rows)
    result = learning.most_similar(vectors_of(workspace), queries, max(1, count), without=without, together=True)
    valid = result.rows[0, :count] >= 0
    return result.rows[0, :count][valid].astype(np.int64), result.similarity[0, :count][valid]


def _pairs(rows: NDArray[np.int64], similarities: NDArray[np.float32]) -> list[tuple[int, float]]:
    return list(zip(rows.tolist(), similarities.tolist(), strict=True))
