"""The real pictures as benchmarks use them: vectors, projects, and the truth of ten attributes.

In:  an encoder's name. Out: arrays in the order of ``labels.csv``. The vectors are cached under ``cache/benchmarks``
(or ``BAM_CACHE/benchmarks``), by encoder and checkpoint. Knows nothing of what is measured.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bam_engine.collection.digests import of_files
from bam_engine.embedding import VectorStore, embed, open_encoder
from benchmarks.embedding_rate import MOBILENET, SHARED, WEIGHTS

ENCODERS = {"mobilenetv2": (MOBILENET, WEIGHTS), "builtin": ("builtin", None), "combined": ("combined", None)}
MEDIA = ("watercolor", "3d graphics")
CONTENTS = ("people", "building", "bird", "flower", "cat", "dog", "cars", "bicycle")
ATTRIBUTES = MEDIA + CONTENTS


@dataclass(frozen=True)
class Pictures:
    """Vectors (n, d) float16, project codes (n,) and, for each attribute, its truth (n,) bool."""

    vectors: npt.NDArray[np.float16]
    projects: npt.NDArray[np.int64]
    truth: dict[str, npt.NDArray[np.bool_]]


def available(encoder: str) -> bool:
    """Whether the pictures, and the weights that ``encoder`` needs, are beside the project."""
    _, checkpoint = ENCODERS[encoder]
    return (SHARED / "images" / "labels.csv").exists() and (checkpoint is None or checkpoint.exists())


def said_missing(encoders: Iterable[str]) -> bool:
    """Return whether the pictures, or the weights of any of these encoders, are missing, and print it if so."""
    missing = [encoder for encoder in encoders if not available(encoder)]
    if missing:
        print(f"Skipped: the real pictures, or the weights of {', '.join(missing)}, are not in ../shared.")
    return bool(missing)


@cache
def load(encoder: str = "mobilenetv2") -> Pictures:
    """Return the 6,793 pictures by ``encoder``, one of ``ENCODERS``; the first time takes a few minutes."""
    labels = pd.read_csv(SHARED / "images" / "labels.csv")
    paths = [SHARED / "images" / path for path in labels["path"]]
    spec, checkpoint = ENCODERS[encoder]
    opened = open_encoder(spec, checkpoint=checkpoint)
    folder = Path(os.environ.get("BAM_CACHE", "cache")) / "benchmarks" / opened.key
    store = VectorStore(folder, opened.dim, images=of_files(paths))
    if len(store) < len(paths):
        embed(paths, opened, store)
    truth = {name: (labels["medium"] == name).to_numpy() for name in MEDIA}
    truth |= {name: (labels["content"] == name).to_numpy() for name in CONTENTS}
    return Pictures(np.array(store.array()), pd.factorize(labels["project"])[0].astype(np.int64), truth)
