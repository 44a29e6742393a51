"""What a near-duplicate is, for whoever asks: the page of duplicates, the gallery, splits and the evaluation.

Two images are near-duplicates if their thumbnails show the same picture
(:mod:`bam_engine.learning.picture_comparison`). Who is compared with whom is found by their vectors, and by their
sprites, which tell what shrinking does to a picture better than any encoder. Of an image that has no thumbnail and no
file, and of two that are too plain to be compared, the vectors alone decide: they have to be almost the same
(:mod:`bam_engine.learning.duplicate_filter`).
"""

import hashlib
import io
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine import learning
from bam_engine.errors import BucketUnavailable, CollectionError
from bam_engine.learning.duplicate_filter import squared_limit
from bam_engine.learning.picture_comparison import Look, difference, look_of
from bam_engine.processes import processors
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import embedded_rows, vectors_of, vectors_state

Rows = NDArray[np.int64]
Pairs = NDArray[np.int32]

VERSION = 1
"""Increase it with any change of what a near-duplicate is."""

VECTORS, SPRITES = 0.45, 0.01
"""The squared distances within which images are compared, as shares of the mean one to the centre."""

OUTLINE = 97
"""Numbers that outline a sprite: 8 by 8 of its grey, 4 by 4 of each difference of red and blue from it, and a one."""

_BLOCK = 1024  # pairs compared before those that need no comparison any more are left out
_LOOKS = 16_384  # 200 MB
NEAREST = 4
"""With how many of other images one is compared, where somebody waits: those with the nearest vectors and outlines."""
_COPIES = Kind[NDArray[np.bool_]](
    "copies of images that train", of="attribute", until="its labels or the vectors change", limit=32
)
_VERDICTS = Kind[dict[tuple[int, int], bool]](
    "pairs of images that were compared", of="workspace", until="the vectors change", limit=1
)


def outlines(workspace: Workspace, n: int) -> Iterator[NDArray[np.float16]]:
    """Yield the outlines of the sprites of the first ``n`` images in parts, float16 (m, OUTLINE); zeros without one."""
    for start in range(0, n, 4096):
        yield _outlined(workspace, np.arange(start, min(start + 4096, n)))


def _outlined(workspace: Workspace, rows: Rows) -> NDArray[np.float16]:
    import cv2

    found = np.zeros((len(rows), OUTLINE), np.float16)
    for at, row in enumerate(rows.tolist()):
        sprite = workspace.sprites.get(row)
        if sprite is None:
            continue
        square = cv2.resize(sprite, (24, 24), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
        grey = square @ np.array([0.299, 0.587, 0.114], np.float32)
        smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
        found[at, :64] = cv2.resize(smooth, (8, 8), interpolation=cv2.INTER_AREA).reshape(-1)
        colours = square[:, :, ::2] - grey[:, :, None]
        found[at, 64:-1] = cv2.resize(colours, (4, 4), interpolation=cv2.INTER_AREA).reshape(-1)
        found[at, -1] = 1
    return found


class Comparison:
    """Compares the thumbnails of pairs of images; those read last are kept."""

    def __init__(self, workspace: Workspace, *, patient: bool = True) -> None:
        """If ``patient``, raise :class:`BucketUnavailable` where a picture may be there later: nothing is final."""
        self._workspace, self._vectors, self._patient = workspace, vectors_of(workspace), patient
        self._limit: float | None = None
        self._looks: OrderedDict[int, Look | None] = OrderedDict()
        self._threads = ThreadPoolExecutor(processors())

    def __call__(self, pairs: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return how far the images of each pair (m, 2) are from being copies (m,): 0 equal, at most 1 for copies."""
        rows = [row for row in np.unique(pairs).tolist() if row not in self._looks]
        self._looks.update(zip(rows, self._threads.map(self._look, rows), strict=True))
        found = np.fromiter(self._threads.map(self._difference, pairs[:, 0], pairs[:, 1]), np.float32, len(pairs))
        while len(self._looks) > _LOOKS:
            self._looks.popitem(last=False)
        return found

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _look(self, row: int) -> Look | None:
        workspace = self._workspace
        try:
            data = workspace.thumbnails.read(row)
            if data is None:
                data = workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)
            with Image.open(io.BytesIO(data), formats=("WEBP",)) as opened:
                return look_of(np.asarray(opened.convert("RGB")))
        except BucketUnavailable:
            if self._patient:
                raise
        except (CollectionError, OSError):
            pass
        return None

    def _difference(self, one: int, other: int) -> float:
        look, like = self._looks[int(one)], self._looks[int(other)]
        if look is not None and like is not None and not (look.plain and like.plain):
            return difference(look, like)
        if self._limit is None:
            self._limit = squared_limit(self._vectors, embedded_rows(self._workspace))
        a, b = (np.asarray(self._vectors[row], np.float32) for row in (one, other))
        return float(((a - b) ** 2).sum()) / self._limit


def confirmed(
    workspace: Workspace, pairs: Pairs, n: int, *, report: Report = silent
) -> tuple[Pairs, NDArray[np.float32]]:
    """Return those of the ``pairs`` (m, 2), the lower row of ``n`` first, that are near-duplicates, and how far apart.

    A pair is not compared, and left out, where it would change neither who represents whom
    (:func:`bam_engine.learning.representatives`) nor who is linked by way of others.
    """
    pairs = learning.unique_pairs(pairs)
    kept, apart = [np.empty((0, 2), np.int32)], [np.empty(0, np.float32)]
    represented, linked = np.zeros(n, bool), np.arange(n)

    def needed(one: int, other: int) -> bool:
        return not (represented[one] or represented[other]) or _root(linked, one) != _root(linked, other)

    comparison = Comparison(workspace)
    try:
        for start in range(0, len(pairs), _BLOCK):
            report(start, len(pairs), "comparing pictures")
            block = pairs[start : start + _BLOCK]
            block = block[[needed(one, other) for one, other in block.tolist()]]
            found = comparison(block)
            near = block[found <= 1]
            kept.append(near)
            apart.append(found[found <= 1])
            for one, other in near.tolist():
                represented[other] |= not represented[one]
                linked[_root(linked, other)] = _root(linked, one)
    finally:
        comparison.close()
    return np.concatenate(kept), np.concatenate(apart)


def _root(linked: NDArray[np.int64], row: int) -> int:
    """Return the row that stands for all that ``row`` is linked with, and shorten the way to it."""
    while linked[row] != row:
        linked[row] = linked[linked[row]]
        row = int(linked[row])
    return row


def copied(workspace: Workspace, rows: Rows, others: Rows) -> NDArray[np.bool_]:
    """Return which of ``rows`` are near-duplicates of one of ``others``, bool (m,); no search is needed before."""
    key = hashlib.sha256(np.concatenate([[len(rows)], rows, others]).astype(np.int64).tobytes()).digest()
    return workspace.memory.get(_COPIES, key, vectors_state(workspace), lambda: _copied(workspace, rows, others))


def _copied(workspace: Workspace, rows: Rows, others: Rows) -> NDArray[np.bool_]:
    """Compare the nearest; what was compared before is known."""
    verdicts = workspace.memory.get(_VERDICTS, None, vectors_state(workspace), dict)
    vectors, found = vectors_of(workspace), np.zeros(len(rows), bool)
    others = others[others < len(vectors)]
    limit = squared_limit(vectors, embedded_rows(workspace), VECTORS)
    outlined = _outlined(workspace, rows).astype(np.float32), _outlined(workspace, others).astype(np.float32)
    spread = ((outlined[1] - outlined[1].mean(axis=0)) ** 2).sum(axis=1).mean() if len(others) else 0.0
    comparison = Comparison(workspace, patient=False)
    try:
        known = np.asarray(vectors[others], np.float32)
        for at in np.flatnonzero(rows < len(vectors)).tolist():
            distances = ((known - np.asarray(vectors[rows[at]], np.float32)) ** 2).sum(axis=1)
            alike = ((outlined[1] - outlined[0][at]) ** 2).sum(axis=1) <= SPRITES * spread
            near = np.argsort(distances, kind="stable")[:NEAREST]
            similar = np.flatnonzero(alike & outlined[0][at].any())[:NEAREST]
            row, candidates = int(rows[at]), others[np.union1d(near[distances[near] <= limit], similar)].tolist()
            new = [other for other in candidates if (row, other) not in verdicts]
            if new:
                apart = comparison(np.column_stack([np.full(len(new), row), new]))
                verdicts.update({(row, other): bool(far <= 1) for other, far in zip(new, apart, strict=True)})
            found[at] = any(verdicts[row, other] for other in candidates)
    finally:
        comparison.close()
    return found
