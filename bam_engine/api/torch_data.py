"""Labelled images, or their embeddings, as torch datasets. Imports torch, so it is imported by functions alone.

Both hold paths and arrays but no open file, so that worker processes of a ``DataLoader`` can be given a copy.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from bam_engine.collection import read_image
from bam_engine.collection.originals import Original
from bam_engine.embedding import VectorStore
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embedded_rows

Transform = Callable[[Any], Any]


class ImageDataset(Dataset[tuple[Any, int]]):
    """Images in RGB with labels; a file that holds another image by now is an ``ImageUnreadable``.

    Attributes
    ----------
    rows
        int64 (m,): which image of the collection each item is.
    labels
        int64 (m,): 1 yes, 0 no.
    """

    def __init__(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        files: Sequence[tuple[Original, str]],
        transform: Transform | None = None,
    ) -> None:
        self.rows, self.labels = rows, labels
        self.transform = transform
        self._files = list(files)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> tuple[Any, int]:
        path, digest = self._files[position]
        image = read_image(path, digest=digest).convert("RGB")
        return (image if self.transform is None else self.transform(image)), int(self.labels[position])


class EmbeddingDataset(Dataset[tuple[Any, int]]):
    """Embeddings with labels; ``rows`` and ``labels`` as in :class:`ImageDataset`, ``images`` as in the store."""

    def __init__(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        folder: Path,
        images: NDArray[np.uint64],
        transform: Transform | None = None,
    ) -> None:
        self.rows, self.labels = rows, labels
        self.transform = transform
        self._folder, self._images = folder, images
        self._vectors: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> tuple[Any, int]:
        if self._vectors is None:
            self._vectors = VectorStore(self._folder, images=self._images).array()
        vector = torch.from_numpy(self._vectors[self.rows[position]].astype(np.float32))
        return (vector if self.transform is None else self.transform(vector)), int(self.labels[position])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_vectors": None}  # each process maps the file itself


def images_with_labels(
    workspace: Workspace, rows: NDArray[np.int64], labels: NDArray[np.int64], transform: Transform | None
) -> ImageDataset:
    """Return the images of ``rows`` with their labels."""
    files = [(image.path, image.digest) for image in workspace.catalogue.images(rows)]
    return ImageDataset(rows, labels, files, transform)


def embeddings_with_labels(
    workspace: Workspace, rows: NDArray[np.int64], labels: NDArray[np.int64], transform: Transform | None
) -> EmbeddingDataset:
    """Return the embeddings of those of ``rows`` that have one, with their labels."""
    embedded = np.isin(rows, embedded_rows(workspace))
    folder, images = workspace.vectors().folder, workspace.catalogue.digests().array
    return EmbeddingDataset(rows[embedded], labels[embedded], folder, images, transform)
