"""The embeddings of a collection, and the search by a text."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bam_engine.api.best_matches import best_matches
from bam_engine.errors import LearningError
from bam_engine.gallery import search
from bam_engine.progress import Report, silent
from bam_engine.switching.moving import encoder_to_embed_with, move
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import EmbedSummary, embed_collection


class Embeddings:
    """What a :class:`~bam_engine.Collection` does with the vectors of its images."""

    workspace: Workspace

    def embed(
        self, encoder: str | None = None, *, checkpoint: str | Path | None = None, report: Report = silent
    ) -> EmbedSummary:
        """Compute the embedding of every image that has none by this encoder, and use the encoder from now on.

        Where another one is in use, that stays in use until every image is embedded and every attribute that was
        trained has learned its labels with this one. What the other has stays with it, for when it is used again.

        Parameters
        ----------
        encoder
            ``"combined"``, ``"network"`` or ``"builtin"`` (no download), ``"timm:NAME"`` or
            ``"openclip:MODEL/PRETRAINED"``; by default the one in use.
        checkpoint
            A file of weights instead of those of the model hub.
        report
            Called with (done, total, message) after each batch.

        Raises
        ------
        EmbeddingError
            A checkpoint is given without an encoder, or the encoder cannot be opened.
        LearningError
            An attribute cannot be trained with this encoder; the other one stays in use.

        Examples
        --------
        >>> bam.embed("builtin").failed
        0
        """
        file = None if checkpoint is None else Path(checkpoint)
        spec, file = encoder_to_embed_with(self.workspace, encoder, file)
        if encoder is None:
            return embed_collection(self.workspace, report=report)
        moved = move(self.workspace, spec, file, report=report)
        if not moved.in_use:
            reasons = " ".join(f"{name}: {reason}" for name, reason in moved.failed)
            raise LearningError(
                f"The images are embedded with {self.workspace.encoder_name(moved.key)}, which is not in use: not all "
                f"attributes could be trained with it. {reasons}"
            )
        return moved.embedded

    def embeddings(self) -> NDArray[np.float16]:
        """Return the embeddings by the encoder in use: float16 (n, d), of unit length, read-only.

        An image without an embedding has a row of zeros, and False in the column ``embedded`` of :meth:`images`. A
        removed image keeps its row, though :meth:`images` does not list it. The array is mapped from disk unless images
        were added since the last :meth:`embed`.

        Examples
        --------
        >>> vectors = bam.embeddings()
        >>> len(vectors) == len(bam), vectors.dtype
        (True, dtype('float16'))
        """
        vectors, n = self.workspace.vectors().array(), len(self.workspace.catalogue)
        if len(vectors) == n:
            return vectors
        padded = np.zeros((n, vectors.shape[1]), np.float16)
        padded[: len(vectors)] = vectors[:n]
        padded.flags.writeable = False
        return padded

    def search(self, text: str, count: int = 20, *, by: Literal["meaning", "words"] | None = None) -> pd.DataFrame:
        """Return the ``count`` images that match a text best, best first, as the gallery finds them.

        Columns are ``path``, ``file``, ``title``, ``project`` and, by meaning, ``similarity``: the cosine with the
        text. ``attrs["searched"]`` says what was looked at, and ``attrs["matches"]`` how many images match in all.

        Parameters
        ----------
        by
            ``"meaning"`` needs an encoder that reads text (OpenCLIP). ``"words"`` looks for every word in titles,
            captions, project names and file names. By default by meaning where that is possible.

        Examples
        --------
        >>> found = bam.search("painting 42")
        >>> found.index.tolist(), found.attrs["searched"]
        ([42], 'file names of 60 images')
        """
        return best_matches(self.workspace, search.find(self.workspace, text, count, by=by))
