"""The samples of ``python -m benchmarks scale``: each step of a collection's way, run by the code of the app.

A step prepares what it needs in a folder and returns what is to be timed. What that returns is what it left on disk, in
bytes an image, as far as it stays there.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine import projection
from bam_engine.collection import find_images, ingest_folder
from bam_engine.collection.digests import of_files
from bam_engine.demo.art import write_collection
from bam_engine.embedding import DEFAULT_ENCODER, VectorStore, embed, open_encoder
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.learning import (
    TABLES,
    NearDuplicateSearch,
    linked_rows,
    mixture,
    representatives,
    score_all,
    unique_pairs,
)
from bam_engine.projection import SAMPLE, InMemoryCheckpoints, fit_layout
from bam_engine.training.models import SPAN, scores_of, write_scores
from bam_engine.workspace import Workspace
from benchmarks import generated, tiles, urls
from benchmarks.machine import OwnMemory
from benchmarks.round import generate
from benchmarks.scale_full import ATTRIBUTES, forget, models

Run = Callable[[], float | None]
"""What is timed; returns the bytes an image that stay on disk, None for none."""

FITTED = 5000
PICTURES = "pictures"


@dataclass(frozen=True)
class Measured:
    """What the repeats of a step took on a sample of ``n`` images, and on half of it."""

    n: int
    half: int
    seconds: list[float]
    seconds_of_half: list[float]
    memory: int
    arrays: int
    arrays_of_half: int
    disk: float


@dataclass(frozen=True)
class Step:
    """A step: its sample, how it prepares a run, and what its extrapolation assumes.

    It ``spreads`` over machines or runs on one; with ``sorts`` it grows by n log n, else by n; ``at_most`` so many
    images take part in it. ``at_once``: what it holds in memory does not grow beyond so many images. ``arrays``
    are the bytes an image of arrays that the code holds at once, as ``about`` names them, where a small sample does not
    show them.
    """

    name: str
    about: str
    sample: int
    prepare: Callable[[int, Path], Run]
    spreads: bool = False
    sorts: bool = False
    at_most: int | None = None
    at_once: int | None = None
    arrays: int = 0


def measured(name: str, folder: Path, n: int, repeats: int) -> tuple[list[float], int, int, float]:
    """Run a step several times on ``n`` images; return seconds, memory, that of arrays, and bytes of disk an image.

    Runs are timed after a first one, which compiles and imports. Memory is the most that the process held in anonymous
    pages; that of arrays and Python's objects, which grows with the sample, is counted in a last run.
    """
    step = next(step for step in STEPS if step.name == name)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        run = step.prepare(n, Path(temporary))
        watch, seconds, disk = OwnMemory(), [], 0.0
        run()
        watch.start()
        for _ in range(repeats):
            begin = time.perf_counter()
            disk = run() or 0.0
            seconds.append(time.perf_counter() - begin)
        memory = watch.stop()
        tracemalloc.start()
        run()
        return seconds, memory, tracemalloc.get_traced_memory()[1], disk


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def copied_pictures(folder: Path, n: int, given: Path | None) -> None:
    """Put ``n`` pictures into the folder ``pictures``: of a folder that was given, else of the demo, as JPEG files."""
    place = folder / PICTURES
    place.mkdir()
    if given is not None:
        paths = [Path(path) for path in find_images(given).paths]
        if not paths:
            raise SystemExit(f"There are no pictures in {given}.")
        chosen = [paths[at] for at in np.linspace(0, len(paths) - 1, min(n, len(paths))).astype(int)]
        for number, path in enumerate(chosen):
            shutil.copy(path, place / f"{number:06}{path.suffix}")
        return
    write_collection(folder / "demo", count=n)
    for number, path in enumerate(sorted((folder / "demo").rglob("*.jpg"))):
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        # without the mark of the demo, which a collection of pictures refuses
        Image.fromarray(pixels).save(place / f"{number:06}.jpg", quality=90)


def some_pictures(folder: Path, n: int) -> list[Path]:
    """Return the first ``n`` pictures, repeated where there are fewer."""
    files = sorted((folder.parent / PICTURES).iterdir())
    return [files[number % len(files)] for number in range(n)]


def download(n: int, folder: Path) -> Run:
    """Fetch and store pictures of a server on this machine; on disk stay pictures as large as those that are drawn."""
    os.environ["BAM_PRIVATE_NETWORKS"] = "127.0.0.0/8"
    large = float(np.mean([path.stat().st_size for path in some_pictures(folder, 64)]))
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.urls", "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None  # noqa: S101
    port = int(server.stdout.readline())

    def run() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            urls.write_list(Path(fresh) / "list.csv", n, port)
            urls.fetching(Path(fresh), n, port)
        return large

    atexit.register(server.terminate)
    return run


def ingest(n: int, folder: Path) -> Run:
    """Add drawn pictures to a collection: read, digested, checked, thumbnails made, records written."""
    (folder / "own").mkdir()
    for path in set(some_pictures(folder, n)):
        shutil.copy(path, folder / "own")

    def run() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            workspace = Workspace(Path(fresh) / "workspace", Path(fresh) / "cache")
            ingest_folder(workspace.catalogue, workspace.thumbnails, folder / "own")
            workspace.engine.dispose()
            return size_of(Path(fresh)) / n

    return run


def embedding(n: int, folder: Path) -> Run:
    """Embed drawn pictures with the default encoder, from files to stored vectors."""
    paths = some_pictures(folder, n)
    encoder, digests = open_encoder(DEFAULT_ENCODER), of_files(paths)

    def run() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            embed(paths, encoder, VectorStore(Path(fresh), images=digests))
            return size_of(Path(fresh)) / n

    return run


def vectors(n: int, folder: Path) -> tuple[Path, npt.NDArray[np.float16]]:
    """Write generated vectors, as long as those of the default encoder."""
    file = folder / "vectors.npy"
    array = np.lib.format.open_memmap(file, "w+", np.float16, (n, open_encoder(DEFAULT_ENCODER).dim))
    generate(n, np.random.default_rng(0), array)
    array.flush()
    return file, np.load(file, mmap_mode="r")


def scoring(n: int, folder: Path) -> Run:
    """Score 20 attributes from disk to disk."""
    file, array = vectors(n, folder)
    made = models(array.shape[1], ATTRIBUTES)
    files = [folder / f"scores-{number}.npy" for number in range(ATTRIBUTES)]

    def run() -> float:
        forget(file, array)
        write_scores(array, made, files, "sample", np.empty(0, np.int64))
        return sum(one.stat().st_size for one in files) / n

    return run


def one_round(n: int, folder: Path) -> Run:
    """Score one attribute from disk and choose the next 100 images; training does not grow with the collection."""
    file, array = vectors(n, folder)
    model = models(array.shape[1], 1)[0]

    def run() -> float:
        forget(file, array)
        mixture(array, score_all(array, model), np.arange(n), 100, rng=np.random.default_rng(0))
        return 4.0

    return run


def near_duplicates(n: int, folder: Path) -> Run:
    """Search near-duplicates with all hash tables, the vectors read from disk, and group them."""
    file, array = vectors(n, folder)

    def run() -> float:
        forget(file, array)
        search = NearDuplicateSearch(array)
        pairs = np.empty((0, 2), np.int32)
        for table in range(TABLES):
            pairs = unique_pairs(np.concatenate([pairs, search.find_pairs(table)]))
        representatives(search.first, pairs)
        linked_rows(pairs, n)
        return 8.0

    return run


def layout_fit(n: int, folder: Path) -> Run:
    """Fit t-SNE to a sample; the sample of a collection has a fixed size."""
    _, array = vectors(n, folder)

    def run() -> None:
        fit_layout(array, np.arange(n), method="tsne", sample=n, checkpoints=InMemoryCheckpoints())

    return run


def layout_placing(n: int, folder: Path) -> Run:
    """Place images on a layout that is fitted already."""
    file, array = vectors(n, folder)
    rows = np.arange(n)
    fitted = fit_layout(array, rows[:FITTED], method="tsne", checkpoints=InMemoryCheckpoints()).model
    assert fitted is not None  # noqa: S101
    place = fitted.placer()

    def run() -> float:
        forget(file, array)
        for start in range(0, n, projection.BLOCK):
            place(array, rows[start : start + projection.BLOCK])
        return 16.0

    return run


def map_opened(n: int, folder: Path) -> Run:
    """Open a map and draw its first tile by category, at zoom 0, which looks at every point."""
    layout = tiles.generated(n)
    codes = tiles.codes_of(layout)

    def run() -> None:
        tiles.view_of(layout, codes, lambda row: None).tile(tiles.KINDS[0], 0, 0, 0)

    return run


def collection_of(n: int, folder: Path) -> Workspace:
    """Return a generated collection with an attribute that is scored."""
    workspace = generated.collection(folder, n, 4)
    scores_of(workspace, generated.scored_attribute(workspace, "media_scale"))
    return workspace


def first_listing(n: int, folder: Path) -> Run:
    """List the collection by score in a process that has read nothing yet."""
    collection_of(n, folder)

    def run() -> None:
        list_images(Workspace(folder / "workspace", folder / "cache"), Query(attribute="media_scale"))

    return run


def another_listing(n: int, folder: Path) -> Run:
    """List the collection in an order that is not in memory."""
    workspace = collection_of(n, folder)
    list_images(workspace, Query(attribute="media_scale"))

    def run() -> None:
        workspace.memory.clear()
        list_images(workspace, Query(attribute="media_scale", sort="shuffled"))

    return run


STEPS = (
    Step(
        "download",
        "pictures of 64 x 64 pixels, from a server that shares the processors of this machine; disk: sample pictures",
        1500,
        download,
        at_once=1,
    ),
    Step(
        "ingest", "files read, digested and checked, thumbnails and records written: the sample pictures", 256, ingest
    ),
    Step(
        "embedding",
        f"the encoder {DEFAULT_ENCODER!r}, from the files of the sample pictures to stored vectors; --on spreads it",
        256,
        embedding,
        spreads=True,
        at_once=1,
    ),
    Step(
        "scoring 20 attributes",
        "vectors as long as the default encoder's, from disk to stored scores, in one pass",
        240_000,
        scoring,
        at_once=SPAN,
    ),
    Step(
        "a round",
        "one attribute scored from disk, 100 chosen; training, a second or so, is extra; memory: the score, the row, "
        "its score in the pool, its uncertainty and its place in the order",
        240_000,
        one_round,
        arrays=4 + 8 + 4 + 4 + 8,
    ),
    Step(
        "near-duplicates",
        f"all {TABLES} hash tables; where vectors do not fit into memory, reading them at random is extra; memory: 24 "
        "float32 of projections, twice while they are sorted, and six numbers of 8 bytes",
        40_000,
        near_duplicates,
        sorts=True,
        arrays=2 * 24 * 4 + 6 * 8,
    ),
    Step(
        "layout: fit",
        f"t-SNE of a sample: {SAMPLE:,} images, however many there are",
        8000,
        layout_fit,
        sorts=True,
        at_most=SAMPLE,
    ),
    Step(
        "layout: the rest placed",
        f"vectors from disk, in blocks, on a layout of {FITTED:,} images",
        2 * projection.BLOCK,
        layout_placing,
        at_once=projection.BLOCK,
    ),
    Step("map: opened", "its points sorted, then tile 0/0/0 by category", 2_000_000, map_opened, sorts=True),
    Step("gallery: first of a start", "by score; reads every digest from the database", 200_000, first_listing),
    Step("gallery: another", "shuffled, from arrays in memory", 1_000_000, another_listing, sorts=True),
)
"""The steps, in the order in which a collection goes through them."""
